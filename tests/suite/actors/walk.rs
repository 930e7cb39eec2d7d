//! One message, and many, through the actors to the channel and to the customer's endpoint.

use std::sync::Arc;
use std::time::Duration;

use waybill::channel::{Channel, Scripted};
use waybill::domain::message::State;
use waybill::runtime::SystemClock;

use super::world::{World, limits};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_sent_once_each_and_the_customer_is_told() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    world.endpoint(tenant).await;
    let mut messages = Vec::new();
    for n in 0..300 {
        messages.push(world.accept(tenant, session, &format!("+49155{:07}", n % 100)).await);
    }
    world.until(&messages, Duration::from_secs(20), &[State::Sent]).await;
    let mut asked: Vec<_> = channel.asked().into_iter().map(|command| command.message).collect();
    asked.sort_unstable();
    messages.sort_unstable();
    assert_eq!(asked, messages, "each message was sent exactly once");
    let start = std::time::Instant::now();
    while world.endpoint.posts().len() < 300 && start.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.endpoint.posts().len(), 300);
    world.stop().await;
}
