//! Tenant actors: a tenant's budget, lent in short leases to the sessions that ask; its gates, copied into each partition;
//! and its campaigns, started at their time and finished.
//!
//! | card | |
//! | --- | --- |
//! | parent | the partition its address hashes to |
//! | count | one for each declared tenant |
//! | mail | a nudge; questions and its row stand in its inbox |
//! | bound | one open question for each session |
//! | restart | by the partition |
//! | stops when | the partition's claim is lost |
//! | lost if it dies | open questions: sessions ask again after a second; words on gates are read from its row again |

use std::collections::VecDeque;
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::campaigns::Campaigns;
use super::hands::Hands;
use super::inbox::{Inbox, Nudge};
use super::registry::Ask;
use super::spread::Spreading;
use super::wheel::{Wakes, Wheel};
use crate::domain::id::TenantId;
use crate::domain::pacing::{Cell, Rate};
use crate::domain::record::Micros;
use crate::domain::row::{AsksRow, CampaignsRow, TenantRow};
use crate::runtime::Steps;

/// What a tenant hears.
#[derive(Debug)]
pub enum TenantMail {
    /// A session asks for a lease.
    Ask(Ask),
    /// Its row changed.
    Row(TenantRow),
    /// What was asked for of its gates is this now.
    Asks(Box<AsksRow>),
    /// Its campaigns that are not over are these now.
    Campaigns(Box<CampaignsRow>),
}

/// A lease ends after so long, spent or not.
const LEASE: Micros = 5_000_000;

/// The actor.
pub struct Tenant;

/// What it is born with.
pub struct TenantArgs {
    /// Which.
    pub tenant: TenantId,
    /// Its row.
    pub row: TenantRow,
    /// What was asked for of its gates.
    pub asks: Box<AsksRow>,
    /// Its campaigns that are not over.
    pub campaigns: Box<CampaignsRow>,
    /// Where it lives.
    pub partition: u16,
    /// Its inbox.
    pub inbox: Arc<Inbox<TenantMail>>,
    /// Its partition's wheel.
    pub wheel: Arc<Wheel>,
    /// Everything else.
    pub hands: Hands,
}

/// What it remembers.
pub struct State {
    args: TenantArgs,
    rate: Rate,
    cell: Cell,
    steps: Steps,
    /// Who asked and was not lent anything yet, first come first served.
    open: VecDeque<Ask>,
    /// Words on its gates that are not effective everywhere.
    spreading: Spreading,
    /// Its campaigns that are not over.
    campaigns: Campaigns,
}

impl Actor for Tenant {
    type Msg = Nudge;
    type State = State;
    type Arguments = TenantArgs;

    async fn pre_start(&self, myself: ActorRef<Nudge>, args: TenantArgs) -> Result<State, ActorProcessingErr> {
        args.inbox.attach(myself);
        let rate = Rate::from(args.row.quota());
        // It begins spent: what the last life lent may not be used up yet.
        let cell = rate.spent(args.hands.clock.wall());
        let spreading = Spreading::of(args.asks.clone());
        let campaigns = Campaigns::of(args.campaigns.clone());
        let steps = Steps::new(args.hands.clock.as_ref());
        Ok(State { rate, cell, steps, open: VecDeque::new(), spreading, campaigns, args })
    }

    async fn handle(&self, _: ActorRef<Nudge>, _: Nudge, state: &mut State) -> Result<(), ActorProcessingErr> {
        for mail in state.args.inbox.take() {
            state.args.hands.trip("tenant:mail");
            match mail {
                TenantMail::Ask(ask) => state.asked(ask),
                TenantMail::Row(row) => state.rate = Rate::from(row.quota()),
                TenantMail::Asks(asks) => state.spreading.follow(asks),
                TenantMail::Campaigns(row) => state.campaigns.follow(row),
            }
        }
        state.lend();
        state.spreading.spread(&state.args.hands, state.args.tenant, state.args.partition);
        state.campaigns.look(&state.args.hands, state.args.tenant, state.args.partition);
        Ok(())
    }
}

impl State {
    /// A session that asks again keeps its place: what it wanted before it wants no more.
    fn asked(&mut self, ask: Ask) {
        match self.open.iter_mut().find(|open| open.session == ask.session) {
            Some(open) => *open = ask,
            None => self.open.push_back(ask),
        }
    }

    /// Lends what there is, a share to each who asks, in turn.
    fn lend(&mut self) {
        let (now, stepped) = self.steps.look(self.args.hands.clock.as_ref());
        self.cell = self.cell.stepped(stepped);
        while let Some(ask) = self.open.pop_front() {
            let share = self.share(now, ask.wanted);
            self.args.hands.trip("tenant:lend");
            if share == 0 {
                let at = self.rate.earliest(self.cell, now);
                self.open.push_front(ask);
                let who = Arc::clone(&self.args.inbox) as Arc<dyn Wakes>;
                self.args.wheel.wake_at(self.args.tenant.into(), at.max(now + 1), who);
                return;
            }
            (ask.grant)(share, LEASE);
        }
    }

    fn share(&mut self, now: Micros, wanted: u32) -> u32 {
        let mut share = 0;
        while share < wanted && self.rate.earliest(self.cell, now) <= now {
            self.cell = self.rate.take(self.cell, now);
            share += 1;
        }
        share
    }
}
