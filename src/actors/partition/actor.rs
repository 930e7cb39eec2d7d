//! The partition's actor: it applies, then tells; it owns, and supervises what lives here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::Notice;
use super::apply::Told;
use super::arrivals::Arrivals;
use super::children::Children;
use super::claim::Turn;
use super::commit::Pending;
use super::due::Schedule;
use super::early::Early;
use super::erasing::Erasing;
use super::gated::LettingOut;
use super::leaving::{Handover, Leaving};
use super::poison::Poison;
use super::sealing::Sealing;
use super::takeover::{Found, found};
use crate::actors::hands::Hands;
use crate::actors::inbox::{Inbox, Nudge};
use crate::actors::seats::Seats;
use crate::actors::session::standing::Tenure;
use crate::actors::wheel::Wheel;
use crate::domain::id::{EventId, SessionId};
use crate::domain::record::Position;
use crate::domain::row::Rows;
use crate::journal::Entry;
use crate::store::{Store, Waiting};

/// The actor.
pub struct Partition;

/// What it is born with.
pub struct PartitionArgs {
    /// Which.
    pub number: u16,
    /// Its notices: root's too.
    pub notices: Arc<Inbox<Notice>>,
    /// Where it is said that it was lost, or that nobody has taken it.
    pub seats: Arc<Mutex<Seats>>,
    /// How it goes when it is not wanted here any more, or taken.
    pub handover: Handover,
    /// An earlier life of it died in this process.
    pub reborn: bool,
    /// Everything else.
    pub hands: Hands,
}

/// Where it stands.
#[derive(Debug, Clone, Copy)]
pub enum Phase {
    /// Applying what was there when it began.
    CatchingUp,
    /// Its claim is on its way, or stands there.
    Claiming(EventId, Option<Position>),
    /// It owns the partition: what lives here runs.
    Owning(Tenure),
    /// It owns the partition, and the node stops: what is under way comes to its end, and nothing begins.
    Draining(Tenure),
    /// Another one's claim, which stands there, is valid: what is under way comes to its end, and nothing is applied.
    Lost(Position),
}

/// What it remembers.
pub struct State {
    pub(super) number: u16,
    pub(super) hands: Hands,
    /// Its own rows: it waits for them, and nobody else has to.
    pub(super) store: Arc<dyn Store>,
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
    /// Since when somebody else writes the rows, steady time: nothing is committed any more.
    pub(super) overtaken: Option<Duration>,
    pub(super) leaving: Leaving,
    pub(super) seats: Arc<Mutex<Seats>>,
    pub(super) poison: Poison,
    pub(super) notices: Arc<Inbox<Notice>>,
    pub(super) wheel: Arc<Wheel>,
    pub(super) children: Children,
    pub(super) schedule: Schedule,
    pub(super) arrivals: Arrivals,
    pub(super) early: Early,
    pub(super) erasing: Erasing,
    pub(super) letting_out: LettingOut,
    pub(super) sealing: Sealing,
    /// Sessions whose open mark stands in the store, and the last acceptance of each in this life.
    pub(super) open: HashMap<SessionId, Position>,
    /// Those of them that are not committed yet.
    pub(super) opened: Vec<SessionId>,
    /// Low-water marks to be written with the next commit.
    pub(super) lows: HashMap<SessionId, Option<Position>>,
    tail: Option<JoinHandle<()>>,
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
        state.seats.lock().lives(state.number, myself.get_id());
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
        state.end_tasks();
        // Only saves the next start some work, the journal has it all; and only by who owns the rows.
        if state.tenure().is_some() {
            state.commit().await?;
        }
        state.put_away();
        Ok(())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.end_tasks();
    }
}

