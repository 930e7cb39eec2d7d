//! The session's actor: a nudge becomes inputs, the machine steps, its effects are carried out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::aside::Aside;
use super::attempt::Sender;
use super::gated::Leaving;
use super::mail::{Ended, Life, SessionBox, SessionMail};
use super::sender::sender;
use super::shared::Share;
use super::standing::{MessageRef, Tenure};
use crate::actors::hands::Hands;
use crate::actors::inbox::Nudge;
use crate::actors::partition::Notice;
use crate::actors::wheel::{Wakes, Wheel};
use crate::domain::event::{AttemptRef, ByPriority};
use crate::domain::gate::GatesRow;
use crate::domain::id::{EventId, KeyId, MessageId, SessionId};
use crate::domain::pacing::Pacer;
use crate::domain::pacing::learned::Paced;
use crate::domain::record::{Micros, Position};
use crate::domain::row::{PacedRow, SessionRow};
use crate::domain::session::{Input, Machine};
use crate::runtime::Steps;

/// The actor.
pub struct Session;

/// What it is born with.
pub struct SessionArgs {
    /// Which.
    pub session: SessionId,
    /// Where it lives.
    pub partition: u16,
    /// Its row.
    pub row: SessionRow,
    /// The claim it lives under.
    pub tenure: Tenure,
    /// Its partition is left, and whether its claim is lost: it hears how calls ended that are under way, and does nothing else.
    pub left: Option<bool>,
    /// Its box.
    pub mailbox: Arc<SessionBox>,
    /// Its partition's wheel.
    pub wheel: Arc<Wheel>,
    /// What it tells its partition.
    pub notices: Arc<crate::actors::inbox::Inbox<Notice>>,
    /// The gates of its partition.
    pub gates: Arc<GatesRow>,
    /// Everything else.
    pub hands: Hands,
}

/// What it remembers; all of it can be read again.
pub struct State {
    pub(super) args: SessionArgs,
    pub(super) machine: Machine,
    pub(super) sender: Sender,
    /// Its row has changed since the token was read.
    pub(super) sender_is_old: bool,
    pub(super) refs: HashMap<MessageId, MessageRef>,
    /// Positions of unsettled messages in memory: the first one is the outbox's low-water mark.
    pub(super) unsettled: BTreeSet<(Position, MessageId)>,
    /// Messages to people who have enough of them in the ring.
    pub(super) aside: Aside,
    /// Messages behind a closed gate, on their way out of the outbox.
    pub(super) leaving: Leaving,
    /// Messages to each person that enter the ring with the next step.
    pub(super) entering: HashMap<KeyId, usize>,
    /// Which reader of its box it is.
    pub(super) life: Life,
    /// Queued messages in the mail that this turn took, by priority.
    pub(super) taken: ByPriority<usize>,
    /// The event that began this life, until it is read back.
    pub(super) born: EventId,
    pub(super) incarnation: Option<Position>,
    /// Deadlines of attempts read back and not begun yet.
    pub(super) deadlines: HashMap<AttemptRef, Duration>,
    /// When each proposal was made, steady time: its deadline counts from there.
    pub(super) proposed: HashMap<EventId, Duration>,
    pub(super) low: Option<Position>,
    pub(super) low_told: Duration,
    /// What it shares with others.
    pub(super) shares: Vec<Share>,
    /// Until when it said that its portfolio is held, and when it did, steady time.
    pub(super) portfolio_held: (Micros, Duration),
    /// The last acceptance it knows of, in memory or in the outbox.
    pub(super) seen: Position,
    idle_since: Option<Micros>,
    /// The grant that answers its last question to a tenant on another node.
    pub(super) asked: Option<EventId>,
    /// Its partition is left; whether its claim is lost.
    draining: Option<bool>,
    steps: Steps,
    /// What the gauge of waiting messages was told last.
    counted: f64,
}

impl Drop for State {
    fn drop(&mut self) {
        crate::telemetry::queued(-self.counted);
    }
}

impl Actor for Session {
    type Msg = Nudge;
    type State = Box<State>;
    type Arguments = SessionArgs;

