//! `POST /v1/campaigns/{name}/audience`: people by lines, through the same pipeline as `/v1/messages/bulk`; and
//! `POST …/validate`, which reads the same lines and says who of them could not be loaded.
//!
//! A line is `{to, parameters | components, reference?}`. It is idempotent by its reference, or without one by its
//! recipient: loading a file twice adds nothing, and a person without a reference is in a campaign once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::super::accept::{IdempotencyKey, Request, fingerprint, would_take};
use super::super::auth::Caller;
use super::super::body;
use super::super::codes::Code;
use super::super::guard::Place;
use super::super::messages::{Line, Lines, Reading, check_lines, decode, take_lines};
use super::super::nearest::nearest;
use super::super::problem::{Problem, fault};
use super::super::state::App;
use super::super::time::stamp;
use super::{find, is_test};
use crate::domain::admission::{EXPIRY_MAX, Expiry};
use crate::domain::campaign::CampaignState;
use crate::domain::content::Problem as Fault;
use crate::domain::id::CampaignId;
use crate::domain::row::{CampaignRow, Row, RowId};
use crate::store::rows;

/// What a line may hold.
const FIELDS: [&str; 4] = ["to", "parameters", "components", "reference"];

/// Lines that are named of each problem when an audience is only looked at.
const NAMED: usize = 10;

/// Kinds of problem that are told apart there.
const KINDS: usize = 32;

/// A campaign that is being loaded.
#[derive(Debug)]
pub struct Audience {
    campaign: CampaignId,
    row: CampaignRow,
}

/// Loads people.
pub async fn audience(
    State(app): State<Arc<App>>,
    caller: Caller,
    place: Place,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (campaign, row) = find(&app, &caller, &name).await?;
    caller.may_change(is_test(&app, &row).await?)?;
    takes(row.state)?;
    let reading = Reading::Audience(Arc::new(Audience { campaign, row }));
    take_lines(app, caller, place, &headers, body, reading)
}

/// # Errors
/// `wrong_state`.
fn takes(state: CampaignState) -> Result<(), Problem> {
    if state.takes_lines() {
        return Ok(());
    }
    let remedy = match state {
        CampaignState::Running => "pause it, load, and resume it",
        _ => "it is over for ever: declare another one",
    };
    Err(Problem::new(Code::WrongState, format!("the campaign is {} and takes nobody", state.word())).remedy(remedy))
}

impl Audience {
    /// Whether it still may be loaded: it may have been started or cancelled while the lines came.
    ///
    /// # Errors
    /// `wrong_state`.
    pub async fn still_takes(&self, app: &App) -> Result<(), Problem> {
        match rows::get(&*app.store, &RowId::Campaign(self.campaign)).await? {
            Some(Row::Campaign(row)) => takes(row.state),
            _ => Err(Problem::not_found("campaign")),
        }
    }

    /// The message that a line asks for.
    ///
    /// # Errors
    /// `invalid_request` with everything that is wrong with it.
    pub fn request(&self, line: Value) -> Result<Request, Problem> {
        let print = fingerprint(&line);
        let Value::Object(mut line) = line else {
            return Err(Problem::field("", "is not a JSON object", "write one object a line: {\"to\": …}"));
        };
        let mut faults = unknown(&line);
        let components = components(&mut line, &mut faults);
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let mut request = decode(self.message(line, components), None).map_err(in_the_line)?;
        let content = &request.content;
        request.idempotency = Some(IdempotencyKey::of_line(self.campaign, content.reference.as_deref(), &content.to));
        request.fingerprint = print;
        request.campaign = Some(self.campaign);
        request.expiry = request.expiry.or(Some(Expiry::In(EXPIRY_MAX)));
        Ok(request)
    }

    fn message(&self, mut line: Map<String, Value>, components: Option<Value>) -> Value {
        let mut template = json!({"name": self.row.template, "language": {"code": self.row.language}});
        if let Some(components) = components {
            template["components"] = components;
        }
        let mut message = json!({
            "from": self.row.from, "type": "template", "template": template,
            "category": self.row.category, "priority": self.row.priority,
        });
        message["to"] = line.remove("to").unwrap_or_default();
        message["reference"] = line.remove("reference").unwrap_or_default();
        if let Some(at) = self.row.expires_at {
            message["expires_at"] = stamp(at);
        }
        message
    }
}

