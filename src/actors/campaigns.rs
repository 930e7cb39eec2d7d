//! A tenant's campaigns, looked after: one whose time has come is started, if somebody was loaded by then; one with nothing
//! left is finished. One that was empty at its time waits for somebody to start it: whoever loads it later may not mean to.
//!
//! Both are steps that anybody could take, with ids derived from the campaign, judged when they are read back: so a death,
//! or two who take them at once, change nothing. What a campaign has left stands in its sender's partition: what is not
//! applied there may be a line of it, so that is waited for. It takes no lines while it runs, so what was nothing for some
//! seconds stays nothing until it is paused; the end is void after any other step than the one it was judged by.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::append::{self, Persist};
use super::hands::Hands;
use crate::domain::campaign::CampaignState;
use crate::domain::draft::Draft;
use crate::domain::event::{CampaignMovedV1, CampaignStep, Event};
use crate::domain::id::{CampaignId, EventId, TenantId, derive};
use crate::domain::record::{Position, Principal};
use crate::domain::row::{CampaignsRow, LiveCampaign};
use crate::store::{StoreError, applied, gates, rows};

/// How often it looks: a row for each campaign that runs.
const EVERY: Duration = Duration::from_secs(1);

/// So long nothing must be left, and nothing come, before a campaign is finished: lines that were on their way when it was
/// started have landed by then.
const QUIET: Duration = Duration::from_secs(3);

/// How long one look waits in all for partitions that are behind. Nothing is finished by what they have not applied.
const PATIENCE: Duration = Duration::from_secs(1);

/// How soon it looks again whether what was on its way has come, within that.
const POLL: Duration = Duration::from_millis(20);

/// The campaigns of one tenant.
#[derive(Debug, Default)]
pub struct Campaigns {
    row: Box<CampaignsRow>,
    looked: Arc<Mutex<Looked>>,
}

#[derive(Debug, Default)]
struct Looked {
    running: bool,
    /// Not before this, steady time.
    next: Duration,
    /// Campaigns with nothing left.
    quiet: HashMap<CampaignId, Quiet>,
}

/// Nothing is left of a campaign.
#[derive(Debug, PartialEq, Eq)]
struct Quiet {
    /// After which step.
    moved: Option<Position>,
    /// How many messages it had.
    all: u64,
    /// Steady time.
    since: Duration,
}

impl Looked {
    fn begins(&mut self, now: Duration) -> bool {
        let begins = !self.running && self.next <= now;
        if begins {
            (self.running, self.next) = (true, now + EVERY);
        }
        begins
    }

    /// Whether nothing was left, and nothing came, for long enough.
    fn is_quiet(&mut self, live: &LiveCampaign, (all, left): (u64, u64), now: Duration) -> bool {
        if left > 0 || all == 0 {
            self.quiet.remove(&live.campaign);
            return false;
        }
        let begins = || Quiet { moved: live.moved, all, since: now };
        let known = self.quiet.entry(live.campaign).or_insert_with(begins);
        if (known.moved, known.all) != (live.moved, all) {
            *known = begins();
        }
        now.saturating_sub(known.since) >= QUIET
    }
}

/// Ends a look, also one that dies.
struct Under(Arc<Mutex<Looked>>);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.lock().running = false;
    }
}

impl Campaigns {
    /// Those that are not over, as the row says.
    #[must_use]
    pub fn of(row: Box<CampaignsRow>) -> Self {
        Self { row, looked: Arc::default() }
    }

    /// The row changed.
    pub fn follow(&mut self, row: Box<CampaignsRow>) {
        let mut looked = self.looked.lock();
        let runs = |live: &LiveCampaign| live.state == CampaignState::Running;
        looked.quiet.retain(|campaign, _| row.live.iter().any(|live| live.campaign == *campaign && runs(live)));
        self.row = row;
    }

    /// Looks at those that may have to move, at most once a second. `home` is the tenant's partition.
    pub fn look(&self, hands: &Hands, tenant: TenantId, home: u16) {
        let wall = hands.clock.wall();
        let may_move = |live: &&LiveCampaign| match live.state {
            CampaignState::Draft => live.start_at.is_some_and(|at| at <= wall),
            state => state == CampaignState::Running,
        };
        let live: Vec<LiveCampaign> = self.row.live.iter().filter(may_move).cloned().collect();
        if live.is_empty() || !self.looked.lock().begins(hands.clock.steady()) {
            return;
        }
        let (hands, under) = (hands.clone(), Under(Arc::clone(&self.looked)));
        crate::runtime::spawn("campaigns", async move {
            if let Err(error) = look(&hands, (tenant, home), live, &under.0).await {
                tracing::warn!(%tenant, %error, "rows of campaigns cannot be read; the sweep looks again");
            }
        });
    }
}