    async fn pre_start(&self, myself: ActorRef<Nudge>, args: SessionArgs) -> Result<Box<State>, ActorProcessingErr> {
        let mut state = Box::new(State::new(args).await?);
        state.life = state.args.mailbox.attach(myself);
        // Where the claim is lost that would be void.
        if state.args.left != Some(true) {
            state.announce();
        }
        if state.args.left.is_none() {
            state.share();
        }
        // Ends that the journal does not have yet: the last life may have died with them in its hands.
        for of in state.args.mailbox.unrecorded() {
            state.args.mailbox.inbox.put(SessionMail::Ended(of));
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Nudge>,
        _: Nudge,
        state: &mut Box<State>,
    ) -> Result<(), ActorProcessingErr> {
        state.args.hands.trip("session:nudged");
        if state.turn().await {
            myself.stop(Some("idle, or this life is over".to_owned()));
        }
        Ok(())
    }
}

impl State {
    async fn new(args: SessionArgs) -> Result<Self, ActorProcessingErr> {
        let limits = &args.hands.limits;
        let now = args.hands.clock.wall();
        let number = args.row.quota();
        let pacer = Pacer::new(number, limits.pair, now, args.row.incarnation.is_none());
        let mut machine = Machine::new(limits.session, pacer);
        machine.begin(args.row.paced.as_ref().map(PacedRow::paced), now);
        let held = held(&args.row, now);
        // Its birth is not in the journal yet: nothing leaves, and this only lets it know of a wall.
        machine.step([Input::Suspended(true), held], now, 0);
        let sender = sender(&args).await?;
        let born = EventId(args.hands.entropy.id());
        Ok(Self {
            machine,
            sender,
            sender_is_old: false,
            refs: HashMap::new(),
            unsettled: BTreeSet::new(),
            aside: Aside::default(),
            leaving: Leaving::default(),
            entering: HashMap::new(),
            life: Life::default(),
            taken: [0; 3],
            born,
            incarnation: None,
            deadlines: HashMap::new(),
            proposed: HashMap::new(),
            low: None,
            low_told: Duration::ZERO,
            shares: Vec::new(),
            portfolio_held: (0, Duration::ZERO),
            seen: Position(0),
            idle_since: None,
            asked: None,
            draining: args.left,
            steps: Steps::new(args.hands.clock.as_ref()),
            counted: 0.0,
            args,
        })
    }

    /// One turn. True when this actor is to stop.
    async fn turn(&mut self) -> bool {
        let (now, stepped) = self.steps.look(self.args.hands.clock.as_ref());
        if stepped != 0 {
            self.machine.stepped(stepped);
            self.idle_since = self.idle_since.map(|since| since + stepped);
        }
        // Before the mail: what goes cold later may stand behind mail that is not read yet.
        let cold = self.args.mailbox.cold().into_iter().flatten().map(|cold| cold.through).max();
        let Some(mail) = self.args.mailbox.take(self.life) else {
            return true;
        };
        self.seen = self.seen.max(cold.unwrap_or_default());
        let mut inputs = Vec::with_capacity(mail.len() + 1);
        self.taken = [0; 3];
        let mut over = false;
        for mail in mail {
            over |= matches!(mail, SessionMail::Doubtful) || self.is_overtaken(&mail);
            mail.queued().into_iter().for_each(|priority| self.taken[priority.index()] += 1);
            self.read(mail, now, &mut inputs);
        }
        if over {
            self.finish(inputs, now).await;
            return true;
        }
        if self.sender_is_old {
            self.renew_sender().await;
        }
        match self.args.mailbox.received() {
            0 => {}
            received => inputs.push(Input::Received(received)),
        }
        inputs.push(self.may_act());
        self.bring_back(&mut inputs).await;
        self.args.hands.trip("session:before_step");
        let mut effects = self.machine.step(inputs, now, self.args.hands.entropy.number());
        self.entering.clear();
        self.args.hands.trip("session:after_step");
        let mut rounds = 0;
        // Filling the ring gives the machine new work, which may leave room again: a bounded number of pages a turn.
        while let Some(room) = self.carry_out(effects).await {
            rounds += 1;
            let more = self.fill(room).await;
            effects = self.machine.step(more, now, self.args.hands.entropy.number());
            self.entering.clear();
            if rounds == 8 {
                self.carry_out(effects).await;
                self.args.mailbox.inbox.nudge();
                break;
            }
        }
        self.leave_outbox();
        self.args.mailbox.holds(self.life, self.machine.rings(), self.taken);
        self.gauge();
        // Who reads no outbox does not know from where on it is unsettled.
        if self.args.left.is_none() {
            self.mark_low();
        }
        self.is_drained() || self.is_idle(now)
    }

    /// A life that is over had said that it begins, and that was recorded after ours: every intent of ours would be void from here
    /// on, and the next one, and so on. The next life begins after both.
    fn is_overtaken(&self, mail: &SessionMail) -> bool {
        matches!(mail, SessionMail::Started(event, _) if *event != self.born && self.incarnation.is_some())
    }

    /// The last step of a life that is over. What was read back before is valid and begins: the next life would call it unknown,
    /// though nothing was sent. Nothing new is proposed.
    async fn finish(&mut self, mut inputs: Vec<Input>, now: Micros) {
        inputs.push(Input::Suspended(true));
        let effects = self.machine.step(inputs, now, self.args.hands.entropy.number());
        self.carry_out(effects).await;
    }

