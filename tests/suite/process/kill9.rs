//! Killed at random instants under load, again and again: what was accepted is neither lost nor doubled.
//!
//! 50 kills, or 1,000 with `WAYBILL_LONG`. Repeated with another seed by `WAYBILL_SEED`. SIGKILL leaves the page cache, so
//! this says nothing of power loss; the crash tests of the journal and the vault do.

use std::time::Duration;

use waybill_loadtest::graph::Faults;
use waybill_loadtest::ledger::Ack;

use super::accounts::{Accounts, PATIENCE, percentile};
use super::house::{House, Plan};
use super::load::Load;

/// Messages a second.
pub const RATE: f64 = 500.0;

/// What happened in a storm.
#[derive(Debug, Default)]
pub struct Storm {
    pub acks: Vec<Ack>,
    pub restarts: Vec<Duration>,
}

/// The storm's own plan: a counterpart that takes 20 ms to answer, so that every kill meets attempts in flight, and an
/// endpoint that is told how each message ended.
pub fn plan() -> Plan {
    let mut plan = Plan::new();
    plan.simulator.faults = Faults { latency_ms: 15, latency_jitter_ms: 10, ..Faults::default() };
    plan.events = vec!["message.delivered", "message.failed", "message.unknown"];
    plan
}

/// Load, and so many kills at instants drawn from the seed. Ends with a node that runs.
pub async fn storm(house: &mut House, name: &str, kills: u32, seed: &mut u64) -> Storm {
    storm_at(RATE, house, name, kills, seed).await
}

/// The same with so many messages a second.
pub async fn storm_at(rate: f64, house: &mut House, name: &str, kills: u32, seed: &mut u64) -> Storm {
    let load = Load::start(house, name, rate);
    let mut restarts = Vec::new();
    for kill in 1..=kills {
        // The instant itself is what is drawn: 0.2 to 0.9 s after the node took messages again.
        tokio::time::sleep(Duration::from_micros(200_000 + draw(seed) % 700_000)).await;
        house.kill();
        restarts.push(house.start().await);
        if kill.is_multiple_of(100) {
            println!("{kill} kills; the last restart took {:.1?}", restarts[restarts.len() - 1]);
        }
    }
    Storm { acks: load.stop().await, restarts }
}

/// SplitMix64: every seed is a good one.
pub fn draw(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_accepted_is_lost_or_doubled_by_kills() {
    let kills = if std::env::var_os("WAYBILL_LONG").is_some() { 1_000 } else { 50 };
    let seed = std::env::var("WAYBILL_SEED").map_or(20_261_123, |text| text.parse().expect("WAYBILL_SEED is a number"));
    let mut house = House::open(plan()).await;
    let storm = storm(&mut house, "k", kills, &mut seed.clone()).await;
    // A machine that is killed twice a second sends less than it takes: what is left over is sent now.
    let accounts = Accounts::settle(&house, &storm.acks, PATIENCE * kills.div_ceil(50)).await;
    println!("kills {kills}, seed {seed}, {RATE} messages/s, acknowledged {}", storm.acks.len());
    println!("{accounts}");
    let (p50, p99) = (percentile(&storm.restarts, 50), percentile(&storm.restarts, 99));
    println!("           restart until ready: p50 {p50:.1?}, p99 {p99:.1?}");
    println!("           unknown per kill: {:.2}", accounts.unknown as f64 / f64::from(kills));
    assert!(accounts.is_clean(), "{accounts}");
    let least = u64::from(kills) * 150;
    assert!(
        accounts.ledger.accepted > least,
        "too little load to prove anything: {} of {least}",
        accounts.ledger.accepted
    );
    assert_eq!(accounts.ledger.notified, accounts.ledger.accepted, "not every message was told of: {accounts}");
}
