//! The pool's actor.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::route::Whole;
use crate::actors::hands::Hands;
use crate::actors::inbox::{Inbox, Nudge};
use crate::actors::partition::Notice;
use crate::actors::session::{SessionBox, SessionMail};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageMovedOutV1};
use crate::domain::id::{EventId, MessageId, SessionId, TenantId, derive};
use crate::domain::pool::{Ability, Member, Turns, Watch};
use crate::domain::record::{Micros, Position, Principal, Record};
use crate::domain::row::{Row, RowId, SessionRow};
use crate::journal::Appended;
use crate::store::{StoreError, applied, rows};

/// How soon a member that is left is gone through again.
const AGAIN: Duration = Duration::from_millis(250);

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
    /// The time of the last move: each has its own, for they are taken in in the order of their times.
    last: Micros,
    /// When members were gone through last, steady time.
    left_at: Duration,
}

impl Actor for Pool {
    type Msg = Nudge;
    type State = Box<State>;
    type Arguments = PoolArgs;

    async fn pre_start(&self, myself: ActorRef<Nudge>, args: PoolArgs) -> Result<Box<State>, ActorProcessingErr> {
        args.mailbox.attach(myself);
        Ok(Box::new(State {
            low: args.low,
            fresh: args.low,
            whole: None,
            returned: true,
            turns: Turns::default(),
            watch: Watch::default(),
            members: Vec::new(),
            last: 0,
            left_at: Duration::ZERO,
            args,
        }))
    }

    async fn handle(&self, _: ActorRef<Nudge>, _: Nudge, state: &mut Box<State>) -> Result<(), ActorProcessingErr> {
        for mail in state.args.mailbox.inbox.take() {
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
        let now = self.args.hands.clock.steady();
        if self.is_leaving() && now.saturating_sub(self.left_at) >= AGAIN {
            self.left_at = now;
            self.leave().await?;
        }
        // A pool that is stopped keeps what it has.
        if self.args.row.suspended.is_none() { self.route().await } else { self.expire().await }
    }

    /// Whether a member is being left, or is.
    pub(super) fn is_leaving(&self) -> bool {
        self.members.iter().any(|member| matches!(member.ability, Ability::Leaving | Ability::Left))
    }

    /// Who can send.
    async fn look(&mut self) -> Result<(), StoreError> {
        let ids: Vec<RowId> = self.args.row.members.iter().map(|member| RowId::Session(member.session)).collect();
        let found = rows::get_many(self.args.hands.store.as_ref(), &ids).await?;
        let row = |row| if let Some(Row::Session(row)) = row { Some(row) } else { None };
        let found: Vec<Option<SessionRow>> = found.into_iter().map(row).collect();
        let (now, after) = (self.args.hands.clock.wall(), self.args.hands.limits.failover_after);
        self.members = self.watch.look(&self.args.row.members, &found, now, after);
        Ok(())
    }

    /// The event by which a message moves.
    pub(super) fn move_out(&mut self, tenant: TenantId, facts: MessageMovedOutV1) -> Option<Record> {
        self.last = self.args.hands.clock.wall().max(self.last + 1);
        let MessageMovedOutV1 { session, message, number, to, .. } = facts;
        let id = EventId(derive("waybill move", &[&message.0, &number.to_be_bytes(), &to.0]));
        self.written(id, session, message, tenant, &Event::from(facts), self.last)
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

    /// Appends, and waits until the rows show it. Says whether they do.
    pub(super) async fn record(&self, partition: u16, records: Vec<Record>) -> Result<bool, StoreError> {
        if records.is_empty() {
            return Ok(true);
        }
        match self.args.hands.journal.append(partition, records).await {
            Appended::Durable { last, .. } => {
                applied::reached(self.args.hands.store.as_ref(), partition, last, PATIENCE).await
            }
            Appended::Refused(_) | Appended::Doubtful => Ok(false),
        }
    }
}
