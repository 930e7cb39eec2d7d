//! The hand that calls customers' HTTP endpoints: one signed POST, one answer.
//!
//! What it is: a notification goes in as bytes with an id, a time and the endpoint's secrets; what became of it comes
//! out as [`Delivered`]. In between stand the signature ([`sign`]), the address guard ([`Guard`]) and one HTTP call
//! with one deadline.
//!
//! What it must never know: a vault (it is handed opened secrets), the journal, the store, what a notification means,
//! the time of day and randomness (both come as arguments). It retries nothing: [`next_delay`] only says when the
//! endpoint's owner should try again.
//!
//! Open the files in this order: `post` (the seam and its words), `poster` (the real thing), `guard` → `resolve` →
//! `address` (where it may call), `secret` → `sign` (how it signs), `answer` → `retry_after` (how it reads the reply),
//! `schedule` (when to try again), `scripted` (the double), `error`.
//!
//! To add an address range that must not be called: one row in the table of `address`, one in its test.
//! To add an outcome: a variant of [`Delivered`], its row in `answer::classify`, and a test over a real socket in
//! `tests`. Whoever matches on `Delivered` is then told by the compiler.
//! To add a signature scheme: its secret in `secret`, its line in [`sign`], and a check by a foreign library in
//! `tests/foreign/standardwebhooks`.

mod address;
mod answer;
mod error;
mod guard;
mod post;
mod poster;
mod resolve;
mod retry_after;
mod schedule;
mod scripted;
mod secret;
mod sign;
#[cfg(test)]
mod tests;

pub use address::{AddressClass, NotGlobal, is_global};
pub use error::{BadDeliveryId, BadSecret, BuildError, Refusal};
pub use guard::{Guard, Ports};
pub use post::{Deliver, Delivered, Post, UnreachableReason};
pub use poster::{Poster, PosterSettings};
pub use retry_after::parse_retry_after;
pub use schedule::{STANDARD_SCHEDULE, Schedule, next_delay};
pub use scripted::ScriptedEndpoint;
pub use secret::{MAX_SECRETS, Secret, Secrets, newest, rotated};
pub use sign::{DeliveryId, sign};
