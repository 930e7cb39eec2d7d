//! What shows a person's word on marketing: sealed under the person's own key in the body of the event that records it.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use crate::domain::id::{EventId, KeyId, TenantId};
use crate::domain::record::Record;
use crate::vault::{Sealed, VaultError};

/// Longest evidence, bytes: room for a form's words and the name of a document, not for the document.
pub(super) const EVIDENCE_MAX: usize = 2_048;

/// The body's text before it is sealed. An object, so that more may stand beside it one day.
#[derive(Serialize, Deserialize)]
pub(super) struct Evidence {
    /// As the caller wrote it.
    pub(super) evidence: String,
}

/// Seals it for one event.
///
/// # Errors
/// When the vault does not answer, or the contact was erased a moment ago.
pub(super) async fn seal(
    app: &App,
    tenant: TenantId,
    contact: KeyId,
    event: EventId,
    text: &str,
) -> Result<Sealed, Problem> {
    let evidence = Evidence { evidence: text.to_owned() };
    let body = Zeroizing::new(serde_json::to_vec(&evidence).map_err(|error| {
        tracing::error!(%error, "evidence does not encode");
        Problem::new(Code::Internal, "the evidence could not be encoded")
    })?);
    Ok(app.vault.seal(tenant, contact, &event.0, body.as_slice()).await?)
}

/// What is to be had of it.
pub(super) enum Seen {
    /// All of it.
    Text(String),
    /// Nothing, and why, as a word.
    Not(&'static str),
}

/// Opens it out of its record.
pub(super) async fn open(app: &App, tenant: TenantId, contact: KeyId, record: &Record) -> Seen {
    if record.body.is_empty() {
        return Seen::Not("erased");
    }
    let opened = match app.vault.open(tenant, contact, &record.header.id.0, &record.body).await {
        Ok(opened) => Zeroizing::new(opened),
        Err(VaultError::Erased { .. }) => return Seen::Not("erased"),
        Err(error) => {
            tracing::error!(%contact, %error, "evidence cannot be opened");
            return Seen::Not("unavailable");
        }
    };
    match serde_json::from_slice::<Evidence>(&opened) {
        Ok(body) => Seen::Text(body.evidence),
        Err(error) => {
            // Not the error's own words: they may quote it.
            tracing::error!(%contact, column = error.column(), "evidence does not decode");
            Seen::Not("unavailable")
        }
    }
}
