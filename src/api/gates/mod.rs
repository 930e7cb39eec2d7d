//! Operator's gates: a tenant, a template or a country is stopped, and let go again.
//!
//! What is asked for is an event in the tenant's mailbox, and effective once each partition has applied its copy of it.
//! Messages are taken while a gate is closed, and wait. A session has verbs of its own (`sessions`).
//!
//! To add a gate: a variant in `domain/gate.rs`, two handlers in `switch.rs`, their lines in `routes.rs`.

mod list;
mod switch;

pub(in crate::api) use list::asks;
pub use list::list;
pub(in crate::api) use switch::applied_everywhere;
pub use switch::{resume_country, resume_template, resume_tenant, suspend_country, suspend_template, suspend_tenant};

use serde_json::{Value, json};

use crate::domain::gate::Gate;

/// A gate as answers name it.
fn view(gate: &Gate) -> Value {
    json!({"kind": gate.kind(), "name": gate.name()})
}
