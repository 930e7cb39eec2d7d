//! What a campaign does by itself: it ends by nothing that its sender's partition has not applied, and starts at its time
//! or not at all.

use std::sync::Arc;
use std::time::Duration;

use waybill::actors::campaigns::Campaigns;
use waybill::actors::hands::Hands;
use waybill::channel::{Channel, Scripted};
use waybill::domain::campaign::CampaignState;
use waybill::domain::event::{CampaignMovedV1, CampaignStep, Event};
use waybill::domain::gate::Gate;
use waybill::domain::id::{CampaignId, SessionId, TenantId};
use waybill::domain::record::{Micros, Position};
use waybill::domain::routing;
use waybill::domain::row::{CampaignsRow, LiveCampaign, ProgressRow, Row, RowId};
use waybill::journal::Journal;
use waybill::runtime::{ManualClock, SystemClock};
use waybill::store::{Commit, rows};

use super::world::{PARTITIONS, World, limits};

/// A house whose actors are gone: rows are written, and looked at, by hand.
struct Scene {
    world: World,
    hands: Hands,
    clock: Arc<ManualClock>,
    tenant: TenantId,
    session: SessionId,
    campaign: CampaignId,
}

impl Scene {
    async fn new() -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let world = World::new(channel as Arc<dyn Channel>, limits(), None).await;
        let tenant = world.tenant("acme", 100_000).await;
        let apart = |name: &&str| routing::partition(&SessionId::named(tenant, name).into(), PARTITIONS);
        let home = routing::partition(&tenant.into(), PARTITIONS);
        let name = ["a", "b", "c", "d", "e", "f", "g"].into_iter().find(|name| apart(name) != home).expect("one");
        let session = world.session(tenant, name).await;
        world.root.stop_and_wait(None, None).await.expect("root stops");
        let clock = Arc::new(ManualClock::default());
        let hands = Hands { clock: Arc::clone(&clock) as Arc<_>, ..world.hands.clone() };
        Self { world, hands, clock, tenant, session, campaign: CampaignId::named(tenant, "sale") }
    }

    fn homes(&self) -> [u16; 2] {
        [self.tenant.into(), self.session.into()].map(|address| routing::partition(&address, PARTITIONS))
    }

    /// What the sender's partition says of the campaign, as far as this.
    async fn says(&self, progress: ProgressRow, through: Position) {
        let row = Row::Progress(Box::new(progress));
        let puts = vec![rows::put(&RowId::Progress(self.campaign), &row, through).expect("small")];
        let commit = Commit { partition: self.homes()[1], through, puts, drops: Vec::new() };
        self.hands.store.commit(commit).await.expect("written");
    }

    fn live(&self, state: CampaignState, start_at: Option<Micros>) -> Campaigns {
        let moved = (state == CampaignState::Running).then_some(Position(7));
        let campaign = self.campaign;
        let gate = Gate::Campaign { tenant: self.tenant, campaign, session: self.session };
        let live = LiveCampaign { campaign, gate, state, start_at, since: 0, moved };
        Campaigns::of(Box::new(CampaignsRow { live: vec![live] }))
    }

    /// Looks once a second for a while; the steps taken.
    async fn looks(&self, campaigns: &Campaigns) -> Vec<CampaignMovedV1> {
        let home = self.homes()[0];
        let before = self.world.journal.end(home);
        for _ in 0..5 {
            self.clock.advance(Duration::from_secs(1));
            campaigns.look(&self.hands, self.tenant, home);
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        let (mut tail, mut steps) = (self.world.journal.tail(home, before), Vec::new());
        while tail.position() < self.world.journal.end(home) {
            for entry in tail.next().await.expect("readable") {
                if let Ok(Event::CampaignMoved(facts)) = entry.record.event() {
                    steps.push(facts);
                }
            }
        }
        steps
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_is_not_finished_while_lines_of_it_are_not_applied() {
    let scene = Scene::new().await;
    let campaigns = scene.live(CampaignState::Running, None);
    let mut sent = ProgressRow::default();
    sent.counts[2] = 5;
    // Acknowledged, and in no row yet.
    let object = serde_json::json!({ "to": "+4915500000001", "type": "text", "text": { "body": "sale" } });
    scene.world.accept_line((scene.tenant, scene.session), scene.campaign, object).await;
    let end = scene.world.journal.end(scene.homes()[1]);
    scene.says(sent.clone(), Position(end.0 - 2)).await;
    assert_eq!(scene.looks(&campaigns).await, [], "one line is not applied");
    scene.says(sent, Position(end.0 - 1)).await;
    let steps = scene.looks(&campaigns).await;
    assert!(!steps.is_empty(), "nothing is left");
    assert!(steps.iter().all(|step| (step.step, step.follows) == (CampaignStep::Finish, Some(Position(7)))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_that_was_empty_at_its_time_does_not_start_by_itself() {
    const TIME: Micros = 1_000_000;
    let scene = Scene::new().await;
    let campaigns = scene.live(CampaignState::Draft, Some(TIME));
    let mut loaded = ProgressRow::default();
    (loaded.counts[0], loaded.first_accepted) = (1, Some(TIME + 1));
    let end = scene.world.journal.end(scene.homes()[1]);
    scene.says(loaded.clone(), Position(end.0 - 1)).await;
    assert_eq!(scene.looks(&campaigns).await, [], "its first line came too late");
    loaded.first_accepted = Some(TIME);
    scene.says(loaded, Position(end.0 - 1)).await;
    let steps = scene.looks(&campaigns).await;
    assert!(steps.first().is_some_and(|step| step.step == CampaignStep::Start), "{steps:?}");
}
