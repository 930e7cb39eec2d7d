//! What the routes of Meta's callbacks share: the application, the code table, the secrets Meta signs with.

use std::sync::Arc;

use super::super::seldom::Seldom;
use super::super::state::App;
use super::receive::Budget;
use crate::config::{Secret, SecretError, SecretRef};
use crate::domain::failure::CodeTable;

/// Memory for bodies that are being read or worked on, KiB; half of it for small ones alone. A body is held about four
/// times (as received, as parts, as text under the seal, sealed), so 64 MiB of bodies are 256 MiB at worst: 8 of the
/// largest at the default limit of 4 MiB, and beside them thousands of the usual ones of a few KiB.
const BODIES_KIB: usize = 64 * 1024;

/// The state of the callback's routes.
pub struct Callbacks {
    pub(super) app: Arc<App>,
    pub(super) codes: Arc<CodeTable>,
    pub(super) app_secrets: Vec<Secret>,
    pub(super) verify_token: Option<Secret>,
    pub(super) bodies: Budget,
    pub(super) refusals: Seldom,
}

impl Callbacks {
    /// Fetches the secrets that `[meta]` names. Without app secrets every callback is refused, without a verify token
    /// every challenge.
    ///
    /// # Errors
    /// [`SecretError`]: a secret that is named but not there.
    pub fn new(app: Arc<App>, codes: Arc<CodeTable>) -> Result<Self, SecretError> {
        let meta = &app.settings.meta;
        let app_secrets = meta.app_secrets.iter().map(SecretRef::resolve);
        let mut app_secrets = app_secrets.collect::<Result<Vec<_>, _>>()?;
        // An empty secret is a forgotten one, and fits nothing.
        app_secrets.retain(|secret| !secret.expose().is_empty());
        let verify_token = meta.verify_token.as_ref().map(SecretRef::resolve);
        let verify_token = verify_token.transpose()?;
        Ok(Self {
            app,
            codes,
            app_secrets,
            verify_token,
            bodies: Budget::halved(BODIES_KIB),
            refusals: Seldom::default(),
        })
    }

    /// Says that somebody was refused: a wrong app secret must not stay unseen while Meta repeats for seven days.
    pub(super) fn told_off(&self, why: &str) {
        if let Some(refused) = self.refusals.again(self.app.clock.steady()) {
            tracing::warn!(why, refused, "callbacks are refused; said at most once a minute");
        }
    }
}
