//! The drop-in: `POST /{version}/{phone-number-id}/messages` as the Graph API has it, so that an existing client of the
//! Cloud API sends through Waybill by changing its base address and its token.
//!
//! It must never know what becomes of a message: it translates a Graph request into one for [`super::accept()`] and the
//! answer back, in Meta's shapes and with Meta's codes, because clients decide by those. Any version is taken and none is
//! told apart. The 200 is given after the journal has the message; what goes wrong later is told by a notification.
//!
//! | file | does |
//! | --- | --- |
//! | [`route`] | the route: who calls, what they send, the reply |
//! | [`request`] | the body, the headers of our own (`X-Waybill-Category`, `Idempotency-Key`) |
//! | [`context`] | a reply to a message of ours: our id becomes Meta's |
//! | [`wamid`] | our message id in the dress of Meta's |
//! | [`error`] | every refusal as a Graph error |
//!
//! What is not here: media, templates, phone numbers, marking as read. They are refused in Meta's shape, never ignored.
//!
//! To add a call of the Graph API: a file for it, a line in [`route::router`], its fixtures in the tests.

mod context;
mod error;
mod request;
mod route;
mod wamid;

#[cfg(test)]
mod tests;

pub use route::{is_path, router, unknown};