fn unknown(line: &Map<String, Value>) -> Vec<Fault> {
    let strange = line.keys().filter(|name| !FIELDS.contains(&name.as_str()));
    let told = strange.map(|name| {
        let shown: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
        let remedy = match nearest(name, FIELDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("a line holds {}", FIELDS.join(", ")),
        };
        fault(&format!("/{shown}"), "is not a known field", remedy)
    });
    told.collect()
}

/// The template's components: as Meta has them, or from the parameters of its body, in their order or by their names.
fn components(line: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Option<Value> {
    let mut take = |name| line.remove(name).filter(|value| !value.is_null());
    let (parameters, components) = (take("parameters"), take("components"));
    let Some(parameters) = parameters else {
        return components;
    };
    if components.is_some() {
        faults.push(fault("/parameters", "stands beside `components`", "give one of the two"));
        return None;
    }
    let text = |value: &Value| match value {
        Value::String(text) => Some(json!({"type": "text", "text": text})),
        Value::Number(number) => Some(json!({"type": "text", "text": number.to_string()})),
        _ => None,
    };
    let read: Option<Vec<Value>> = match &parameters {
        Value::Array(all) => all.iter().map(text).collect(),
        Value::Object(named) => named
            .iter()
            .map(|(name, value)| {
                let mut parameter = text(value)?;
                parameter["parameter_name"] = json!(name);
                Some(parameter)
            })
            .collect(),
        _ => None,
    };
    let Some(read) = read else {
        let remedy = "write a list of texts, or an object of names and texts; anything else goes into `components`";
        faults.push(fault("/parameters", "are not the texts of the template's body", remedy));
        return None;
    };
    Some(json!([{"type": "body", "parameters": read}]))
}

/// Places in the message, as places in the line.
fn in_the_line(mut problem: Problem) -> Problem {
    for fault in &mut problem.errors {
        if let Some(rest) = fault.pointer.strip_prefix("/template/components") {
            fault.pointer = format!("/components{rest}");
        }
    }
    problem
}

/// What was found of one kind of problem.
#[derive(Debug)]
struct Found {
    problem: Problem,
    lines: u64,
    first: Vec<Value>,
}

/// Looks at an audience and loads nobody: how many lines would be taken now, and of each problem how many lines have it and
/// which the first are, by number and reference. It makes no contact, and whether a line was loaded before it does not
/// ask.
pub async fn validate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let (campaign, row) = find(&app, &caller, &name).await?;
    check_lines(&headers)?;
    let audience = Audience { campaign, row };
    let share = app.bulks.take(Some(caller.scope.tenant())).map_err(|full| full.problem("bulk requests"))?;
    let server = &app.settings.server;
    let mut lines = Lines::new(body, server.bulk_line_max.as_usize(), server.request_timeout);
    let (mut all, mut good) = (0_u64, 0_u64);
    let mut found: BTreeMap<&'static str, Found> = BTreeMap::new();
    while let Some(line) = lines.next().await {
        all += 1;
        let (number, looked) = look(&app, &caller, &audience, line, server.bulk_line_max.as_usize()).await;
        match looked {
            Ok(()) => good += 1,
            Err((problem, reference)) => note(&mut found, number, problem, reference),
        }
    }
    drop(share);
    let problems: Vec<Value> = found
        .into_values()
        .map(|found| {
            json!({
                "code": found.problem.code.word(), "title": found.problem.code.title(), "lines": found.lines,
                "example": found.problem.to_json(), "first": found.first,
            })
        })
        .collect();
    Ok(Json(json!({"lines": all, "good": good, "problems": problems})))
}

type Looked = Result<(), (Problem, Option<String>)>;

