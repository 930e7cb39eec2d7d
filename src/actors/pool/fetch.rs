//! How far the leaving of one member is: a way through its mailbox, in steps that each end where something is waited for.
//!
//! First what left for it has to have come there, and to show: else what is not seen would be taken for not there, and come
//! after its people were given another number. Then its mailbox is read, from its low mark on. What may move is asked to come
//! back, by an event in that session's own mailbox, where its intents stand: so it is either sent there or comes back, and
//! never both. What is to one person is asked back by one append: if the session can send again in between, it finds all of
//! it or nothing. At last what was asked back has to be here, and to show.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::actor::State;
use crate::domain::event::{MessageMovedOutV1, Priority};
use crate::domain::id::{KeyId, MessageId, SessionId, TenantId};
use crate::domain::pool::{Taking, batches};
use crate::domain::record::Position;
use crate::domain::routing;
use crate::domain::row::{MessageRow, Row, RowId};
use crate::store::{StoreError, rows};

/// Messages that are looked at at once.
const PAGE: usize = 256;

/// Pages of one turn: 4,096 rows, some tens of milliseconds, before what waits in the pool itself has its turn again.
const PAGES: usize = 16;

/// Most messages that are asked back in one way through, beside what is to the same people: 200 bytes each.
const MOST: usize = 10_000;

/// Records of one append.
const BATCH: usize = 256;

/// How soon what is waited for is looked at again.
pub(super) const AGAIN: Duration = Duration::from_millis(250);

/// How soon the mailbox of a member that is left is gone through again: nothing goes there but what was on its way.
const REST: Duration = Duration::from_secs(5);

/// A message that is asked back, and whose it is.
type Leaver = (TenantId, MessageMovedOutV1);

/// The leaving of one member.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    stage: Stage,
    /// Not before this, steady time.
    next: Duration,
    /// Everything before this was gone through, and nothing of it is to be taken or waited for.
    beyond: Position,
    /// People of whom something is there that is not settled, or is on its way back: what is new for them waits.
    kept: HashSet<KeyId>,
    /// Who was given the message that is to show whether it can send.
    probe: Option<KeyId>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Rests,
    /// What left for there up to this is waited for, and what stands there then.
    Coming(Position, Option<Position>),
    /// Its mailbox is read.
    Reading(Box<Reading>),
    /// Messages are asked back.
    Asking(VecDeque<Vec<Leaver>>, Asked),
    /// What was asked back is waited for, and what stands here then.
    Returning(Option<Position>, Asked),
}

/// A way through the mailbox.
#[derive(Debug)]
struct Reading {
    priorities: VecDeque<Priority>,
    low: Position,
    from: Position,
    through: Position,
    taking: Taking,
    going: Vec<(KeyId, Leaver)>,
    people: HashSet<KeyId>,
    more: bool,
}

/// What was found on it.
#[derive(Debug)]
struct Asked {
    some: bool,
    under_way: bool,
    /// Nobody knows whether some were asked back.
    doubtful: bool,
    behind: HashSet<KeyId>,
    through: Position,
    /// Where the last one that was asked back stands there.
    last: Option<Position>,
}

/// What comes of a step.
enum Step {
    /// The next one may follow.
    On,
    /// It goes on after others had their turn.
    Later,
    /// Something is waited for.
    Wait,
    /// It is at its end.
    Done,
}

impl Leaving {
    /// Whether what is new for this person waits, because something of theirs is there.
    pub(super) fn keeps(&self, contact: KeyId) -> bool {
        self.kept.contains(&contact)
    }

    pub(super) fn rests(&self) -> bool {
        matches!(self.stage, Stage::Rests)
    }

    /// Whether something was asked back that may not be here yet.
    pub(super) fn returns(&self) -> bool {
        match &self.stage {
            Stage::Asking(_, asked) => asked.last.is_some(),
            Stage::Returning(..) => true,
            _ => false,
        }
    }

