//! A campaign whose sender is a pool: its gate holds wherever its messages are, and it ends when all are settled.

use std::time::Duration;

use waybill::domain::campaign::CampaignState;
use waybill::domain::event::{
    CampaignDeclaredV1, CampaignMovedV1, CampaignStep, Category, Priority, SessionResumedV1, SessionSuspendedV1,
};
use waybill::domain::id::CampaignId;
use waybill::domain::row::{Row, RowId};
use waybill::store::rows;

use super::moving::place;
use super::{SOON, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_of_a_pool_stops_wherever_its_messages_are() {
    let mut scene = Scene::new(&[1, 1, 1], None).await;
    let campaign = scene.campaign().await;
    for person in 0..60 {
        let object = serde_json::json!({
            "to": format!("+49155{person:07}"), "type": "text", "text": { "body": format!("{person}") }
        });
        let line = scene.world.accept_line((scene.tenant, scene.pool), campaign, object).await;
        scene.messages.push(line);
    }
    for session in scene.sessions.clone() {
        let reason = "not yet".to_owned();
        scene.world.tell(session, scene.tenant, SessionSuspendedV1 { session, reason }).await;
        scene.world.applied(session).await;
    }
    scene.step(campaign, CampaignStep::Start).await;
    scene.handed_on().await;
    scene.step(campaign, CampaignStep::Pause).await;
    for session in scene.sessions.clone() {
        scene.world.tell(session, scene.tenant, SessionResumedV1 { session, reason: None }).await;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(scene.provider.taken().len(), 0, "it is paused at every number");
    scene.step(campaign, CampaignStep::Resume).await;
    scene.all_sent().await;
    scene.once_and_in_order();
    let start = std::time::Instant::now();
    while scene.state(campaign).await != CampaignState::Finished {
        assert!(start.elapsed() < SOON, "nothing is left, and it goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_whose_lines_are_on_their_way_is_not_finished() {
    let mut scene = Scene::new(&[1; 6], None).await;
    let cut = scene.through_cut().await;
    let away = scene.away();
    scene.suspend(scene.pool).await;
    let campaign = scene.campaign().await;
    for person in 0..30 {
        let object = serde_json::json!({
            "to": format!("+49155{person:07}"), "type": "text", "text": { "body": format!("{person}") }
        });
        let line = scene.world.accept_line((scene.tenant, scene.pool), campaign, object).await;
        scene.messages.push(line);
    }
    scene.step(campaign, CampaignStep::Start).await;
    cut.cut(away);
    scene.world.tell(scene.pool, scene.tenant, SessionResumedV1 { session: scene.pool, reason: None }).await;
    // Some are sent, and nothing is left but those who cannot arrive.
    let others = scene.handed().await.into_iter().filter(|to| place(*to) != away).count();
    assert!(0 < others && others < scene.messages.len());
    let start = std::time::Instant::now();
    while scene.provider.taken().len() < others {
        assert!(start.elapsed() < SOON, "{} of {others}", scene.provider.taken().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(scene.state(campaign).await, CampaignState::Running, "nothing of it has come where it goes");
    cut.mend();
    scene.all_sent().await;
    let start = std::time::Instant::now();
    while scene.state(campaign).await != CampaignState::Finished {
        assert!(start.elapsed() < SOON, "nothing is left, and it goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.world.stop().await;
}

impl Scene {
    async fn campaign(&self) -> CampaignId {
        let campaign = CampaignId::named(self.tenant, "spring");
        let facts = CampaignDeclaredV1 {
            campaign,
            name: "spring".to_owned(),
            session: self.pool,
            from: "shop".to_owned(),
            template: "sale".to_owned(),
            language: "de".to_owned(),
            category: Category::Utility,
            priority: Priority::Normal,
            expires_at: None,
            start_at: None,
            pool: Some(true),
        };
        self.world.tell(self.tenant, self.tenant, facts).await;
        campaign
    }

    /// Takes a step, and waits until it is effective.
    async fn step(&self, campaign: CampaignId, step: CampaignStep) {
        let facts = CampaignMovedV1 { campaign, step, reason: "asked".to_owned(), follows: None };
        self.world.tell(self.tenant, self.tenant, facts).await;
        self.world.applied(self.tenant).await;
        self.world.until_effective(self.tenant).await;
    }

    async fn state(&self, campaign: CampaignId) -> CampaignState {
        match rows::get(self.world.hands.store.as_ref(), &RowId::Campaign(campaign)).await.unwrap() {
            Some(Row::Campaign(row)) => row.state,
            other => panic!("no campaign but {other:?}"),
        }
    }

    /// Waits until every message stands in a member's mailbox.
    async fn handed_on(&self) {
        let start = std::time::Instant::now();
        for message in &self.messages {
            loop {
                let leg = self.world.leg(*message).await;
                if leg.and_then(|row| row.accepted).is_some_and(|accepted| accepted.leg.is_some()) {
                    break;
                }
                assert!(start.elapsed() < SOON, "{message} is not handed on");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}
