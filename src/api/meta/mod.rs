//! Callbacks from Meta: who calls is checked, what is said is split by person, sealed, and durable before the 200.
//!
//! It must never know what a status or a message changes: it writes down what Meta said, in the mailbox of whoever must
//! act on it. Nothing of a body is logged, and nothing of it stands in the clear: a person's words are sealed under that
//! person's key; what belongs to nobody we know is sealed under a key of the day ([`seal`]).
//!
//! One odd part never fails a POST: Meta would repeat all of it for seven days. What cannot be read is carried; what
//! cannot be written *now* (journal, vault, store) is answered with 503, and Meta brings it again. Event ids derive from
//! what the part says, so a POST that comes twice gives the same events, and applying them twice changes nothing.
//!
//! | file | does |
//! | --- | --- |
//! | [`callbacks`] | settings in, router out |
//! | [`route`] | the challenge, the POST |
//! | [`receive`] | reads the body within a budget of memory |
//! | [`intake`] | parts of one POST: composed side by side, one that fails is carried |
//! | [`compose`] | what each part becomes: events in which mailbox |
//! | [`person`] | the contacts of a person, and names that are new |
//! | [`body`], [`seal`] | the text under the seal, and under whose key |
//! | [`append`] | one append per partition, all durable or 503 |
//!
//! To add a kind of part: a variant in `domain/callback.rs`, an arm in `compose/mod.rs` with the mailbox it belongs to.

mod append;
mod body;
mod callbacks;
mod compose;
mod intake;
mod person;
mod receive;
mod route;
mod seal;

#[cfg(test)]
pub(in crate::api) mod tests;

pub use callbacks::Callbacks;
pub use route::router;
