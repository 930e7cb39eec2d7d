//! `PUT /v1/campaigns/{name}`: a campaign is declared once. The same again is nothing new, and anything else another
//! campaign: what was loaded was judged by what was declared.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::Value;

use super::super::auth::Caller;
use super::super::body;
use super::super::codes::Code;
use super::super::problem::{Problem, fault};
use super::super::propose::propose;
use super::super::state::App;
use super::super::time;
use super::{find, shown};
use crate::config::Name;
use crate::domain::admission::{EXPIRY_MAX, EXPIRY_MIN};
use crate::domain::content::{Problem as Fault, is_language, is_template_name};
use crate::domain::draft::Draft;
use crate::domain::event::{CampaignDeclaredV1, Category, Event, Priority};
use crate::domain::gate::{MAX_CAMPAIGNS, MAX_CAMPAIGNS_OF_TENANT};
use crate::domain::id::{CampaignId, EventId, SessionId};
use crate::domain::record::{Micros, Principal};
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// What is declared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A session's name.
    from: String,
    /// What each person gets.
    template: Template,
    /// What it is for.
    category: Option<Category>,
    /// Who goes first.
    priority: Option<Priority>,
    /// Nothing of it leaves after this.
    expires_at: Option<Value>,
    /// It starts by itself then.
    start_at: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    name: String,
    language: String,
}

/// Declares a campaign.
pub async fn declare(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body::Json(ask): body::Json<Ask>,
) -> Result<Json<Value>, Problem> {
    let tenant = caller.scope.tenant();
    let session = app.directory.session_named(&app, tenant, &ask.from).await?.ok_or_else(|| Problem {
        code: Code::UnknownSender,
        ..Problem::field("/from", "names no session of this tenant", "GET /v1/sessions lists them")
    })?;
    caller.may_change(session.test)?;
    let (facts, late) = facts(CampaignId::named(tenant, &name), (name, session.id), ask, app.clock.wall())?;
    let (campaign, name) = (facts.campaign, facts.name.clone());
    match find(&app, &caller, &name).await {
        Ok((_, row)) if row.declaration(campaign) == facts => return Ok(Json(shown(&app, campaign, &row).await?)),
        Ok(_) => return Err(otherwise()),
        Err(problem) if problem.code == Code::NotFound => {}
        Err(problem) => return Err(problem),
    }
    // What was declared in time is declared, whenever that is said again.
    if !late.is_empty() {
        return Err(Problem::invalid(late));
    }
    has_room(&app, &caller, session.partition).await?;
    let (id, by) = (EventId(app.entropy.id()), Principal::Key(caller.key));
    let draft = Draft::new(id, tenant, &Event::from(facts.clone()), by, app.clock.wall()).tenant(tenant);
    propose(&app, app.partition_of(tenant), draft).await?.shown(&app).await?;
    match find(&app, &caller, &name).await {
        Ok((_, row)) if row.declaration(campaign) == facts => Ok(Json(shown(&app, campaign, &row).await?)),
        Ok(_) => Err(otherwise()),
        Err(problem) if problem.code == Code::NotFound => match has_room(&app, &caller, session.partition).await {
            Ok(()) => Err(Problem::new(Code::NotApplied, "it is durable and does not show yet")
                .remedy("GET /v1/campaigns/{name} will show it")),
            Err(full) => Err(full),
        },
        Err(problem) => Err(problem),
    }
}

fn otherwise() -> Problem {
    Problem::new(Code::Taken, "a campaign of this name was declared with other words")
        .remedy("a campaign never changes: choose another name, and cancel the one that is wrong")
}

/// What would be declared, and what is wrong with its times if that is new.
fn facts(
    campaign: CampaignId,
    (name, session): (String, SessionId),
    ask: Ask,
    now: Micros,
) -> Result<(CampaignDeclaredV1, Vec<Fault>), Problem> {
    let mut faults: Vec<Fault> = Vec::new();
    if Name::parse(&name).is_none() {
        let remedy = "write 1 to 63 lower-case letters, digits and hyphens, a letter or digit first";
        faults.push(fault("/name", "is not a name", remedy));
    }
    if !is_template_name(&ask.template.name) {
        let remedy = "lower-case letters, digits and `_`, at most 512";
        faults.push(fault("/template/name", "is not a template's name", remedy));
    }
    if !is_language(&ask.template.language) {
        faults.push(fault("/template/language", "is not a language code", "write it as Meta does, like `en_US`"));
    }
    let category = ask.category.unwrap_or(Category::Marketing);
    if category == Category::Service {
        let remedy = "choose from marketing, utility, authentication: a campaign sends a template";
        faults.push(fault("/category", "is not one of a template", remedy));
    }
    let mut read = |pointer: &str, value: Option<Value>| {
        let value = value.filter(|value| !value.is_null())?;
        time::read(pointer, &value).map_err(|fault| faults.push(fault)).ok()
    };
    let (expires_at, start_at) = (read("/expires_at", ask.expires_at), read("/start_at", ask.start_at));
    let late = times(start_at, expires_at, now);
    if !faults.is_empty() {
        faults.extend(late);
        return Err(Problem::invalid(faults));
    }
    let facts = CampaignDeclaredV1 {
        campaign,
        name,
        session,
        from: ask.from,
        template: ask.template.name,
        language: ask.template.language,
        category,
        priority: ask.priority.unwrap_or(Priority::Bulk),
        expires_at,
        start_at,
    };
    Ok((facts, late))
}

fn times(start_at: Option<Micros>, expires_at: Option<Micros>, now: Micros) -> Vec<Fault> {
    let mut faults = Vec::new();
    if start_at.is_some_and(|at| at <= now) {
        let remedy = "choose a time ahead, or leave it out and start the campaign once it is loaded";
        faults.push(fault("/start_at", "has passed", remedy));
    }
    if start_at.is_some_and(|at| at > now.saturating_add(EXPIRY_MAX)) {
        faults.push(fault("/start_at", "is more than 30 days ahead", "choose a time within 30 days from now"));
    }
    let begin = start_at.map_or(now, |at| at.max(now));
    if expires_at.is_some_and(|at| at < begin.saturating_add(EXPIRY_MIN)) {
        faults.push(fault("/expires_at", "leaves no time to send", "choose a time after `start_at`, and after now"));
    }
    if expires_at.is_some_and(|at| at > now.saturating_add(EXPIRY_MAX)) {
        faults.push(fault("/expires_at", "is more than 30 days ahead", "choose a time within 30 days from now"));
    }
    faults
}

/// # Errors
/// `too_many_campaigns`.
async fn has_room(app: &App, caller: &Caller, partition: u16) -> Result<(), Problem> {
    let full = |limit: usize, whose: &str| {
        Problem::new(Code::TooManyCampaigns, format!("{limit} of {whose} are under way, and no more may be"))
            .remedy("cancel one that is not needed (GET /v1/campaigns lists yours), or wait until one is finished")
    };
    let ids = [RowId::Campaigns(caller.scope.tenant()), RowId::Gates(partition)];
    for row in rows::get_many(&*app.store, &ids).await? {
        match row {
            Some(Row::Campaigns(row)) if !row.has_room() => return Err(full(MAX_CAMPAIGNS_OF_TENANT, "this tenant")),
            Some(Row::Gates(row)) if row.campaigns() >= MAX_CAMPAIGNS => {
                return Err(full(MAX_CAMPAIGNS, "all tenants"));
            }
            _ => {}
        }
    }
    Ok(())
}
