//! Messages that were told to wait for long: they are called off with their campaign, and each wait has an end of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use waybill::channel::scripted::Line;
use waybill::channel::{Channel, Scripted};
use waybill::domain::event::CampaignStep;
use waybill::domain::failure::{Answer, Bucket, FailureClass};
use waybill::domain::id::MessageId;
use waybill::domain::message::State;
use waybill::runtime::{Clock, SystemClock};

use super::campaigns::Scene;
use super::clock_set::{HOUR, Settable};
use super::world::{World, limits};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_wait_for_long_is_called_off_with_its_campaign() {
    let scene = Scene::new(100_000, None, None).await;
    for _ in 0..20 {
        scene.channel.then(Line::Say(Answer::Rejected {
            code: 131_056,
            class: FailureClass::Throttle(Bucket::Pair),
            retry_after_ms: Some(900_000),
            detail: String::new(),
        }));
    }
    let people = scene.load(0..20).await;
    scene.steps(CampaignStep::Start).await;
    let start = std::time::Instant::now();
    for message in &people {
        while scene.world.row(*message).await.is_none_or(|row| !row.parked) {
            assert!(start.elapsed() < SOON, "it does not wait");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    scene.steps(CampaignStep::Cancel).await;
    scene.world.until(&people, SOON, &[State::Cancelled]).await;
    assert_eq!(scene.channel.asked().len(), 20);
    scene.world.stop().await;
}

/// The provider asks for so long a wait.
fn wait(ms: u64) -> Line {
    let class = FailureClass::Throttle(Bucket::Pair);
    Line::Say(Answer::Rejected { code: 131_056, class, retry_after_ms: Some(ms), detail: String::new() })
}

/// Waits until it was tried so often, and waits again.
async fn until_parked(world: &World, message: MessageId, attempts: usize) {
    let start = Instant::now();
    while world.row(message).await.is_none_or(|row| !row.parked || row.attempts.len() < attempts) {
        assert!(start.elapsed() < SOON, "it does not wait: {:?}", world.row(message).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The due index still has the row of the first wait when it is read from its beginning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_again_is_not_released_by_what_is_left_of_the_first_wait() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    [900_000, 36_000_000].into_iter().for_each(|ms| channel.then(wait(ms)));
    let clock = Arc::new(Settable::default());
    let by = Arc::clone(&clock) as Arc<dyn Clock>;
    let mut world = World::by_clock(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None, by).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    let object = json!({ "to": "+4915550000001", "type": "text", "text": { "body": "hello" } });
    let message = world.accept_until(tenant, session, object, SystemClock.wall() + 24 * HOUR).await;
    until_parked(&world, message, 1).await;
    clock.0.fetch_add(HOUR / 4 + 1_000_000, Ordering::SeqCst);
    until_parked(&world, message, 2).await;
    world.restart().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(channel.asked().len(), 2, "it waits for ten hours");
    clock.0.fetch_add(10 * HOUR + 1_000_000, Ordering::SeqCst);
    world.until(&[message], SOON, &[State::Sent]).await;
    world.stop().await;
}
