//! A database that is away: no partition dies of it, what is accepted waits, and everything goes on when it is back.

use std::sync::Arc;
use std::time::Duration;

use waybill::actors::hands::Limits;
use waybill::channel::{Channel, Scripted};
use waybill::domain::id::MessageId;
use waybill::domain::message::State;
use waybill::runtime::SystemClock;
use waybill::store::{MemoryStore, Store};

use super::world::{World, limits};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_partition_dies_of_a_store_that_is_away() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    // The first death would already be one too many.
    let limits = Limits { restart_budget: 0, ..limits() };
    let mut world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits, None).await;
    let store = Arc::new(MemoryStore::far());
    world.hands.store = Arc::clone(&store) as Arc<dyn Store>;
    world.restart().await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    let mut all: Vec<MessageId> = Vec::new();
    for (away, people) in [(false, 0..20), (true, 20..40), (true, 40..60)] {
        store.be_away(away);
        for n in people {
            all.push(world.accept(tenant, session, &format!("+49155{n:07}")).await);
        }
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(world.hands.health.reasons(), [], "a partition died");
    }
    assert!(channel.asked().len() < all.len(), "what is not read is not sent");
    store.be_away(false);
    let states = world.until(&all, Duration::from_secs(20), &[State::Sent]).await;
    assert_eq!(states[&State::Sent], all.len());
    assert_eq!(channel.asked().len(), all.len(), "each once");
    assert_eq!(world.hands.health.reasons(), [], "a partition died");
    world.stop().await;
}
