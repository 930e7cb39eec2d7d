//! `POST /v1/tenant/suspend`, `/v1/templates/{name}/suspend`, `/v1/countries/{code}/suspend`, and `…/resume` of each.
//!
//! 200 once each partition has applied it: no intent after its position there is valid, and none of before leaves. Where another
//! node has just taken a partition over, that waits for what its last owner had open. 202 when that takes longer than a
//! verb waits; it is durable then, and spread by the tenant's actor however often that dies.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::applied::{WAIT_OWN, caught_up};
use super::super::auth::Caller;
use super::super::body;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::reason::Ask;
use super::super::state::App;
use super::list::asks;
use super::view;
use crate::config::JournalKind;
use crate::domain::content::{is_template_name, read_code};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, GateAskedV1};
use crate::domain::gate::{Gate, MAX_CLOSED, MAX_OF_TENANT};
use crate::domain::id::EventId;
use crate::domain::record::{Micros, Position, Principal};
use crate::domain::row::{AsksRow, Row, RowId};
use crate::store::gates::Late;
use crate::store::{gates, rows};

/// How often it looks whether all have applied it.
const LOOK: Duration = Duration::from_millis(20);

/// No gate is a test thing: each stops live messages too.
const TEST: bool = false;

// A verb of a template or a country names it in its path; the tenant is that of the key.
macro_rules! verbs {
    ($($(#[$doc:meta])* $verb:ident $closed:literal $gate:ident;)*) => {
        $(
            $(#[$doc])*
            pub async fn $verb(
                State(app): State<Arc<App>>,
                caller: Caller,
                name: Option<Path<String>>,
                body::Json(ask): body::Json<Ask>,
            ) -> Result<Response, Problem> {
                let gate = $gate(&caller, name.map(|Path(name)| name).unwrap_or_default())?;
                switch(&app, &caller, gate, $closed, ask).await
            }
        )*
    };
}

verbs! {
    /// Stops everything of the tenant.
    suspend_tenant true whole;
    /// Lets the tenant send again.
    resume_tenant false whole;
    /// Stops messages of a template, in any language.
    suspend_template true template;
    /// Lets messages of a template leave again.
    resume_template false template;
    /// Stops messages to phone numbers of a country.
    suspend_country true country;
    /// Lets messages to phone numbers of a country leave again.
    resume_country false country;
}

/// It has no name in the path.
fn whole(caller: &Caller, _: String) -> Result<Gate, Problem> {
    Ok(Gate::Tenant { tenant: caller.scope.tenant() })
}

/// Any name may be stopped: which templates there are Meta knows.
fn template(caller: &Caller, name: String) -> Result<Gate, Problem> {
    if !is_template_name(&name) {
        return Err(Problem::new(Code::NotFound, "no template can be called that")
            .remedy("name it as messages do in `template.name`"));
    }
    Ok(Gate::Template { tenant: caller.scope.tenant(), name })
}

fn country(caller: &Caller, code: String) -> Result<Gate, Problem> {
    let code = read_code(&code).ok_or_else(|| {
        Problem::new(Code::NotFound, "this is no country's calling code")
            .remedy("write the digits between `+` and the national number, such as 49")
    })?;
    Ok(Gate::Country { tenant: caller.scope.tenant(), code })
}

async fn switch(app: &App, caller: &Caller, gate: Gate, closed: bool, ask: Ask) -> Result<Response, Problem> {
    let reason = ask.reason()?;
    caller.may_change(TEST)?;
    // A word that is durable and not in the rows yet may be the opposite.
    let current = caught_up(app, app.partition_of(caller.scope.tenant()), WAIT_OWN).await?;
    let before = asks(app, caller.scope.tenant()).await?;
    // An open gate that nobody is closing is open everywhere.
    if current && !closed && before.on(&gate).is_none() {
        return Ok(answer(app, &gate, usize::from(app.partitions)));
    }
    if closed && before.on(&gate).is_none_or(|asked| !asked.closed) {
        has_room(app, &before).await?;
    }
    let tenant = caller.scope.tenant();
    let event = Event::from(GateAskedV1 { gate: gate.clone(), closed, reason });
    let (id, by) = (EventId(app.entropy.id()), Principal::Key(caller.key));
    let draft = Draft::new(id, tenant, &event, by, app.clock.wall()).tenant(tenant);
    let proposed = propose(app, app.partition_of(tenant), draft).await?;
    // Whoever copies it reads of it in those rows.
    if !current || !proposed.shown(app).await? {
        return Ok(answer(app, &gate, 0));
    }
    if closed {
        was_taken(&asks(app, caller.scope.tenant()).await?, &gate, proposed.position)?;
    }
    let applied = applied_everywhere(app, (&gate, proposed.position, closed)).await?;
    Ok(answer(app, &gate, applied))
}

/// # Errors
/// `too_many_gates`.
async fn has_room(app: &App, asks: &AsksRow) -> Result<(), Problem> {
    if !asks.has_room() {
        return Err(full(MAX_OF_TENANT, "this tenant"));
    }
    // Each partition knows the same ones, but for those that are on their way.
    match rows::get(&*app.store, &RowId::Gates(0)).await? {
        Some(Row::Gates(row)) if row.operators_closed() >= MAX_CLOSED => Err(full(MAX_CLOSED, "all tenants")),
        _ => Ok(()),
    }
}

fn full(limit: usize, whose: &str) -> Problem {
    Problem::new(Code::TooManyGates, format!("{limit} gates of {whose} are closed, and no more may be"))
        .remedy("resume one that is not needed any more (GET /v1/gates lists yours), or suspend something larger")
}

/// Of two who ask at once for the last place one comes too late.
///
/// # Errors
/// `too_many_gates`.
fn was_taken(asks: &AsksRow, gate: &Gate, position: Position) -> Result<(), Problem> {
    let known = asks.on(gate).is_some_and(|asked| asked.position >= position);
    if known || asks.has_room() { Ok(()) } else { Err(full(MAX_OF_TENANT, "this tenant")) }
}

/// Waits a while until each partition that it concerns has applied the word, and nothing that it stops may leave any more; where
/// that is so, of all.
pub(in crate::api) async fn applied_everywhere(app: &App, word: (&Gate, Position, bool)) -> Result<usize, Problem> {
    let all = usize::from(app.partitions);
    let missing = async || gates::without_effect(&*app.store, app.partitions, word, late(app)).await;
    let wait = async {
        while !missing().await?.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
        Ok::<usize, Problem>(all)
    };
    match tokio::time::timeout(WAIT_OWN, wait).await {
        Ok(applied) => applied,
        Err(_) => Ok(all - missing().await?.len()),
    }
}

/// How late a call of another node may leave, where there are others.
pub(super) fn late(app: &App) -> Option<Late> {
    let deadline = Micros::try_from(app.settings.delivery.intent_deadline.as_micros()).unwrap_or(Micros::MAX);
    (app.settings.journal.kind == JournalKind::Kafka).then(|| Late { now: app.clock.wall(), deadline })
}

fn answer(app: &App, gate: &Gate, applied: usize) -> Response {
    let all = usize::from(app.partitions);
    let effective = applied == all;
    let status = if effective { StatusCode::OK } else { StatusCode::ACCEPTED };
    let body = json!({
        "gate": view(gate),
        "effective": effective,
        "partitions": {"applied": applied, "of": all},
    });
    (status, Json(body)).into_response()
}
