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

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::hands::Hands;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, PeopleAskedV1};
use crate::domain::id::{BudgetId, EventId, KeyId};
use crate::domain::message::PARK_AFTER;
use crate::domain::portfolio::MAX_ASKED;
use crate::domain::record::{Micros, Position, Principal};
use crate::domain::routing;
use crate::domain::row::{PersonId, PersonRow, PortfolioRow, Row, RowId};
use crate::journal::Appended;
use crate::store::{StoreError, applied, rows};

/// How long the portfolio's partition may take to apply a question.
const PATIENCE: Duration = Duration::from_secs(2);

/// So long after its turn somebody who waited for it is expected: the sweep is a second, and thousands come at once.
const COMING: Micros = 10_000_000;

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

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<(KeyId, oneshot::Sender<Admission>)>,
    /// Somebody carries questions to the journal.
    carried: bool,
    /// How many were told to come again at which time: the next ones are told a later one, so that not all come at once.
    told: BTreeMap<Micros, u32>,
}

impl Queue {
    /// When whoever is turned away now may have a turn: late enough to wait outside of the session's memory.
    fn turn(&mut self, row: &PortfolioRow, limit: u32, now: Micros) -> Micros {
        self.told = self.told.split_off(&now.saturating_sub(COMING));
        let before = self.told.values().fold(0, |sum: u32, told| sum.saturating_add(*told));
        let at = row.people.turn(limit, before, now).max(now + PARK_AFTER + 1);
        *self.told.entry(at).or_default() += 1;
        at
    }

    /// How many were told to come about now.
    fn coming(&self, now: Micros) -> u32 {
        self.told.range(now.saturating_sub(COMING)..=now).fold(0, |sum, (_, told)| sum.saturating_add(*told))
    }
}

impl Portfolios {
    fn with<T>(&self, portfolio: BudgetId, act: impl FnOnce(&mut Queue) -> T) -> T {
        act(self.queues.lock().entry(portfolio).or_default())
    }

    /// A limit was raised: what those who wait were told is outdated.
    pub fn raise(&self, portfolio: BudgetId) {
        self.with(portfolio, |queue| queue.told.clear());
        self.raised.fetch_add(1, Ordering::AcqRel);
    }

    /// How many were.
    #[must_use]
    pub fn raised(&self) -> u64 {
        self.raised.load(Ordering::Acquire)
    }

    /// The next question; `None`: there is none, and nobody carries any more.
    fn next(&self, portfolio: BudgetId) -> Option<Vec<(KeyId, oneshot::Sender<Admission>)>> {
        self.with(portfolio, |queue| {
            let some = queue.waiting.len().min(MAX_ASKED);
            queue.carried = some > 0;
            (some > 0).then(|| queue.waiting.drain(..some).collect())
        })
    }
}

/// Whether somebody who does not count is turned away without a question: there is no place, or (`anew`) those that are free
/// are kept for people who waited for them. Without that those who come anew would always be first, and who waits would wait
/// for ever. Says when they may have a turn.
pub fn turned_away(hands: &Hands, portfolio: BudgetId, row: &PortfolioRow, anew: bool, now: Micros) -> Option<Micros> {
    let limit = row.limit?;
    let free = limit.saturating_sub(row.people.counted(now));
    hands.registry.portfolios.with(portfolio, |queue| {
        let coming = if anew { queue.coming(now) } else { 0 };
        let away = coming >= free && (coming > 0 || free == 0);
        away.then(|| {
            crate::telemetry::people(false);
            queue.turn(row, limit, now)
        })
    })
}

/// Asks for one person.
pub async fn ask(hands: &Hands, portfolio: BudgetId, contact: KeyId) -> Admission {
    let (tell, told) = oneshot::channel();
    let idle = hands.registry.portfolios.with(portfolio, |queue| {
        queue.waiting.push((contact, tell));
        !std::mem::replace(&mut queue.carried, true)
    });
    if idle {
        let carrier = Carrier { hands: hands.clone(), portfolio, armed: true };
        crate::runtime::spawn("portfolio", carrier.carry());
    }
    told.await.unwrap_or(Admission::Unknown)
}

