//! Endpoints: where a tenant is notified, how far it was told, and switching one off and on.
//!
//! To add a verb: its file here, its line in `routes.rs`.

mod lag;
mod list;
mod show;
mod switch;

pub use list::list;
pub use show::show;
pub use switch::{disable, enable};

use serde_json::{Value, json};

use super::time::maybe;
use crate::domain::id::EndpointId;
use crate::domain::row::EndpointRow;

/// An endpoint as answers show it.
fn view(id: EndpointId, row: &EndpointRow) -> Value {
    json!({
        "id": id.to_string(),
        "name": row.name,
        "url": row.url,
        "events": row.events,
        "since": maybe(row.since),
        "delivered": row.delivered,
        "failing": row.failing.len(),
        "failing_since": maybe(row.failing_since),
        "given_up": row.given_up,
        "disabled": row.disabled,
    })
}
