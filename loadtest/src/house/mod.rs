//! The house under measurement: Waybill or a forwarder as a child process, in a folder of its own, on loopback.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `child` | a process: started, asked until it answers, ended or killed |
//! | `place` | a free port, a folder that is gone afterwards, the secrets of the street |
//! | `target` | what can be measured, and how each is started and started again |
//! | `waybill` | settings of Waybill |
//! | `declare` | tenants, sessions, endpoints and keys, through Waybill's API |
//! | `error` | why a house does not stand |
//!
//! To add a target: a variant of [`Kind`], an arm in `target`.

mod child;
mod declare;
mod error;
mod place;
mod target;
mod waybill;

pub(crate) use self::waybill::not_yours;
pub(crate) use declare::{Endpoint, Session, Tenant, declare};
pub use error::HouseError;
pub(crate) use place::{APP_SECRET, CALLBACKS, Folder, SIGNING, free_addr};
pub use target::Kind;
pub(crate) use target::{Programs, Site, Target};
