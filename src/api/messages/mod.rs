//! Messages: one verb, one file.
//!
//! To add a verb: its file here, its line in `routes.rs`.

mod bulk;
mod cancel;
mod cursor;
mod decode;
pub mod find;
mod list;
mod open;
mod resolve;
mod send;
mod show;
pub mod view;
mod wait;

pub use bulk::bulk;
pub(in crate::api) use bulk::{Line, Lines, Reading, check_lines, take_lines};
pub use cancel::cancel;
pub use cursor::Cursor;
pub(in crate::api) use decode::decode;
pub use list::list;
pub use resolve::resolve;
pub use send::send;
pub use show::show;
pub(in crate::api) use show::whole_of;
