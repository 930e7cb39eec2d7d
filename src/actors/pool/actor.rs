//! The pool's actor.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

use super::leave::Leavings;
use super::route::Whole;
use crate::actors::hands::Hands;
use crate::actors::inbox::{Inbox, Nudge};
use crate::actors::partition::Notice;
use crate::actors::session::{Life, SessionBox, SessionMail};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageMovedOutV1};
use crate::domain::id::{EventId, KeyId, MessageId, SessionId, TenantId};
use crate::domain::pool::{Member, Now, Said, Turns, Watch};
use crate::domain::record::{Micros, Position, Principal, Record};
use crate::domain::routing;
use crate::domain::row::{Row, RowId, SessionRow};
use crate::journal::Appended;
use crate::store::{StoreError, applied, rows};

/// How long a page is waited for until its rows show: after that the next nudge goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// The actor.
pub struct Pool;

/// What it is born with.
pub struct PoolArgs {
    /// Which.
    pub pool: SessionId,
    /// Where it lives.
    pub partition: u16,
    /// Its row.
    pub row: SessionRow,
    /// From where on its outbox may hold messages.
    pub low: Position,
    /// Its box: a session's, of which it uses the nudge.
    pub mailbox: Arc<SessionBox>,
    /// Its partition's notices.
    pub notices: Arc<Inbox<Notice>>,
    /// Everything else.
    pub hands: Hands,
}

/// What it remembers.
pub struct State {
    pub(super) args: PoolArgs,
    /// From where on its outbox may hold messages.
    pub(super) low: Position,
    /// From where on it was not looked at.
    pub(super) fresh: Position,
    /// When everything was looked at last, and who could send then.
    pub(super) whole: Option<Whole>,
    /// Something may have come back, to go before what was never handed on.
    pub(super) returned: bool,
    pub(super) turns: Turns,
    pub(super) watch: Watch,
    pub(super) members: Vec<Member>,
    /// How far the leaving of each member is.
    pub(super) leavings: Leavings,
    /// Whoever looks at what they wait for.
    pub(super) alarm: Option<JoinHandle<()>>,
    /// To which session people were given a message by an append that does not show yet: it may all the same.
    pub(super) unsure: HashMap<KeyId, SessionId>,
    /// Members' partitions, and how far each has to be applied before its rows say something; `None`: it is.
    pub(super) behind: HashMap<u16, Option<Position>>,
    /// Until then it waits for all of them to be, steady time.
    known_by: Duration,
    /// Which reader of its box it is.
    pub(super) life: Life,
}

impl Actor for Pool {
    type Msg = Nudge;
    type State = Box<State>;
    type Arguments = PoolArgs;

    async fn pre_start(&self, myself: ActorRef<Nudge>, args: PoolArgs) -> Result<Box<State>, ActorProcessingErr> {
        let life = args.mailbox.attach(myself);
        Ok(Box::new(State {
            life,
            low: args.low,
            fresh: args.low,
            whole: None,
            returned: true,
            turns: Turns::default(),
            watch: Watch::default(),
            members: Vec::new(),
            leavings: Leavings::default(),
            alarm: None,
            unsure: HashMap::new(),
            known_by: args.hands.clock.steady() + PATIENCE,
            behind: HashMap::new(),
            args,
        }))
    }

    async fn handle(
        &self,
        myself: ActorRef<Nudge>,
        _: Nudge,
        state: &mut Box<State>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(mail) = state.args.mailbox.take(state.life) else {
            myself.stop(Some("another life reads its box".to_owned()));
            return Ok(());
        };
        for mail in mail {
            // Messages it finds in its outbox.
            if let SessionMail::Row(row) = mail {
                state.args.row = *row;
            }
        }
        state.args.hands.trip("pool:turn");
        if let Err(error) = state.turn().await {
            tracing::warn!(pool = %state.args.pool, %error, "a pool's rows cannot be read; the sweep tries again");
        }
        Ok(())
    }
}

