//! The seam: one notification to one endpoint, and everything that can become of it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::error::Refusal;
use super::secret::Secrets;
use super::sign::DeliveryId;

/// One attempt at one notification.
#[derive(Clone)]
pub struct Post {
    /// The endpoint's address. Vetted again at every attempt.
    pub url: Url,
    /// `webhook-id`: the same for every attempt and for every replay.
    pub id: DeliveryId,
    /// The time of this attempt in Unix seconds: `webhook-timestamp`, and "now" for a `Retry-After` date.
    pub timestamp_s: u64,
    /// The JSON body, sent and signed byte for byte.
    pub body: Bytes,
    /// The endpoint's live secrets; all of them sign.
    pub secrets: Secrets,
}

impl fmt::Debug for Post {
    /// Shows neither the path and query, where customers keep tokens, nor the body, which is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("host", &self.url.host_str())
            .field("id", &self.id.as_str())
            .field("timestamp_s", &self.timestamp_s)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What became of an attempt. All but `Acknowledged` are failures; delivery is at-least-once, so each of them may be
/// tried again, except `Gone`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// A 2xx status line arrived: the customer has it, whatever the body does afterwards.
    Acknowledged {
        /// 200 to 299.
        status: u16,
    },
    /// The endpoint answered, and not with yes: 4xx and 5xx outside the rows below.
    Rejected {
        /// The status as received.
        status: u16,
        /// What it asked for, at most seven days.
        retry_after: Option<Duration>,
        /// The first 4 KiB of its body as text, without control characters. Hostile input: encode before showing.
        excerpt: String,
    },
    /// 410: the endpoint wants no more notifications. Disable it.
    Gone,
    /// 429, 502, 503 or 504: send this endpoint less.
    Throttled {
        /// The status as received.
        status: u16,
        /// What it asked for, at most seven days.
        retry_after: Option<Duration>,
    },
    /// 3xx: never followed, since it would lead past the address guard and signs nothing.
    Redirected {
        /// 300 to 399.
        status: u16,
    },
    /// No answer: the connection could not be made, or broke before the answer's head had arrived.
    Unreachable {
        /// What stood in the way.
        reason: UnreachableReason,
        /// The innermost error's own words, at most 200 characters, without the endpoint's address.
        detail: String,
    },
    /// No answer's head within the deadline. The endpoint may have processed it.
    TimedOut,
    /// The address guard forbids it. For [`Refusal::Peer`] the POST had left; for all others nothing was sent.
    Refused(Refusal),
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnreachableReason {
    /// The name did not resolve.
    NameNotResolved,
    /// The host refuses connections on this port.
    ConnectionRefused,
    /// No route to the host or its network.
    NoRoute,
    /// TLS failed: certificate not trusted, expired, for another name, or no common version.
    Tls,
    /// The connection was closed or reset before an answer.
    ConnectionLost,
    /// What came back was not HTTP/1.1 within our limits.
    Protocol,
    /// Anything else; see the detail.
    Other,
}

/// Delivers one notification, once. The real thing is [`super::Poster`], the double [`super::ScriptedEndpoint`].
pub trait Deliver: Send + Sync {
    /// One POST with one deadline. Retries nothing and never panics because of the world.
    ///
    /// Dropping the future abandons the call; the endpoint may still have received it.
    fn deliver(&self, post: Post) -> impl Future<Output = Delivered> + Send;
}
