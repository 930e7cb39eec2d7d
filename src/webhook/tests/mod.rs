//! The poster against real sockets on loopback.

mod outcomes;
mod refusals;
mod stage;
