//! Asking a portfolio for people: what the attempts of this process want to know at once is one event.
//!
//! The question is an event in the portfolio's own mailbox, and whom it admits follows from the events up to it
//! (`projection/portfolio.rs`): so nobody has to decide, and nothing is granted that a crash could lose or repeat. Whoever
//! asked waits until the question is applied, and reads the person's row. A kill at any moment leaves at most people who
//! were admitted and not written to; they count, and are admitted again for nothing. No answer is copied back: like a
//! contact's consent it is read right before the call, and never remembered.
//!
//! One question of a portfolio is on its way at a time, for at most 256 people; who comes meanwhile is in the next one. So a
//! number that sends 80 messages a second needs some twenty events, and one that writes to the same people again within
//! the hour none.
//!
//! Who finds no place is told when to come again, in a line of one round of places (see [`line`]).

mod line;
mod probe;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use self::line::Line;
use self::probe::Probe;
use super::hands::Hands;
use crate::domain::draft::Draft;
use crate::domain::event::{AttemptRef, Event, PeopleAskedV1};
use crate::domain::failure::Answer;
use crate::domain::id::{BudgetId, EventId, KeyId};
use crate::domain::portfolio::MAX_ASKED;
use crate::domain::record::{Micros, Position, Principal};
use crate::domain::routing;
use crate::domain::row::{PersonId, PersonRow, PortfolioRow, Row, RowId};
use crate::journal::Appended;
use crate::store::{StoreError, applied, rows};

/// How long the portfolio's partition may take to apply a question, and whoever asks waits for its answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a portfolio says of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// They may be written to now.
    Admitted,
    /// Not before this, as far as is known; by the provider's word if a code is there.
    Until(Micros, i32),
    /// Nobody knows just now.
    Unknown,
}

/// The portfolios that this process asks.
#[derive(Debug, Default)]
pub struct Portfolios {
    queues: Mutex<HashMap<BudgetId, Queue>>,
    /// How many limits were raised in this life of the process.
    raised: AtomicU64,
}

/// Somebody who would be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Who.
    pub contact: KeyId,
    /// When what they would be written ends.
    pub expires_at: Micros,
    /// Nobody told them to come now.
    pub anew: bool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<(Asker, oneshot::Sender<Admission>)>,
    /// Somebody carries questions to the journal.
    carried: bool,
    /// Who was told to come again, and when.
    line: Line,
    probe: Probe,
}

impl Portfolios {
    fn with<T>(&self, portfolio: BudgetId, act: impl FnOnce(&mut Queue) -> T) -> T {
        act(self.queues.lock().entry(portfolio).or_default())
    }

    /// A limit was raised: what those who wait were told is outdated, in whichever portfolio, since all of them are let out.
    pub fn raise(&self) {
        self.queues.lock().values_mut().for_each(|queue| queue.line = Line::default());
        self.raised.fetch_add(1, Ordering::AcqRel);
    }

    /// They are waited for no more.
    pub fn leave(&self, portfolio: BudgetId, contact: KeyId) {
        if let Some(queue) = self.queues.lock().get_mut(&portfolio) {
            queue.line.leave(contact);
        }
    }

    /// An attempt ended, with this answer if there was one: if it was the one that shows whether a hold is over, it did.
    pub fn probed(&self, portfolio: BudgetId, of: AttemptRef, answer: Option<&Answer>) {
        if let Some(queue) = self.queues.lock().get_mut(&portfolio) {
            queue.probe.ended(of, answer);
        }
    }

    /// How many were.
    #[must_use]
    pub fn raised(&self) -> u64 {
        self.raised.load(Ordering::Acquire)
    }

    /// The next question; `None`: there is none, and nobody carries any more.
    fn next(&self, portfolio: BudgetId) -> Option<Vec<(Asker, oneshot::Sender<Admission>)>> {
        self.with(portfolio, |queue| {
            let some = queue.waiting.len().min(MAX_ASKED);
            queue.carried = some > 0;
            (some > 0).then(|| queue.waiting.drain(..some).collect())
        })
    }
}

