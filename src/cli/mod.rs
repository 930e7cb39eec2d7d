//! The command line: what an operator types, and what is said back.
//!
//! It must never know how anything is done: it reads arguments and files, calls the server's public API like any other
//! customer, and starts a node through [`host`]. It decides nothing that the server decides.
//!
//! | file | holds |
//! | --- | --- |
//! | [`args`] | the command line as a whole |
//! | [`run`] | from arguments to an exit code |
//! | [`context`], [`client`], [`print`] | what commands are given |
//! | [`exit`], [`failure`] | how commands end |
//! | [`host`] | what is needed of a node |
//! | [`bulk`] | files of messages, sent in chunks |
//! | [`moves`], [`waiting`] | events and waits in words |
//! | one file a verb | its arguments and what it does |
//!
//! To add a command: a file with its arguments (`clap::Args`) and `run`, a variant in `args.rs`, an arm in `run.rs`, a
//! row in `tests/parsing.rs`.

pub mod apply;
pub mod args;
pub mod audit;
pub mod bulk;
pub mod campaign;
pub mod check_config;
pub mod client;
pub mod cluster;
pub mod contact;
pub mod context;
pub mod declare;
#[cfg(feature = "demo")]
pub mod demo;
mod effective;
pub mod exit;
pub mod failure;
pub mod failures;
pub mod gates;
pub mod host;
pub mod inspect;
pub mod moves;
pub mod print;
pub mod progress;
pub mod rebind;
pub mod release;
pub mod revoke;
pub mod run;
pub mod send;
pub mod serve;
pub mod signal;
pub mod status;
pub mod stop;
pub mod table;
pub mod tail;
#[cfg(test)]
mod tests;
pub mod time;
pub mod usage;
pub mod waiting;

pub use exit::Exit;
pub use failure::Failure;
pub use host::{Host, Hosted, StartFailure, StartKind};
pub use run::main;