async fn look(
    hands: &Hands,
    whose: (TenantId, u16),
    live: Vec<LiveCampaign>,
    looked: &Mutex<Looked>,
) -> Result<(), StoreError> {
    let (until, count) = (hands.clock.steady() + PATIENCE, hands.journal.genesis().count);
    for live in live {
        let found = gates::progress(hands.store.as_ref(), count, &live.gate, live.campaign).await?;
        let Some(progress) = found else { continue };
        match live.state {
            CampaignState::Draft if live.start_at.is_some_and(|at| progress.was_loaded(at)) => {
                step(hands, whose, &live, CampaignStep::Start)
            }
            CampaignState::Running => {
                let left = if progress.left() > 0 { None } else { nothing_left(hands, &live, until).await? };
                if looked.lock().is_quiet(&live, (left.unwrap_or(0), 0), hands.clock.steady()) {
                    step(hands, whose, &live, CampaignStep::Finish);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many messages a campaign has of which nothing is left, once the partitions in which they stand have applied what their
/// journals hold now, and what was between two of them has come: on its way it is counted in neither.
async fn nothing_left(hands: &Hands, live: &LiveCampaign, until: Duration) -> Result<Option<u64>, StoreError> {
    let count = hands.journal.genesis().count;
    let partitions = live.gate.partitions(count);
    if !all_applied(hands, &partitions, until).await? {
        return Ok(None);
    }
    if partitions.len() > 1
        && !(all_come(hands, &partitions, until).await? && all_applied(hands, &partitions, until).await?)
    {
        return Ok(None);
    }
    let found = gates::progress(hands.store.as_ref(), count, &live.gate, live.campaign).await?;
    Ok(found.filter(|progress| progress.left() == 0).map(|progress| progress.all()))
}

async fn all_applied(hands: &Hands, partitions: &[u16], until: Duration) -> Result<bool, StoreError> {
    for &partition in partitions {
        // Lines may have been appended by other nodes.
        let Ok(end) = hands.journal.fresh_end(partition).await else {
            return Ok(false);
        };
        let patience = until.saturating_sub(hands.clock.steady());
        if !applied::caught_up(hands.store.as_ref(), partition, end, patience).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether everything that left one of these partitions, as far as it is applied now, has come where it goes.
async fn all_come(hands: &Hands, partitions: &[u16], until: Duration) -> Result<bool, StoreError> {
    let store = hands.store.as_ref();
    for &partition in partitions {
        let end = store.applied(partition).await?.map_or(Position(0), Position::next);
        while !rows::have_come(store, partition, None, end).await? {
            if hands.clock.steady() >= until {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(true)
}

fn step(hands: &Hands, (tenant, home): (TenantId, u16), live: &LiveCampaign, step: CampaignStep) {
    hands.trip("campaign:step");
    let campaign = live.campaign;
    let (id, why) = match live.moved {
        None => (derive("waybill campaign start", &[&campaign.0]), "its time has come"),
        Some(Position(moved)) => {
            (derive("waybill campaign finish", &[&campaign.0, &moved.to_be_bytes()]), "nothing is left")
        }
    };
    let facts = CampaignMovedV1 { campaign, step, reason: why.to_owned(), follows: live.moved };
    let (by, now) = (Principal::Node(hands.node), hands.clock.wall());
    let draft = Draft::new(EventId(id), tenant, &Event::from(facts), by, now);
    append::persist(hands, Persist { partition: home, draft: draft.tenant(tenant) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gate::Gate;
    use crate::domain::id::SessionId;

    fn running(moved: u64) -> LiveCampaign {
        let campaign = CampaignId([1; 16]);
        LiveCampaign {
            campaign,
            gate: Gate::Campaign { tenant: TenantId([3; 16]), campaign, session: SessionId([2; 16]), pool: None },
            state: CampaignState::Running,
            start_at: None,
            since: 0,
            moved: Some(Position(moved)),
        }
    }

    #[test]
    fn one_look_a_second_and_one_at_a_time() {
        let mut looked = Looked::default();
        assert!(looked.begins(EVERY) && !looked.begins(EVERY * 3), "one is under way");
        looked.running = false;
        assert!(!looked.begins(EVERY + EVERY / 2) && looked.begins(EVERY * 2));
    }

    #[test]
    fn a_campaign_is_done_when_nothing_was_left_for_a_while() {
        let mut looked = Looked::default();
        let (one, at) = (&running(1), |n: u32| EVERY * n);
        assert!(!looked.is_quiet(one, (0, 0), at(0)), "nothing was loaded");
        assert!(!looked.is_quiet(one, (5, 0), at(1)));
        assert!(!looked.is_quiet(one, (5, 0), at(3)));
        assert!(!looked.is_quiet(one, (6, 0), at(4)), "one more landed");
        assert!(!looked.is_quiet(one, (6, 1), at(6)), "and one is left");
        assert!(!looked.is_quiet(one, (6, 0), at(7)));
        assert!(looked.is_quiet(one, (6, 0), at(7) + QUIET));
        assert!(!looked.is_quiet(&running(2), (6, 0), at(8) + QUIET), "paused and resumed meanwhile");
    }

    #[test]
    fn what_does_not_run_is_not_quiet() {
        let mut campaigns = Campaigns::default();
        campaigns.looked.lock().is_quiet(&running(1), (5, 0), EVERY);
        let paused = LiveCampaign { state: CampaignState::Paused, ..running(2) };
        campaigns.follow(Box::new(CampaignsRow { live: vec![paused] }));
        assert!(campaigns.looked.lock().quiet.is_empty());
    }
}
