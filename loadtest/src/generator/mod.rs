//! The load generator: sends messages to a target over HTTP, writes each acknowledgement down, waits until all have arrived, and joins.
//!
//! Closed loop: so many callers, each sends the next message when its last one was answered. Open loop: messages are due at a fixed rate
//! whatever the target does, and latency counts from the moment a message was due, so a target that stalls cannot hide it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `config` | what to send, where to, how fast |
//! | `message` | one message: marker, recipient, body |
//! | `schedule` | when each message is due |
//! | `load` | the callers |
//! | `acks` | acknowledgements, in memory and in a file |
//! | `settle` | waiting until all have arrived; reading the journals of simulator and sink |
//! | `report` | the numbers |
//! | `run` | one run, from start to report |

mod acks;
mod config;
mod load;
mod message;
mod report;
mod run;
mod schedule;
mod settle;

pub use config::{Pace, RunConfig, Until};
pub(crate) use load::Load;
pub use report::{Latency, Report};
pub(crate) use run::load;
pub use run::{RunError, run};
