//! `PUT /v1/contacts/consent`: record what a person said about marketing.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::super::accept::alias;
use super::super::auth::Caller;
use super::super::body::Json;
use super::super::codes::Code;
use super::super::problem::{Problem, fault};
use super::super::propose::propose;
use super::super::state::App;
use super::super::time;
use super::evidence::{self, EVIDENCE_MAX};
use super::whom;
use crate::domain::content::Problem as Fault;
use crate::domain::draft::Draft;
use crate::domain::event::{ConsentChangedV1, Event};
use crate::domain::id::EventId;
use crate::domain::record::{Micros, Principal};

/// Longest source, characters.
const SOURCE_MAX: usize = 64;

/// How far ahead of our clock a caller's may be, microseconds. A word from the far future could never be taken back.
const AHEAD_MAX: Micros = 300_000_000;

/// What is recorded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Who said it: a phone number, or `bsuid:` and an id.
    to: String,
    /// Whether marketing is allowed from here on.
    marketing: bool,
    /// Where it was said (`checkout`, `support`): a word, never a person's data.
    source: String,
    /// When; now by default.
    said_at: Option<Value>,
    /// What shows it, in words of the caller's choice: sealed under the person's own key.
    evidence: Option<String>,
}

/// Records consent. The later word counts, by when it was said.
pub async fn consent(State(app): State<Arc<App>>, caller: Caller, Json(ask): Json<Ask>) -> Result<Response, Problem> {
    // There are no people for tests: whoever is written to is asked by this, live.
    caller.may_change(false)?;
    let now = app.clock.wall();
    let said_at = check(&ask, now).map_err(|fault| Problem::invalid(vec![fault]))?;
    let (tenant, alias) = (caller.scope.tenant(), alias(&ask.to)?);
    let contact = app.vault.contact(tenant, &alias).await?;
    let Ask { marketing, source, evidence, .. } = ask;
    let bytes = evidence.as_ref().map(|text| u16::try_from(text.len()).unwrap_or(u16::MAX));
    let event = Event::from(ConsentChangedV1 { contact, marketing, source, said_at, evidence: bytes });
    let id = EventId(app.entropy.id());
    let mut draft = Draft::new(id, contact, &event, Principal::Key(caller.key), now).tenant(tenant);
    if let Some(text) = &evidence {
        let sealed = evidence::seal(&app, tenant, contact, id, text).await?;
        draft = draft.sealed(sealed.key, sealed.commitment, sealed.bytes);
    }
    let proposed = propose(&app, app.partition_of(contact), draft).await?;
    let answer = proposed.answer(&app).await?;
    // The name still led to somebody who was erased a moment ago, by another node: the word counts for nobody.
    if whom::row(&app, contact).await?.erased_at.is_some() {
        return Err(Problem::new(Code::Changed, "what was kept of the person was erased at this moment")
            .remedy("send it again: it is then recorded for whoever the person is from now on"));
    }
    Ok(answer)
}

/// The source stands in the clear for ever, so it is held to a word.
fn check(ask: &Ask, now: Micros) -> Result<Micros, Fault> {
    let word = |c: char| c.is_ascii_alphanumeric() || "-_. :/".contains(c);
    let digits = ask.source.chars().filter(char::is_ascii_digit).count();
    let length = ask.source.chars().count();
    if !(1..=SOURCE_MAX).contains(&length) || !ask.source.chars().all(word) || digits > 6 {
        return Err(fault(
            "/source",
            "is not a source",
            "write where it was said in 1 to 64 letters, like `checkout`; no person's data",
        ));
    }
    if ask.evidence.as_ref().is_some_and(|text| text.is_empty() || text.len() > EVIDENCE_MAX) {
        return Err(fault(
            "/evidence",
            "is empty, or longer than 2048 bytes",
            "write what shows it in 1 to 2048 bytes, or leave it out; keep whole documents elsewhere and name them here",
        ));
    }
    match &ask.said_at {
        None | Some(Value::Null) => Ok(now),
        Some(value) => match time::read("/said_at", value)? {
            at if at > now.saturating_add(AHEAD_MAX) => {
                Err(fault("/said_at", "is in the future", "give the time at which the person said it"))
            }
            at => Ok(at),
        },
    }
}
