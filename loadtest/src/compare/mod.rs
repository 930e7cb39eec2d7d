//! The comparison: Waybill beside the two forwarders, in one run, so that a ratio compares like with like.
//!
//! Every round measures each target in turn. A target is a fresh process with a fresh folder, a fresh simulator and a fresh sink; the
//! callers are the same, the messages are the same, and each target gets the same warm-up that does not count. What is reported is the
//! median of the rounds, and each target's ratio to the synced forwarder.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `config` | how many, which legs, which targets |
//! | `waybill` | settings and declarations of Waybill for a comparison |
//! | `street` | simulator and sink of one measurement |
//! | `rounds` | the rounds, one after the other |
//! | `table` | medians and ratios, for people and for programs |
//!
//! The targets themselves are in [`crate::house`].

mod config;
mod rounds;
mod street;
mod table;
mod waybill;

pub use config::{CompareConfig, Legs};
pub use rounds::{CompareError, compare};
pub use table::{Comparison, Row};

pub use crate::house::Kind;
