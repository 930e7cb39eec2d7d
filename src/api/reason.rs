//! Reasons that people give for what they do: kept in the clear for ever, so short and on one line.

use super::problem::Problem;
use crate::domain::text::disturbs;

/// Longest reason, characters.
const MAX: usize = 200;

/// Whether a reason can be kept.
///
/// # Errors
/// `invalid_request` at `/reason`.
pub fn check(reason: &str) -> Result<(), Problem> {
    if reason.chars().any(disturbs) {
        return Err(Problem::field(
            "/reason",
            "holds control characters",
            "write it in visible characters, on one line",
        ));
    }
    if !(1..=MAX).contains(&reason.chars().count()) {
        return Err(Problem::field("/reason", "is not 1 to 200 characters long", "say in a few words why"));
    }
    Ok(())
}
