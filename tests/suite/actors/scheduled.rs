//! Scheduled messages: they leave when their time has come and not before, each once, whatever dies meanwhile.

use std::sync::Arc;
use std::time::Duration;

use waybill::channel::{Channel, Scripted};
use waybill::domain::event::MessageCancelledV1;
use waybill::domain::id::MessageId;
use waybill::domain::message::State;
use waybill::domain::record::Micros;
use waybill::runtime::{Clock, SystemClock};

use super::deaths::Deaths;
use super::world::{World, limits};

/// More than two pages of the due index in one partition.
const MANY: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_leave_when_their_time_has_come_and_not_before() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    let at = SystemClock.wall() + 3_000_000;
    let mut messages = Vec::new();
    for n in 0..MANY {
        messages.push(world.schedule(tenant, session, &format!("+49155{n:07}"), at).await);
    }
    let called_off = world.schedule(tenant, session, "+4915550000001", at).await;
    world.tell(session, tenant, MessageCancelledV1 { message: called_off, round: None }).await;
    let now = world.accept(tenant, session, "+4915550000002").await;
    world.until(&[now], Duration::from_secs(10), &[State::Sent]).await;
    assert!(SystemClock.wall() < at, "the machine is too slow for this test");
    world.until(&messages, Duration::from_secs(1), &[State::Scheduled]).await;

    world.until(&messages, Duration::from_secs(30), &[State::Sent]).await;
    for message in &messages {
        let row = world.row(*message).await.expect("a row");
        let (released, started) = (row.released.expect("released"), row.attempts[0].started);
        assert!(released.at >= at && started.position > released.position, "{released:?}");
    }
    // Behind what was read: the index has long passed this time.
    let late = world.schedule(tenant, session, "+4915550000003", at - 1_000_000).await;
    world.until(&[late], Duration::from_secs(10), &[State::Sent]).await;
    messages.extend([now, late]);
    asked_once_each(&channel, &messages);
    assert_eq!(world.row(called_off).await.expect("a row").state(), State::Cancelled);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_dies_while_it_releases_loses_and_doubles_none() {
    let (deaths, fault) = Deaths::at(["partition:before_commit"], (2, 20), true);
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), Some(fault)).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    let begin: Micros = SystemClock.wall();
    let mut messages = Vec::new();
    for n in 0..MANY {
        let at = begin + Micros::try_from(n).expect("few") * 5_000;
        messages.push(world.schedule(tenant, session, &format!("+49155{n:07}"), at).await);
    }
    // An attempt that was on its way at a death may be unknown afterwards, as after any death.
    let states = world.until(&messages, Duration::from_secs(60), &[State::Sent, State::Unknown]).await;
    deaths.were_more_than(5);
    assert!(states[&State::Sent] > MANY / 2, "{states:?}");
    let mut asked: Vec<_> = channel.asked().into_iter().map(|command| command.message).collect();
    let all = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), all, "one was sent twice; states {states:?}");
    assert!(asked.len() >= states[&State::Sent], "{states:?}");
    world.stop().await;
}

fn asked_once_each(channel: &Scripted, messages: &[MessageId]) {
    let mut asked: Vec<_> = channel.asked().into_iter().map(|command| command.message).collect();
    let mut wanted = messages.to_vec();
    asked.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(asked, wanted);
}
