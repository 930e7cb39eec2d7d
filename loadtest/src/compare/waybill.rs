//! Waybill in a comparison: no limit of its own in the way, and one tenant with all senders.

use super::config::CompareConfig;
use super::street::Street;
use crate::house::{Endpoint, Session, Tenant};
use toml::{Table, Value};

/// The names callers use, the same for all targets.
pub(super) fn sender(n: usize) -> String {
    format!("s{n}")
}

/// No limit of ours in the way.
pub(super) fn settings() -> Table {
    let pacing = [
        ("number_per_second", Value::Integer(1000)),
        ("number_burst", Value::Integer(1000)),
        ("pair_interval", Value::String("1ms".to_owned())),
        ("pair_burst", Value::Integer(1000)),
        ("tenant_per_second", Value::Integer(100_000)),
        ("tenant_burst", Value::Integer(100_000)),
    ];
    let pacing: Table = pacing.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    [("pacing".to_owned(), Value::Table(pacing))].into_iter().collect()
}

/// The tenant with everything.
pub(super) fn tenant(config: &CompareConfig, street: &Street) -> Tenant {
    let session = |n: usize| Session {
        name: sender(n),
        phone_number_id: format!("9001002003{n:05}"),
        per_second: Some(1000),
        burst: Some(1000),
    };
    let events = ["message.sent", "message.delivered"].map(str::to_owned).to_vec();
    Tenant {
        name: "shop".to_owned(),
        per_second: Some(100_000),
        burst: Some(100_000),
        sessions: (0..config.senders).map(session).collect(),
        endpoint: street.sink.as_ref().map(|sink| Endpoint { url: sink.url(), events }),
        test: false,
        portfolio_people: None,
    }
}
