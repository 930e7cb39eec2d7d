//! Planning an API key. A key that works is left alone: its text cannot be shown again.

use super::super::super::guard::word;
use super::super::super::key::NewKey;
use super::super::super::keys::{issued, living};
use super::super::super::problem::Problem;
use super::super::super::state::App;
use super::ask::KeyAsk;
use super::plan::{Change, Step};
use crate::domain::id::TenantId;
use crate::domain::record::Principal;

/// What a key needs.
///
/// # Errors
/// `taken` when a key of this name works and was issued with another role: what a key may do never changes.
pub async fn plan(app: &App, tenant: TenantId, it: &KeyAsk) -> Result<Step, Problem> {
    let mut names = vec![("tenant", it.tenant.clone()), ("name", it.name.clone()), ("role", word(it.role).to_owned())];
    if let Some(row) = living(app, tenant, &it.name).await? {
        if row.role != it.role || row.test != it.test {
            return Err(Problem::field(
                "/keys",
                format!("`{}` exists with another role", it.name),
                "revoke it first, or choose another name",
            ));
        }
        return Ok(Step { names, change: Change::Unchanged, secret: None, event: None, reveal: None });
    }
    let key = NewKey::draw(&*app.entropy, it.test);
    let asked = (it.name.as_str(), it.role, it.test);
    let now = app.clock.wall();
    let draft = issued(app, &key, tenant, asked, Principal::Operator, now);
    names.push(("id", key.id.to_string()));
    Ok(Step {
        names,
        change: Change::Created,
        secret: None,
        event: Some((app.partition_of(tenant), draft)),
        reveal: Some(("key", key.text)),
    })
}
