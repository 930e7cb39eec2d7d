//! Finding the person that a verb is about, and how its row stands.

use super::super::accept::alias;
use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::state::App;
use crate::domain::id::KeyId;
use crate::domain::row::{ContactRow, Row, RowId};
use crate::store::rows;

/// The contact of this name. Makes nobody.
///
/// # Errors
/// `not_found`: nothing is kept of such a person. `invalid_request` for a text that is no name.
pub(super) async fn find(app: &App, caller: &Caller, to: &str) -> Result<KeyId, Problem> {
    let found = app.vault.find(caller.scope.tenant(), &alias(to)?).await?;
    found.ok_or_else(|| Problem::not_found("contact"))
}

/// The contact's row, as far as its partition has applied.
pub(super) async fn row(app: &App, contact: KeyId) -> Result<ContactRow, Problem> {
    Ok(match rows::get(&*app.store, &RowId::Contact(contact)).await? {
        Some(Row::Contact(row)) => row,
        _ => ContactRow::default(),
    })
}