    /// A message to this person is to show whether the member can send.
    pub(super) fn probed(&mut self, contact: KeyId) {
        self.probe = Some(contact);
        self.kept.insert(contact);
    }

    /// The member is not left any more: what was asked back comes, and nothing else is asked for.
    pub(super) fn stop(&mut self) {
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Asking(_, asked) if asked.last.is_some() => Stage::Returning(None, asked),
            returning @ Stage::Returning(..) => returning,
            _ => Stage::Rests,
        };
    }
}

impl State {
    /// Goes on with the leaving of a member, until something is waited for. Says whether it is to be gone on with at once.
    pub(super) async fn go_on(&mut self, member: SessionId, left: bool, it: &mut Leaving) -> Result<bool, StoreError> {
        if self.args.hands.clock.steady() < it.next {
            return Ok(false);
        }
        loop {
            let step = match std::mem::take(&mut it.stage) {
                Stage::Rests => {
                    let seen = self.args.hands.store.applied(self.args.partition).await?;
                    (it.stage, it.probe) = (Stage::Coming(seen.unwrap_or_default(), None), None);
                    Step::On
                }
                Stage::Coming(seen, end) => self.coming(member, (seen, end), it).await?,
                Stage::Reading(reading) => self.reading(member, reading, it).await?,
                Stage::Asking(batches, asked) => self.asking(member, batches, asked, it).await?,
                Stage::Returning(end, asked) => self.returning(member, end, asked, it).await?,
            };
            let now = self.args.hands.clock.steady();
            match step {
                Step::On => {}
                Step::Later => return Ok(true),
                Step::Wait => {
                    it.next = now + AGAIN;
                    return Ok(false);
                }
                Step::Done => {
                    it.next = now + if left { REST } else { AGAIN };
                    return Ok(false);
                }
            }
        }
    }

    fn place(&self, member: SessionId) -> u16 {
        routing::partition(&member.into(), self.args.hands.journal.genesis().count)
    }

    /// Whether everything that left one partition for another up to a position has come there, and shows. `end` is the end of
    /// the journal there once it had come.
    async fn has_come(
        &self,
        (from, to): (u16, u16),
        last: Position,
        end: &mut Option<Position>,
    ) -> Result<bool, StoreError> {
        let store = self.args.hands.store.as_ref();
        if end.is_none() {
            if !rows::have_come(store, from, Some(to), last.next()).await? {
                return Ok(false);
            }
            let Ok(fresh) = self.args.hands.journal.fresh_end(to).await else {
                return Ok(false);
            };
            *end = Some(fresh);
        }
        self.shows(to, *end).await
    }

    async fn coming(
        &self,
        member: SessionId,
        (seen, mut end): (Position, Option<Position>),
        it: &mut Leaving,
    ) -> Result<Step, StoreError> {
        let there = self.place(member);
        let has_come = self.has_come((self.args.partition, there), seen, &mut end).await?;
        let Some(through) = self.args.hands.store.applied(there).await?.filter(|_| has_come) else {
            it.stage = Stage::Coming(seen, end);
            return Ok(Step::Wait);
        };
        let low = rows::open_session(self.args.hands.store.as_ref(), there, member).await?;
        let low = low.unwrap_or(through.next()).max(it.beyond);
        it.stage = Stage::Reading(Box::new(Reading {
            priorities: Priority::ALL.into_iter().collect(),
            low,
            from: low,
            through,
            taking: Taking::default(),
            going: Vec::new(),
            people: HashSet::new(),
            more: false,
        }));
        Ok(Step::On)
    }

    async fn reading(&self, member: SessionId, mut at: Box<Reading>, it: &mut Leaving) -> Result<Step, StoreError> {
        let store = Arc::clone(&self.args.hands.store);
        for _ in 0..PAGES {
            let Some(priority) = at.priorities.front().copied() else {
                return Ok(read(*at, it));
            };
            let page = rows::outbox(store.as_ref(), (member, priority), at.from, at.through, PAGE).await?;
            let Some(last) = page.last().map(|(position, _)| *position) else {
                at.priorities.pop_front();
                at.from = at.low;
                continue;
            };
            let ids: Vec<RowId> = page.iter().map(|(_, message)| RowId::Message(*message)).collect();
            for ((position, message), row) in page.iter().zip(rows::get_many(store.as_ref(), &ids).await?) {
                if let Some(Row::Message(row)) = row {
                    self.look_at(member, (*position, *message), &row, &mut at);
                }
            }
            at.from = last.next();
        }
        it.stage = Stage::Reading(at);
        Ok(Step::Later)
    }

