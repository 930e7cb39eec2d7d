//! API keys of a tenant. A key's text is shown once, when it is issued.
//!
//! To add a verb: its file here, its line in `routes.rs`.

mod create;
mod list;
mod revoke;

pub use create::create;
pub(in crate::api) use create::{issued, living, named};
pub use list::list;
pub use revoke::revoke;
pub(in crate::api) use revoke::revoked;

use serde_json::{Value, json};

use super::time::maybe;
use crate::domain::id::ApiKeyId;
use crate::domain::row::ApiKeyRow;

/// A key as answers show it: never its text, never its hash.
fn view(id: ApiKeyId, row: &ApiKeyRow) -> Value {
    json!({
        "id": id.to_string(),
        "name": row.name,
        "role": row.role,
        "test": row.test,
        "revoked_at": maybe(row.revoked_at),
    })
}
