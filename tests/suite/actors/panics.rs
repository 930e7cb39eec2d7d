//! A panic at each place of the loops, again and again: nothing is lost, nothing is sent twice, neighbours go on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use waybill::channel::{Channel, Scripted};
use waybill::domain::message::State;
use waybill::runtime::SystemClock;

use super::deaths::Deaths;
use super::world::{World, limits};

/// Every place that `Hands::trip` names.
pub(super) const PLACES: [&str; 16] = [
    "session:nudged",
    "session:before_step",
    "session:after_step",
    "session:before_propose",
    "session:proposed",
    "session:before_begin",
    "session:begun",
    "session:before_close",
    "session:closed",
    "attempt:before_gate",
    "attempt:before_call",
    "attempt:after_call",
    "tenant:mail",
    "tenant:lend",
    "endpoint:mail",
    "partition:before_commit",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_at_each_place_loses_nothing_and_doubles_nothing() {
    let rounds: u64 = if std::env::var_os("WAYBILL_LONG").is_some() { 1_000 } else { 15 };
    // One place alone, with the log: WAYBILL_PLACE=tenant:mail RUST_LOG=info.
    let only = std::env::var("WAYBILL_PLACE").ok();
    if only.is_some() {
        waybill::telemetry::init_log("info", false, false).expect("a log");
    }
    for place in PLACES.into_iter().filter(|place| only.as_deref().is_none_or(|only| only == *place)) {
        let panics = round(place, rounds).await;
        assert_eq!(panics, rounds, "{place}: the fault was not met as often as it should be");
    }
    println!("{rounds} panics at each of {} places: lost 0, doubled 0", PLACES.len());
}

async fn round(place: &'static str, budget: u64) -> u64 {
    // Every third visit, until the budget is spent: the loop must also get somewhere.
    let (deaths, fault) = Deaths::at([place], (3, budget), true);
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), Some(fault)).await;
    let tenant = world.tenant("acme", 100_000).await;
    let sessions = [world.session(tenant, "orders").await, world.session(tenant, "shipping").await];
    world.endpoint(tenant).await;
    let mut states: HashMap<State, usize> = HashMap::new();
    // A place met once in a while takes many batches: with fewer than one panic in two the test would be no test.
    for _ in 0..2 * budget {
        let mut messages = Vec::new();
        for n in 0..60 {
            messages.push(world.accept(tenant, sessions[n % 2], &format!("+49155{:07}", n % 20)).await);
        }
        let batch = world.until(&messages, Duration::from_secs(60), &[State::Sent, State::Unknown]).await;
        batch.into_iter().for_each(|(state, count)| *states.entry(state).or_default() += count);
        if deaths.count() >= budget {
            break;
        }
    }
    let mut wire: HashMap<_, u32> = HashMap::new();
    for command in channel.asked() {
        *wire.entry(command.message).or_default() += 1;
    }
    for (message, times) in wire {
        assert_eq!(times, 1, "{place}: {message} was sent {times} times; states {states:?}");
    }
    let fired = deaths.count();
    world.stop().await;
    fired
}
