//! Saying how far this partition's trees are: each second, or after 1,024 events, the heads of those that grew become an
//! event in the audit's mailbox.
//!
//! One such event is under way at a time, so that they stand in the order of their places; the next one names whatever
//! grew since. Nothing is kept for it that a new owner could not find out: which trees grew beyond what counted last stands
//! in their rows.
//!
//! A journal that ends before what was reported of it was put back from a backup, or lost its end. Its trees would contradict
//! the log, so it reports nothing more and says so, until an operator has another log begun: there it begins with what it has.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Notice;
use super::actor::{Phase, State};
use crate::actors::append::{self, Persist};
use crate::actors::audit;
use crate::domain::address::Address;
use crate::domain::audit::entry::MAX_HEADS;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, HeadV1, HeadsLostV1, HeadsReportedV1};
use crate::domain::id::{EventId, TenantId};
use crate::domain::projection::audit::{grow, stirs, tree_of};
use crate::domain::record::{Micros, Position, Principal};
use crate::domain::routing;
use crate::domain::row::{ReportedRow, Row, RowId, TreeId};
use crate::journal::Entry;
use crate::store::{MAX_SCAN, StoreError, rows as stored};

/// Events after which heads are reported before the second is over.
const EVENTS: u32 = 1_024;

/// Trees read at once when a tenure begins.
const PAGE: usize = 1_000;

/// Sweeps after which somebody looks whether another log was begun, or sooner where there is something to wait for.
const LOOK: u32 = 10;

/// How long the journal may take to say since when events wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// The part of the health that speaks of partitions which report nothing.
const PART: &str = "audit_heads";

/// Whose trees grew: each once, in the order in which they did. Under a load of more tenants than one report has room for, the
/// next one goes on where the last one ended, so none waits for ever.
#[derive(Debug, Default)]
struct Grown {
    order: VecDeque<TenantId>,
    known: HashSet<TenantId>,
}

impl Grown {
    fn add(&mut self, tenant: TenantId) {
        if self.known.insert(tenant) {
            self.order.push_back(tenant);
        }
    }

    /// Those who have waited longest.
    fn first(&self) -> Vec<TenantId> {
        self.order.iter().take(MAX_HEADS).copied().collect()
    }

