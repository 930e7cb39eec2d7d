//! An intent of which nobody knows whether it landed, among calls that are under way: the session's life is over, and its
//! calls are not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use waybill::channel::{Channel, Scripted};
use waybill::domain::failure::Answer;
use waybill::domain::message::State;
use waybill::journal::Deed;
use waybill::runtime::SystemClock;

use super::world::{World, limits};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_outlive_a_doubtful_intent_and_their_answers_are_recorded() {
    for deed in [Deed::lost(), Deed::durable_but_doubtful(), Deed::twice()] {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session_at(tenant, "orders", "100000000000001", 100_000).await;
        let text = |n: usize| json!({ "to": format!("+49155{n:07}"), "type": "text", "text": { "body": "hello" } });
        let answers: Vec<_> = (0..5).map(|_| channel.then_wait()).collect();
        let mut messages = Vec::new();
        for n in 0..5 {
            messages.push(world.accept_as(tenant, session, text(n)).await);
        }
        let start = std::time::Instant::now();
        while channel.asked().len() < 5 {
            assert!(start.elapsed() < SOON, "only {} are under way", channel.asked().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.until(&messages, SOON, &[State::Sending]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;

        // The acceptance lands, and of its intent nobody knows.
        world.journal.script([Deed::honest(), deed.clone()]);
        messages.push(world.accept_as(tenant, session, text(5)).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
        for (n, answer) in answers.into_iter().enumerate() {
            answer.send(Answer::Sent { provider_id: format!("wamid.{n}") }).expect("somebody waits for it");
        }
        world.until(&messages[..5], SOON, &[State::Sent]).await;
        world.until(&messages[5..], SOON, &[State::Sent, State::Unknown]).await;
        let asked = channel.asked();
        for message in &messages[..5] {
            assert_eq!(asked.iter().filter(|command| command.message == *message).count(), 1, "{deed:?}: sent twice");
        }
        world.stop().await;
    }
}
