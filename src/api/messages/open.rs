//! Opening what a message says: its record is read by position, its body opened by the vault.

use serde_json::{Map, Value, json};

use super::super::state::App;
use super::find::Found;
use crate::domain::content::{CLIENT_TOKEN, Content};
use crate::vault::VaultError;

/// What is left of a message's content.
pub enum Opened {
    /// All of it.
    Content(Box<Content>),
    /// The person was erased, or the body dropped: nothing, for ever.
    Erased,
    /// It cannot be had now; the log says why.
    Unavailable,
}

/// Opens the content.
pub async fn open(app: &App, found: &Found) -> Opened {
    let accepted = &found.accepted;
    let (partition, position) = accepted.content(found.place);
    let entry = match app.journal.read(partition, position).await {
        Ok(entry) => entry,
        Err(error) => {
            tracing::error!(%error, message = %found.id, "the record of a message cannot be read");
            return Opened::Unavailable;
        }
    };
    if entry.record.body.is_empty() {
        return Opened::Erased;
    }
    let opened = app.vault.open(accepted.tenant, accepted.contact, &accepted.event.0, &entry.record.body);
    match opened.await {
        Ok(text) => read(&text, found),
        Err(VaultError::Erased { .. }) => Opened::Erased,
        Err(error) => {
            tracing::error!(%error, message = %found.id, "the content of a message cannot be opened");
            Opened::Unavailable
        }
    }
}

fn read(text: &[u8], found: &Found) -> Opened {
    match serde_json::from_slice(text) {
        Ok(content) => Opened::Content(Box::new(content)),
        Err(error) => {
            // Not the error's own words: they may quote the content.
            tracing::error!(message = %found.id, column = error.column(), "the content of a message does not decode");
            Opened::Unavailable
        }
    }
}

impl Opened {
    /// Writes what there is into the answer.
    pub fn write(self, answer: &mut Map<String, Value>) {
        match self {
            Self::Content(content) => {
                answer.insert("to".to_owned(), json!(content.to));
                answer.insert("reference".to_owned(), json!(content.reference));
                answer.insert(CLIENT_TOKEN.to_owned(), json!(content.client_token));
                answer.insert("content".to_owned(), Value::Object(content.object));
            }
            Self::Erased => drop(answer.insert("erased".to_owned(), json!(true))),
            Self::Unavailable => {
                drop(answer.insert("content_unavailable".to_owned(), json!(true)));
            }
        }
    }
}
