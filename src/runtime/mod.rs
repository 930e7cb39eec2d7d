//! Runtime: clock, chance and supervision, what every hand needs and only this room may touch.
//!
//! It must never know what an actor does or what a hand talks to. It offers time and randomness as things that are
//! handed in, so that a test (or a simulation of the real actors) hands in others.
//!
//! To add a source of time or chance: a trait method in `clock.rs` or `entropy.rs`, the system's answer, the double's.

pub mod clock;
pub mod entropy;
pub mod health;
#[cfg(feature = "mutants")]
pub mod mutant;
pub mod restart;
/// Real servers for the tests of every hand that speaks to one.
#[cfg(test)]
#[path = "../../tests/services/script.rs"]
pub mod services;
pub mod task;
pub mod zone;

pub use clock::{Clock, ManualClock, Steps, SystemClock};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use health::Health;
pub use task::spawn;

/// A future on the heap: what the seams return, so that they can be trait objects.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
