//! The contact's gate: the last look before the call, between the read-back of the intent and the first byte.
//!
//! The contact's row is its own partition's, and so is the tenant's: both are read from the store, as far as their
//! partitions have applied. What forbids is acted on as it is read; but a row that is silent may only be late, so
//! nothing is barred before both partitions have caught up with their journals.

use std::time::Duration;

use super::attempt::Sender;
use super::standing::MessageRef;
use crate::actors::hands::Hands;
use crate::actors::portfolio::{self, Admission, Asker};
use crate::domain::consent::{Bar, Gates, Leaving, may_leave};
use crate::domain::content::{Content, Kind};
use crate::domain::event::{AttemptRef, Category};
use crate::domain::id::{BudgetId, SessionId};
use crate::domain::message::PARK_AFTER;
use crate::domain::record::Micros;
use crate::domain::routing;
use crate::domain::row::{ContactRow, PersonId, PersonRow, PortfolioRow, Row, RowId, TenantRow};
use crate::runtime::zone;
use crate::store::{StoreError, applied, rows};

/// How long both partitions may take to catch up before the attempt is put off. It holds a slot of the windows
/// meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may leave.
    Open,
    /// It must not, ever or for now.
    Barred(Bar),
    /// Nobody knows just now, and this is why: no leave to send what may have been forbidden, and no reason to fail it.
    Later(&'static str),
    /// The portfolio is to be asked, and then the gate again. It may take its time: nobody waits for it with a place of the
    /// egress in hand.
    Ask(BudgetId, Asker),
}

/// Asks for one message. The portfolio last: whom it admits counts, also if nothing leaves.
pub(super) async fn gate(
    hands: &Hands,
    sender: &Sender,
    (reference, of): (MessageRef, AttemptRef),
    content: &Content,
) -> Gate {
    hands.trip("attempt:before_gate");
    match (consent(hands, sender.session, reference, content).await, sender.portfolio) {
        (Gate::Open, Some(portfolio)) if content.kind == Kind::Template => {
            admission(hands, (portfolio, sender.session), reference, of).await
        }
        (gate, _) => gate,
    }
}

async fn consent(hands: &Hands, session: SessionId, reference: MessageRef, content: &Content) -> Gate {
    if !Gates::STRICT.ask(reference.category, content.kind) {
        return Gate::Open;
    }
    // Before the rows are read: one that is read first and believed later may be of long ago.
    let followed = partitions(hands, reference).into_iter().all(|partition| is_current(hands, partition));
    let shown = match ask(hands, session, reference, content).await {
        Ok(Err(bar @ (Bar::Until(..) | Bar::Quiet(_)))) => return Gate::Barred(bar),
        Ok(Ok(())) if followed => return Gate::Open,
        // Rows of long ago may allow what was forbidden since.
        Ok(Ok(())) => are_current(hands, reference).await,
        Ok(Err(_)) => caught_up(hands, reference).await,
        Err(_) => return Gate::Later("gate_unreadable"),
    };
    if !shown {
        return Gate::Later("consent_behind");
    }
    match ask(hands, session, reference, content).await {
        Ok(Ok(())) => Gate::Open,
        Ok(Err(bar)) => Gate::Barred(bar),
        Err(_) => Gate::Later("gate_unreadable"),
    }
}

/// Where the two rows are written.
fn partitions(hands: &Hands, reference: MessageRef) -> [u16; 2] {
    let count = hands.journal.genesis().count;
    [routing::partition(&reference.contact.into(), count), routing::partition(&reference.tenant.into(), count)]
}

/// Whether both rows follow their journals.
async fn are_current(hands: &Hands, reference: MessageRef) -> bool {
    let [contact, tenant] = partitions(hands, reference).map(|partition| follows(hands, partition));
    matches!(tokio::join!(contact, tenant), (true, true))
}

/// Whether the rows of a partition follow its journal: seen a moment ago, or looked at now, by one for all.
async fn follows(hands: &Hands, partition: u16) -> bool {
    if is_current(hands, partition) {
        return true;
    }
    let turn = hands.registry.look(partition);
    let look = async {
        let _ours = turn.lock().await;
        is_current(hands, partition) || shows(hands, partition).await
    };
    // Its turn included: those who wait behind one that looks in vain are put off with it, not after it.
    tokio::time::timeout(PATIENCE, look).await.unwrap_or(false)
}

/// Whether they were seen to a moment ago.
fn is_current(hands: &Hands, partition: u16) -> bool {
    hands.registry.is_current(partition, hands.clock.steady())
}

/// One read of both rows.
async fn ask(
    hands: &Hands,
    session: SessionId,
    reference: MessageRef,
    content: &Content,
) -> Result<Result<(), Bar>, StoreError> {
    let ids = [RowId::Contact(reference.contact), RowId::Tenant(reference.tenant)];
    let found = rows::get_many(hands.store.as_ref(), &ids).await?;
    let contact = found.iter().flatten().find_map(|row| if let Row::Contact(row) = row { Some(row) } else { None });
    let tenant = found.iter().flatten().find_map(|row| if let Row::Tenant(row) = row { Some(row) } else { None });
    let now = hands.clock.wall();
    let leaving = Leaving { category: reference.category, kind: content.kind, session, now };
    let bar = may_leave(leaving, contact, hands.limits.gates.of(tenant));
    Ok(bar.and_then(|()| loud(reference.category, tenant, &content.to, now)))
}

