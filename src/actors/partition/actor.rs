//! The partition's actor: it applies, then tells; it owns, and supervises what lives here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::Notice;
use super::children::Children;
use super::commit::Pending;
use super::due::Schedule;
use super::early::Early;
use super::gated::LettingOut;
use super::poison::Poison;
use super::rows::load_own;
use crate::actors::hands::Hands;
use crate::actors::inbox::{Inbox, Nudge};
use crate::actors::session::standing::Tenure;
use crate::actors::wheel::Wheel;
use crate::domain::id::{EventId, SessionId};
use crate::domain::record::Position;
use crate::domain::row::Rows;
use crate::store::rows as stored;

/// The actor.
pub struct Partition;

/// What it is born with.
pub struct PartitionArgs {
    /// Which.
    pub number: u16,
    /// Everything else.
    pub hands: Hands,
}

/// Where it stands.
#[derive(Debug, Clone, Copy)]
pub enum Phase {
    /// Applying what was there when it began.
    CatchingUp,
    /// Its claim is on its way.
    Claiming(EventId),
    /// It owns the partition: what lives here runs.
    Owning(Tenure),
    /// Another node does: it applies no effects and starts nothing.
    Lost,
}

/// What it remembers.
pub struct State {
    pub(super) number: u16,
    pub(super) hands: Hands,
    pub(super) rows: Rows,
    /// The store's mark.
    pub(super) applied: Option<Position>,
    /// Applied in memory, committed at the end of the window.
    pub(super) reached: Option<Position>,
    pub(super) pending: Pending,
    /// When the last commit was done, steady time.
    pub(super) committed_at: Duration,
    /// The end of the journal when it began.
    pub(super) target: Position,
    pub(super) phase: Phase,
    pub(super) poison: Poison,
    pub(super) notices: Arc<Inbox<Notice>>,
    pub(super) wheel: Arc<Wheel>,
    pub(super) children: Children,
    pub(super) schedule: Schedule,
    pub(super) early: Early,
    pub(super) letting_out: LettingOut,
    /// Sessions whose open mark stands in the store, and the last acceptance of each in this life.
    pub(super) open: HashMap<SessionId, Position>,
    /// Those of them that are not committed yet.
    pub(super) opened: Vec<SessionId>,
    /// Low-water marks to be written with the next commit.
    pub(super) lows: HashMap<SessionId, Option<Position>>,
    tasks: Vec<JoinHandle<()>>,
}

/// Batches of the tail on their way at once: of at most 1,024 entries or 4 MiB each.
const BATCHES: usize = 8;

/// How often everybody is nudged who may have missed one.
const SWEEP: Duration = Duration::from_secs(1);

impl Actor for Partition {
    type Msg = Nudge;
    type State = Box<State>;
    type Arguments = PartitionArgs;

