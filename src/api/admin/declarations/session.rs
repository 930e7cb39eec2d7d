//! Planning a session.

use super::super::super::problem::Problem;
use super::super::super::state::App;
use super::ask::SessionAsk;
use super::check::secret;
use super::plan::{Change, Step};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, SessionDeclaredV1};
use crate::domain::id::{EventId, SessionId, TenantId};
use crate::domain::record::Principal;
use crate::domain::row::{Row, RowId, SessionRow};
use crate::store::rows;

/// Under which name the vault keeps a session's token.
pub fn token_name(session: SessionId) -> String {
    format!("session/{session}/token")
}

/// What a session needs. A new token is a new declaration too: whoever sends hears of it.
pub async fn plan(app: &App, tenant: TenantId, it: &SessionAsk) -> Result<Step, Problem> {
    let session = SessionId::named(tenant, &it.name);
    let pacing = &app.settings.pacing;
    let facts = SessionDeclaredV1 {
        session,
        tenant,
        name: it.name.clone(),
        channel: it.channel.clone(),
        account: it.phone_number_id.clone(),
        waba: it.waba_id.clone(),
        per_second: it.per_second.unwrap_or(pacing.number_per_second),
        burst: it.burst.unwrap_or(pacing.number_burst),
        test: it.test,
        app: it.app_id.clone(),
        portfolio: it.portfolio.clone(),
        members: None,
    };
    let name = token_name(session);
    let kept = app.vault.secret(Some(tenant), &name).await?;
    let token = it.token.as_ref().map(|token| secret(token));
    let new_token = token.filter(|token| kept.as_ref() != Some(token));
    let change = match rows::get(&*app.store, &RowId::Session(session)).await? {
        Some(Row::Session(row)) => {
            let same = new_token.is_none() && is_same(&row, &facts);
            if same { Change::Unchanged } else { Change::Changed }
        }
        _ => Change::Created,
    };
    let event = (change != Change::Unchanged).then(|| {
        let (id, at) = (EventId(app.entropy.id()), app.clock.wall());
        let event = Event::from(facts);
        let draft = Draft::new(id, session, &event, Principal::Operator, at).tenant(tenant);
        (app.partition_of(session), draft)
    });
    Ok(Step {
        names: vec![("tenant", it.tenant.clone()), ("name", it.name.clone()), ("id", session.to_string())],
        change,
        secret: new_token.map(|token| (tenant, name, token)),
        event,
        reveal: None,
    })
}

/// Whether the declaration in force says the same.
fn is_same(row: &SessionRow, facts: &SessionDeclaredV1) -> bool {
    row.channel == facts.channel
        && row.account == facts.account
        && row.per_second == facts.per_second
        && row.burst == facts.burst
        && row.test == facts.test
        && (&row.waba, &row.app, &row.portfolio) == (&facts.waba, &facts.app, &facts.portfolio)
}
