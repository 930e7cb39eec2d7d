//! Contacts: what a person allowed, to whom the person wrote, and what the person has a right to.
//!
//! To add a verb: its file here, its line in `routes.rs`. A contact is never named in a path: paths stand in logs.

mod consent;
mod erase;
mod evidence;
mod export;
mod legal_hold;
mod requests;
mod show;
mod whom;

pub use consent::consent;
pub use erase::erase;
pub use export::export;
pub use legal_hold::legal_hold;
pub use requests::requests;
pub use show::show;
