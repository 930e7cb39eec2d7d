//! A portfolio's places when something is late or far away: the order of those who come back, the first attempt after a
//! hold, a campaign that is called off while its people wait.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use waybill::domain::event::{MessageCancelledV1, PortfolioReleasedV1};
use waybill::domain::failure::Bucket;
use waybill::domain::id::MessageId;
use waybill::domain::message::State;
use waybill::runtime::Clock;

use super::budgets::{Business, HOUR, SOON, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_persons_messages_leave_in_their_order_after_a_days_wait() {
    let business = Business::of(Some(1), Vec::new(), None).await;
    let first = business.write_to(0..1).await;
    business.world.until(&first, SOON, &[State::Sent]).await;
    let messages = business.write_to([2; 12].into_iter()).await;
    business.until_waiting(&messages, 12).await;
    business.clock.0.fetch_add(26 * HOUR, Ordering::SeqCst);
    business.world.until(&messages, SOON, &[State::Sent]).await;
    let left: Vec<MessageId> = business.channel.asked().iter().skip(1).map(|command| command.message).collect();
    assert_eq!(left, messages);
    business.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_hold_one_attempt_shows_whether_it_is_over() {
    let script = vec![refused(131_064, Bucket::Portfolio, Duration::from_secs(3_600))];
    let business = Business::of(None, script, None).await;
    let first = business.write_to(0..1).await;
    let start = Instant::now();
    while business.row().await.held.is_none() {
        assert!(start.elapsed() < SOON, "not held");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let messages = [first, business.write_to(1..40).await].concat();
    // The one that was refused waits for the provider's sake.
    business.until_waiting(&messages, 39).await;
    // It is not over: one of forty finds out.
    let probe = business.channel.then_wait();
    business.clock.0.fetch_add(HOUR + 1_000_000, Ordering::SeqCst);
    let start = Instant::now();
    while business.channel.asked().len() < 2 {
        assert!(start.elapsed() < SOON, "nobody goes first");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(business.channel.asked().len(), 2, "the others wait for its answer");
    let waybill::channel::Line::Say(again) = refused(131_064, Bucket::Portfolio, Duration::from_secs(3_600)) else {
        unreachable!("that is what it makes");
    };
    probe.send(again).expect("it waits");
    business.until_waiting(&messages, 39).await;
    assert_eq!(business.channel.asked().len(), 2, "into the wall");

    // Somebody lifts it: it is not probed then. Who was told a time waits for it.
    let lifted = PortfolioReleasedV1 { portfolio: business.portfolio, reason: "mended".to_owned() };
    business.world.tell(business.portfolio, business.tenant, lifted).await;
    business.world.applied(business.portfolio).await;
    assert!(business.row().await.held.is_none());
    let more = business.write_to(50..60).await;
    business.world.until(&more, SOON, &[State::Sent]).await;
    business.clock.0.fetch_add(HOUR + 1_000_000, Ordering::SeqCst);
    business.world.until(&messages, SOON, &[State::Sent]).await;
    business.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_that_nobody_comes_for_are_anybodys() {
    let business = Business::of(Some(10), Vec::new(), None).await;
    let first = business.write_to(0..10).await;
    business.world.until(&first, SOON, &[State::Sent]).await;
    // Those who stand in line for the next ten places are called off, and those behind them wait for a round at most.
    let ghosts = business.write_to(10..20).await;
    business.until_waiting(&ghosts, 10).await;
    let others = business.write_to(20..60).await;
    business.until_waiting(&others, 40).await;
    for (n, message) in ghosts.iter().enumerate() {
        let facts = MessageCancelledV1 { message: *message, round: None };
        business.world.tell(business.sessions[n % 2], business.tenant, facts).await;
    }
    business.world.until(&ghosts, SOON, &[State::Cancelled]).await;
    let now = business.clock.wall();
    for message in &others {
        let told = business.world.row(*message).await.and_then(|row| row.not_before).expect("a time");
        assert!(told <= now + 26 * HOUR, "sent {} hours away", (told - now) / HOUR);
    }
    business.clock.0.fetch_add(26 * HOUR, Ordering::SeqCst);
    let start = Instant::now();
    while business.reached().len() < 20 {
        assert!(start.elapsed() < SOON, "{} were reached, and ten places are free", business.reached().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reached: BTreeSet<String> = business.reached();
    assert_eq!(reached.len(), 20);
    business.world.stop().await;
}
