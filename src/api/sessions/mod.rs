//! Sessions: what is declared, how they stand, and the operator's verbs of a tenant's admin.
//!
//! To add a verb: its file here, its line in `routes.rs`.

mod list;
mod show;
mod stop;

pub use list::list;
pub use show::show;
pub use stop::{drain, release, resume, suspend};

use serde_json::{Value, json};

use super::time::stamp;
use crate::domain::id::SessionId;
use crate::domain::record::Micros;
use crate::domain::row::{HeldRow, PacedRow, SessionRow, Suspended};

/// A session as answers show it. What held it or slowed it down until a time that is past is not shown.
fn view(id: SessionId, row: &SessionRow, now: Micros) -> Value {
    json!({
        "id": id.to_string(),
        "name": row.name,
        "channel": row.channel,
        "phone_number_id": row.account,
        "waba_id": row.waba,
        "app_id": row.app,
        "portfolio": row.portfolio,
        "per_second": row.per_second,
        "burst": row.burst,
        "test": row.test,
        "suspended": row.suspended.as_ref().map(suspended),
        "draining": row.draining,
        "held": row.held.as_ref().filter(|held| held.holds(now)).map(|it| held(it, now)),
        "paced": row.paced.as_ref().filter(|paced| paced.slows(now)).map(paced),
    })
}

fn suspended(it: &Suspended) -> Value {
    json!({"why": it.reason, "since": stamp(it.since), "until": null})
}

fn held(it: &HeldRow, now: Micros) -> Value {
    let (since, until) = (stamp(it.since), stamp(it.ends(now)));
    json!({"why": it.class, "bucket": it.bucket, "code": it.code, "since": since, "until": until})
}

fn paced(it: &PacedRow) -> Value {
    let (since, until) = (stamp(it.since), stamp(it.until));
    json!({
        "why": "throttle", "bucket": it.bucket, "code": it.code, "since": since, "until": until,
        "per_second": it.per_second,
    })
}
