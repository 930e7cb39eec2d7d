//! A long queue in bulk stands before nothing but bulk, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use waybill::channel::{Channel, Scripted};
use waybill::domain::event::{Event, Priority, SessionResumedV1, SessionSuspendedV1};
use waybill::domain::id::{MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::routing;
use waybill::runtime::SystemClock;

use super::world::{PARTITIONS, World, limits};

/// Many rings full.
const BULK: u64 = 600;

async fn accept(
    world: &World,
    at: (TenantId, SessionId),
    priority: Priority,
    people: std::ops::Range<u64>,
) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for n in people {
        let object = json!({"to": format!("+49155{n:07}"), "type": "text", "text": {"body": "hello"}});
        messages.push(world.accept_with(at.0, at.1, (priority, None), object).await);
    }
    messages
}

/// Messages in the order in which their first attempts were proposed.
fn proposed(world: &World, session: SessionId) -> Vec<MessageId> {
    let entries = world.journal.contents(routing::partition(&session.into(), PARTITIONS));
    let attempts = entries.iter().filter_map(|entry| match entry.record.event() {
        Ok(Event::AttemptsStarted(facts)) => Some(facts.attempts),
        _ => None,
    });
    attempts.flatten().filter(|of| of.attempt == 1).map(|of| of.message).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn normal_and_urgent_messages_pass_a_backlog_in_bulk_also_after_a_restart() {
    for restarted in [false, true] {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let mut world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session(tenant, "orders").await;
        let at = (tenant, session);
        world.tell(session, tenant, SessionSuspendedV1 { session, reason: "a queue".to_owned() }).await;
        let mut all = accept(&world, at, Priority::Bulk, 0..BULK).await;
        let normal = accept(&world, at, Priority::Normal, BULK..BULK + 20).await;
        let urgent = accept(&world, at, Priority::Urgent, BULK + 20..BULK + 25).await;
        all.extend(normal.iter().chain(&urgent));
        // What a ring did not take is found once the outbox is written: a window later, in which others may leave.
        world.applied(session).await;
        if restarted {
            world.restart().await;
        }
        world.tell(session, tenant, SessionResumedV1 { session, reason: None }).await;
        let states = world.until(&all, Duration::from_secs(60), &[State::Sent]).await;
        assert_eq!(states[&State::Sent], all.len());
        assert_eq!(channel.asked().len(), all.len(), "each once");
        // The order of the intents is what was decided; a call waits for a thread after that.
        let proposed = proposed(&world, session);
        let place = |message| proposed.iter().position(|other| *other == message).expect("proposed");
        let last = |of: &[MessageId]| of.iter().map(|message| place(*message)).max().expect("some");
        // A ring of each may have been on its way already.
        assert!(last(&urgent) < 60 && last(&normal) < 120, "{restarted}: {} and {}", last(&urgent), last(&normal));
        world.stop().await;
    }
}
