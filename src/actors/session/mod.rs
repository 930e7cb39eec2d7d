//! Session actors.
//!
//! | card | |
//! | --- | --- |
//! | parent | the partition its address hashes to |
//! | count | one for each session with work; idle ones are rows |
//! | mail | a nudge; what it is about stands in the session's [`Box_`](mail::SessionBox) |
//! | bound | ring messages in memory, window attempts in flight; the rest waits in the outbox |
//! | restart | by the partition, as a new incarnation |
//! | stops when | it has been idle, or the partition's claim is lost |
//! | lost if it dies | nothing: its machine is filled from rows, answers wait in the box |
//!
//! | file | |
//! | --- | --- |
//! | [`mail`] | the box: what the partition and the attempts' tasks hand in |
//! | [`standing`] | a message's row, as the machine sees it |
//! | [`actor`] | the actor: nudge → inputs → machine → effects |
//! | [`effects`] | one arm for each effect |
//! | [`pull`] | filling the ring from the outbox |
//! | [`aside`] | messages to a person who has enough of them in the ring |
//! | [`gated`] | messages behind an operator's gate, on their way out of the outbox |
//! | [`known`] | what the session remembers of unsettled messages, and from where on its outbox is unsettled |
//! | [`attempt`] | the task that makes one call |
//! | `sender` | who speaks for it |
//! | [`shared`] | what it shares with other senders |
//! | [`template`] | templates that the provider paused |
//! | [`gate`] | the last look at the contact before it |
//!
//! To add an effect: a variant in `domain/session`, an arm in `effects.rs`.

pub mod actor;
pub mod aside;
pub mod attempt;
pub mod effects;
mod gate;
mod gated;
mod known;
pub mod mail;
pub mod pull;
mod sender;
pub mod shared;
pub mod standing;
mod template;

pub use actor::{Session, SessionArgs};
pub use mail::{Life, SessionBox, SessionMail};
