//! Checking and planning a pool: several sessions of a tenant as one sender. It is a sender like a session, and so their names
//! are one list.

use std::collections::HashSet;

use super::super::super::problem::{Problem, fault};
use super::super::super::state::App;
use super::ask::{Ask, PoolAsk, SessionAsk};
use super::plan::{Change, Step};
use crate::domain::content::Problem as Fault;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MemberV1, SessionDeclaredV1};
use crate::domain::id::{EventId, SessionId, TenantId};
use crate::domain::pool::{MAX_MEMBERS, MAX_WEIGHT};
use crate::domain::record::Principal;
use crate::domain::row::{Row, RowId, SessionRow};
use crate::store::rows;

/// What a pool calls its channel: it has none.
const CHANNEL: &str = "pool";

/// A member as it is declared, here or before.
struct Known {
    test: bool,
    is_pool: bool,
    rate: (u32, u32),
}

/// What is wrong with a pool of a tenant that exists or is declared here.
///
/// # Errors
/// When the rows cannot be read.
pub async fn check(app: &App, ask: &Ask, tenant: TenantId, at: &str, it: &PoolAsk) -> Result<Vec<Fault>, Problem> {
    let mut faults = Vec::new();
    if !(1..=MAX_MEMBERS).contains(&it.members.len()) {
        faults.push(fault(&format!("{at}/members"), "are not 1 to 64 sessions", "name the sessions that send for it"));
    }
    let (mut seen, mut tests) = (HashSet::new(), HashSet::new());
    for (n, member) in it.members.iter().enumerate().take(MAX_MEMBERS) {
        let at = format!("{at}/members/{n}");
        if !(1..=MAX_WEIGHT).contains(&member.weight) {
            faults.push(fault(&format!("{at}/weight"), "is out of range", "choose from 1 to 1000"));
        }
        let session = format!("{at}/session");
        match known(app, ask, tenant, it, &member.session).await? {
            None => {
                let remedy = "declare the session first, or in the same document";
                faults.push(fault(&session, "names no session of this tenant", remedy));
            }
            Some(known) if known.is_pool => {
                faults.push(fault(&session, "names a pool", "name the sessions themselves"));
            }
            Some(known) => drop(tests.insert(known.test)),
        }
        if !seen.insert(&member.session) {
            faults.push(fault(
                &session,
                "stands twice in this pool",
                "remove one of them, and give the other its weight",
            ));
        }
    }
    if tests.len() > 1 {
        let remedy = "put test sessions in a pool of their own";
        faults.push(fault(&format!("{at}/members"), "are test sessions and others", remedy));
    }
    let own = SessionId::named(tenant, &it.name);
    let named = rows::get(&*app.store, &RowId::Session(own)).await?;
    let is_session = matches!(named, Some(Row::Session(row)) if !row.is_pool());
    if is_session || ask.sessions.iter().any(|other| (&other.tenant, &other.name) == (&it.tenant, &it.name)) {
        faults.push(fault(&format!("{at}/name"), "is a session's name", "choose another: both are what `from` names"));
    }
    Ok(faults)
}

async fn known(app: &App, ask: &Ask, tenant: TenantId, pool: &PoolAsk, name: &str) -> Result<Option<Known>, Problem> {
    let named = |session: &&SessionAsk| session.tenant == pool.tenant && session.name == name;
    if let Some(session) = ask.sessions.iter().find(named) {
        let pacing = &app.settings.pacing;
        let rate =
            (session.per_second.unwrap_or(pacing.number_per_second), session.burst.unwrap_or(pacing.number_burst));
        return Ok(Some(Known { test: session.test, is_pool: false, rate }));
    }
    let row = rows::get(&*app.store, &RowId::Session(SessionId::named(tenant, name))).await?;
    Ok(row.and_then(|row| match row {
        Row::Session(row) => Some(Known { test: row.test, is_pool: row.is_pool(), rate: (row.per_second, row.burst) }),
        _ => None,
    }))
}

/// What a pool needs. Its rate is that of its members together, as a campaign's plan takes it.
pub async fn plan(app: &App, ask: &Ask, tenant: TenantId, it: &PoolAsk) -> Result<Step, Problem> {
    let pool = SessionId::named(tenant, &it.name);
    let (mut test, mut rate, mut members) = (false, (0_u32, 0_u32), Vec::with_capacity(it.members.len()));
    for member in &it.members {
        if let Some(known) = known(app, ask, tenant, it, &member.session).await? {
            test |= known.test;
            rate = (rate.0.saturating_add(known.rate.0), rate.1.saturating_add(known.rate.1));
        }
        members.push(MemberV1 { session: SessionId::named(tenant, &member.session), weight: member.weight });
    }
    let facts = SessionDeclaredV1 {
        session: pool,
        tenant,
        name: it.name.clone(),
        channel: CHANNEL.to_owned(),
        account: String::new(),
        waba: None,
        per_second: rate.0,
        burst: rate.1,
        test,
        app: None,
        portfolio: None,
        members: Some(members),
    };
    let change = match rows::get(&*app.store, &RowId::Session(pool)).await? {
        Some(Row::Session(row)) if is_same(&row, &facts) => Change::Unchanged,
        Some(_) => Change::Changed,
        None => Change::Created,
    };
    let event = (change != Change::Unchanged).then(|| {
        let (id, at) = (EventId(app.entropy.id()), app.clock.wall());
        let draft = Draft::new(id, pool, &Event::from(facts), Principal::Operator, at).tenant(tenant);
        (app.partition_of(pool), draft)
    });
    Ok(Step {
        names: vec![("tenant", it.tenant.clone()), ("name", it.name.clone()), ("id", pool.to_string())],
        change,
        secret: None,
        event,
        reveal: None,
    })
}

/// Whether the declaration in force says the same.
fn is_same(row: &SessionRow, facts: &SessionDeclaredV1) -> bool {
    let declared = row.members.iter().filter(|member| member.weight > 0).map(|member| (member.session, member.weight));
    let asked = facts.members.iter().flatten().map(|member| (member.session, member.weight));
    declared.eq(asked) && (row.per_second, row.burst, row.test) == (facts.per_second, facts.burst, facts.test)
}
