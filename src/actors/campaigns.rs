//! A tenant's campaigns, looked after: one whose time has come is started, one with nothing left is finished.
//!
//! Both are steps that anybody could take, with ids derived from the campaign, judged when they are read back: so a death,
//! or two who take them at once, change nothing. What a campaign has left stands in its sender's partition, as far as that
//! is applied; it takes no lines while it runs, so what was nothing for some seconds stays nothing.

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
use crate::domain::record::Principal;
use crate::domain::row::{CampaignsRow, LiveCampaign};
use crate::store::{StoreError, gates};

/// How often it looks: a row for each campaign that runs.
const EVERY: Duration = Duration::from_secs(1);

/// So long nothing must be left, and nothing come, before a campaign is finished: lines that were on their way when it was
/// started have landed by then.
const QUIET: Duration = Duration::from_secs(3);

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
    /// Campaigns with nothing left: how many messages they had, and since when.
    quiet: HashMap<CampaignId, (u64, Duration)>,
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
    fn is_quiet(&mut self, campaign: CampaignId, (all, left): (u64, u64), now: Duration) -> bool {
        if left > 0 || all == 0 {
            self.quiet.remove(&campaign);
            return false;
        }
        let known = self.quiet.entry(campaign).or_insert((all, now));
        if known.0 != all {
            *known = (all, now);
        }
        now - known.1 >= QUIET
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
        looked.quiet.retain(|campaign, _| row.live.iter().any(|live| live.campaign == *campaign));
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
    let (now, count) = (hands.clock.steady(), hands.journal.genesis().count);
    for live in live {
        let found = gates::progress(hands.store.as_ref(), count, &live.gate, live.campaign).await?;
        let Some(progress) = found else { continue };
        let counts = (progress.all(), progress.left());
        match live.state {
            CampaignState::Draft if counts.0 > 0 => {
                step(hands, whose, live.campaign, CampaignStep::Start, "its time has come");
            }
            CampaignState::Running if looked.lock().is_quiet(live.campaign, counts, now) => {
                step(hands, whose, live.campaign, CampaignStep::Finish, "nothing is left");
            }
            _ => {}
        }
    }
    Ok(())
}

fn step(hands: &Hands, (tenant, home): (TenantId, u16), campaign: CampaignId, step: CampaignStep, why: &str) {
    hands.trip("campaign:step");
    let name = if step == CampaignStep::Start { "waybill campaign start" } else { "waybill campaign finish" };
    let id = EventId(derive(name, &[&campaign.0]));
    let facts = CampaignMovedV1 { campaign, step, reason: why.to_owned() };
    let draft = Draft::new(id, tenant, &Event::from(facts), Principal::Node(hands.node), hands.clock.wall());
    append::persist(hands, Persist { partition: home, draft: draft.tenant(tenant) });
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CampaignId = CampaignId([1; 16]);

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
        let at = |n: u32| EVERY * n;
        assert!(!looked.is_quiet(ONE, (0, 0), at(0)), "nothing was loaded");
        assert!(!looked.is_quiet(ONE, (5, 0), at(1)));
        assert!(!looked.is_quiet(ONE, (5, 0), at(3)));
        assert!(!looked.is_quiet(ONE, (6, 0), at(4)), "one more landed");
        assert!(!looked.is_quiet(ONE, (6, 1), at(6)), "and one is left");
        assert!(!looked.is_quiet(ONE, (6, 0), at(7)));
        assert!(looked.is_quiet(ONE, (6, 0), at(7) + QUIET));
    }
}
