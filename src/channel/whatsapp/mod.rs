//! The WhatsApp Cloud API: what it is told and how its words are read. Facts: Meta's Cloud API and webhook reference.
//!
//! | file | does |
//! | --- | --- |
//! | [`codes`] | reads the table of Meta's error codes from TOML |
mod capabilities;
pub mod codes;

pub use capabilities::capabilities;
pub mod callback;
