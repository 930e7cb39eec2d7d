//! All integration tests, linked once. One module per subject; `tests/README.md` says which promise each one checks.
//!
//! To add one: a file here, a `mod` line below in alphabetical order, a row in `tests/README.md`.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly, and lives in real time"
)]

mod actors;
#[cfg(feature = "demo")]
mod cluster;
mod domain_alone;
mod exhaustive;
#[cfg(feature = "demo")]
mod foreign;
#[cfg(feature = "demo")]
mod process;
mod tidy;