impl State {
    async fn turn(&mut self) -> Result<(), StoreError> {
        self.look().await?;
        // Who is new to it is shared out among all: those whose rows show in a moment are not passed over.
        if self.behind.values().any(Option::is_some) && self.args.hands.clock.steady() < self.known_by {
            self.wake(false);
            return Ok(());
        }
        // A pool that is stopped keeps what it has.
        if self.args.row.suspended.is_none() {
            self.route().await?;
        } else {
            self.expire().await?;
        }
        self.leave().await
    }

    /// Whether a member is being left, or is.
    pub(super) fn is_leaving(&self) -> bool {
        self.members.iter().any(|member| member.leaves) || !self.leavings.is_empty()
    }

    /// Steady time, as a number.
    pub(super) fn steady(&self) -> Micros {
        Micros::try_from(self.args.hands.clock.steady().as_micros()).unwrap_or(Micros::MAX)
    }

    /// Who can send.
    async fn look(&mut self) -> Result<(), StoreError> {
        let members = self.args.row.members.clone();
        let ids: Vec<RowId> = members.iter().map(|member| RowId::Session(member.session)).collect();
        // Asked before the rows are read, which are at least so new.
        let mut behind = Vec::with_capacity(members.len());
        for member in &members {
            behind.push(self.is_behind(member.session).await?);
        }
        let found = rows::get_many(self.args.hands.store.as_ref(), &ids).await?;
        let said = found.iter().zip(behind).map(|(found, behind)| match found {
            _ if behind => Said::Behind,
            Some(Row::Session(row)) => Said::Row(Some(row)),
            _ => Said::Row(None),
        });
        let said: Vec<Said<'_>> = said.collect();
        let now = Now { wall: self.args.hands.clock.wall(), steady: self.steady() };
        self.members = self.watch.look(&members, &said, now, self.args.hands.limits.failover_after);
        Ok(())
    }

    /// Whether a member's rows are older than what its journal held when the pool looked first, as after a rebuild.
    async fn is_behind(&mut self, member: SessionId) -> Result<bool, StoreError> {
        let journal = Arc::clone(&self.args.hands.journal);
        let there = routing::partition(&member.into(), journal.genesis().count);
        let end = match self.behind.get(&there) {
            Some(end) => *end,
            // Others may append there.
            None => match journal.fresh_end(there).await {
                Ok(end) => *self.behind.entry(there).or_insert(Some(end)),
                Err(_) => return Ok(true),
            },
        };
        if end.is_some() && self.shows(there, end).await? {
            self.behind.insert(there, None);
        }
        Ok(self.behind.get(&there).is_some_and(Option::is_some))
    }

    /// Whether the rows of a partition show everything before `end`.
    pub(super) async fn shows(&self, partition: u16, end: Option<Position>) -> Result<bool, StoreError> {
        let from = self.args.hands.store.applied(partition).await?.map_or(Position(0), Position::next);
        Ok(end.is_none_or(|end| self.args.hands.journal.distance(partition, from, end) == 0))
    }

    /// The event by which a message moves.
    pub(super) fn move_out(&self, tenant: TenantId, facts: MessageMovedOutV1) -> Option<Record> {
        let now = self.args.hands.clock.wall();
        let (id, session, message) = (facts.id(), facts.session, facts.message);
        self.written(id, session, message, tenant, &Event::from(facts), now)
    }

    pub(super) fn written(
        &self,
        id: EventId,
        session: SessionId,
        message: MessageId,
        tenant: TenantId,
        event: &Event,
        at: Micros,
    ) -> Option<Record> {
        let draft = Draft::new(id, session, event, Principal::Node(self.args.hands.node), at);
        let record = draft.tenant(tenant).subject(message).record();
        record.inspect_err(|error| tracing::error!(%error, %message, "a move cannot be written")).ok()
    }

    /// Appends, and waits until the rows show it. Says where the last record stands, if they do.
    pub(super) async fn record(&self, partition: u16, records: Vec<Record>) -> Result<Option<Position>, StoreError> {
        match self.args.hands.journal.append(partition, records).await {
            Appended::Durable { last, .. } => {
                let shows = applied::reached(self.args.hands.store.as_ref(), partition, last, PATIENCE).await?;
                Ok(shows.then_some(last))
            }
            Appended::Refused(_) | Appended::Doubtful => Ok(None),
        }
    }
}
