//! Rows of sessions.

use serde::{Deserialize, Serialize};

use super::super::event::SessionDeclaredV1;
use super::super::id::TenantId;
use super::super::record::{Micros, Position};
use super::Controls;

/// A session: declaration and standing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Position of the declaration in force.
    pub declared_at: Position,
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug.
    pub name: String,
    /// Which channel speaks for it.
    pub channel: String,
    /// The provider's id of the sender.
    pub account: String,
    /// Messages a second.
    pub per_second: u32,
    /// At once after a rest.
    pub burst: u32,
    /// Never reaches the provider.
    pub test: bool,
    /// The living actor: position of its [`super::event::SessionStartedV1`], under the claim beside it.
    pub incarnation: Option<Incarnation>,
    /// Why an operator stopped it, if one did.
    pub suspended: Option<String>,
    /// Why an operator empties it, if one does: it takes no messages.
    pub draining: Option<String>,
    /// No attempt before this, because of the provider's code beside it.
    pub held: Option<(Micros, i32)>,
    /// Control events taken.
    pub controls: Controls,
}

impl SessionRow {
    /// The row of a declaration, keeping what is not declared.
    #[must_use]
    pub fn declared(facts: &SessionDeclaredV1, at: Position, before: Option<&Self>) -> Self {
        Self {
            declared_at: at,
            tenant: facts.tenant,
            name: facts.name.clone(),
            channel: facts.channel.clone(),
            account: facts.account.clone(),
            per_second: facts.per_second,
            burst: facts.burst,
            test: facts.test,
            incarnation: before.and_then(|row| row.incarnation),
            suspended: before.and_then(|row| row.suspended.clone()),
            draining: before.and_then(|row| row.draining.clone()),
            held: before.and_then(|row| row.held),
            controls: before.map(|row| row.controls.clone()).unwrap_or_default(),
        }
    }
}

/// Which life of a session's actor may propose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incarnation {
    /// Position of its start.
    pub started: Position,
    /// The claim it started under.
    pub epoch: Position,
}