/// Whether a person was admitted not long ago.
#[must_use]
pub fn is_admitted(person: Option<&PersonRow>, now: Micros) -> bool {
    person.is_some_and(|row| now < row.admitted.leaves_before())
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
            let mut people: Vec<KeyId> = asked.iter().map(|(contact, _)| *contact).collect();
            people.sort_unstable();
            people.dedup();
            let answers = self.answers(people).await.unwrap_or_else(|error| {
                tracing::error!(portfolio = %self.portfolio, %error, "the rows of a portfolio cannot be read");
                HashMap::new()
            });
            for (contact, tell) in asked {
                // Whoever does not listen any more is gone.
                tell.send(answers.get(&contact).copied().unwrap_or(Admission::Unknown)).ok();
            }
        }
        self.armed = false;
    }

    async fn answers(&self, people: Vec<KeyId>) -> Result<HashMap<KeyId, Admission>, StoreError> {
        let (hands, portfolio) = (&self.hands, self.portfolio);
        let home = routing::partition(&portfolio.into(), hands.journal.genesis().count);
        let Some(asked) = self.append(home, people.clone()).await else {
            return Ok(HashMap::new());
        };
        if !applied::reached(hands.store.as_ref(), home, asked, PATIENCE).await? {
            return Ok(HashMap::new());
        }
        let person = |contact: &KeyId| RowId::Person(PersonId { portfolio, contact: *contact });
        let ids: Vec<RowId> = std::iter::once(RowId::Portfolio(portfolio)).chain(people.iter().map(person)).collect();
        let mut found = rows::get_many(hands.store.as_ref(), &ids).await?.into_iter();
        let row = match found.next().flatten() {
            Some(Row::Portfolio(row)) => Some(*row),
            _ => None,
        };
        let now = hands.clock.wall();
        let people = people.into_iter().zip(found);
        Ok(people.map(|(contact, person)| (contact, self.answer(row.as_ref(), person.as_ref(), now))).collect())
    }

    /// One that nobody knows is waited for: it was declared before the session that names it.
    fn answer(&self, row: Option<&PortfolioRow>, person: Option<&Row>, now: Micros) -> Admission {
        let Some(row) = row else {
            return Admission::Unknown;
        };
        if let Some(held) = row.held(now) {
            return Admission::Until(held.until, held.code);
        }
        let person = person.and_then(|row| if let Row::Person(row) = row { Some(row) } else { None });
        let Some(limit) = row.limit.filter(|_| !is_admitted(person, now)) else {
            crate::telemetry::people(true);
            return Admission::Admitted;
        };
        // Somebody's day ended just now, or the question was set aside: asked again, there is an answer.
        if row.people.free_at(limit, now).is_none() {
            return Admission::Unknown;
        }
        crate::telemetry::people(false);
        let turn = |queue: &mut Queue| queue.turn(row, limit, now);
        Admission::Until(self.hands.registry.portfolios.with(self.portfolio, turn), 0)
    }

    async fn append(&self, home: u16, people: Vec<KeyId>) -> Option<Position> {
        self.hands.trip("portfolio:ask");
        let event = Event::from(PeopleAskedV1 { portfolio: self.portfolio, people });
        let (id, now) = (EventId(self.hands.entropy.id()), self.hands.clock.wall());
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
    use crate::domain::event::PortfolioDeclaredV1;
    use crate::domain::portfolio::Hour;

    const NOW: Micros = 1_000 * 3_600_000_000;

    /// Two places, both taken.
    fn full() -> PortfolioRow {
        let facts = PortfolioDeclaredV1 { portfolio: BudgetId([1; 16]), name: String::new(), people_per_day: Some(2) };
        let mut row = PortfolioRow::declared(&facts, Position(0), None);
        for _ in 0..2 {
            assert!(row.people.admit(None, row.limit, NOW).is_some());
        }
        row
    }

    #[test]
    fn those_who_are_turned_away_get_a_turn_each_and_are_expected_then() {
        let (row, mut queue, free) = (full(), Queue::default(), Hour::of(NOW).counts_until());
        let turns: Vec<Micros> = (0..5).map(|_| queue.turn(&row, 2, NOW)).collect();
        assert_eq!(turns[..2], [free; 2]);
        assert!(turns[2] > free && turns[2] == turns[3] && turns[4] > turns[3], "{turns:?}");
        assert_eq!([free - 1, free, free + COMING, free + COMING + 1].map(|at| queue.coming(at)), [0, 2, 2, 0]);
        assert_eq!(queue.turn(&row, 2, turns[4] + COMING + 1), turns[4] + COMING + 1 + PARK_AFTER + 1, "never sooner");
        assert_eq!(queue.told.len(), 1, "what is past is forgotten");
    }

    #[test]
    fn a_raised_limit_makes_what_was_told_outdated() {
        let (portfolios, portfolio) = (Portfolios::default(), BudgetId([1; 16]));
        portfolios.with(portfolio, |queue| queue.turn(&full(), 2, NOW));
        portfolios.raise(portfolio);
        assert_eq!((portfolios.raised(), portfolios.with(portfolio, |queue| queue.told.len())), (1, 0));
    }
}
