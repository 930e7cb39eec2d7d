//! Scenarios: what the worst day looks like, as files, each with a verdict.
//!
//! A scenario is data (`loadtest/scenarios/*.toml`). A round starts a fresh target with a fresh simulator and fresh sinks, goes through the
//! phases, sends the streams, looks at the target meanwhile, waits until everything is over (with a limit), joins the ledger, and judges each
//! condition. What could not be measured did not hold.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `file` | a scenario as its file says it |
//! | `check` | what makes no sense in one |
//! | `scale` | a shorter run of the same |
//! | `names` | the quantities a verdict may speak of |
//! | `stage` | target, simulator and sinks of one round |
//! | `timeline` | the phases, one after the other |
//! | `streams` | the generators under way |
//! | `sample` | memory, CPU and disk of the target over time, bounded |
//! | `evidence` | what was acknowledged, what arrived, what was notified |
//! | `measure` | from there to the quantities |
//! | `times` | percentiles and rates |
//! | `verdict` | conditions and their arithmetic |
//! | `result` | what comes out, for people and for programs |
//! | `run` | one round, all rounds |
//!
//! To add a scenario: a file in `loadtest/scenarios/`, which the tests then check. To add something that can happen: a field of `PhaseSpec`,
//! its check, its line in `timeline`. To add a quantity: see `names`.

mod check;
mod evidence;
mod file;
mod measure;
mod names;
mod result;
mod run;
mod sample;
mod scale;
mod stage;
mod streams;
mod timeline;
mod times;
mod verdict;

pub use check::Wrong;
pub use file::Scenario;
pub use result::{RoundResult, ScenarioResult};
pub use run::{Options, ScenarioError, run};
pub use sample::Sample;
pub use scale::Scale;
pub use verdict::Verdict;

#[cfg(test)]
mod tests;
