//! `[server]`: where waybill listens and how much it takes in at once.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::s;
use crate::config::check::within;
use crate::config::size::Size;
use crate::config::table::keys;

keys! {
    /// Listeners, TLS and the limits of intake.
    pub struct Server {
        /// Where the API and Meta's callbacks are served.
        listen: SocketAddr;
        /// Where `/metrics` and health are served, in plain HTTP; None: on `listen`.
        admin_listen: Option<SocketAddr>;
        /// Certificate chain, PEM; None: plain HTTP.
        tls_cert: Option<PathBuf>;
        /// Private key of `tls_cert`, PEM.
        tls_key: Option<PathBuf>;
        // A sealed record of the journal is at most 1 MiB, so no larger body could be accepted.
        /// Largest body of a request that carries one message.
        max_body: Size => within(Size::kib(1)..=Size::mib(1));
        // Meta sends up to 3 MB (3,000,000 bytes, below 3 MiB); a smaller limit would refuse its callbacks for ever.
        /// Largest body of a callback of Meta.
        callback_max_body: Size => within(Size::mib(3)..=Size::mib(16));
        /// Longest line of a bulk request (one message).
        bulk_line_max: Size => within(Size::kib(1)..=Size::mib(1));
        // Worst case memory for bodies: 1024 x 1 MiB = 1 GiB; typical bodies are below 1 KiB.
        /// Requests being worked on at once; beyond it callers get 503 with Retry-After.
        max_in_flight: u32 => within(1..=65_536);
        /// Time for a whole request.
        request_timeout: Duration => within(s(1)..=s(300));
        /// Time for the headers of a request.
        header_timeout: Duration => within(s(1)..=s(60));
    }
}
