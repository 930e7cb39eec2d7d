//! The sections of the settings file, one `keys!` struct each: a key's name, kind and check stand here and nowhere else.
//! Its default and its explanation for operators stand in `config/waybill.toml`.

mod audit;
mod consent;
mod cql;
mod delivery;
mod durable;
mod kafka;
mod meta;
mod pool;
mod privacy;
mod process;
mod server;
mod webhooks;

pub use audit::Audit;
pub use consent::Consent;
pub use cql::Cql;
pub use delivery::{Delivery, Expiry, Pacing, Unknown, UnknownPolicy};
pub use durable::{Data, Journal, JournalKind, Store, StoreKind, Vault, VaultKind, Verify};
pub use kafka::{Kafka, Mechanism};
pub use meta::Meta;
pub use pool::Pool;
pub use privacy::Privacy;
pub use process::{Auth, Health, LogFormat, NodeRole, Runtime, Telemetry};
pub use server::Server;
pub use webhooks::Webhooks;

use std::time::Duration;

/// Microseconds, for ranges.
const fn us(n: u64) -> Duration {
    Duration::from_micros(n)
}

/// Milliseconds, for ranges.
const fn ms(n: u64) -> Duration {
    us(n * 1_000)
}

/// Seconds, for ranges.
const fn s(n: u64) -> Duration {
    ms(n * 1_000)
}

/// Hours, for ranges.
const fn h(n: u64) -> Duration {
    s(n * 3_600)
}
