//! What secrets are called in the vault: written by the API's declarations, read by the actors.

use super::id::{EndpointId, SessionId};

/// A session's access token.
#[must_use]
pub fn session_token(session: SessionId) -> String {
    format!("session/{session}/token")
}

/// An endpoint's signing secrets, newest first, separated by spaces.
#[must_use]
pub fn endpoint_secret(endpoint: EndpointId) -> String {
    format!("endpoint/{endpoint}/secret")
}

/// The seed of the key that signs the instance's audit log.
pub const AUDIT_KEY: &str = "audit/key";

/// Origin, size and root of what was signed with it last, written before the signature is made.
pub const AUDIT_HEAD: &str = "audit/head";