/// Whether somebody who does not count is turned away without a question: there is no place, or (if it comes anew) those
/// that are free are kept for people who waited for them. Without that those who come anew would always be first, and who
/// waits would wait for ever. Says when they may have a turn.
pub fn turned_away(
    hands: &Hands,
    portfolio: BudgetId,
    row: &PortfolioRow,
    asker: Asker,
    now: Micros,
) -> Option<Micros> {
    let limit = row.limit?;
    let free = limit.saturating_sub(row.people.counted(now));
    hands.registry.portfolios.with(portfolio, |queue| {
        let coming = if asker.anew { queue.line.coming(now) } else { 0 };
        let away = coming >= free && (coming > 0 || free == 0);
        away.then(|| {
            crate::telemetry::people(false);
            queue.line.turn(asker, &row.people, limit, now)
        })
    })
}

/// Whether this attempt may go, as far as the provider's last hold is concerned: after it one goes first.
pub fn may_go(hands: &Hands, portfolio: BudgetId, row: &PortfolioRow, of: AttemptRef, now: Micros) -> bool {
    let over = row.held.map(|held| held.until).filter(|until| now.saturating_sub(*until) < probe::RECENT);
    over.is_none_or(|until| hands.registry.portfolios.with(portfolio, |queue| queue.probe.may_go(until, of, now)))
}

/// Asks for one person.
pub async fn ask(hands: &Hands, portfolio: BudgetId, asker: Asker) -> Admission {
    let (tell, told) = oneshot::channel();
    let idle = hands.registry.portfolios.with(portfolio, |queue| {
        queue.waiting.push((asker, tell));
        !std::mem::replace(&mut queue.carried, true)
    });
    if idle {
        let carrier = Carrier { hands: hands.clone(), portfolio, armed: true };
        crate::runtime::spawn("portfolio", carrier.carry());
    }
    // Those before may take their time too. Who is admitted meanwhile finds that when it asks again.
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(said)) => said,
        Ok(Err(_)) | Err(_) => Admission::Unknown,
    }
}

/// Whether a person is admitted, as of a question of then or later.
#[must_use]
pub fn is_admitted(row: &PortfolioRow, person: Option<&PersonRow>, since: Micros, now: Micros) -> bool {
    person.is_some_and(|person| row.people.admits(person.admitted, since, now))
}

/// What the rows say once a question is applied; nothing, if they cannot be known.
#[derive(Default)]
struct Found {
    /// When it was asked.
    asked_at: Micros,
    row: Option<Box<PortfolioRow>>,
    people: HashMap<KeyId, PersonRow>,
}

/// Carries the questions of one portfolio until there are none.
struct Carrier {
    hands: Hands,
    portfolio: BudgetId,
    /// It has not ended in order, after which the queue is the next one's.
    armed: bool,
}

impl Drop for Carrier {
    /// It dies: nobody is to wait for it.
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        self.hands.registry.portfolios.with(self.portfolio, |queue| {
            queue.carried = false;
            queue.waiting.clear();
        });
    }
}

impl Carrier {
    async fn carry(mut self) {
        while let Some(asked) = self.hands.registry.portfolios.next(self.portfolio) {
            let mut people: Vec<KeyId> = asked.iter().map(|(asker, _)| asker.contact).collect();
            people.sort_unstable();
            people.dedup();
            let found = self.found(people).await.unwrap_or_else(|error| {
                tracing::error!(portfolio = %self.portfolio, %error, "the rows of a portfolio cannot be read");
                Found::default()
            });
            let now = self.hands.clock.wall();
            for (asker, tell) in asked {
                // Whoever does not listen any more is gone.
                tell.send(self.answer(&found, asker, now)).ok();
            }
        }
        self.armed = false;
    }

