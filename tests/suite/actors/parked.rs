//! Messages of a cancelled campaign that wait for a time of their own: they are called off long before it comes.

use std::time::Duration;

use waybill::channel::scripted::Line;
use waybill::domain::event::CampaignStep;
use waybill::domain::failure::{Answer, Bucket, FailureClass};
use waybill::domain::message::State;

use super::campaigns::Scene;

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
