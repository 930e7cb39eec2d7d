//! Settings: what an operator may choose, read once, checked whole, explained where it is wrong.
//!
//! Three layers, later wins: the annotated defaults compiled in from `config/waybill.toml`, the operator's file, the
//! environment (`WAYBILL_SECTION__KEY`). Everything that is wrong is said at once, each mistake with its place and its
//! remedy. The documents of `waybill apply` ([`Declaration`]) are read by the same machinery.
//!
//! **What this room must never know:** what a setting is used for, whether a host answers, what time it is. It opens only
//! the files it is told to open, and a secret only when somebody calls [`SecretRef::resolve`].
//!
//! **To add a setting:**
//! 1. add the field, with its check, to the section in `section/`: the table of keys (unknown keys, environment, typed
//!    reading, spelling) derives from that line;
//! 2. add the key with its default and a comment (unit, range) to `config/waybill.toml`; the tests refuse one without the other;
//! 3. if it only makes sense together with another key, add a rule to `cross.rs`.
//!
//! **To add a kind of value:** implement `Setting` for it (see `duration.rs` for one that is read from text).
//!
//! **To add a section:** a `keys!` struct in `section/`, and one field in `settings.rs`.

mod check;
mod choice;
mod cross;
mod declaration;
mod duration;
mod env;
mod mistake;
mod node;
mod place;
mod scalar;
mod secret;
mod section;
mod setting;
mod settings;
mod size;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod unknown;

pub use declaration::{
    Channel, Declaration, EndpointDeclaration, EventPattern, KeyDeclaration, Name, PoolDeclaration,
    PortfolioDeclaration, Role, SessionDeclaration, TenantDeclaration,
};
pub use env::{environment, no_color};
pub use mistake::{Mistake, Mistakes};
pub use secret::{Secret, SecretError, SecretRef};
pub use section::{
    Auth, Consent, Cql, Data, Delivery, Expiry, Health, Journal, JournalKind, Kafka, LogFormat, Mechanism, Meta,
    NodeRole, Pacing, Pool, Runtime, Server, Store, StoreKind, Telemetry, Unknown, UnknownPolicy, Vault, VaultKind,
    Verify, Webhooks,
};
pub use settings::{DEFAULTS, Settings};
pub use size::Size;