/// Quiet hours, last: what may never leave need not wait for the morning.
fn loud(category: Category, tenant: Option<&TenantRow>, to: &str, now: Micros) -> Result<(), Bar> {
    let quiet = tenant.and_then(|row| row.quiet_hours.as_ref()).filter(|_| category == Category::Marketing);
    let until = quiet.and_then(|quiet| quiet.until(&zone::offsets(to, &quiet.zone, now), now));
    until.map_or(Ok(()), |until| Err(Bar::Quiet(until)))
}

/// Waits until both rows show what their journals hold now.
async fn caught_up(hands: &Hands, reference: MessageRef) -> bool {
    let [contact, tenant] = partitions(hands, reference).map(|partition| shows(hands, partition));
    matches!(tokio::join!(contact, tenant), (true, true))
}

/// Waits until the rows of a partition show what its journal holds now.
async fn shows(hands: &Hands, partition: u16) -> bool {
    let began = hands.clock.steady();
    let Ok(end) = hands.journal.fresh_end(partition).await else {
        return false;
    };
    let shows = applied::caught_up(hands.store.as_ref(), partition, end, PATIENCE).await == Ok(true);
    if shows && !hands.registry.owns(partition) {
        hands.registry.set_current(partition, began);
    }
    shows
}

/// Whether the portfolio may be written to this person. Whoever has an open window is not counted, and who was admitted
/// not long ago need not be asked for.
async fn admission(
    hands: &Hands,
    (portfolio, session): (BudgetId, SessionId),
    reference: MessageRef,
    of: AttemptRef,
) -> Gate {
    let home = routing::partition(&portfolio.into(), hands.journal.genesis().count);
    let mut followed = is_current(hands, home);
    let mut read = Known::read(hands, portfolio, reference).await;
    if !followed && read.as_ref().is_ok_and(Known::has_no_limit) {
        // Rows of long ago might know of no limit where there is one by now.
        followed = follows(hands, home).await;
        read = Known::read(hands, portfolio, reference).await;
    }
    let Ok(known) = read else {
        return Gate::Later("portfolio_unreadable");
    };
    let now = hands.clock.wall();
    let is_first = of.attempt == 1;
    let asker = Asker { contact: reference.contact, expires_at: reference.expires_at, anew: is_first };
    if known.contact.as_ref().is_some_and(|row| row.has_window(session, now)) {
        if !is_first {
            hands.registry.portfolios.leave(portfolio, asker.contact);
        }
        return Gate::Open;
    }
    let held = known.row.as_ref().and_then(|row| row.held(now));
    let row = known.row.as_deref();
    if row.is_some_and(|row| held.is_none() && !portfolio::may_go(hands, portfolio, row, of, now)) {
        return Gate::Later("portfolio_probed");
    }
    let counts = |row: &PortfolioRow| known.person.is_some_and(|person| row.people.counts(person.admitted, now));
    let away =
        || row.filter(|row| !counts(row)).and_then(|row| portfolio::turned_away(hands, portfolio, row, asker, now));
    let said = if let Some(held) = held {
        Admission::Until(held.until, held.code)
    } else if (followed && known.has_no_limit())
        || row.is_some_and(|row| portfolio::is_admitted(row, known.person.as_ref(), now, now))
    {
        Admission::Admitted
    } else if let Some(until) = away() {
        Admission::Until(until, 0)
    } else {
        return Gate::Ask(portfolio, asker);
    };
    said_of(said, now)
}

/// Asks the portfolio. If it says that the person may be written to, the gate is to be asked again.
pub(super) async fn ask_portfolio(hands: &Hands, portfolio: BudgetId, asker: Asker) -> Gate {
    let said = portfolio::ask(hands, portfolio, asker).await;
    said_of(said, hands.clock.wall())
}

fn said_of(said: Admission, now: Micros) -> Gate {
    match said {
        Admission::Admitted => Gate::Open,
        // For so long that it waits outside of the session's memory, and stands in nobody's way.
        Admission::Until(until, code) => Gate::Barred(Bar::Portfolio(until.max(now + PARK_AFTER + 1), code)),
        Admission::Unknown => Gate::Later("portfolio_behind"),
    }
}

/// What is known of a person and a portfolio.
struct Known {
    contact: Option<ContactRow>,
    row: Option<Box<PortfolioRow>>,
    person: Option<PersonRow>,
}

impl Known {
    fn has_no_limit(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.limit.is_none())
    }

    async fn read(hands: &Hands, portfolio: BudgetId, reference: MessageRef) -> Result<Self, StoreError> {
        let contact = reference.contact;
        let ids =
            [RowId::Contact(contact), RowId::Portfolio(portfolio), RowId::Person(PersonId { portfolio, contact })];
        let mut known = Self { contact: None, row: None, person: None };
        for row in rows::get_many(hands.store.as_ref(), &ids).await?.into_iter().flatten() {
            match row {
                Row::Contact(row) => known.contact = Some(row),
                Row::Portfolio(row) => known.row = Some(row),
                Row::Person(row) => known.person = Some(row),
                _ => {}
            }
        }
        Ok(known)
    }
}
