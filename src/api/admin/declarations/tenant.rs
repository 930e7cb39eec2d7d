//! Planning a tenant.

use super::super::super::problem::Problem;
use super::super::super::state::App;
use super::ask::TenantAsk;
use super::plan::{Change, Step};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, TenantDeclaredV1};
use crate::domain::id::{EventId, TenantId};
use crate::domain::quiet::QuietHours;
use crate::domain::record::Principal;
use crate::domain::row::{Row, RowId};
use crate::runtime::zone;
use crate::store::rows;

/// What a tenant needs.
pub async fn plan(app: &App, it: &TenantAsk) -> Result<Step, Problem> {
    let tenant = TenantId::named(app.journal.genesis().installation, &it.name);
    let pacing = &app.settings.pacing;
    let facts = TenantDeclaredV1 {
        tenant,
        name: it.name.clone(),
        display_name: it.display_name.clone().unwrap_or_else(|| it.name.clone()),
        per_second: it.per_second.unwrap_or(pacing.tenant_per_second),
        burst: it.burst.unwrap_or(pacing.tenant_burst),
        require_opt_in: it.require_opt_in,
        require_window: it.require_window,
        quiet_hours: it.quiet_hours.as_deref().map(quiet_hours).transpose()?,
        queue_max: it.queue_max,
    };
    let change = match rows::get(&*app.store, &RowId::Tenant(tenant)).await? {
        Some(Row::Tenant(row)) => {
            let same = row.name == facts.name
                && row.display_name == facts.display_name
                && row.per_second == facts.per_second
                && row.burst == facts.burst
                && (&row.quiet_hours, row.queue_max) == (&facts.quiet_hours, facts.queue_max)
                && (row.gates.require_opt_in, row.gates.require_window) == (facts.require_opt_in, facts.require_window);
            if same { Change::Unchanged } else { Change::Changed }
        }
        _ => Change::Created,
    };
    let event = (change != Change::Unchanged).then(|| {
        let (id, at) = (EventId(app.entropy.id()), app.clock.wall());
        let event = Event::from(facts);
        let draft = Draft::new(id, tenant, &event, Principal::Operator, at).tenant(tenant);
        (app.partition_of(tenant), draft)
    });
    Ok(Step {
        names: vec![("name", it.name.clone()), ("id", tenant.to_string())],
        change,
        secret: None,
        event,
        reveal: None,
    })
}

/// # Errors
/// `invalid_request` at `/tenants`.
fn quiet_hours(text: &str) -> Result<QuietHours, Problem> {
    let wrong =
        |what: String| Problem::field("/tenants", format!("`quiet_hours` {what}"), "write `21:00-08:00 Europe/Berlin`");
    let quiet: QuietHours = text.parse().map_err(|error| wrong(format!("{error}")))?;
    if !zone::is_known(&quiet.zone) {
        return Err(wrong(format!("names no time zone of the IANA database: {}", quiet.zone)));
    }
    Ok(quiet)
}
