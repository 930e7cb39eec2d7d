//! `POST /v1/campaigns/{name}/start`, `…/pause`, `…/resume`, `…/cancel`.
//!
//! Each is one event in the tenant's mailbox, and effective once the sender's partition has applied its copy: no intent after
//! its place there is valid. 200 then; 202 when that takes longer than a verb waits, and the tenant's actor goes on with it.
//! A step that is taken already is answered as things stand.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::applied::{WAIT_OWN, caught_up, must_catch_up};
use super::super::auth::Caller;
use super::super::body;
use super::super::codes::Code;
use super::super::gates::applied_everywhere;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::reason::Ask;
use super::super::state::App;
use super::{find, is_test, progress, shown};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::Draft;
use crate::domain::event::{CampaignMovedV1, CampaignStep, Event};
use crate::domain::id::{CampaignId, EventId};
use crate::domain::record::Principal;
use crate::domain::row::CampaignRow;

macro_rules! steps {
    ($($(#[$doc:meta])* $verb:ident $step:ident;)*) => {
        $(
            $(#[$doc])*
            pub async fn $verb(
                State(app): State<Arc<App>>,
                caller: Caller,
                Path(name): Path<String>,
                body::Json(ask): body::Json<Ask>,
            ) -> Result<Response, Problem> {
                step(&app, &caller, &name, CampaignStep::$step, ask).await
            }
        )*
    };
}

steps! {
    /// Lets its messages leave.
    start Start;
    /// Stops it for a while.
    pause Pause;
    /// Lets it go on.
    resume Resume;
    /// Ends it: what has not left is called off.
    cancel Cancel;
}

async fn step(app: &App, caller: &Caller, name: &str, step: CampaignStep, ask: Ask) -> Result<Response, Problem> {
    let reason = ask.reason()?;
    // What is durable and not in the rows yet may be the opposite of what they say: then the word is recorded in any case,
    // and where it stands decides.
    let home = app.partition_of(caller.scope.tenant());
    let current = caught_up(app, home, WAIT_OWN).await?;
    let (campaign, row) = find(app, caller, name).await?;
    caller.may_change(is_test(app, &row).await?)?;
    if current && row.state.is_after(step) {
        return answer(app, campaign, &row).await;
    }
    if current && row.state.after(step).is_none() {
        return Err(wrong(row.state));
    }
    if step == CampaignStep::Start {
        is_loaded(app, campaign, &row).await?;
    }
    let tenant = caller.scope.tenant();
    let event = Event::from(CampaignMovedV1 { campaign, step, reason, follows: None });
    let (id, by) = (EventId(app.entropy.id()), Principal::Key(caller.key));
    let draft = Draft::new(id, tenant, &event, by, app.clock.wall()).tenant(tenant);
    let proposed = propose(app, home, draft).await?;
    let shown = current && proposed.shown(app).await?;
    if shown {
        // Somebody else may have moved it in between.
        let (_, now) = find(app, caller, name).await?;
        if !now.state.is_after(step) {
            return Err(wrong(now.state));
        }
    }
    // Whoever copies it reads of it in those rows.
    if !shown {
        return said(app, campaign, &row, false).await;
    }
    let closed = !matches!(step, CampaignStep::Start | CampaignStep::Resume);
    let applied = applied_everywhere(app, (&row.gate(campaign), proposed.position, closed)).await?;
    let (campaign, row) = find(app, caller, name).await?;
    let everywhere = applied == usize::from(app.partitions);
    if everywhere { said(app, campaign, &row, true).await } else { answer(app, campaign, &row).await }
}

/// Its partition may be behind what was loaded just now.
///
/// # Errors
/// `empty_campaign`.
async fn is_loaded(app: &App, campaign: CampaignId, row: &CampaignRow) -> Result<(), Problem> {
    must_catch_up(app, app.partition_of(row.session)).await?;
    if progress(app, campaign, row).await?.all() > 0 {
        return Ok(());
    }
    Err(Problem::new(Code::EmptyCampaign, "nothing was loaded into it")
        .remedy("load its audience with POST /v1/campaigns/{name}/audience before it is started"))
}

fn wrong(state: CampaignState) -> Problem {
    let problem = Problem::new(Code::WrongState, format!("the campaign is {}", state.word()));
    problem.remedy(match state {
        CampaignState::Draft => "start it first",
        CampaignState::Running => "it runs already: pause or cancel it",
        CampaignState::Paused => "resume or cancel it",
        CampaignState::Cancelled | CampaignState::Finished => "it is over for ever: declare another one",
    })
}

/// As it is recorded.
async fn answer(app: &App, campaign: CampaignId, row: &CampaignRow) -> Result<Response, Problem> {
    let effective = shown(app, campaign, row).await?["effective"] == true;
    said(app, campaign, row, effective).await
}

/// 202 while its last word is not applied where its messages are. What is recorded as effective lags behind what is.
async fn said(app: &App, campaign: CampaignId, row: &CampaignRow, effective: bool) -> Result<Response, Problem> {
    let mut view = shown(app, campaign, row).await?;
    view["effective"] = json!(effective);
    let status = if effective { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(view)).into_response())
}
