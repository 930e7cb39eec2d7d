//! Callbacks: one POST of Meta's, split into parts. Source: Meta's webhook reference.
//!
//! The rule: nothing is lost and nothing is refused. What has the expected shape is read; everything else is carried as
//! the text it came in, down to single unknown fields of a value. One odd element never spoils its neighbours: a POST
//! that is not answered with 200 comes back for seven days.
//!
//! | file | does |
//! | --- | --- |
//! | `json` | objects that keep their text |
//! | `post` | the envelope: object, entries, changes |
//! | `value` | a change's value: its lists, its contacts, what is left over |
//! | `element` | one message, status, preference, identity |
//! | `person` | who a part is about |
//!
//! To read a new field: an arm in `element.rs`; without one it is carried.

mod element;
mod json;
mod person;
mod post;
mod value;

#[cfg(test)]
mod tests;

pub use post::{CallbackError, parse};
