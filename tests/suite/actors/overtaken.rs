//! A session's earlier life had said that it begins, and died; the journal has that after the word of the present one.

use std::sync::Arc;
use std::time::Duration;

use waybill::channel::{Channel, Scripted};
use waybill::domain::draft::Draft;
use waybill::domain::event::{Event, SessionStartedV1};
use waybill::domain::id::{EventId, MessageId};
use waybill::domain::message::State;
use waybill::domain::record::Principal;
use waybill::domain::routing;
use waybill::domain::row::{Row, RowId};
use waybill::journal::Appended;
use waybill::runtime::{Clock, Entropy, SystemClock, SystemEntropy};
use waybill::store::rows;

use super::world::{PARTITIONS, World, limits};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_of_a_dead_life_that_comes_late_stops_nothing() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    let partition = routing::partition(&session.into(), PARTITIONS);
    let mut all: Vec<MessageId> = Vec::new();
    for round in 0..3 {
        for n in 0..10 {
            all.push(world.accept(tenant, session, &format!("+49155{round:03}{n:04}")).await);
        }
        world.until(&all[all.len() - 10..=all.len() - 10], Duration::from_secs(20), &[State::Sent]).await;
        let found = rows::get(world.hands.store.as_ref(), &RowId::Partition(partition)).await.expect("readable");
        let Some(Row::Partition(row)) = found else { panic!("nobody owns it") };
        let draft = Draft::new(
            EventId(SystemEntropy.id()),
            session,
            &Event::from(SessionStartedV1 { session }),
            Principal::Node(world.hands.node),
            SystemClock.wall(),
        );
        let draft = draft.tenant(tenant).epoch(row.claim.expect("it is owned"));
        let appended = world.append(partition, draft.record().expect("small")).await;
        assert!(matches!(appended, Appended::Durable { .. }), "{appended:?}");
    }
    world.until(&all, Duration::from_secs(20), &[State::Sent]).await;
    assert_eq!(channel.asked().len(), all.len(), "each once");
    let events = world.journal.contents(partition).len();
    assert!(events < all.len() * 20, "{events} events: void intents without end");
    world.stop().await;
}
