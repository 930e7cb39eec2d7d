//! Not being the owner any more.
//!
//! A claim, not a proposal, ends a tenure: one that is not wanted here any more goes on as before until it reads the claim
//! of whoever is to have it, so that nobody waits in between, and nothing is without an owner because two proposals crossed.
//! Only a node that stops waits for that claim no longer than a moment, and then begins nothing more. One whose claim is
//! lost begins nothing from there on; every intent after that claim is void in any case. What waits for its call does not make
//! it: whoever has the partition now says what is stopped, and it is not heard here. Then calls that are under way come to
//! their end and their outcomes to the journal: facts are not fenced, and who knows them says them.
//!
//! A claim may be of nobody: of a node that died after its append was on its way. Whoever lost a partition that it is still
//! wanted to own looks whether rows are written beyond that claim; if nobody writes any, it claims again.

use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorProcessingErr, ActorRef};

use super::actor::{Phase, State};
use super::{Notice, Wish};
use crate::actors::inbox::Nudge;
use crate::actors::session::standing::Tenure;
use crate::domain::record::Position;

/// How often one that leaves looks whether it is over.
const LOOK: Duration = Duration::from_millis(20);

/// Beyond the time that an attempt may take: its answer has to be recorded.
const RECORDING: Duration = Duration::from_secs(2);

/// How it goes when a partition changes hands.
#[derive(Debug, Clone, Copy)]
pub struct Handover {
    /// How long it goes on when the node stops, for somebody else to claim it.
    pub patience: Duration,
    /// How long whoever took it may take to begin.
    pub vacancy: Duration,
    /// What was proposed when this life began.
    pub wish: Wish,
}

/// How far leaving has come.
#[derive(Debug)]
pub struct Leaving {
    handover: Handover,
    /// It is wanted here.
    wanted: bool,
    /// The node stops: until when it goes on as before, steady time.
    goes_on_until: Option<Duration>,
    /// When the end of what is under way is waited for no longer.
    ends_at: Option<Duration>,
    /// The claim it lived under, once that is lost.
    pub(super) tenure: Option<Tenure>,
    /// When its claim was lost.
    lost_at: Duration,
    /// A look is on its way.
    looking: bool,
}

impl Leaving {
    pub(super) fn new(handover: Handover) -> Self {
        let wanted = handover.wish == Wish::Here;
        Self {
            handover,
            wanted,
            goes_on_until: None,
            ends_at: None,
            tenure: None,
            lost_at: Duration::ZERO,
            looking: false,
        }
    }
}

impl State {
    /// What was proposed.
    pub(super) fn hear_wish(&mut self, wish: Wish, myself: &ActorRef<Nudge>) {
        self.leaving.wanted = wish == Wish::Here;
        match (self.phase, wish) {
            // An earlier life of it had the partition, and may have calls under way here: it goes on as that one would have, and
            // where the node stops it hears how they ended.
            (Phase::CatchingUp | Phase::Claiming(..), Wish::Elsewhere) if self.had_it() => {}
            (Phase::CatchingUp | Phase::Claiming(..), Wish::Stop) if self.had_it() => self.let_go(self.epoch()),
            (Phase::CatchingUp | Phase::Claiming(..), Wish::Elsewhere | Wish::Stop) => {
                myself.stop(Some("it is not wanted here".to_owned()));
            }
            (Phase::Owning(_), Wish::Stop) => {
                self.leaving.goes_on_until = Some(self.hands.clock.steady() + self.leaving.handover.patience);
                self.look_soon(Duration::ZERO);
            }
            _ => {}
        }
    }

    /// Another one's claim, which stands there, is valid.
    pub(super) fn lose(&mut self, at: Position) {
        tracing::info!(partition = self.number, epoch = at.0, "another node owns this partition now");
        self.let_go(at);
    }

    /// Nothing more is read or begun here, and what is under way comes to its end.
    fn let_go(&mut self, at: Position) {
        self.leaving.tenure = self.tenure();
        self.phase = Phase::Lost(at);
        self.end_tail();
        self.pending = super::commit::Pending::default();
        self.hands.registry.set_owned(self.number, false);
        self.end_sealing();
        self.hands.registry.stops.set_lost(self.number, true);
        self.leaving.lost_at = self.hands.clock.steady();
        self.seats.lock().lost(self.number, at);
        self.drain(true);
    }

    fn drain(&mut self, lost: bool) {
        self.take_in_what_is_under_way();
        self.children.drain(lost);
        let bound = self.hands.limits.intent_deadline + RECORDING;
        self.leaving.ends_at = Some(self.hands.clock.steady() + bound);
        self.look_soon(Duration::ZERO);
    }

    /// Looks whether it is over; one look is on its way at most.
    fn look_soon(&mut self, after: Duration) {
        if std::mem::replace(&mut self.leaving.looking, true) {
            return;
        }
        let notices = Arc::clone(&self.notices);
        crate::runtime::spawn("leave", async move {
            tokio::time::sleep(after).await;
            notices.push(Notice::Leave);
        });
    }

    /// Is it over?
    pub(super) async fn leave(&mut self, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        let now = self.hands.clock.steady();
        self.leaving.looking = false;
        self.hands.trip("partition:leaves");
        self.attend(myself).await?;
        match self.phase {
            Phase::Owning(tenure) if self.leaving.goes_on_until.is_some_and(|until| until <= now) => {
                tracing::debug!(partition = self.number, "nobody took it: it is left");
                self.phase = Phase::Draining(tenure);
                self.drain(false);
                return Ok(());
            }
            Phase::Owning(_) if self.leaving.goes_on_until.is_none() => return Ok(()),
            Phase::Draining(_) if self.is_drained(now) => myself.stop(Some("left".to_owned())),
            Phase::Lost(at) if self.is_over(at, now).await? => myself.stop(Some("lost".to_owned())),
            _ => {}
        }
        self.children.nudge_sessions();
        self.look_soon(LOOK);
        Ok(())
    }

    fn is_drained(&self, now: Duration) -> bool {
        let drained = self.children.are_drained();
        let late = !drained && self.leaving.ends_at.is_some_and(|at| at <= now);
        if late {
            tracing::warn!(partition = self.number, "what was under way did not come to its end in time");
        }
        drained || late
    }

    /// Whether what is under way came to its end and somebody else owns it now, or nobody does and root knows. Who is to claim it
    /// again does not wait for slow calls: their answers stay in their boxes, where the next life finds them.
    async fn is_over(&self, at: Position, now: Duration) -> Result<bool, ActorProcessingErr> {
        if self.seats.lock().is_next(self.number) {
            return Ok(true);
        }
        if !self.leaving.wanted || self.store.applied(self.number).await? >= Some(at) {
            return Ok(self.is_drained(now));
        }
        let vacant = now.saturating_sub(self.leaving.lost_at) >= self.leaving.handover.vacancy;
        if vacant {
            tracing::warn!(partition = self.number, epoch = at.0, "whoever claimed this partition does not take it");
            self.seats.lock().vacant(self.number);
        }
        Ok(vacant)
    }

    /// The end: nobody is to find here what lives elsewhere now, and nothing is heard any more of what is stopped there.
    pub(super) fn put_away(&mut self) {
        self.hands.registry.stops.set_lost(self.number, true);
        self.hands.registry.set_owned(self.number, false);
        self.end_sealing();
        self.children.put_away(&self.hands);
    }
}
