//! The WhatsApp Cloud API: what it is told and how its words are read. Facts: Meta's Cloud API and webhook reference.
//!
//! It must never know of sessions, retries or consent; it speaks Graph JSON so that nobody else has to.
//!
//! | file | does |
//! | --- | --- |
//! | `send` | one attempt over HTTP |
//! | `gate` | the deadline in the moment of the first byte, and whether bytes may have left |
//! | `graph` | the JSON of a request and of its answer |
//! | [`codes`] | reads the table of Meta's error codes from TOML |
//! | [`token`] | our handle in every callback |
//! | [`signature`] | who calls: signature and challenge |
//! | [`callback`] | what is called: a POST, split into parts |
//!
//! To follow a new version of the API: the pinned version in the settings; new fields go through untouched.

mod capabilities;
mod gate;
mod graph;
mod send;

pub mod callback;
pub mod codes;
pub mod signature;
pub mod token;

pub use capabilities::capabilities;
pub use send::{Settings, WhatsApp};
