//! Deliberate defects, chosen at run time, in builds with the feature `mutants` only: a harness that stays green with one
//! of them proves nothing. Never in a build that is given to anybody.
//!
//! To add one: its word where it acts, and a test in `tests/suite/process/mutants.rs` that it turns red.

use std::sync::LazyLock;

/// The variable that chooses.
const VARIABLE: &str = "WAYBILL_MUTANT";

static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "not a setting: no operator ever sees it")]
    std::env::var(VARIABLE).ok()
});

/// Whether this is the defect that was chosen.
#[must_use]
pub fn is(name: &str) -> bool {
    CHOSEN.as_deref() == Some(name)
}
