//! Failures: messages that failed, ran out of time, or may have been sent, looked at together.
//!
//! Rows of the list say when a message came to stand so; what it stands like now says its own row, which is asked before
//! anything is shown or done. One verb, one file; [`wanted`] reads the filter that all of them share.

mod list;
mod wanted;

pub use list::list;
