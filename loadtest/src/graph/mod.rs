//! A simulator of Meta's Graph API for WhatsApp, written from Meta's facts.
//!
//! It answers `POST /{version}/{phone-number-id}/messages` as the Cloud API does, counts Meta's limits, posts signed status callbacks,
//! misbehaves on demand, and records every request before it answers. It must never know who calls it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `simulator` | start, handle, shutdown |
//! | `config` | every setting, with Meta's numbers as defaults |
//! | `send`, `answer` | the life of one send request; how it is answered |
//! | `request`, `template` | decoding and validation |
//! | `error` | Meta's error codes and bodies |
//! | `limits` | number throughput, pair rate, unique people in 24 hours |
//! | `fault` | what can go wrong on purpose, seeded or scripted |
//! | `journal` | the record of every request |
//! | `payload`, `queue`, `callback` | webhook bodies; when each is due; how it is posted |
//! | `admin` | `/_sim/...` |
//!
//! To add an error code: one row in `error`. To add a fault: one variant in `fault`, one arm in `answer`.

mod admin;
mod answer;
mod callback;
mod config;
mod error;
mod fault;
mod journal;
mod limits;
mod payload;
mod queue;
mod request;
mod send;
mod simulator;
mod template;

pub use callback::CallbackStats;
pub use config::{CallbackConfig, Limits, Number, Rule, SimulatorConfig, Template};
pub use error::{GraphError, known_codes};
pub use fault::{BodyKind, CallbackFaults, Fault, Faults, RandomFault, ScriptedFault};
pub use journal::Recorded;
pub use simulator::{Simulator, SimulatorError, Stats};
