//! Failures: messages that failed, ran out of time, or may have been sent, looked at together.
//!
//! Rows of the list say when a message came to stand so; what it stands like now says its own row, which is asked before
//! anything is shown or done. One verb, one file; [`wanted`] reads the filter that all of them share, [`select`] finds the
//! messages that a verb for many is for, and [`act`] counts them or does it.
//!
//! To add a verb for many: its file here with the event for one message, its line in `routes.rs`.

mod act;
mod list;
mod resolve;
mod retry;
mod select;
mod wanted;

pub use list::list;
pub use resolve::resolve;
pub use retry::retry;
