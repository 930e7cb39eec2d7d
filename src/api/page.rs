//! Lists of declared things: by name, page by page.

use serde::Deserialize;
use serde_json::{Value, json};

/// Things of one page.
const LIMIT: usize = 100;

/// Most things of one page: a row each to read.
const LIMIT_MAX: usize = 1_000;

/// What may be asked of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Names after this one.
    #[serde(default)]
    pub after: String,
    /// How many.
    pub limit: Option<usize>,
}

impl Page {
    /// How many, within bounds.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX)
    }

    /// A page of things; `next` is the name to go on after, null on the last page.
    #[must_use]
    pub fn answer(&self, data: Vec<Value>, found: usize, last: Option<&str>) -> Value {
        let next = last.filter(|_| found == self.limit());
        json!({"data": data, "next": next})
    }
}