impl State {
    async fn open(args: PartitionArgs) -> Result<Self, ActorProcessingErr> {
        let PartitionArgs { number, notices, seats, handover, reborn, hands } = args;
        // What others have appended is not known here before it is asked for.
        let target = hands.journal.fresh_end(number).await?;
        let store = Waiting::on(&hands.store);
        let journal = hands.journal.as_ref();
        let Found { applied, rows, open, poison, arrivals } =
            found(store.as_ref(), journal, (number, reborn), target).await?;
        let gates = rows.gates(number).cloned().unwrap_or_default();
        hands.registry.stops.set_gates(number, Arc::new(gates));
        let mut state = Self {
            number,
            store,
            rows,
            applied,
            reached: applied,
            pending: Pending::default(),
            committed_at: Duration::ZERO,
            target,
            phase: Phase::CatchingUp,
            overtaken: None,
            leaving: Leaving::new(handover),
            seats,
            poison,
            notices,
            wheel: Arc::default(),
            children: Children::default(),
            schedule: Schedule::default(),
            arrivals,
            early: Early::default(),
            erasing: Erasing::default(),
            letting_out: LettingOut::default(),
            sealing: Sealing::default(),
            open,
            opened: Vec::new(),
            lows: HashMap::new(),
            tail: None,
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
        self.tail = Some(crate::runtime::spawn("tail", async move {
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
            Notice::Batch(entries, permit) => self.read_batch(&entries, permit, myself).await?,
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
            Notice::Arrived(to, recorded) => {
                self.arrivals.recorded(to, recorded);
                if recorded {
                    self.arrive_at(to).await?;
                }
            }
            Notice::Due => self.release_due().await?,
            Notice::Reported => self.reported().await?,
            Notice::Unreported(at) => self.waits_since(at),
            Notice::LetOut(closing, recorded) => self.let_out_further(closing, recorded).await?,
            Notice::Ended(session) => self.session_ended(session, myself).await?,
            Notice::Restart(address) => self.revive(address, myself).await?,
            Notice::ClaimStands(event, at) => {
                let turn = self.claim_stands(event, at);
                self.turn(turn, Vec::new(), myself).await?;
            }
            Notice::ClaimAgain => self.claim_again(myself).await?,
            Notice::Wish(wish) => self.hear_wish(wish, myself),
            Notice::Forgot(done) => self.forgot(done).await?,
            Notice::Leave => self.leave(myself).await?,
            Notice::Sweep => self.sweep(myself).await?,
        }
        Ok(())
    }

    /// A batch of the tail.
    async fn read_batch(
        &mut self,
        entries: &[Arc<Entry>],
        permit: OwnedSemaphorePermit,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        if matches!(self.phase, Phase::Lost(_)) {
            return Ok(());
        }
        let told = self.apply(entries).await?;
        drop(permit);
        let settled = self.tenure().is_some() || self.settle_rows().await?;
        self.poison.caught_up(self.reached);
        if !settled && self.owns() {
            // Whoever still writes them is about to read our claim.
            self.notices.push(Notice::ClaimAgain);
            return Ok(());
        }
        let turn = self.follow_claims(&told);
        #[cfg(feature = "mutants")]
        let (turn, told) = {
            let mut told = told;
            (Self::without_claims(turn, &mut told), told)
        };
        self.turn(turn, told, myself).await?;
        self.report_many().await?;
        // Rows that somebody moves faster than they are read may be of two moments: they stay in memory.
        if settled {
            self.commit_in_time().await?;
        }
        Ok(())
    }

    /// What a batch meant for ownership, and for those who live here.
    pub(super) async fn turn(
        &mut self,
        turn: Turn,
        mut told: Vec<Told>,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        match (turn, self.tenure()) {
            (Turn::Begins, _) => {
                self.commit().await?;
                self.start_living(myself).await?;
            }
            (Turn::Lost(at), tenure) => {
                // What stands before that claim was ours, and is done. But the rows at hand are those of the whole batch:
                // written down now, they would go beyond that claim, whose owner would not hear of what stands between.
                self.overtaken.get_or_insert(self.hands.clock.steady());
                told.retain(|told| told.position < at);
                if let Some(tenure) = tenure {
                    self.dispatch(told, tenure, myself).await?;
                }
                self.lose(at);
            }
            (Turn::Stays, Some(tenure)) => {
                self.dispatch(told, tenure, myself).await?;
                self.let_out().await?;
            }
            (Turn::Stays, None) => {}
        }
        Ok(())
    }

    /// The claim it lives under, if it owns the partition.
    pub(super) fn tenure(&self) -> Option<Tenure> {
        match self.phase {
            Phase::Owning(tenure) | Phase::Draining(tenure) => Some(tenure),
            _ => None,
        }
    }

    /// It reads no further.
    pub(super) fn end_tail(&mut self) {
        if let Some(tail) = self.tail.take() {
            tail.abort();
        }
    }

    fn end_tasks(&mut self) {
        self.end_tail();
        for task in self.tasks.drain(..) {
            task.abort();
        }
    }
}