    fn remove_first(&mut self, count: usize) {
        for tenant in self.order.drain(..count) {
            self.known.remove(&tenant);
        }
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

/// What is to be reported.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    /// Whose trees grew since they were reported.
    grown: Grown,
    /// How many events there were that are worth it.
    events: u32,
    /// When the oldest of them happened.
    since: Option<Micros>,
    /// The last one's place and part.
    last: Option<(Position, u16)>,
    /// One is on its way.
    reporting: bool,
    /// Which of the installation's logs it is for.
    era: u32,
    /// What the log has of this partition is ahead of it: nothing that is said now would fit.
    lost: bool,
    /// A claim was proposed in this life: whatever was reported before this life stands before it.
    pub(super) claimed: bool,
    /// Whether it is known what was reported before.
    stage: Stage,
    /// Sweeps since somebody looked which log it is.
    sweeps: u32,
}

/// How far a tenure has come with what was reported before it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Where the audit's own partition ends is to be asked.
    #[default]
    New,
    /// Its rows do not show everything yet that stood there then. Every earlier owner's last word does.
    After(Position),
    /// Everything is known.
    Begun,
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
        self.sealing.grown.add(tree.tenant);
        if stirs(record) {
            self.sealing.events += 1;
            if self.sealing.since.is_none() {
                self.sealing.since = Some(record.header.at);
                self.show_unsealed();
            }
        }
        Ok(())
    }

    /// A tenure begins, and everything applied is committed: what is reported counts from here.
    pub(super) async fn begin_sealing(&mut self) -> Result<(), StoreError> {
        let Sealing { claimed, reporting, .. } = self.sealing;
        self.sealing = Sealing { claimed, reporting, ..Sealing::default() };
        self.learn_reported().await?;
        Ok(())
    }

    /// Learns what was reported before, once the audit's own partition shows everything that stood there when this tenure began.
    /// Nothing is reported earlier: it would count beside what an owner said whose journal is gone. Says whether it is known.
    async fn learn_reported(&mut self) -> Result<bool, StoreError> {
        let home = self.home();
        let end = match self.sealing.stage {
            Stage::Begun => return Ok(true),
            Stage::After(end) => end,
            Stage::New => match self.hands.journal.fresh_end(home).await {
                Ok(end) => end,
                Err(error) => {
                    tracing::debug!(partition = self.number, %error, "the audit's partition is asked again");
                    return Ok(false);
                }
            },
        };
        self.sealing.stage = Stage::After(end);
        let shown = end.0.checked_sub(1).map(Position);
        if self.store.applied(home).await? < shown {
            return Ok(false);
        }
        self.sealing.stage = Stage::Begun;
        self.take_over_reports().await?;
        // What waits is said first, and reported in the next sweep.
        Ok(false)
    }

    /// What the last owner left, or another log begins with: trees that grew beyond what counted in the present one.
    async fn take_over_reports(&mut self) -> Result<(), StoreError> {
        let (era, reported) = self.said().await?;
        let whole = reported.and_then(|row| row.whole);
        let beyond = |at: Option<Position>| at.is_some_and(|at| whole.is_none_or(|whole| at > whole));
        // What is on its way counts, also in another log, if it is not of a journal that is gone.
        let sealing = &mut self.sealing;
        let own = sealing.last.filter(|_| !sealing.lost);
        (sealing.last, sealing.era) = (reported.map(|row| (row.through, row.part)).max(own), era);
        let store = Arc::clone(&self.store);
        let mut after = None;
        loop {
            let page = stored::trees(store.as_ref(), self.number, after, PAGE).await?;
            after = page.last().map(|(tenant, _)| *tenant);
            for (tenant, row) in page.into_iter().filter(|(_, row)| beyond(row.last)) {
                self.sealing.grown.add(tenant);
                self.sealing.events = self.sealing.events.saturating_add(u32::from(beyond(row.stirred)));
            }
            if after.is_none() {
                break;
            }
        }
        let now = self.hands.clock.wall();
        let known = self.hands.registry.unsealed.since(self.number);
        let since = self.sealing.since.into_iter().chain(known).fold(now, Micros::min);
        self.sealing.since = (self.sealing.events > 0).then_some(since);
        self.judge_reported(reported);
        self.show_unsealed();
        // Everything there waits for a log that has just begun: that is no lag.
        if self.sealing.since.is_some() && (whole.is_some() || era == 0) {
            self.look_since_when(whole);
        }
        Ok(())
    }

    /// Which log there is, and what counts in it of this partition. They are rows of another partition, and may be of two
    /// moments: then they are of two logs, and all trees are said again, which changes nothing.
    async fn said(&self) -> Result<(u32, Option<ReportedRow>), StoreError> {
        let wanted = [RowId::Instance(()), RowId::Reported(self.number)];
        let mut found = stored::get_many(self.store.as_ref(), &wanted).await?.into_iter().flatten();
        let (mut era, mut reported) = (0, None);
        for row in &mut found {
            match row {
                Row::Instance(row) => era = row.era,
                Row::Reported(row) => reported = Some(row),
                _ => {}
            }
        }
        Ok((era, reported.filter(|row: &ReportedRow| row.era == era)))
    }

    /// Is the journal behind what was reported of it? An earlier owner never reported what stands beyond the claim that ended
    /// its tenure, so what was reported beyond ours, before we began, stood in a journal that is gone.
    fn judge_reported(&mut self, reported: Option<ReportedRow>) {
        let registry = Arc::clone(&self.hands.registry);
        let (epoch, reached) = (self.epoch(), self.reached);
        // By ourselves nothing was yet; in another log what is on its way may have been.
        let claimed = std::mem::take(&mut self.sealing.claimed);
        let is_lost = |row: &ReportedRow| row.lost || Some(row.through) > reached || (claimed && row.through >= epoch);
        let lost = reported.filter(is_lost);
        self.sealing.lost = lost.is_some();
        registry.unsealed.set_lost(self.number, lost.map(|row| row.through));
        self.hands.health.warn(PART, registry.unsealed.lost());
        let Some(row) = lost else { return };
        let (partition, through) = (self.number, row.through);
        tracing::error!(
            partition,
            through = through.0,
            reached = reached.map(|at| at.0),
            "nothing new of this partition is sealed: its journal ends before what the signed log has of it. Put the whole \
             one back, of all partitions, or, if it is gone, begin another log with what is there: `waybill audit begin \
             --reason TEXT`"
        );
        if !row.lost {
            let facts = HeadsLostV1 { partition, through, found: reached.unwrap_or_default() };
            append::persist(&self.hands, self.to_audit(&facts.into()));
        }
    }

    /// When the oldest event happened that is not reported stands in the journal alone.
    fn look_since_when(&self, whole: Option<Position>) {
        let mut tail = self.hands.journal.tail(self.number, whole.map_or(Position(0), Position::next));
        let notices = Arc::clone(&self.notices);
        crate::runtime::spawn("unsealed", async move {
            // Who does not know it counts from when it looked.
            if let Ok(Ok(entries)) = tokio::time::timeout(PATIENCE, tail.next()).await
                && let Some(oldest) = entries.iter().find(|entry| stirs(&entry.record))
            {
                notices.push(Notice::Unreported(oldest.record.header.at));
            }
        });
    }

    /// The oldest event that waits happened then.
    pub(super) fn waits_since(&mut self, at: Micros) {
        self.sealing.since = self.sealing.since.map(|since| since.min(at));
        self.show_unsealed();
    }

    /// Each second: reports what grew; and looks now and again whether that is to be for another log.
    pub(super) async fn sweep_sealing(&mut self) -> Result<(), StoreError> {
        if !self.learn_reported().await? {
            return Ok(());
        }
        self.sealing.sweeps += 1;
        if self.sealing.sweeps >= LOOK || self.sealing.lost {
            self.sealing.sweeps = 0;
            if self.said().await?.0 != self.sealing.era {
                self.take_over_reports().await?;
            }
        }
        self.report_heads().await
    }

    /// Nothing is reported from here any more: whoever owns the partition now says since when its events wait.
    pub(super) fn end_sealing(&self) {
        let hands = &self.hands;
        hands.registry.unsealed.set(self.number, None);
        hands.registry.unsealed.set_lost(self.number, None);
        hands.health.warn(PART, hands.registry.unsealed.lost());
        if self.home() == self.number {
            audit::end(hands);
        }
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
    async fn report_heads(&mut self) -> Result<(), StoreError> {
        self.show_unsealed();
        let speaks = self.sealing.stage == Stage::Begun && !self.sealing.lost && matches!(self.phase, Phase::Owning(_));
        let Some(through) = self.reached.filter(|_| speaks) else {
            return Ok(());
        };
        let Some(since) = self.sealing.since.filter(|_| !self.sealing.reporting && self.sealing.events > 0) else {
            return Ok(());
        };
        let tenants = self.sealing.grown.first();
        let heads = self.heads(&tenants).await?;
        self.sealing.grown.remove_first(tenants.len());
        let whole = self.sealing.grown.is_empty();
        let part = self.sealing.last.filter(|(at, _)| *at == through).map_or(0, |(_, part)| part.saturating_add(1));
        self.sealing.last = Some((through, part));
        self.sealing.reporting = true;
        if whole {
            (self.sealing.events, self.sealing.since) = (0, None);
        }
        let facts =
            HeadsReportedV1 { partition: self.number, through, part, whole, since, heads, era: self.sealing.era };
        let notices = Arc::clone(&self.notices);
        append::persist_then(&self.hands, self.to_audit(&facts.into()), move || notices.push(Notice::Reported));
        Ok(())
    }

    /// Trees as applied. What is not at hand is read at once: each alone would wait for a way over the network.
    async fn heads(&self, tenants: &[TenantId]) -> Result<Vec<HeadV1>, StoreError> {
        let id = |tenant: &TenantId| RowId::Tree(TreeId { partition: self.number, tenant: *tenant });
        let ids: Vec<RowId> = tenants.iter().map(id).collect();
        let missing: Vec<RowId> = ids.iter().filter(|id| !self.rows.knows(id)).cloned().collect();
        let mut found = Vec::with_capacity(missing.len());
        for some in missing.chunks(MAX_SCAN) {
            found.extend(stored::get_many(self.store.as_ref(), some).await?);
        }
        let mut found = found.into_iter();
        let mut heads = Vec::with_capacity(tenants.len());
        for (tenant, id) in tenants.iter().zip(&ids) {
            let row = if self.rows.knows(id) { self.rows.get(id).cloned() } else { found.next().flatten() };
            if let Some(Row::Tree(row)) = row {
                heads.push(HeadV1 { tenant: *tenant, size: row.range.size(), root: row.range.root() });
            }
        }
        Ok(heads)
    }

    /// The partition in which the audit lives.
    fn home(&self) -> u16 {
        let genesis = self.hands.journal.genesis();
        routing::partition(&Address::audit(genesis.installation), genesis.count)
    }

    /// A fact for the audit's mailbox.
    fn to_audit(&self, event: &Event) -> Persist {
        let hands = &self.hands;
        let audit = Address::audit(hands.journal.genesis().installation);
        let (by, id) = (Principal::Node(hands.node), EventId(hands.entropy.id()));
        let draft = Draft::new(id, audit, event, by, hands.clock.wall());
        Persist { partition: self.home(), draft }
    }

    /// It stands in the audit's mailbox. What did not fit into it, or grew since, is the next one.
    pub(super) async fn reported(&mut self) -> Result<(), StoreError> {
        self.sealing.reporting = false;
        let now = !self.sealing.grown.is_empty() && self.sealing.events >= EVENTS;
        if now { self.report_heads().await } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_ever_behind_those_who_grow_all_the_time() {
        let tenant = |n: u32| TenantId(with_number(n));
        let (mut grown, mut reported) = (Grown::default(), HashSet::new());
        for _ in 0..3 {
            // More than one report has room for, and all of them grow between two reports.
            (0..1_200).for_each(|n| grown.add(tenant(n)));
            let first = grown.first();
            assert_eq!(first.len(), MAX_HEADS);
            grown.remove_first(first.len());
            reported.extend(first);
        }
        assert_eq!(reported.len(), 1_200, "each was in one of three reports");
        assert!(!grown.is_empty());
    }

    fn with_number(n: u32) -> [u8; 16] {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        id
    }
}