async fn look(app: &App, caller: &Caller, audience: &Audience, line: Line, max: usize) -> (u64, Looked) {
    let (number, text) = match line {
        Line::Whole(number, text) => (number, text),
        Line::TooLong(number) => {
            let problem = Problem::new(Code::TooLarge, format!("the line has more than {max} bytes"));
            return (number, Err((problem, None)));
        }
        Line::Broken(number) => {
            return (number, Err((Problem::new(Code::RequestTimeout, "the body broke off"), None)));
        }
    };
    let line: Value = match body::decode(&text) {
        Ok(line) => line,
        Err(problem) => return (number, Err((problem, None))),
    };
    let reference = line.get("reference").and_then(Value::as_str).map(|text| text.chars().take(256).collect());
    let looked = match audience.request(line) {
        Ok(request) => would_take(app, caller, &request).await,
        Err(problem) => Err(problem),
    };
    (number, looked.map_err(|problem| (problem, reference)))
}

fn note(found: &mut BTreeMap<&'static str, Found>, line: u64, problem: Problem, reference: Option<String>) {
    let word = problem.code.word();
    if found.len() >= KINDS && !found.contains_key(word) {
        return;
    }
    let found = found.entry(word).or_insert_with(|| Found { problem, lines: 0, first: Vec::new() });
    found.lines += 1;
    if found.first.len() < NAMED {
        found.first.push(json!({"line": line, "reference": reference}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{CampaignDeclaredV1, Category, Priority};
    use crate::domain::id::{SessionId, TenantId};

    fn sale() -> Audience {
        let campaign = CampaignId([7; 16]);
        let facts = CampaignDeclaredV1 {
            campaign,
            name: "sale".to_owned(),
            session: SessionId([1; 16]),
            from: "shop".to_owned(),
            template: "sale".to_owned(),
            language: "de".to_owned(),
            category: Category::Marketing,
            priority: Priority::Bulk,
            expires_at: None,
            start_at: None,
            pool: None,
        };
        Audience { campaign, row: CampaignRow::declared(&facts, TenantId([2; 16]), 0) }
    }

    fn wrong(line: Value) -> Vec<String> {
        sale().request(line).expect_err("wrong").errors.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn parameters_become_the_body_of_the_template() {
        let taken = |line| sale().request(line).expect("good");
        let listed = taken(json!({"to": "+12025550123", "parameters": ["Ada", 7]}));
        let body = &listed.content.object["template"]["components"][0];
        assert_eq!(body["parameters"], json!([{"type": "text", "text": "Ada"}, {"type": "text", "text": "7"}]));
        assert_eq!((listed.category, listed.priority), (Some(Category::Marketing), Some(Priority::Bulk)));
        let named = taken(json!({"to": "+12025550123", "parameters": {"first": "Ada"}}));
        let parameter = &named.content.object["template"]["components"][0]["parameters"][0];
        assert_eq!(parameter, &json!({"type": "text", "text": "Ada", "parameter_name": "first"}));
        assert_eq!(taken(json!({"to": "+12025550123"})).campaign, Some(CampaignId([7; 16])));
    }

    #[test]
    fn a_line_is_the_same_by_its_reference_or_by_its_recipient() {
        let key = |line| sale().request(line).expect("good").idempotency;
        let one = key(json!({"to": "+12025550123", "reference": "r-1"}));
        assert_eq!(one, key(json!({"to": "+12025550199", "reference": "r-1"})));
        assert_ne!(one, key(json!({"to": "+12025550123", "reference": "r-2"})));
        let plain = key(json!({"to": "+12025550123"}));
        assert_eq!(plain, key(json!({"to": "+1 202 555 0123", "parameters": ["x"]})));
        assert_ne!(plain, one);
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_at_its_place() {
        assert_eq!(wrong(json!({"to": "+12025550123", "text": {"body": "x"}})), ["/text"]);
        assert_eq!(wrong(json!({"to": "+12025550123", "parameters": [{}]})), ["/parameters"]);
        assert_eq!(wrong(json!({"to": "+12025550123", "parameters": [], "components": []})), ["/parameters"]);
        assert_eq!(wrong(json!({"to": "12"})), ["/to"]);
        assert_eq!(wrong(json!(["+12025550123"])), [""]);
    }
}