    async fn found(&self, people: Vec<KeyId>) -> Result<Found, StoreError> {
        let (hands, portfolio) = (&self.hands, self.portfolio);
        let home = routing::partition(&portfolio.into(), hands.journal.genesis().count);
        let asked_at = hands.clock.wall();
        let Some(asked) = self.append(home, people.clone(), asked_at).await else {
            return Ok(Found::default());
        };
        if !applied::reached(hands.store.as_ref(), home, asked, PATIENCE).await? {
            return Ok(Found::default());
        }
        let person = |contact: &KeyId| RowId::Person(PersonId { portfolio, contact: *contact });
        let ids: Vec<RowId> = std::iter::once(RowId::Portfolio(portfolio)).chain(people.iter().map(person)).collect();
        let mut rows = rows::get_many(hands.store.as_ref(), &ids).await?.into_iter();
        let row = rows.next().flatten().and_then(|row| if let Row::Portfolio(row) = row { Some(row) } else { None });
        let people = people.into_iter().zip(rows);
        let people = people.filter_map(|(contact, row)| match row {
            Some(Row::Person(person)) => Some((contact, person)),
            _ => None,
        });
        Ok(Found { asked_at, row, people: people.collect() })
    }

    /// One that nobody knows is waited for: it was declared before the session that names it.
    fn answer(&self, found: &Found, asker: Asker, now: Micros) -> Admission {
        let Some(row) = &found.row else {
            return Admission::Unknown;
        };
        if let Some(held) = row.held(now) {
            return Admission::Until(held.until, held.code);
        }
        let portfolios = &self.hands.registry.portfolios;
        let person = found.people.get(&asker.contact);
        let admitted = is_admitted(row, person, found.asked_at, now);
        let Some(limit) = row.limit.filter(|_| !admitted) else {
            crate::telemetry::people(true);
            portfolios.leave(self.portfolio, asker.contact);
            return Admission::Admitted;
        };
        // Somebody's day ended just now, or the question was set aside: asked again, there is an answer.
        if row.people.free_at(limit, now).is_none() {
            return Admission::Unknown;
        }
        crate::telemetry::people(false);
        let turn = |queue: &mut Queue| queue.line.turn(asker, &row.people, limit, now);
        Admission::Until(portfolios.with(self.portfolio, turn), 0)
    }

    async fn append(&self, home: u16, people: Vec<KeyId>, now: Micros) -> Option<Position> {
        self.hands.trip("portfolio:ask");
        let event = Event::from(PeopleAskedV1 { portfolio: self.portfolio, people });
        let id = EventId(self.hands.entropy.id());
        let draft = Draft::new(id, self.portfolio, &event, Principal::Node(self.hands.node), now);
        let record =
            draft.record().inspect_err(|error| tracing::error!(%error, "a question cannot be written")).ok()?;
        match Arc::clone(&self.hands.journal).append(home, vec![record]).await {
            Appended::Durable { last, .. } => Some(last),
            // It may still land: then some are admitted and not written to.
            Appended::Refused(_) | Appended::Doubtful => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::portfolio::People;

    #[test]
    fn a_raised_limit_makes_what_was_told_outdated_in_every_portfolio() {
        let (portfolios, ids) = (Portfolios::default(), [1, 2].map(|n| BudgetId([n; 16])));
        let mut full = People::default();
        assert!(full.admit(None, Some(1), 1).is_some());
        let asker = Asker { contact: KeyId([1; 16]), expires_at: Micros::MAX, anew: true };
        let told = ids.map(|id| portfolios.with(id, |queue| queue.line.turn(asker, &full, 1, 1)));
        let coming = || [0, 1].map(|n| portfolios.with(ids[n], |queue| queue.line.coming(told[n])));
        assert_eq!(coming(), [1, 1]);
        portfolios.raise();
        assert_eq!((portfolios.raised(), coming()), (1, [0, 0]), "all of them are let out");
    }
}
