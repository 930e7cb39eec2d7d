//! `POST /v1/contacts/export`: everything that is kept of a person, page by page.
//!
//! A read by POST: the person's number must not stand in a path or a query. Each export is an event in the person's mailbox before
//! anything is shown. Entries come partition by partition and there in order; each has its time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::super::auth::Caller;
use super::super::body;
use super::super::codes::Code;
use super::super::messages::whole_of;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::reason::checked;
use super::super::state::App;
use super::super::time::stamp;
use super::{show, whom};
use crate::domain::draft::Draft;
use crate::domain::event::{AccessGivenV1, AliasKind, Event};
use crate::domain::id::{EventId, KeyId, MessageId};
use crate::domain::record::{Position, Principal};
use crate::domain::row::OfContact;
use crate::journal::Entry;
use crate::store::rows;
use crate::vault::{Alias, VaultError};

/// Entries of a page; and the bytes after which it ends: one entry is a record at most, which is a mebibyte.
const PAGE: usize = 100;
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Whose data, why, and from where on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A phone number, or `bsuid:` and an id.
    to: String,
    /// In the words of whoever asks: kept for ever, so no person's data.
    reason: String,
    /// `next` of the page before.
    after: Option<String>,
}

/// Shows a page: first who the person is and what was allowed, then what was written.
pub async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(ask): body::Json<Ask>,
) -> Result<Json<Value>, Problem> {
    caller.may_change(false)?;
    let reason = checked(ask.reason)?;
    let from = ask.after.as_deref().map(cursor).transpose()?;
    let contact = whom::find(&app, &caller, &ask.to).await?;
    let mut page = Map::new();
    if from.is_none() {
        let event = Event::from(AccessGivenV1 { contact, reason });
        let (id, now) = (EventId(app.entropy.id()), app.clock.wall());
        let draft = Draft::new(id, contact, &event, Principal::Key(caller.key), now);
        propose(&app, app.partition_of(contact), draft.tenant(caller.scope.tenant())).await?;
        page.insert("contact".to_owned(), json!(contact.to_string()));
        page.insert("names".to_owned(), names(&app, &caller, contact).await?);
        page.insert("allowed".to_owned(), show::shown_to(&app, &caller, contact).await?);
    }
    let (entries, next) = entries(&app, &caller, contact, from).await?;
    page.insert("entries".to_owned(), Value::Array(entries));
    page.insert("next".to_owned(), json!(next));
    Ok(Json(Value::Object(page)))
}

type Place = (u16, Option<Position>);

fn cursor(text: &str) -> Result<Place, Problem> {
    let read = || {
        let (partition, position) = text.split_once(':')?;
        Some((partition.parse().ok()?, Some(Position(position.parse().ok()?))))
    };
    read().ok_or_else(|| Problem::field("/after", "is not a place", "give `next` of the page before as it was"))
}

async fn names(app: &App, caller: &Caller, contact: KeyId) -> Result<Value, Problem> {
    let names = app.vault.aliases(caller.scope.tenant(), contact).await?;
    let shown = |alias: &Alias| match alias.kind {
        AliasKind::Phone => json!({"kind": "phone", "value": format!("+{}", alias.value)}),
        AliasKind::Bsuid => json!({"kind": "bsuid", "value": alias.value}),
    };
    Ok(Value::Array(names.iter().map(shown).collect()))
}

async fn entries(
    app: &App,
    caller: &Caller,
    contact: KeyId,
    from: Option<Place>,
) -> Result<(Vec<Value>, Option<String>), Problem> {
    let (first, mut after) = from.unwrap_or((0, None));
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for partition in first..app.partitions {
        loop {
            let page = rows::of_contact(&*app.store, (partition, contact), after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for (at, what) in page {
                after = Some(at);
                let entry = entry(app, caller, contact, (partition, at), what).await?;
                bytes += entry.to_string().len();
                entries.push(entry);
                if entries.len() >= PAGE || bytes >= PAGE_BYTES {
                    return Ok((entries, Some(format!("{partition}:{}", at.0))));
                }
            }
        }
        after = None;
    }
    Ok((entries, None))
}

async fn entry(
    app: &App,
    caller: &Caller,
    contact: KeyId,
    (partition, at): (u16, Position),
    what: OfContact,
) -> Result<Value, Problem> {
    let found = app.journal.read(partition, at).await.map_err(|error| {
        tracing::error!(%contact, %error, "a record about a person cannot be read");
        Problem::new(Code::Unavailable, "a record about the person cannot be read").retry_after(1)
    })?;
    let mut entry = match what {
        OfContact::Message(message) => sent(app, caller, message).await?,
        OfContact::Received => received(app, caller, contact, &found).await?,
        OfContact::Consent | OfContact::Right => said(app, caller, contact, &found).await?,
    };
    entry.insert("at".to_owned(), stamp(found.record.header.at));
    entry.insert("position".to_owned(), json!(format!("{partition}:{}", at.0)));
    Ok(Value::Object(entry))
}

async fn sent(app: &App, caller: &Caller, message: MessageId) -> Result<Map<String, Value>, Problem> {
    let mut entry = Map::from_iter([("what".to_owned(), json!("message"))]);
    entry.insert("message".to_owned(), whole_of(app, caller.scope, message).await?.unwrap_or(Value::Null));
    Ok(entry)
}

async fn received(app: &App, caller: &Caller, contact: KeyId, found: &Entry) -> Result<Map<String, Value>, Problem> {
    let mut entry = Map::from_iter([("what".to_owned(), json!("received"))]);
    let body = opened(app, caller, contact, found).await?;
    // The sealed body frames Meta's own JSON: `part` is the message, `contact` who wrote it.
    let mut framed: Map<String, Value> = body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    for (name, key) in [("received", "part"), ("profile", "contact")] {
        entry.insert(name.to_owned(), framed.remove(key).unwrap_or(Value::Null));
    }
    Ok(entry)
}

async fn said(app: &App, caller: &Caller, contact: KeyId, found: &Entry) -> Result<Map<String, Value>, Problem> {
    let (what, more) = match found.record.event() {
        Ok(Event::ConsentChanged(it)) => {
            let evidence = opened(app, caller, contact, found).await?;
            let evidence: Option<Value> = evidence.and_then(|body| serde_json::from_slice(&body).ok());
            let more = json!({
                "allowed": it.marketing, "source": it.source, "said_at": stamp(it.said_at),
                "evidence": evidence.map(|mut it| it["evidence"].take()),
            });
            ("consent", more)
        }
        Ok(Event::ErasureAsked(it)) => ("erasure_asked", json!({"due_at": stamp(it.due_at), "reason": it.reason})),
        Ok(Event::LegalHoldSet(it)) => ("legal_hold", json!({"held": it.held, "reason": it.reason})),
        Ok(Event::AccessGiven(it)) => ("export", json!({"reason": it.reason})),
        _ => ("other", json!({})),
    };
    let mut entry = Map::from_iter([("what".to_owned(), json!(what))]);
    if let Value::Object(more) = more {
        entry.extend(more);
    }
    Ok(entry)
}

/// The body of a record that is sealed for the person; none where there is none, or it is gone.
async fn opened(
    app: &App,
    caller: &Caller,
    contact: KeyId,
    found: &Entry,
) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
    let header = &found.record.header;
    if found.record.body.is_empty() || header.key != Some(contact) {
        return Ok(None);
    }
    match app.vault.open(caller.scope.tenant(), contact, &header.id.0, &found.record.body).await {
        Ok(opened) => Ok(Some(Zeroizing::new(opened))),
        Err(VaultError::Erased { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
