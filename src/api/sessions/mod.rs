//! Sessions: what is declared, how they stand, and the operator's verbs of a tenant's admin.
//!
//! To add a verb: its file here, its line in `routes.rs`.

mod list;
mod show;
mod stop;

pub use list::list;
pub use show::show;
pub use stop::{drain, resume, suspend};

use serde_json::{Value, json};

use super::time::stamp;
use crate::domain::id::SessionId;
use crate::domain::row::SessionRow;

/// A session as answers show it.
fn view(id: SessionId, row: &SessionRow) -> Value {
    let held = row.held.map(|(until, code)| json!({"until": stamp(until), "code": code}));
    json!({
        "id": id.to_string(),
        "name": row.name,
        "channel": row.channel,
        "phone_number_id": row.account,
        "per_second": row.per_second,
        "burst": row.burst,
        "test": row.test,
        "suspended": row.suspended,
        "draining": row.draining,
        "held": held,
    })
}
