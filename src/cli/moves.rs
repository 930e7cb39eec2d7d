//! An event in words: which messages it moves, and to where. One event may move many, for what belongs together is
//! written together.
//!
//! To add a kind of event: an arm in [`moves`] if it moves messages; without one its facts are listed.

use serde_json::Value;

/// One message that an event moves; or none, for events about other things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Move {
    /// The message.
    pub message: Option<String>,
    /// What it has become, as a word.
    pub state: String,
    /// More about it: an attempt, a code, a reason.
    pub detail: String,
}

/// What an event moves, at least one line of it. `event` is one of `GET /v1/admin/events`.
#[must_use]
pub fn moves(event: &Value) -> Vec<Move> {
    let facts = &event["facts"];
    let found = match text(event, "name").as_str() {
        "MessageAccepted" => vec![of_message(facts, "accepted", text(facts, "category"))],
        "MessageWithdrawn" => vec![of_message(facts, "withdrawn", String::new())],
        "MessageCancelled" => vec![of_message(facts, "cancelled", String::new())],
        "MessageExpired" => vec![of_message(facts, "expired", String::new())],
        "MessageRequeued" => vec![of_message(facts, "queued again", text(facts, "reason"))],
        "MessagesGated" => list(facts, "messages").map(|message| gated(message, facts)).collect(),
        "MessageReleased" => vec![of_message(facts, "released", String::new())],
        "MessageMovedOut" => vec![of_message(facts, "moved", join([text(facts, "to"), text(facts, "reason")]))],
        "MessageMovedIn" => vec![of_message(facts, "moved here", format!("from {}", text(facts, "from")))],
        "MessageMovedBack" => vec![of_message(facts, "moved back", format!("from {}", text(facts, "leg")))],
        "AttemptsStarted" => {
            let each = |of| Move { state: "sending".to_owned(), ..of_attempt(of) };
            list(facts, "attempts").map(each).collect()
        }
        "AttemptsClosed" => list(facts, "closed").map(closed).collect(),
        "StatusReported" => vec![reported(facts)],
        "SessionHeld" => vec![of_session("held", facts, [text(facts, "class"), code(facts), until(facts)])],
        "SessionPaced" => {
            let rate = facts["per_second"].as_u64().map(|rate| format!("{rate} a second")).unwrap_or_default();
            vec![of_session("paced", facts, [rate, code(facts), until(facts)])]
        }
        "SessionReleased" => vec![of_session("released", facts, [text(facts, "reason"), String::new(), String::new()])],
        "CampaignMoved" => vec![Move {
            message: None,
            state: format!("campaign: {}", text(facts, "step")),
            detail: join([text(facts, "campaign"), text(facts, "reason")]),
        }],
        "UnknownResolved" => {
            vec![Move { state: format!("resolved: {}", text(facts, "resolution")), ..of_attempt(&facts["of"]) }]
        }
        _ => Vec::new(),
    };
    if found.is_empty() { vec![Move { detail: plain(facts), ..Move::default() }] } else { found }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

fn of_message(facts: &Value, state: &str, detail: String) -> Move {
    Move { message: facts["message"].as_str().map(ToOwned::to_owned), state: state.to_owned(), detail }
}

/// A session, in the place where the detail begins.
fn of_session(state: &str, facts: &Value, more: [String; 3]) -> Move {
    let detail = join([text(facts, "session")].into_iter().chain(more));
    Move { message: None, state: state.to_owned(), detail }
}

fn until(facts: &Value) -> String {
    facts["until"].as_str().map(|until| format!("until {until}")).unwrap_or_default()
}

/// A message that an operator's gate holds back.
fn gated(message: &Value, facts: &Value) -> Move {
    let told = message.as_str().map(ToOwned::to_owned);
    Move { message: told, state: "behind a gate".to_owned(), detail: text(facts, "closing") }
}

/// A message and which attempt of it.
fn of_attempt(of: &Value) -> Move {
    let detail = of["attempt"].as_u64().map(|number| format!("attempt {number}")).unwrap_or_default();
    Move { message: of["message"].as_str().map(ToOwned::to_owned), state: String::new(), detail }
}

/// `attempt 2, throttle, code 130429`
fn closed(closed: &Value) -> Move {
    let outcome = &closed["outcome"];
    let told = of_attempt(&closed["of"]);
    let reasons = [text(outcome, "class"), text(outcome, "why"), code(outcome)];
    Move { state: text(outcome, "how"), detail: join([told.detail].into_iter().chain(reasons)), message: told.message }
}

fn reported(facts: &Value) -> Move {
    let told = of_attempt(&facts["of"]);
    let detail = join(["by Meta".to_owned(), text(facts, "class"), code(facts)]);
    Move { state: text(facts, "status"), detail, message: told.message }
}

fn code(value: &Value) -> String {
    match value["code"].as_i64() {
        None | Some(0) => String::new(),
        Some(code) => format!("code {code}"),
    }
}

fn join(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The facts of any event, those with a name or a reason in words first to be read: `name orders, per second 80`.
fn plain(facts: &Value) -> String {
    let simple = facts.as_object().into_iter().flatten().filter_map(|(name, value)| {
        let value = match value {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "yes".to_owned(),
            _ => return None,
        };
        Some(format!("{} {value}", name.replace('_', " ")))
    });
    join(simple)
}
