//! Messages queued again: the session takes them up like any other, and each verb is one step.

use std::sync::Arc;
use std::time::Duration;

use waybill::channel::scripted::Line;
use waybill::channel::{Channel, Scripted};
use waybill::domain::campaign::CampaignState;
use waybill::domain::event::{
    CampaignDeclaredV1, CampaignMovedV1, CampaignStep, Category, MessageRequeuedV1, Priority,
};
use waybill::domain::failure::{Answer, FailureClass};
use waybill::domain::id::{CampaignId, MessageId};
use waybill::domain::message::State;
use waybill::domain::record::Micros;
use waybill::domain::row::{Row, RowId};
use waybill::runtime::SystemClock;
use waybill::store::rows;

use super::world::{World, limits};

const MANY: usize = 20;

fn again(message: MessageId) -> MessageRequeuedV1 {
    MessageRequeuedV1 { message, round: 1, expires_at: Micros::MAX, reason: "asked".to_owned(), past_campaign: None }
}

fn refusal() -> Line {
    Line::Say(Answer::Rejected {
        code: 131_026,
        class: FailureClass::Recipient,
        retry_after_ms: None,
        detail: String::new(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_sent_once_more_and_only_once() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    (0..MANY).for_each(|_| channel.then(refusal()));
    let mut messages = Vec::new();
    for n in 0..MANY {
        messages.push(world.accept(tenant, session, &format!("+49155{n:07}")).await);
    }
    world.until(&messages, Duration::from_secs(20), &[State::Failed]).await;
    for message in &messages {
        world.tell(session, tenant, again(*message)).await;
    }
    world.until(&messages, Duration::from_secs(20), &[State::Sent]).await;
    // The same verb again finds nothing to do, and a message that comes later shows that it was read.
    for message in &messages {
        world.tell(session, tenant, again(*message)).await;
    }
    let later = world.accept(tenant, session, "+4915550000009").await;
    world.until(&[later], Duration::from_secs(10), &[State::Sent]).await;
    let asked = channel.asked();
    for message in &messages {
        let row = world.row(*message).await.expect("a row");
        assert_eq!((row.attempts.len(), row.round, row.duplicates), (2, 1, 0));
        assert_eq!(asked.iter().filter(|command| command.message == *message).count(), 2);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_in_a_finished_campaign_is_sent_once_more() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    let campaign = CampaignId::named(tenant, "sale");
    let facts = CampaignDeclaredV1 {
        campaign,
        name: "sale".to_owned(),
        session,
        from: "orders".to_owned(),
        template: "sale".to_owned(),
        language: "de".to_owned(),
        category: Category::Utility,
        priority: Priority::Bulk,
        expires_at: None,
        start_at: None,
    };
    world.tell(tenant, tenant, facts).await;
    (0..MANY).for_each(|_| channel.then(refusal()));
    let mut messages = Vec::new();
    for n in 0..MANY {
        let object = serde_json::json!({ "to": format!("+49155{n:07}"), "type": "text", "text": { "body": "sale" } });
        messages.push(world.accept_line((tenant, session), campaign, object).await);
    }
    let step = CampaignMovedV1 { campaign, step: CampaignStep::Start, reason: "asked".to_owned(), follows: None };
    world.tell(tenant, tenant, step).await;
    world.until(&messages, Duration::from_secs(20), &[State::Failed]).await;
    let home = waybill::domain::routing::partition(&session.into(), super::world::PARTITIONS);
    let over = async || {
        let ids = [RowId::Campaign(campaign), RowId::Gates(home)];
        let found = rows::get_many(world.hands.store.as_ref(), &ids).await.unwrap();
        let [Some(Row::Campaign(row)), Some(Row::Gates(gates))] = &found[..] else { return false };
        row.state == CampaignState::Finished && gates.campaign(campaign).is_some_and(|known| known.over)
    };
    let start = std::time::Instant::now();
    while !over().await {
        assert!(start.elapsed() < Duration::from_secs(30), "it is not finished");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for message in &messages {
        world.tell(session, tenant, again(*message)).await;
    }
    world.until(&messages, Duration::from_secs(20), &[State::Sent]).await;
    assert_eq!(channel.asked().len(), 2 * MANY);
    world.stop().await;
}