    /// Before its life is in the journal, while the house is sick or its token unknown, and once its partition is left, nothing
    /// leaves.
    fn may_act(&self) -> Input {
        let stopped = self.args.row.suspended.is_some() || self.draining.is_some() || self.sender_is_old;
        Input::Suspended(self.incarnation.is_none() || stopped || !self.args.hands.health.is_well())
    }

    /// Whether it was to come to its end, and has. Intents that stand after a lost claim are void, and never read.
    fn is_drained(&self) -> bool {
        let Some(lost) = self.draining else {
            return false;
        };
        (lost || self.proposed.is_empty()) && self.deadlines.is_empty() && self.args.mailbox.is_quiet()
    }

    fn read(&mut self, mail: SessionMail, now: Micros, inputs: &mut Vec<Input>) {
        match mail {
            SessionMail::Standing(message, standing, reference) => {
                inputs.extend(self.enter(message, standing, reference));
            }
            SessionMail::Row(row) => {
                self.args.row = *row;
                inputs.push(held(&self.args.row, now));
                self.machine.pace(self.args.row.quota());
                self.machine.row_paces(self.paced());
                self.share();
                self.sender_is_old = true;
            }
            SessionMail::Gates(gates) => self.follow_gates(gates),
            SessionMail::Started(event, incarnation) if event == self.born => self.incarnation = Some(incarnation),
            SessionMail::Judged(event, judged) if self.proposed.contains_key(&event) => {
                inputs.push(Input::Judged(judged.clone()));
                self.note_deadlines(event, &judged);
            }
            // A proposal of an earlier life is none of this one's, which may have proposed the same attempts.
            SessionMail::NotProposed(event, attempts) => {
                inputs.extend(self.proposed.remove(&event).map(|_| Input::NotProposed(attempts)));
            }
            SessionMail::Ended(of) => match self.args.mailbox.ended(of) {
                Some(Ended::Answered(answered)) => inputs.push(Input::Answered(of, answered.answer)),
                Some(Ended::Barred(why)) => inputs.push(Input::Barred(of, why)),
                None => {}
            },
            SessionMail::Lease(granted, lasts) => inputs.push(Input::Lease(granted, lasts)),
            SessionMail::Lent(grant, granted, lasts) if self.asked == Some(grant) => {
                self.asked = None;
                inputs.push(Input::Lease(granted, lasts));
            }
            SessionMail::Shared(hold) => inputs.push(Input::Shared(hold)),
            SessionMail::Released => inputs.push(Input::Released(self.paced())),
            SessionMail::Drain { lost } => self.draining = Some(lost),
            SessionMail::Tick => inputs.push(Input::Tick),
            SessionMail::Started(..) | SessionMail::Judged(..) | SessionMail::Doubtful | SessionMail::Lent(..) => {}
        }
    }

    fn paced(&self) -> Option<Paced> {
        self.args.row.paced.as_ref().map(PacedRow::paced)
    }

    fn gauge(&mut self) {
        let queued = self.machine.queued() as f64;
        crate::telemetry::queued(queued - self.counted);
        self.counted = queued;
    }

    fn is_idle(&mut self, now: Micros) -> bool {
        if self.machine.held() > 0 || self.low.is_some() || self.args.left.is_some() {
            self.idle_since = None;
            return false;
        }
        let since = *self.idle_since.get_or_insert(now);
        now - since >= self.args.hands.limits.idle
    }

    pub(super) fn wake_at(&self, at: Micros) {
        let who: Arc<dyn Wakes> = Arc::clone(&self.args.mailbox) as Arc<dyn Wakes>;
        self.args.wheel.wake_at(self.args.session.into(), at, who);
    }

    fn note_deadlines(&mut self, event: EventId, judged: &[(AttemptRef, Result<(), crate::domain::validity::Void>)]) {
        let Some(proposed) = self.proposed.remove(&event) else {
            return;
        };
        let deadline = proposed + self.args.hands.limits.intent_deadline;
        // From the acceptance to the intent that is about to be acted on: how long messages wait.
        let now = self.args.hands.clock.wall();
        for (of, verdict) in judged {
            if let Some(reference) = self.refs.get(&of.message).filter(|_| verdict.is_ok() && of.attempt == 1) {
                let waited = u64::try_from(now - reference.at).unwrap_or(0);
                crate::telemetry::stage("queue", Duration::from_micros(waited));
            }
        }
        self.deadlines.extend(judged.iter().filter(|(_, verdict)| verdict.is_ok()).map(|(of, _)| (*of, deadline)));
    }
}

impl Wakes for SessionBox {
    fn wake(&self) {
        self.inbox.nudge();
    }
}

/// Until when its row holds it.
fn held(row: &SessionRow, now: Micros) -> Input {
    Input::Held(row.held.as_ref().map(|held| held.ends(now)))
}
