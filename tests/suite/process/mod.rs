//! The real binary, from outside: started, spoken to, killed and started again, as an operator and a customer would.
//!
//! Simulator, sink and load generator live in the test process and survive every kill; nothing here knows how the
//! product works inside. One house stands at a time ([`house`]), because what is measured here is a machine.
//!
//! | file | what it proves |
//! | --- | --- |
//! | `kill9` | what was accepted is neither lost nor doubled by being killed at random instants |
//! | `mutants` | the same harness turns red when the binary is wrong on purpose |
//! | `graceful` | SIGTERM under load loses nothing and leaves nothing unknown |
//! | `away` | messages are taken and wait while Meta cannot be reached |
//! | `rebuilt` | a store that is gone comes back, a vault that is gone and a journal that is damaged are refused |
//! | `bad_input`, `bad_start` | every mistake gets a clear answer, and costs nothing that was accepted |
//! | `tls` | the listener's TLS: both versions of HTTP, our own client, strangers, a key that does not fit |
//! | `disk` | a full disk is refused, not suffered |
//! | `fixtures` | whatever Meta calls back with is taken |
//! | `consent` | who wrote is answered, strangers are not written to |
//! | `demo` | the demo's accounts agree |
//!
//! The rest is the stage: [`house`] (simulator, sink, node, declarations), [`node`] (the process), [`http`] (the caller),
//! [`load`] (many callers), [`accounts`] (what must be true at the end).
//!
//! To add a test: a file here, a `mod` line and a row above; open a house with `House::open(Plan::new())`.

pub mod accounts;
mod away;
mod bad_input;
mod bad_start;
mod consent;
mod demo;
mod disk;
mod fixtures;
mod graceful;
pub mod house;
pub mod http;
pub mod kill9;
pub mod load;
mod mutants;
pub mod node;
mod rebuilt;
mod tls;
