//! Files of messages: read in chunks, sent in chunks, answered line by line. Memory does not grow with the file.
//!
//! A chunk is one request. Whatever fails for the moment is sent again under the same idempotency keys, so that nothing
//! is sent twice.
//!
//! To add a code that is worth another try: `RETRIED` in `post.rs`.

mod lines;
mod post;

pub use lines::{Chunk, Line, Lines};
pub use post::{MESSAGES, Outcome, post};
