//! The session machine: `Input → step(now, drawn) → Effects`, without IO, clock or chance.
//!
//! It pulls queued messages into a bounded window, paces them, proposes intents for what leaves in this tick, begins the
//! ones that came back valid, judges answers, and follows what the journal says of each message. The shell
//! (`actors/session`) feeds it and carries its effects out; nothing the machine holds is lost with it, because a new one
//! is filled from rows.

mod flight;
mod lanes;
mod machine;
mod wall;

#[cfg(test)]
mod tests;

pub use lanes::Lanes;
pub use machine::Machine;

use super::consent::Bar;
use super::event::{AttemptRef, ByPriority, Priority, Resolution, UnknownPolicy};
use super::failure::Answer;
use super::id::{EventId, KeyId, MessageId};
use super::pacing::learned::Paced;
use super::record::Micros;
use super::retry::{Hold, RetryLimits, Verdict};
use super::validity::Void;

/// A message waiting for its turn: 88 bytes, so that a ring of 256 is 22 KiB a busy session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// Which.
    pub message: MessageId,
    /// To whom: its lane.
    pub contact: KeyId,
    /// Who goes first.
    pub priority: Priority,
    /// Not sent after this.
    pub expires_at: Micros,
    /// Not tried before this.
    pub not_before: Micros,
    /// Nobody to the same person leaves before it until then, at most; 0 where it keeps no place.
    pub keeps_until: Micros,
    /// The number its next attempt has.
    pub attempt: u16,
    /// Attempts so far that count.
    pub counted: u16,
    /// Nothing after it to the same person leaves before it is settled.
    pub strict: bool,
}

/// Where a message stands, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To be sent.
    Queued(Queued),
    /// An attempt is open. `since_own` says whether a task of this process runs it; otherwise its outcome is unknown
    /// once `presumed_dead` has passed.
    Open {
        /// The attempt.
        of: AttemptRef,
        /// Whether a task of this process is running it.
        running: bool,
        /// After this nobody can still be writing it.
        presumed_dead: Micros,
        /// When it expires, for the verdict on its answer.
        expires_at: Micros,
        /// Its lane.
        contact: KeyId,
        /// Attempts before it that count.
        counted: u16,
        /// As in [`Queued::strict`].
        strict: bool,
    },
    /// The last attempt may have been sent.
    Unknown {
        /// The attempt.
        of: AttemptRef,
        /// What happens after the window.
        policy: UnknownPolicy,
        /// When it does.
        due: Micros,
        /// Its lane, if it blocks it.
        blocks: Option<KeyId>,
    },
    /// It is in the outbox and stands behind a closed gate: not to be sent, and to leave the outbox.
    Gated {
        /// The number its next attempt has.
        attempt: u16,
        /// Since which closing.
        closing: EventId,
    },
    /// Nothing more is to be done.
    Settled,
}

/// What the shell tells the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The message's row is now so.
    Standing(MessageId, Standing),
    /// Own intents were read back.
    Judged(Vec<(AttemptRef, Result<(), Void>)>),
    /// The proposal of intents was refused: nothing was written.
    NotProposed(Vec<AttemptRef>),
    /// An attempt's task has its answer.
    Answered(AttemptRef, Answer),
    /// A gate barred an attempt that was read back.
    Barred(AttemptRef, Bar),
    /// The sender waits until then, as its row says, or is not held (`None`); an earlier time than is known changes
    /// nothing.
    Held(Option<Micros>),
    /// Another sender was refused for something that this one shares with it.
    Shared(Hold),
    /// Somebody lifted its holds: it may go on at once, at the rate that its row has now.
    Released(Option<Paced>),
    /// The sender's number received so many messages.
    Received(u32),
    /// An operator stopped the sender, or let it go again.
    Suspended(bool),
    /// The tenant's budget lends so many, for so long. It counts from when they were asked for, by this machine's clock.
    Lease(u32, Micros),
    /// Time has passed.
    Tick,
}

/// What the machine asks the shell to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Append one `AttemptsStarted` with these.
    Propose(Vec<AttemptRef>),
    /// The intent is valid: read the gate, check the deadline, make the call.
    Begin(AttemptRef),
    /// Append the outcomes of these.
    Close(Vec<Ending>),
    /// Append `SessionHeld`.
    Hold(Hold),
    /// What several senders share refused one of them: tell the others, and whoever keeps the portfolio.
    Share(Hold),
    /// Append `SessionReleased`: an attempt was through.
    Release,
    /// Append `SessionPaced`.
    Pace(Paced),
    /// Append `MessageExpired`.
    Expire(MessageId),
    /// Append `UnknownResolved`.
    Resolve(AttemptRef, Resolution),
    /// Ask the tenant's budget for so many.
    AskLease(u32),
    /// Look at this message's row again.
    Look(MessageId),
    /// Step again at this time at the latest.
    WakeAt(Micros),
    /// There is room for so many more of each priority: pull from the outbox.
    Pull(ByPriority<usize>),
}

/// One ended attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Which.
    pub of: AttemptRef,
    /// How.
    pub verdict: Verdict,
    /// When.
    pub at: Micros,
}

/// The settings a machine works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Attempts in flight: each is an unknown after a crash, so the window is the price list of a crash.
    pub window: usize,
    /// Intents of one event, at most 64.
    pub tick: usize,
    /// Messages held in memory; the rest waits in the outbox.
    pub ring: usize,
    /// A head in retry blocks its recipient's lane at most so long.
    pub lane_block: Micros,
    /// Retries.
    pub retry: RetryLimits,
}
