//! The harness sees what it claims to see: with a deliberate defect in the binary, the same storm turns red.
//!
//! The binary with defects is built by `tests/run mutants` (cargo feature `mutants`) and chosen at run time by the variable
//! `WAYBILL_MUTANT`. It is no build that is given to anybody.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::accounts::{Accounts, PATIENCE};
use super::house::House;
use super::kill9::{plan, storm};

/// Kills at most; the first red account ends the search.
const KILLS: u32 = 15;

/// What a defect has lost never settles: it is waited for as long as an intent may live, many times over, and no longer.
const DEFECT_PATIENCE: Duration = Duration::from_secs(15);

/// Kills between two looks at the accounts.
const STRIDE: u32 = 3;

fn binary() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = scratch.parent().expect("the target folder").join("mutants-bin/waybill");
    assert!(path.is_file(), "{} is missing: tests/run mutants builds it", path.display());
    path
}

/// Storms until the accounts are red, as `is_red` says; the accounts then.
async fn caught(mutant: &str, is_red: impl Fn(&Accounts) -> bool) {
    let mut plan = plan();
    plan.binary = binary();
    plan.environment = vec![("WAYBILL_MUTANT".to_owned(), mutant.to_owned())];
    let mut house = House::open(plan).await;
    let mut seed = 1;
    let mut acks = Vec::new();
    for round in 0..KILLS / STRIDE {
        acks.extend(storm(&mut house, &format!("m{round}"), STRIDE, &mut seed).await.acks);
        let accounts = Accounts::settle(&house, &acks, DEFECT_PATIENCE).await;
        println!("{mutant}, {} kills\n{accounts}", (round + 1) * STRIDE);
        if is_red(&accounts) {
            return;
        }
    }
    panic!("{mutant} went unseen by {KILLS} kills: the harness proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a binary with deliberate defects: tests/run mutants"]
async fn acknowledging_before_the_sync_is_seen_as_loss() {
    caught("ack_before_sync", |accounts| accounts.ledger.lost > 0 && accounts.forgotten > 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a binary with deliberate defects: tests/run mutants"]
async fn sending_without_an_intent_is_seen_as_duplicates() {
    caught("no_intent", |accounts| accounts.ledger.duplicated > 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a binary with deliberate defects: tests/run mutants"]
async fn the_same_binary_without_a_defect_is_clean() {
    let mut plan = plan();
    plan.binary = binary();
    let mut house = House::open(plan).await;
    let storm = storm(&mut house, "m", STRIDE, &mut 1).await;
    let accounts = Accounts::settle(&house, &storm.acks, PATIENCE).await;
    assert!(accounts.is_clean(), "{accounts}");
}
