//! Endpoint actors.
//!
//! | card | |
//! | --- | --- |
//! | parent | the partition its address hashes to |
//! | count | one for each declared endpoint |
//! | mail | a nudge; its row and finished passes stand in its inbox |
//! | bound | one pass of [`crate::actors::hands::Limits::endpoint_batch`] notifications at a time |
//! | restart | by the partition |
//! | stops when | the partition's claim is lost |
//! | lost if it dies | the pass under way: its notifications are posted again under the same ids |
//!
//! The same machine as a session: pull, window, effect, outcome. Without an intent, because a notification is
//! at-least-once with a stable id, where a send must not be doubled.
//!
//! | file | |
//! | --- | --- |
//! | [`actor`] | the actor: nudge → pass → settled |
//! | [`mail`] | its box: mail, and which feeds grew |
//! | [`gather`] | reading the feeds at its cursors, and failures whose time has come |
//! | [`notify`] | one notification: body, signature, post |
//!
//! To add a kind of notification: `domain/notification.rs`, and its data in `notify.rs`.

pub mod actor;
pub mod gather;
pub mod mail;
pub mod notify;

pub use actor::{Endpoint, EndpointArgs};
pub use mail::{EndpointBox, EndpointMail};

use crate::domain::event::{CursorV1, FailingV1};
use crate::domain::id::EventId;

/// What came of a pass.
#[derive(Debug, Default)]
pub struct Passed {
    /// How far each feed is settled.
    pub cursors: Vec<CursorV1>,
    /// Taken by the customer.
    pub delivered: u32,
    /// Not taken.
    pub failing: Vec<FailingV1>,
    /// Earlier failures that were taken now.
    pub recovered: Vec<EventId>,
    /// The customer said that this address is gone for good.
    pub gone: bool,
    /// Whether the feeds hold more.
    pub more: bool,
}
