//! What an answer to a send means: three answers (sent, not sent, unknown), a closed list of failure classes, and the
//! code table as data.
//!
//! Nothing here knows a provider's codes: the table is handed in. What is fixed is how an observation becomes an answer
//! ([`classify`]), one test per row.
//!
//! To add a class: a variant in `class.rs` with its word, an arm wherever `match` complains. To add a code: a row in
//! `config/meta-errors.toml`.

mod answer;
mod class;
mod scrub;
mod table;

pub use answer::{Answer, GraphAnswer, Observation, classify};
pub use class::{Bucket, FailureClass, WordError};
pub use scrub::{DETAIL_MAX, scrub};
pub use table::{CodeRow, CodeTable, CodeTableError, Verdict};
