//! Saying how far this partition's trees are: each second, or after 1,024 events, the heads of those that grew become an
//! event in the audit's mailbox.
//!
//! One such event is under way at a time, so that they stand in the order of their places; the next one names whatever
//! grew since. Nothing is kept for it that a new owner could not find out: which trees grew beyond what counted last stands
//! in their rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Notice;
use super::actor::{Phase, State};
use crate::actors::append::{self, Persist};
use crate::domain::address::Address;
use crate::domain::audit::entry::MAX_HEADS;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, HeadV1, HeadsReportedV1};
use crate::domain::id::{EventId, TenantId};
use crate::domain::projection::audit::{grow, stirs, tree_of};
use crate::domain::record::{Micros, Position, Principal};
use crate::domain::routing;
use crate::domain::row::{Row, RowId, TreeId};
use crate::journal::Entry;
use crate::store::{StoreError, rows as stored};

/// Events after which heads are reported before the second is over.
const EVENTS: u32 = 1_024;

/// Trees read at once when a tenure begins.
const PAGE: usize = 1_000;

/// What is to be reported.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    /// Whose trees grew since they were reported.
    grown: BTreeSet<TenantId>,
    /// How many events there were that are worth it.
    events: u32,
    /// When the oldest of them happened.
    since: Option<Micros>,
    /// The last one's place and part.
    last: Option<(Position, u16)>,
    /// One is on its way.
    reporting: bool,
}

impl State {
    /// Appends an event to its tree.
    pub(super) async fn grow_tree(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let (record, tree) = (&entry.record, tree_of(&entry.record, self.number));
        let id = RowId::Tree(tree);
        if !self.rows.knows(&id) {
            let row = stored::get(self.store.as_ref(), &id).await?;
            self.rows.load(id, row);
        }
        grow(record, self.number, entry.position, &mut self.rows);
        self.sealing.grown.insert(tree.tenant);
        if stirs(record) {
            self.sealing.events += 1;
            if self.sealing.since.is_none() {
                self.sealing.since = Some(record.header.at);
                self.show_unsealed();
            }
        }
        Ok(())
    }

    /// What the last owner left: trees that grew beyond what counted. Everything applied is committed.
    pub(super) async fn begin_sealing(&mut self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.store);
        let reported = match stored::get(store.as_ref(), &RowId::Reported(self.number)).await? {
            Some(Row::Reported(row)) => Some(row),
            _ => None,
        };
        let whole = reported.and_then(|row| row.whole);
        let beyond = |at: Option<Position>| at.is_some_and(|at| whole.is_none_or(|whole| at > whole));
        let mut sealing = Sealing { last: reported.map(|row| (row.through, row.part)), ..Sealing::default() };
        let mut after = None;
        loop {
            let page = stored::trees(store.as_ref(), self.number, after, PAGE).await?;
            after = page.last().map(|(tenant, _)| *tenant);
            let (grown, stirred): (Vec<_>, Vec<_>) =
                page.into_iter().filter(|(_, row)| beyond(row.last)).map(|(tenant, row)| (tenant, row.stirred)).unzip();
            sealing.events += u32::try_from(stirred.into_iter().filter(|at| beyond(*at)).count()).unwrap_or(u32::MAX);
            sealing.grown.extend(grown);
            if after.is_none() {
                break;
            }
        }
        // When the oldest happened stands in the journal alone; from here on it waits for us.
        sealing.since = (sealing.events > 0).then(|| self.hands.clock.wall());
        self.sealing = sealing;
        Ok(())
    }

    /// A batch was applied: is it enough to be reported at once?
    pub(super) async fn report_many(&mut self) -> Result<(), StoreError> {
        if self.sealing.events >= EVENTS { self.report_heads().await } else { Ok(()) }
    }

    /// Since when events wait to be reported here, for the gauge.
    fn show_unsealed(&self) {
        let since = self.sealing.since.filter(|_| matches!(self.phase, Phase::Owning(_)));
        self.hands.registry.unsealed.set(self.number, since);
    }

    /// Reports what grew, unless that is on its way or nothing is worth it.
    pub(super) async fn report_heads(&mut self) -> Result<(), StoreError> {
        self.show_unsealed();
        let Some(through) = self.reached.filter(|_| matches!(self.phase, Phase::Owning(_))) else {
            return Ok(());
        };
        let Some(since) = self.sealing.since.filter(|_| !self.sealing.reporting && self.sealing.events > 0) else {
            return Ok(());
        };
        let tenants: Vec<TenantId> = self.sealing.grown.iter().take(MAX_HEADS).copied().collect();
        let heads = self.heads(&tenants).await?;
        tenants.iter().for_each(|tenant| _ = self.sealing.grown.remove(tenant));
        let whole = self.sealing.grown.is_empty();
        let part = self.sealing.last.filter(|(at, _)| *at == through).map_or(0, |(_, part)| part.saturating_add(1));
        self.sealing.last = Some((through, part));
        self.sealing.reporting = true;
        if whole {
            (self.sealing.events, self.sealing.since) = (0, None);
        }
        self.append_heads(HeadsReportedV1 { partition: self.number, through, part, whole, since, heads });
        Ok(())
    }

    async fn heads(&self, tenants: &[TenantId]) -> Result<Vec<HeadV1>, StoreError> {
        let mut heads = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let id = RowId::Tree(TreeId { partition: self.number, tenant: *tenant });
            if let Some(Row::Tree(row)) = self.read(id).await? {
                heads.push(HeadV1 { tenant: *tenant, size: row.range.size(), root: row.range.root() });
            }
        }
        Ok(heads)
    }

    fn append_heads(&self, facts: HeadsReportedV1) {
        let hands = &self.hands;
        let genesis = hands.journal.genesis();
        let audit = Address::audit(genesis.installation);
        let (by, id) = (Principal::Node(hands.node), EventId(hands.entropy.id()));
        let draft = Draft::new(id, audit, &Event::from(facts), by, hands.clock.wall());
        let fact = Persist { partition: routing::partition(&audit, genesis.count), draft };
        let notices = Arc::clone(&self.notices);
        append::persist_then(hands, fact, move || notices.push(Notice::Reported));
    }

    /// It stands in the audit's mailbox. What did not fit into it, or grew since, is the next one.
    pub(super) async fn reported(&mut self) -> Result<(), StoreError> {
        self.sealing.reporting = false;
        let now = !self.sealing.grown.is_empty() && self.sealing.events >= EVENTS;
        if now { self.report_heads().await } else { Ok(()) }
    }
}
