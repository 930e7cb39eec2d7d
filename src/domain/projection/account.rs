//! What declarations of tenants and API keys change.

use super::super::event::Event;
use super::super::row::{ApiKeyRow, RowId, Rows, TenantRow};
use super::{Append, Applied, At, Note};

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::TenantDeclared(facts) => wanted.push(RowId::Tenant(facts.tenant)),
        Event::ApiKeyIssued(facts) => wanted.push(RowId::ApiKey(facts.key)),
        Event::ApiKeyRevoked(facts) => wanted.push(RowId::ApiKey(facts.key)),
        _ => {}
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    match event {
        Event::TenantDeclared(facts) => {
            let before = rows.tenant(facts.tenant);
            if before.is_some_and(|row| row.through >= at.position || !row.controls.is_new(at.header.id)) {
                return;
            }
            let controls = before.map(|row| row.controls.clone()).unwrap_or_default();
            let mut row = TenantRow { controls, ..TenantRow::declared(facts, at.position) };
            row.controls.remember(at.header.id);
            rows.put_tenant(facts.tenant, row);
            out.appends.push(name("tenant", [0; 16], &facts.name, facts.tenant.0));
            out.notes.push(Note::TenantChanged(facts.tenant));
        }
        Event::ApiKeyIssued(facts) => {
            if rows.api_key(facts.key).is_some() {
                return;
            }
            rows.put_api_key(facts.key, ApiKeyRow::issued(facts));
            out.appends.push(name("key", facts.tenant.0, &facts.name, facts.key.0));
        }
        Event::ApiKeyRevoked(facts) => {
            let Some(row) = rows.api_key(facts.key).filter(|row| row.revoked_at.is_none()) else {
                return;
            };
            let row = ApiKeyRow { revoked_at: Some(at.header.at), ..row.clone() };
            rows.put_api_key(facts.key, row);
        }
        _ => {}
    }
}

pub(super) fn name(kind: &'static str, scope: [u8; 16], name: &str, id: [u8; 16]) -> Append {
    Append::Name { kind, scope, name: name.to_owned(), id }
}
