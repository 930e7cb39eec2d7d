//! Reasons that people give for what they do: kept in the clear for ever, so short and on one line.

use serde::Deserialize;

use super::problem::Problem;
use crate::domain::text::disturbs;

/// The body of every verb that stops something or lets it go: why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// In the words of whoever asks; shown wherever the thing is.
    reason: String,
}

impl Ask {
    /// The reason, if it can be kept.
    ///
    /// # Errors
    /// `invalid_request` at `/reason`.
    pub fn reason(self) -> Result<String, Problem> {
        check(&self.reason)?;
        Ok(self.reason)
    }
}

/// Longest reason, characters.
const MAX: usize = 200;

/// The same for a verb that may only count: then it needs none.
///
/// # Errors
/// `invalid_request` at `/reason`.
pub fn check_unless_dry(reason: Option<&str>, dry_run: bool) -> Result<(), Problem> {
    match reason {
        Some(reason) => check(reason),
        None if dry_run => Ok(()),
        None => Err(Problem::field("/reason", "is missing", "say in a few words why")),
    }
}

/// A reason that stands among other things, if it can be kept.
///
/// # Errors
/// `invalid_request` at `/reason`.
pub fn checked(reason: String) -> Result<String, Problem> {
    check(&reason)?;
    Ok(reason)
}

/// Whether a reason can be kept.
///
/// # Errors
/// `invalid_request` at `/reason`.
fn check(reason: &str) -> Result<(), Problem> {
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
