//! The tests with several nodes see what they claim to see: with a deliberate defect they turn red.
//!
//! Built with the feature `mutants`, by `tests/run mutants`; each runs a test of this very program in a process of its own.

use std::process::Command;

/// Runs one test with this defect. True when it passed.
fn passes(test: &str, mutant: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let done = command.args(["--exact", test]).env("WAYBILL_MUTANT", mutant).output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("running 1 test"), "{test} is not there: {said}");
    done.status.success()
}

#[test]
#[ignore = "needs deliberate defects: tests/run mutants"]
fn sending_without_the_claim_is_seen() {
    let test = "actors::takeover::one_that_is_frozen_past_its_claim_sends_nothing_when_it_wakes";
    assert!(passes(test, "none"), "it is red without a defect");
    assert!(!passes(test, "no_claim_check"), "it went unseen: the test proves nothing");
}

#[test]
#[ignore = "needs deliberate defects: tests/run mutants"]
fn forgetting_outcomes_of_the_last_owner_is_seen() {
    let test = "actors::handover::outcomes_of_the_last_owner_come_late_and_count";
    assert!(passes(test, "none"), "it is red without a defect");
    assert!(!passes(test, "old_outcomes_ignored"), "it went unseen: the test proves nothing");
}
