//! The box of a session: mail, the rings' marks, and the ends of attempts that are not in the journal yet. It belongs to the
//! partition and outlives the actor.
//!
//! Each priority has a ring and an outbox of its own: a million that wait in bulk stand before nothing but bulk.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use ractor::ActorRef;

use super::standing::MessageRef;
use crate::actors::inbox::{Inbox, Nudge};
use crate::domain::consent::Bar;
use crate::domain::event::{AttemptRef, ByPriority, Priority, SealedV1};
use crate::domain::failure::Answer;
use crate::domain::gate::GatesRow;
use crate::domain::id::{EventId, MessageId, Tag};
use crate::domain::record::{Micros, Position};
use crate::domain::retry::Hold;
use crate::domain::row::SessionRow;
use crate::domain::session::Standing;
use crate::domain::validity::Void;

/// What a session hears.
#[derive(Debug)]
pub enum SessionMail {
    /// A message's row is now so.
    Standing(MessageId, Standing, Option<MessageRef>),
    /// Its own row changed.
    Row(Box<SessionRow>),
    /// The gates of its partition changed.
    Gates(Arc<GatesRow>),
    /// A life began; `event` says whose.
    Started(EventId, Position),
    /// Intents were read back.
    Judged(EventId, Vec<(AttemptRef, Result<(), Void>)>),
    /// A proposal of intents was refused.
    NotProposed(EventId, Vec<AttemptRef>),
    /// A proposal may still land: this life is over, the next one voids it.
    Doubtful,
    /// An attempt's end is in the box.
    Ended(AttemptRef),
    /// The tenant's budget lent so many, for so long.
    Lease(u32, Micros),
    /// The tenant's budget on another node did, by this event.
    Lent(EventId, u32, Micros),
    /// Another session was refused for something that this one shares with it.
    Shared(Hold),
    /// Somebody lifted its holds; its row, as it is then, has come before.
    Released,
    /// The partition is left: what is under way comes to its end, and nothing begins. Lost, nothing more is read back.
    Drain {
        /// Whether another one's claim was read.
        lost: bool,
    },
    /// Sweep.
    Tick,
}

impl SessionMail {
    /// The priority of a message that takes a place in a ring.
    #[must_use]
    pub fn queued(&self) -> Option<Priority> {
        match self {
            Self::Standing(_, Standing::Queued(queued), _) => Some(queued.priority),
            _ => None,
        }
    }

    /// Where such a message entered the outbox.
    fn entered(&self) -> Option<Position> {
        match self {
            Self::Standing(_, Standing::Queued(_), reference) => reference.as_ref().map(|reference| reference.entered),
            _ => None,
        }
    }
}

/// An answer, with the provider's id already sealed.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What the channel said.
    pub answer: Answer,
    /// For `Sent`: how it is found again, and the id itself.
    pub provider: Option<(Tag, SealedV1)>,
}

/// How an attempt's task ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// The channel, or the task itself, has an answer.
    Answered(Answered),
    /// A gate barred it: nothing left.
    Barred(Bar),
}

/// What waits in the outbox beyond the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cold {
    /// The first position that was not pushed.
    pub from: Position,
    /// The last one.
    pub through: Position,
}

/// What is in memory of one priority, and what is not.
#[derive(Debug, Default)]
struct Ring {
    /// Queued messages in mail, not yet in the machine.
    mailed: usize,
    /// Messages in the machine, as of its last step.
    held: usize,
    cold: Option<Cold>,
}

/// Which reader of a box one is. The box outlives its partition's actor, whose sessions may still be in the middle of a turn
/// when the next one has begun: what such a turn took, or called read, would be missing for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Life(u64);

#[derive(Debug, Default)]
struct Held {
    /// Who may read.
    life: Life,
    /// An actor has read here, and had messages in its own memory.
    was_read: bool,
    rings: ByPriority<Ring>,
    ended: HashMap<AttemptRef, Ended>,
    /// Tasks that will hand in how their attempts ended: to this box, whoever reads it by then.
    calls: usize,
    /// It was put away: nobody looks here any more.
    retired: bool,
}

impl Held {
    fn is_quiet(&self) -> bool {
        self.calls == 0 && self.ended.is_empty()
    }
}

/// The box.
#[derive(Debug, Default)]
pub struct SessionBox {
    /// Mail and nudge.
    pub inbox: Inbox<SessionMail>,
    held: Mutex<Held>,
    /// Messages that its number received since the last turn.
    received: AtomicU32,
    /// It is a pool's, which reads its outbox and keeps nothing in memory.
    routes: AtomicBool,
}

impl SessionBox {
    /// Offers a newly queued message: into the ring of its priority if there is room and nothing waits before it, else it
    /// stays in the outbox, whose row is written with the next commit. Says whether the ring took it.
    pub fn offer(&self, at: Position, bound: usize, priority: Priority, mail: impl FnOnce() -> SessionMail) -> bool {
        let bound = if self.routes.load(Ordering::Relaxed) { 0 } else { bound };
        let mut held = self.held.lock();
        let ring = &mut held.rings[priority.index()];
        if let Some(cold) = &mut ring.cold {
            cold.through = cold.through.max(at);
            return false;
        }
        if ring.held + ring.mailed >= bound {
            ring.cold = Some(Cold { from: at, through: at });
            return false;
        }
        ring.mailed += 1;
        drop(held);
        self.inbox.put(mail());
        true
    }

    /// From here on everything stays in the outbox.
    pub fn route(&self) {
        self.routes.store(true, Ordering::Relaxed);
    }

    /// Whether it is a pool's.
    #[must_use]
    pub fn is_routed(&self) -> bool {
        self.routes.load(Ordering::Relaxed)
    }

