//! SIGTERM under load: everything under way comes to its end, nothing is lost and nothing is left unknown.

use std::time::{Duration, Instant};

use waybill_loadtest::graph::Faults;

use super::accounts::{Accounts, PATIENCE};
use super::house::{House, Plan};
use super::kill9::RATE;
use super::load::Load;

/// Stops in a row, each under load.
const STOPS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing_and_leaves_nothing_unknown() {
    let mut plan = Plan::new();
    plan.simulator.faults = Faults { latency_ms: 30, latency_jitter_ms: 40, ..Faults::default() };
    let mut house = House::open(plan).await;
    let load = Load::start(&house, "g", RATE);
    let mut took = Vec::new();
    for stop in 0..STOPS {
        until_arrived(&house, 500 * (stop as u64 + 1)).await;
        let began = Instant::now();
        house.stop().await;
        took.push(began.elapsed());
        house.start().await;
    }
    let acks = load.stop().await;
    let accounts = Accounts::settle(&house, &acks, PATIENCE).await;
    println!("stops {STOPS}, each in {took:.1?}, acknowledged {}\n{accounts}", acks.len());
    assert!(accounts.is_clean(), "{accounts}");
    assert_eq!(accounts.unknown, 0, "the counterpart answered everything: {accounts}");
    assert_eq!(accounts.ledger.delivered, accounts.ledger.accepted, "{accounts}");
}

async fn until_arrived(house: &House, count: u64) {
    let until = Instant::now() + Duration::from_secs(30);
    while house.simulator.stats().accepted < count {
        assert!(Instant::now() < until, "{:?}", house.simulator.stats());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