    /// Takes a message along if it is the pool's and may move.
    fn look_at(&self, member: SessionId, (at, message): (Position, MessageId), row: &MessageRow, on: &mut Reading) {
        let Some(accepted) = &row.accepted else { return };
        let Some(leg) = accepted.leg.as_ref().filter(|leg| leg.sender == self.args.pool) else { return };
        if !on.taking.may_go(row, at) {
            return;
        }
        if on.going.len() >= MOST && !on.people.contains(&accepted.contact) {
            on.more = true;
            return;
        }
        on.people.insert(accepted.contact);
        let facts = MessageMovedOutV1 {
            session: member,
            message,
            number: row.moves.saturating_add(1),
            to: self.args.pool,
            leg: leg.from,
            person: None,
            reason: None,
        };
        on.going.push((accepted.contact, (accepted.tenant, facts)));
    }

    async fn asking(
        &mut self,
        member: SessionId,
        mut batches: VecDeque<Vec<Leaver>>,
        mut asked: Asked,
        it: &mut Leaving,
    ) -> Result<Step, StoreError> {
        let Some(batch) = batches.pop_front() else {
            it.stage = if asked.last.is_some() { Stage::Returning(None, asked) } else { self.end(member, asked, it) };
            return Ok(if it.rests() { Step::Done } else { Step::On });
        };
        let records = batch.into_iter().filter_map(|(tenant, facts)| self.move_out(tenant, facts)).collect();
        self.args.hands.trip("pool:leave");
        // What is in doubt is looked at anew, from the beginning: it is at its end only if nothing is found.
        let Some(last) = self.record(self.place(member), records).await? else {
            asked.doubtful = true;
            it.stage = if asked.last.is_some() { Stage::Returning(None, asked) } else { self.end(member, asked, it) };
            return Ok(Step::Wait);
        };
        asked.last = Some(last);
        it.stage = Stage::Asking(batches, asked);
        Ok(Step::Later)
    }

    async fn returning(
        &mut self,
        member: SessionId,
        mut end: Option<Position>,
        asked: Asked,
        it: &mut Leaving,
    ) -> Result<Step, StoreError> {
        let last = asked.last.unwrap_or_default();
        if self.has_come((self.place(member), self.args.partition), last, &mut end).await? {
            it.stage = self.end(member, asked, it);
            return Ok(Step::Done);
        }
        it.stage = Stage::Returning(end, asked);
        Ok(Step::Wait)
    }

    fn end(&mut self, member: SessionId, asked: Asked, it: &mut Leaving) -> Stage {
        self.returned |= asked.some;
        let nothing = !asked.some && !asked.under_way && !asked.doubtful;
        it.beyond = if nothing && asked.behind.is_empty() { asked.through.next() } else { Position(0) };
        if !asked.doubtful {
            it.kept = asked.behind.into_iter().chain(it.probe).collect();
        }
        self.watch.fetched(member, nothing, self.steady());
        Stage::Rests
    }
}

/// The end of a mailbox: what is to come back is asked for.
fn read(at: Reading, it: &mut Leaving) -> Step {
    let some = !at.going.is_empty() || at.more;
    let under_way = at.taking.under_way;
    let behind = at.taking.into_behind();
    it.kept = behind.iter().copied().chain(at.people).chain(it.probe).collect();
    let asked = Asked { some, under_way, doubtful: false, behind, through: at.through, last: None };
    it.stage = Stage::Asking(batches(at.going, BATCH).into(), asked);
    Step::On
}
