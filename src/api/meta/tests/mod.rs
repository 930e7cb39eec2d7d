//! The callback routes over the doubles of journal, store and vault: every recorded callback of Meta's, and what goes
//! wrong around them.

mod acts;
mod fixtures;
mod people;
mod refusals;
mod shared;
pub(in crate::api) mod stage;
