//! Messages queued again: the session takes them up like any other, and each verb is one step.

use std::sync::Arc;
use std::time::Duration;

use waybill::channel::scripted::Line;
use waybill::channel::{Channel, Scripted};
use waybill::domain::event::MessageRequeuedV1;
use waybill::domain::failure::{Answer, FailureClass};
use waybill::domain::id::MessageId;
use waybill::domain::message::State;
use waybill::domain::record::Micros;
use waybill::runtime::SystemClock;

use super::world::{World, limits};

const MANY: usize = 20;

fn again(message: MessageId) -> MessageRequeuedV1 {
    MessageRequeuedV1 { message, round: 1, expires_at: Micros::MAX, reason: "asked".to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_sent_once_more_and_only_once() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    for _ in 0..MANY {
        channel.then(Line::Say(Answer::Rejected {
            code: 131_026,
            class: FailureClass::Recipient,
            retry_after_ms: None,
            detail: String::new(),
        }));
    }
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
