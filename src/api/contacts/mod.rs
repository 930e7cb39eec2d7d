//! Contacts: what a person allowed, and to whom the person wrote.
//!
//! To add a verb: its file here, its line in `routes.rs`. A contact is never named in a path: paths stand in logs.

mod consent;
mod evidence;
mod show;

pub use consent::consent;
pub use show::show;
