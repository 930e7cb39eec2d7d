//! One notification: its body from row, journal and vault, signed and posted.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::gather::Due;
use crate::actors::hands::Hands;
use crate::domain::content::{CLIENT_TOKEN, Content};
use crate::domain::event::Event;
use crate::domain::id::{MessageId, SessionId, TenantId};
use crate::domain::notification::NotificationKind;
use crate::domain::record::Micros;
use crate::domain::row::{Row, RowId};
use crate::domain::wamid;
use crate::store::rows;
use crate::webhook::{Delivered, DeliveryId, Post, Secrets};

/// Where and how to post.
#[derive(Clone)]
pub struct Target {
    /// The customer's address.
    pub url: url::Url,
    /// Its signing secrets, newest first.
    pub secrets: Secrets,
    /// Whose it is.
    pub tenant: TenantId,
}

/// Why a notification could not even be posted: tried again like a failed post.
pub type Unposted = &'static str;

/// Posts one notification.
///
/// # Errors
/// When its body cannot be put together just now.
pub async fn notify(hands: &Hands, target: &Target, due: &Due) -> Result<Delivered, Unposted> {
    let body = body(hands, target.tenant, due).await?;
    let id = DeliveryId::new(&due.row.id.to_string()).map_err(|_| "the id cannot be sent")?;
    let seconds = u64::try_from(hands.clock.wall() / 1_000_000).unwrap_or(0);
    let post = Post { url: target.url.clone(), id, timestamp_s: seconds, body, secrets: target.secrets.clone() };
    Ok(hands.webhooks.deliver(post).await)
}

async fn body(hands: &Hands, tenant: TenantId, due: &Due) -> Result<Bytes, Unposted> {
    let row = &due.row;
    let mut data = Map::new();
    if let Some(message) = row.message {
        data.insert("message_id".to_owned(), json!(message.to_string()));
        data.insert("wamid".to_owned(), json!(wamid::write(message)));
        about_message(hands, tenant, message, &mut data).await?;
    } else if row.kind == NotificationKind::Checkpoint {
        about_checkpoint(hands, due, &mut data).await?;
    } else if row.kind.is_of_session() {
        about_session(hands, due, &mut data).await?;
    } else {
        about_inbound(hands, tenant, due, &mut data).await?;
    }
    if let Some(session) = row.session {
        data.insert("session".to_owned(), json!(session_name(hands, session).await?));
    }
    if row.message.is_some() && (row.code != 0 || !row.class.is_empty()) {
        data.insert("reason".to_owned(), json!({ "class": row.class, "code": row.code }));
    }
    let body = json!({
        "id": row.id.to_string(),
        "type": row.kind.word(),
        "timestamp": timestamp(row.at),
        "data": data,
    });
    serde_json::to_vec(&body).map(Bytes::from).map_err(|_| "the body cannot be written")
}

/// The customer's own words for the message, which are sealed in its acceptance. Erased ones are left out.
async fn about_message(
    hands: &Hands,
    tenant: TenantId,
    message: MessageId,
    data: &mut Map<String, Value>,
) -> Result<(), Unposted> {
    let row = rows::get(hands.store.as_ref(), &RowId::Message(message)).await.map_err(|_| "the rows cannot be read")?;
    let Some(Row::Message(row)) = row else {
        return Ok(());
    };
    let Some(accepted) = &row.accepted else {
        return Ok(());
    };
    let entry = hands.journal.read(message.partition(), accepted.fact.position).await;
    let entry = entry.map_err(|_| "the journal cannot be read")?;
    let opened = hands.vault.open(tenant, accepted.contact, &accepted.event.0, &entry.record.body).await;
    match opened {
        Ok(opened) => {
            let content: Content = serde_json::from_slice(&opened).map_err(|_| "the content does not decode")?;
            data.insert("to".to_owned(), json!(content.to));
            data.insert("reference".to_owned(), json!(content.reference));
            data.insert(CLIENT_TOKEN.to_owned(), json!(content.client_token));
            Ok(())
        }
        Err(error) if error.is_erased() => {
            data.insert("erased".to_owned(), json!(true));
            Ok(())
        }
        Err(_) => Err("the vault cannot be read"),
    }
}

