//! Doing one thing about many failures: first counted, then done for just those that were counted.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::applied::WAIT_OWN;
use super::super::auth::Caller;
use super::super::codes::Code;
use super::super::messages::Cursor;
use super::super::problem::Problem;
use super::super::propose::{Proposed, propose_many};
use super::super::reason;
use super::super::state::App;
use super::select::{Chosen, Kind, Select, Selection, reach};
use super::wanted::Wanted;
use crate::domain::draft::Draft;
use crate::domain::event::Event;
use crate::domain::id::EventId;
use crate::domain::record::{Principal, Record};

/// Messages of one call, if nothing else is said.
const LIMIT: usize = 1_000;

/// Most messages of one call: as many events of some 200 bytes, two megabytes.
const LIMIT_MAX: usize = 10_000;

/// Records of one append, and appends under way at once.
const BATCH: usize = 128;
const AT_ONCE: usize = 16;

/// What every verb for many is asked.
#[derive(Debug, Default)]
pub(super) struct Ask {
    pub(super) filter: Wanted,
    pub(super) dry_run: bool,
    pub(super) fingerprint: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<String>,
}

/// A verb.
pub(super) struct Verb<F> {
    /// Its name in fingerprints, with what else it is asked.
    pub(super) name: String,
    /// What it is for.
    pub(super) kind: Kind,
    /// The event that does it to one message, for this reason, and the id that it derives from the step.
    pub(super) event: F,
}

/// Counts, or does.
pub(super) async fn act<F>(app: &App, caller: &Caller, ask: Ask, verb: Verb<F>) -> Result<Response, Problem>
where
    F: Fn(&Chosen, &str) -> (EventId, Event),
{
    let limit = ask.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::field("/limit", "is not 1 to 10000", "do the rest with the next call"));
    }
    let from = Cursor::asked(ask.cursor.as_deref())?;
    let until = counted(&ask)?;
    let asked = ask.filter.read(app, caller.scope, "/filter").await?;
    let select = Select { caller, asked: &asked, kind: verb.kind, limit };
    let selection = select.run(app, from, until.as_ref()).await?;
    let fingerprint = selection.fingerprint(&verb.name);
    let mut answer = said(&selection, &fingerprint, ask.dry_run);
    let (Some(reason), false) = (&ask.reason, ask.dry_run) else {
        return Ok(axum::Json(answer).into_response());
    };
    if ask.fingerprint.as_ref() != Some(&fingerprint) {
        return Err(Problem::new(Code::Changed, "some of it was settled or changed since it was counted")
            .remedy("count again with `dry_run`, and repeat the `fingerprint` of that answer"));
    }
    let places = append(app, caller, &selection.chosen, |chosen| (verb.event)(chosen, reason)).await?;
    let applied = all_shown(app, places).await?;
    answer["done"] = json!(selection.chosen.len());
    answer["applied"] = json!(applied);
    let status = if applied { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, axum::Json(answer)).into_response())
}

/// How far the count reached that is to be repeated; none for a dry run.
fn counted(ask: &Ask) -> Result<Option<Cursor>, Problem> {
    reason::check_unless_dry(ask.reason.as_deref(), ask.dry_run)?;
    if ask.dry_run {
        return Ok(None);
    }
    let missing =
        || Problem::field("/fingerprint", "is missing", "count first, with `dry_run`, and repeat its fingerprint");
    reach(ask.fingerprint.as_ref().ok_or_else(missing)?).map(Some)
}

fn said(selection: &Selection, fingerprint: &str, dry_run: bool) -> Value {
    let mut groups: BTreeMap<(&str, &str, i32), usize> = BTreeMap::new();
    for Chosen { failing, .. } in &selection.chosen {
        *groups.entry((failing.state.word(), failing.class.as_str(), failing.code)).or_default() += 1;
    }
    let by = groups
        .into_iter()
        .map(|((state, class, code), count)| json!({"state": state, "class": class, "code": code, "count": count}));
    json!({
        "dry_run": dry_run,
        "matched": selection.chosen.len(),
        "left_out": selection.left_out,
        "of_cancelled_campaigns": selection.of_cancelled,
        "by": by.collect::<Vec<_>>(),
        "done": 0,
        "applied": null,
        "fingerprint": fingerprint,
        "next": selection.next.encode(),
        "more": selection.more,
    })
}

/// Waits for all of them as long as for one.
async fn all_shown(app: &App, places: BTreeMap<u16, Proposed>) -> Result<bool, Problem> {
    let shown = async {
        for place in places.into_values() {
            if !place.shown(app).await? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    tokio::time::timeout(WAIT_OWN, shown).await.unwrap_or(Ok(false))
}

/// Appends the events. Each names its step, so what a call did that broke off half-way is not done again; the rest is
/// counted anew.
async fn append(
    app: &App,
    caller: &Caller,
    chosen: &[Chosen],
    event: impl Fn(&Chosen) -> (EventId, Event),
) -> Result<BTreeMap<u16, Proposed>, Problem> {
    let (by, now) = (Principal::Key(caller.key), app.clock.wall());
    let mut records: BTreeMap<u16, Vec<Record>> = BTreeMap::new();
    for one in chosen {
        let (id, event) = event(one);
        let draft = Draft::new(id, one.failing.session, &event, by, now).tenant(caller.scope.tenant());
        let record = draft.subject(one.failing.message).record();
        let record = record.map_err(|error| Problem::new(Code::TooLarge, error.to_string()))?;
        records.entry(app.partition_of(one.failing.session)).or_default().push(record);
    }
    let mut batches: Vec<(u16, Vec<Record>)> = Vec::new();
    for (partition, records) in &records {
        batches.extend(records.chunks(BATCH).map(|batch| (*partition, batch.to_vec())));
    }
    let (mut batches, mut places) = (batches.into_iter().peekable(), BTreeMap::new());
    while batches.peek().is_some() {
        let proposed = propose_many(app, batches.by_ref().take(AT_ONCE).collect()).await?;
        places.extend(proposed.into_iter().map(|place| (place.partition, place)));
    }
    Ok(places)
}