    /// Whether no call is under way and every end is in the journal.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.held.lock().is_quiet()
    }

    /// The number received a message. It waits for the next turn: nothing is to be done for it.
    pub fn receive(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// How many it received since this was asked last.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.received.swap(0, Ordering::Relaxed)
    }

    /// Everything from `from` through `through` waits in the outbox: how a box begins after a start. Mail that begins there
    /// has all of it, if nobody has read any: the first message may have come back after whoever had read those behind it.
    /// Other mail of queued messages is thrown away: it stands in the outbox too, and would go before what the last life had in
    /// memory.
    pub fn begin_cold(&self, from: Position, through: Position) {
        if !self.held.lock().was_read && self.inbox.least(SessionMail::entered) == Some(from) {
            return;
        }
        self.inbox.discard(|mail| mail.queued().is_some());
        self.held.lock().rings.iter_mut().for_each(|ring| ring.cold = Some(Cold { from, through }));
    }

    /// The mail, unless another life reads here by now: then this one is over.
    #[must_use]
    pub fn take(&self, life: Life) -> Option<VecDeque<SessionMail>> {
        let held = self.held.lock();
        (held.life == life).then(|| self.inbox.take())
    }

    /// Another life of the partition takes the box over: nobody who reads here now is to go on. What the last one had mailed
    /// of queued messages is in the outbox, and is not all that is there: more was accepted while nobody told this box.
    pub fn adopt(&self) {
        let mut held = self.held.lock();
        held.life.0 += 1;
        held.was_read = false;
        // That its partition was left is no word to who begins anew.
        self.inbox.discard(|mail| mail.queued().is_some() || matches!(mail, SessionMail::Drain { .. }));
        held.rings.iter_mut().for_each(|ring| ring.mailed = 0);
    }

    /// What is to be read of this priority's outbox now, when so much of its mail was taken: nothing while there is more
    /// mail, which stands before it.
    #[must_use]
    pub fn to_pull(&self, priority: Priority, taken: usize) -> Option<Cold> {
        let ring = &self.held.lock().rings[priority.index()];
        ring.cold.filter(|_| ring.mailed <= taken)
    }

    /// What waits in the outbox, by priority.
    #[must_use]
    pub fn cold(&self) -> ByPriority<Option<Cold>> {
        self.held.lock().rings.each_ref().map(|ring| ring.cold)
    }

    /// The outbox was read up to `through`; what came meanwhile is still beyond it.
    pub fn pulled(&self, life: Life, priority: Priority, through: Position) {
        let mut held = self.held.lock();
        if held.life != life {
            return;
        }
        let cold = &mut held.rings[priority.index()].cold;
        *cold = cold.filter(|cold| cold.through > through).map(|cold| Cold { from: through.next(), ..cold });
    }

    /// The machine holds so many now, and the mail taken is in it.
    pub fn holds(&self, life: Life, held: ByPriority<usize>, taken: ByPriority<usize>) {
        let mut known = self.held.lock();
        if known.life != life {
            return;
        }
        for (ring, (held, taken)) in known.rings.iter_mut().zip(held.into_iter().zip(taken)) {
            ring.held = held;
            ring.mailed = ring.mailed.saturating_sub(taken);
        }
    }

    /// A life begins to read here. A turn that died may have taken mail that it never counted.
    pub fn attach(&self, actor: ActorRef<Nudge>) -> Life {
        let mut held = self.held.lock();
        held.life.0 += 1;
        held.was_read = true;
        let life = held.life;
        for (priority, ring) in Priority::ALL.into_iter().zip(&mut held.rings) {
            ring.mailed = self.inbox.count(|mail| mail.queued() == Some(priority));
            ring.held = 0;
        }
        drop(held);
        self.inbox.attach(actor);
        life
    }

    /// Whether there is something for an actor to do.
    #[must_use]
    pub fn has_work(&self) -> bool {
        let held = self.held.lock();
        let is_cold = held.rings.iter().any(|ring| ring.cold.is_some());
        !self.inbox.is_empty() || is_cold || !held.is_quiet()
    }

    /// A task begins an attempt. Until it is over the box is not put away: nobody would find its answer in another one. False
    /// when it was put away already.
    #[must_use]
    pub fn begin_call(&self) -> bool {
        let mut held = self.held.lock();
        held.calls += usize::from(!held.retired);
        !held.retired
    }

    /// It is over, and its end was handed in.
    pub fn end_call(&self) {
        self.held.lock().calls -= 1;
    }

    /// Puts the box away, unless something is under way: whoever reads it is over, and in the middle of a turn begins no call
    /// here. Says whether that was done.
    #[must_use]
    pub fn retire(&self) -> bool {
        let mut held = self.held.lock();
        held.retired |= held.is_quiet();
        held.life.0 += u64::from(held.retired);
        held.retired
    }

    /// An attempt's end is handed in. It stays here until the journal has it.
    pub fn end(&self, of: AttemptRef, ended: Ended) {
        self.held.lock().ended.insert(of, ended);
        self.inbox.push(SessionMail::Ended(of));
    }

    /// An end that is not in the journal yet.
    #[must_use]
    pub fn ended(&self, of: AttemptRef) -> Option<Ended> {
        self.held.lock().ended.get(&of).cloned()
    }

    /// The journal has them. Nothing else takes an end out: a row may be older than it.
    pub fn recorded(&self, attempts: &[AttemptRef]) {
        let mut held = self.held.lock();
        for of in attempts {
            held.ended.remove(of);
        }
    }

    /// Attempts whose ends are not in the journal yet.
    #[must_use]
    pub fn unrecorded(&self) -> Vec<AttemptRef> {
        self.held.lock().ended.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests;