async fn about_inbound(
    hands: &Hands,
    tenant: TenantId,
    due: &Due,
    data: &mut Map<String, Value>,
) -> Result<(), Unposted> {
    let entry = hands.journal.read(due.at.partition, due.at.position).await;
    let entry = entry.map_err(|_| "the journal cannot be read")?;
    data.insert("content".to_owned(), json!(due.row.class));
    let header = &entry.record.header;
    let Some(key) = header.key else { return Ok(()) };
    match hands.vault.open(tenant, key, &header.id.0, &entry.record.body).await {
        Ok(opened) => {
            // The sealed body frames Meta's own JSON: `part` is the message, `contact` who wrote it.
            let mut framed: Map<String, Value> = serde_json::from_slice(&opened).unwrap_or_default();
            for (name, key) in [("message", "part"), ("contact", "contact")] {
                data.insert(name.to_owned(), framed.remove(key).unwrap_or(Value::Null));
            }
            Ok(())
        }
        Err(error) if error.is_erased() => {
            data.insert("erased".to_owned(), json!(true));
            Ok(())
        }
        Err(_) => Err("the vault cannot be read"),
    }
}

/// How a session stands: until when and how fast stands in the event.
async fn about_session(hands: &Hands, due: &Due, data: &mut Map<String, Value>) -> Result<(), Unposted> {
    let entry = hands.journal.read(due.at.partition, due.at.position).await;
    let entry = entry.map_err(|_| "the journal cannot be read")?;
    let (until, per_second) = match entry.record.event().map_err(|_| "the event does not decode")? {
        Event::SessionHeld(facts) => (Some(facts.until), None),
        Event::SessionPaced(facts) if due.row.kind == NotificationKind::SessionHeld => {
            (Some(facts.until), Some(facts.per_second))
        }
        _ => (None, None),
    };
    let (class, bucket) = match due.row.class.split_once(':') {
        Some((class, bucket)) => (class, Some(bucket)),
        None => (due.row.class.as_str(), None),
    };
    data.insert("class".to_owned(), json!(class));
    data.insert("bucket".to_owned(), json!(bucket));
    data.insert("code".to_owned(), json!(due.row.code));
    data.insert("until".to_owned(), json!(until.map(timestamp)));
    data.insert("per_second".to_owned(), json!(per_second));
    Ok(())
}

/// What was signed, as it was signed.
async fn about_checkpoint(hands: &Hands, due: &Due, data: &mut Map<String, Value>) -> Result<(), Unposted> {
    let entry = hands.journal.read(due.at.partition, due.at.position).await;
    let entry = entry.map_err(|_| "the journal cannot be read")?;
    let Ok(Event::CheckpointPublished(facts)) = entry.record.event() else {
        return Err("the event does not decode");
    };
    data.insert("checkpoint".to_owned(), json!(facts.note));
    Ok(())
}

async fn session_name(hands: &Hands, session: SessionId) -> Result<Option<String>, Unposted> {
    match rows::get(hands.store.as_ref(), &RowId::Session(session)).await {
        Ok(Some(Row::Session(row))) => Ok(Some(row.name)),
        Ok(_) => Ok(None),
        Err(_) => Err("the rows cannot be read"),
    }
}

/// RFC 3339 in UTC with microseconds.
fn timestamp(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map(|at| at.to_string()).unwrap_or_default()
}

/// One line about a failed try, for the journal and people. Never what the customer's server said: that may hold
/// anybody's data.
#[must_use]
pub fn why(outcome: &Result<Delivered, Unposted>) -> String {
    match outcome {
        Ok(Delivered::Acknowledged { status }) => format!("status {status}"),
        Ok(Delivered::Rejected { status, .. } | Delivered::Throttled { status, .. }) => {
            format!("status {status}")
        }
        Ok(Delivered::Redirected { status }) => format!("redirected with status {status}"),
        Ok(Delivered::Gone) => "status 410".to_owned(),
        Ok(Delivered::Unreachable { reason, .. }) => format!("unreachable: {reason:?}"),
        Ok(Delivered::TimedOut) => "timed out".to_owned(),
        Ok(Delivered::Refused(refusal)) => format!("refused: {refusal}"),
        Err(why) => (*why).to_owned(),
    }
}

/// The wait that the customer's server asked for.
#[must_use]
pub fn asked_wait(outcome: &Result<Delivered, Unposted>) -> Option<std::time::Duration> {
    match outcome {
        Ok(Delivered::Rejected { retry_after, .. } | Delivered::Throttled { retry_after, .. }) => *retry_after,
        _ => None,
    }
}
