//! What a callback's refusal says of more than its message: the portfolio is to be left alone, the template is paused. The
//! same as when the answer to the call says so (`actors/session`).

use super::super::append::Placed;
use super::Trouble;
use super::scene::{Mailbox, Scene};
use super::sender::Sender;
use crate::domain::event::{AttemptRef, Event, GateAskedV1, PortfolioHeldV1};
use crate::domain::failure::Bucket;
use crate::domain::gate::Gate;
use crate::domain::id::{BudgetId, EventId};
use crate::domain::record::Micros;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// How long, where the table of codes names no time.
const HELD_FOR: Micros = 3_600_000_000;

/// A hold that ends so much later is worth an event: refusals come in waves.
const WORTH: Micros = 60_000_000;

/// What else follows from a message that failed with this code.
pub(super) async fn refused(
    scene: &Scene<'_>,
    sender: Sender,
    of: Option<AttemptRef>,
    (code, at): (i32, Micros),
) -> Result<Vec<Placed>, Trouble> {
    let Some(verdict) = scene.codes.verdict(code, None, true) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    if verdict.class.bucket() == Some(Bucket::Portfolio) {
        let asked = verdict.retry_after_ms.map(|ms| Micros::try_from(ms).unwrap_or(0) * 1_000);
        let until = at.min(scene.now).saturating_add(asked.unwrap_or(HELD_FOR));
        all.extend(portfolio(scene, sender, until, code).await?);
    }
    if let Some(of) = of.filter(|_| verdict.class.stops_template(code)) {
        all.extend(template(scene, of, code).await?);
    }
    Ok(all)
}

/// `PortfolioHeld`, if the session has a portfolio and that is not known.
async fn portfolio(scene: &Scene<'_>, sender: Sender, until: Micros, code: i32) -> Result<Option<Placed>, Trouble> {
    let session = scene.app.directory.session(scene.app, sender.session).await?;
    let Some(name) = session.filter(|session| !session.test).and_then(|session| session.portfolio.clone()) else {
        return Ok(None);
    };
    let portfolio = BudgetId::portfolio(scene.app.journal.genesis().installation, &name);
    if let Some(Row::Portfolio(row)) = rows::get(&*scene.app.store, &RowId::Portfolio(portfolio)).await?
        && row.held(scene.now).is_some_and(|held| held.until.saturating_add(WORTH) >= until)
    {
        return Ok(None);
    }
    let mailbox = Mailbox { address: portfolio.into(), partition: scene.app.partition_of(portfolio) };
    let event = Event::from(PortfolioHeldV1 { portfolio, until, code });
    scene.aside(mailbox, EventId::caused_by(scene.id, "portfolio held"), &event).map(Some)
}

/// `GateAsked` for the message's template, unless it is stopped already.
async fn template(scene: &Scene<'_>, of: AttemptRef, code: i32) -> Result<Option<Placed>, Trouble> {
    let found = rows::get(&*scene.app.store, &RowId::Message(of.message)).await?;
    let accepted = found.and_then(|row| if let Row::Message(row) = row { row.accepted } else { None });
    let Some((accepted, name)) =
        accepted.filter(|it| !it.test).and_then(|it| it.template.clone().map(|name| (it, name)))
    else {
        return Ok(None);
    };
    let tenant = accepted.tenant;
    let gate = Gate::Template { tenant, name: name.clone() };
    let last = match rows::get(&*scene.app.store, &RowId::Asks(tenant)).await? {
        Some(Row::Asks(asks)) if asks.on(&gate).is_some_and(|asked| asked.closed) => return Ok(None),
        Some(Row::Asks(asks)) => asks.last_on(&gate),
        _ => None,
    };
    let (id, facts) = GateAskedV1::paused(tenant, name, code, last);
    let mailbox = Mailbox { address: tenant.into(), partition: scene.app.partition_of(tenant) };
    scene.aside(mailbox, id, &Event::from(facts)).map(Some)
}
