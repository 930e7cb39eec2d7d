//! What shows a person's word on marketing: sealed under the person's own key in the body of the event that records it.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use crate::domain::id::{EventId, KeyId, TenantId};
use crate::vault::Sealed;

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
