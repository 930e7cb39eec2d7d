//! Contacts: what a person allowed.
//!
//! To add a verb: its file here, its line in `routes.rs`. A contact is never named in a path: paths stand in logs.

mod consent;
mod evidence;

pub use consent::consent;
