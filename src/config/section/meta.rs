//! `[meta]`: Meta's Graph API and its callbacks.

use std::time::Duration;

use url::Url;

use super::{ms, s};
use crate::config::check::{callback_path, each, graph_url, graph_version, within};
use crate::config::secret::SecretRef;
use crate::config::table::keys;

keys! {
    /// The connection to Meta.
    pub struct Meta {
        /// Base of the Graph API.
        graph_url: Url => graph_url;
        /// Version of the Graph API, `v25.0`.
        version: String => graph_version;
        /// Time for a whole call.
        request_timeout: Duration => within(s(1)..=s(120));
        /// Time to connect, TLS included.
        connect_timeout: Duration => within(ms(100)..=s(30));
        /// Connections to Meta at once.
        max_connections: u32 => within(1..=4096);
        /// Path of the callback on `server.listen`.
        callback_path: String => callback_path;
        /// The token Meta repeats when it verifies the callback; None: verification is refused.
        verify_token: Option<SecretRef>;
        // Several, so that a secret can be rotated without a gap.
        /// App secrets that sign callbacks; a callback that none of them signed is refused.
        app_secrets: Vec<SecretRef> => each(0..=16, |_| Ok(()));
    }
}
