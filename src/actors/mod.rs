//! Actors: what lives. Root → partitions → sessions, endpoints, tenants; the folder is the tree.
//!
//! An actor is for identity, order and memory; a single call is a task. What an actor remembers can be read again: mail
//! that must not be lost stands in boxes that outlive it, and nothing that is only in a mailbox was ever acknowledged.
//! Actors know the seams of the hands, never which hand is behind one, and no HTTP status.
//!
//! | file | |
//! | --- | --- |
//! | [`root`] | the parent of all partitions |
//! | [`partition`] | applies its events in order, tells whom they concern, supervises what lives in it |
//! | [`session`] | sends for one identity |
//! | [`endpoint`] | notifies one customer address |
//! | [`tenant`] | lends its budget, and spreads words on its gates |
//! | [`spread`] | copying a word on a gate into each partition |
//! | [`stops`] | what is stopped, looked at right before the first byte |
//! | [`portfolio`] | asking a portfolio for people |
//! | [`egress`] | how many calls at once, and for whom |
//! | [`hands`], [`registry`], [`inbox`], [`wheel`], [`append`] | what they share |
//!
//! To add an actor: a folder (or file) with its card, a case in `partition/children.rs`, an address kind.

pub mod append;
pub mod campaigns;
pub mod egress;
pub mod endpoint;
pub mod hands;
pub mod inbox;
pub mod partition;
pub mod portfolio;
pub mod registry;
pub mod root;
pub mod session;
pub mod spread;
pub mod stops;
pub mod tenant;
pub mod wheel;