    async fn pre_start(&self, myself: ActorRef<Nudge>, args: PartitionArgs) -> Result<Box<State>, ActorProcessingErr> {
        let mut state = Box::new(State::open(args).await?);
        state.notices.attach(myself);
        state.start_tasks();
        if state.applied.map_or(0, |applied| applied.0 + 1) >= state.target.0 {
            state.notices.push(Notice::ClaimAgain);
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Nudge>,
        _: Nudge,
        state: &mut Box<State>,
    ) -> Result<(), ActorProcessingErr> {
        let mail = state.notices.take();
        for notice in mail {
            state.hear(notice, &myself).await?;
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Nudge>,
        event: SupervisionEvent,
        state: &mut Box<State>,
    ) -> Result<(), ActorProcessingErr> {
        let (who, died) = match &event {
            SupervisionEvent::ActorFailed(who, why) => (who.get_id(), Some(why.to_string())),
            SupervisionEvent::ActorTerminated(who, ..) => (who.get_id(), None),
            _ => return Ok(()),
        };
        state.child_ended(who, died);
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Nudge>, state: &mut Box<State>) -> Result<(), ActorProcessingErr> {
        for task in &state.tasks {
            task.abort();
        }
        // Only saves the next start some work: the journal has it all.
        Ok(state.commit().await?)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl State {
    async fn open(args: PartitionArgs) -> Result<Self, ActorProcessingErr> {
        let PartitionArgs { number, hands } = args;
        let applied = hands.store.applied(number).await?;
        let from = applied.map_or(Position(0), Position::next);
        let target = hands.journal.end(number);
        let ahead = Poison::read_ahead(hands.journal.as_ref(), number, from, target).await?;
        let poison = Poison::begin(hands.store.as_ref(), number, applied, target, ahead).await?;
        let mut rows = Rows::default();
        load_own(hands.store.as_ref(), number, &mut rows).await?;
        hands.registry.stops.set_gates(number, Arc::new(rows.gates(number).cloned().unwrap_or_default()));
        let open = stored::open_sessions(hands.store.as_ref(), number).await?;
        let mut state = Self {
            number,
            rows,
            applied,
            reached: applied,
            pending: Pending::default(),
            committed_at: Duration::ZERO,
            target,
            phase: Phase::CatchingUp,
            poison,
            notices: Arc::default(),
            wheel: Arc::default(),
            children: Children::default(),
            schedule: Schedule::default(),
            early: Early::default(),
            letting_out: LettingOut::default(),
            open: open.into_iter().collect(),
            opened: Vec::new(),
            lows: HashMap::new(),
            tasks: Vec::new(),
            hands,
        };
        if let Some(culprit) = state.poison.culprit() {
            state.set_aside(culprit, "the process ended again and again while it was applied").await;
        }
        Ok(state)
    }

    fn start_tasks(&mut self) {
        let (notices, hands, number) = (Arc::clone(&self.notices), self.hands.clone(), self.number);
        let from = self.applied.map_or(Position(0), Position::next);
        let mut tail = hands.journal.tail(number, from);
        let credit = Arc::new(Semaphore::new(BATCHES));
        self.tasks.push(crate::runtime::spawn("tail", async move {
            while let Ok(permit) = Arc::clone(&credit).acquire_owned().await {
                match tail.next().await {
                    Ok(entries) => notices.push(Notice::Batch(entries, permit)),
                    Err(error) => return notices.push(Notice::TailEnded(error)),
                }
            }
        }));
        let (wheel, clock) = (Arc::clone(&self.wheel), Arc::clone(&self.hands.clock));
        self.tasks.push(crate::runtime::spawn("wheel", wheel.run(clock)));
        let notices = Arc::clone(&self.notices);
        self.tasks.push(crate::runtime::spawn("sweep", async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                notices.push(Notice::Sweep);
            }
        }));
    }

    async fn hear(&mut self, notice: Notice, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        match notice {
            Notice::Batch(entries, permit) => {
                let told = self.apply(&entries).await?;
                drop(permit);
                self.poison.caught_up(self.reached);
                let begins = self.follow_claims();
                if begins {
                    self.commit().await?;
                    self.start_living(myself).await?;
                } else if let Phase::Owning(tenure) = self.phase {
                    self.dispatch(told, tenure, myself).await?;
                    self.let_out().await?;
                }
                self.commit_in_time().await?;
            }
            Notice::Commit => {
                self.pending.waiting = false;
                self.commit().await?;
            }
            Notice::TailEnded(error) => {
                return Err(format!("the journal's tail ended: {error}").into());
            }
            Notice::Low { session, low, seen } => self.note_low(session, low, seen),
            Notice::Look(session, message) => self.look(session, message).await?,
            Notice::Released(last) => {
                self.schedule.recorded(last);
                if last.is_some() {
                    self.release_due().await?;
                }
            }
            Notice::Due => self.release_due().await?,
            Notice::LetOut(closing, recorded) => self.let_out_further(closing, recorded).await?,
            Notice::Ended(session) => self.session_ended(session, myself).await?,
            Notice::Restart(address) => self.revive(address, myself).await?,
            Notice::ClaimAgain if self.owns() => {
                if self.follow_claims() {
                    self.commit().await?;
                    self.start_living(myself).await?;
                }
            }
            Notice::ClaimAgain if !matches!(self.phase, Phase::Owning(_) | Phase::Lost) => self.propose_claim(),
            Notice::ClaimAgain => {}
            Notice::Sweep => self.sweep(myself).await?,
        }
        Ok(())
    }
}
