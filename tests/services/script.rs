//! Running the scripts beside this file, for every test that needs a server: those inside of the crate and those outside.

use std::process::Command;

/// Runs `words[0]` with the rest as its arguments, in a world of servers of its own. What it printed.
pub fn script(world: &str, words: &[&str]) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/");
    let mut command = Command::new(format!("{path}{}", words[0]));
    command.args(&words[1..]).env("WAYBILL_SERVICES_WORLD", world).env("WAYBILL_SERVICES_FAST", "1");
    // What a single node has acknowledged stands when it is killed.
    command.env("WAYBILL_CASSANDRA_COMMITLOG", "batch");
    let done = command.output().expect("the scripts in tests/services can be run");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "tests/services/{} failed, these tests need it: {said}", words.join(" "));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
