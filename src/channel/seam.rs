//! The seam as data: what is asked of a channel, and what a channel can do. A channel in another process (a WhatsApp Web
//! worker) is given the same commands over a wire; one in this process implements [`Channel`].
//!
//! The credential travels beside the command, never inside it, so that a command can be written down and a credential
//! cannot.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::domain::event::Status;
use crate::domain::failure::Answer;
use crate::domain::id::MessageId;
use crate::runtime::BoxFuture;

/// Longest token, bytes: what `biz_opaque_callback_data` takes (Cloud API, "Messages").
pub const TOKEN_MAX: usize = 512;

/// What is asked of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// One attempt at one message.
    Send(SendCommand),
}

/// One attempt at one message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SendCommand {
    /// The message.
    pub message: MessageId,
    /// 1 for the first try.
    pub attempt: u16,
    /// The sender, as the provider names it: a phone number id.
    pub account: String,
    /// The recipient, as [`crate::domain::content::Content::to`] has it.
    pub to: String,
    /// The message object, as [`crate::domain::content::Content::object`] has it.
    pub object: Map<String, Value>,
    /// What the provider gives back with each status: at most [`TOKEN_MAX`] bytes.
    pub token: String,
    /// No first byte after this instant of [`crate::runtime::Clock::steady`]. Only this machine's boot knows that clock:
    /// over a wire it is sent as time left.
    pub deadline: Duration,
}

/// Names the attempt and shows nothing of the person.
impl std::fmt::Debug for SendCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendCommand")
            .field("message", &self.message)
            .field("attempt", &self.attempt)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A provider's token. Wiped when dropped; has no `Debug`, `Display` or serialised form.
pub struct Credential(Zeroizing<String>);

impl Credential {
    /// Takes the secret over.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself: for an `Authorization` header and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// How inbound messages arrive, and what the provider promises about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inbound {
    /// Signed callbacks, repeated until answered with 200.
    SignedCallback,
    /// A socket that is acknowledged after the journal has it.
    AcknowledgedSocket,
}

/// What keeps a session alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// A token; no state of its own.
    Token,
    /// Pairing by a person, state on disk, a single owner.
    Paired,
}

/// Who limits the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pacing {
    /// The provider answers with throttle codes; our own limiter keeps below them.
    Provider,
    /// Nobody but us: without our own limiter the account is lost.
    Own,
}

/// How media is named in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// By an id from an upload, or by a link.
    IdOrLink,
    /// By a link.
    Link,
    /// Encrypted by the client.
    Sealed,
}

/// Where a session may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// On any node.
    AnyNode,
    /// Where its lease is.
    LeaseOwner,
}

/// What a channel can do. The core branches on these, never on a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The channel's word: `whatsapp`.
    pub channel: String,
    /// How inbound messages arrive.
    pub inbound: Inbound,
    /// What keeps a session alive.
    pub lifecycle: Lifecycle,
    /// Whether free-form messages reach a person outside of the service window.
    pub free_form_outside_window: bool,
    /// Whether it knows templates.
    pub templates: bool,
    /// Which statuses it reports.
    pub statuses: Vec<Status>,
    /// Whether it gives our token back with a status, so that an unknown outcome can be settled.
    pub returns_token: bool,
    /// Whether sending the same wire id twice is sending once.
    pub repeat_is_same: bool,
    /// Whether sent messages can be edited.
    pub edit: bool,
    /// Whether sent messages can be taken back.
    pub revoke: bool,
    /// Whether it can show that we are typing.
    pub typing: bool,
    /// Whether it sends to groups.
    pub groups: bool,
    /// Who limits the rate.
    pub pacing: Pacing,
    /// How media is named.
    pub media: Media,
    /// Where a session may run.
    pub placement: Placement,
}

/// A channel in this process.
pub trait Channel: Send + Sync + 'static {
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// One attempt: one request at most, one answer, within the channel's own time limit. Dropping the future after its
    /// first poll leaves the outcome unknown.
    fn send(&self, command: SendCommand, credential: Arc<Credential>) -> BoxFuture<'static, Answer>;

    /// The same, if `leave` says right before the first byte that it still may: else it answers [`Answer::NotSent`] with
    /// the word of `leave`. A channel that waits before it writes asks after it has waited.
    fn send_if(&self, command: SendCommand, credential: Arc<Credential>, leave: Leave) -> BoxFuture<'static, Answer> {
        match leave() {
            Ok(()) => self.send(command, credential),
            Err(why) => Box::pin(std::future::ready(Answer::NotSent { why })),
        }
    }
}

/// Whether an attempt may leave now, or else why not, as a stable word. Asked without waiting.
pub type Leave = Arc<dyn Fn() -> Result<(), &'static str> + Send + Sync>;
