//! A reply to a message that was sent through here: the client knows it by our id, Meta by its own.

use serde_json::Value;

use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::state::App;
use super::error::GraphError;
use super::wamid;
use crate::domain::id::MessageId;
use crate::domain::row::{MessageRow, Row, RowId};
use crate::store::rows;

/// Where a reply names what it answers.
const REPLY_TO: &str = "/context/message_id";

/// Puts Meta's id where the client wrote ours. Ids that are not ours stay: they name what people wrote to us.
pub(super) async fn translate(app: &App, caller: &Caller, body: &mut Value) -> Result<(), GraphError> {
    let Some(named) = body.pointer_mut(REPLY_TO) else {
        return Ok(());
    };
    if let Some(message) = named.as_str().and_then(wamid::read) {
        *named = Value::from(provider_id(app, caller, message).await?);
    }
    Ok(())
}

async fn provider_id(app: &App, caller: &Caller, message: MessageId) -> Result<String, GraphError> {
    let not_sent = || {
        GraphError::invalid(format!(
            "`{REPLY_TO}` names a message that Meta has not taken yet, or none of yours; reply to it once it is sent"
        ))
    };
    let row = row(app, message).await?.ok_or_else(not_sent)?;
    let accepted = row.accepted.as_ref().ok_or_else(not_sent)?;
    if !caller.scope.owns(accepted.tenant) {
        return Err(not_sent());
    }
    let sealed = row.provider.as_ref().and_then(|(_, sealed)| sealed.as_ref()).ok_or_else(not_sent)?;
    let (vault, tenant) = (&app.vault, accepted.tenant);
    let opened = vault.open(tenant, sealed.key, &message.0, &sealed.bytes).await;
    let text = String::from_utf8(opened.map_err(Problem::from)?);
    text.map_err(|_| not_sent())
}

async fn row(app: &App, message: MessageId) -> Result<Option<Box<MessageRow>>, GraphError> {
    let row = rows::get(&*app.store, &RowId::Message(message)).await.map_err(Problem::from)?;
    Ok(match row {
        Some(Row::Message(row)) => Some(row),
        _ => None,
    })
}
