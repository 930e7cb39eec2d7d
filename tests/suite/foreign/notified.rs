//! Notifications of the real binary, verified by the reference libraries of Standard Webhooks.

use std::collections::HashSet;
use std::process::Command;

use super::sink::Sink;
use super::{node, python};
use crate::process::house::{House, Plan, SIGNING};

const SUITE: &str = "standardwebhooks";
const MESSAGES: usize = 20;

async fn received_by(command: Command) {
    let mut house = House::build(Plan::new()).await;
    let mut sink = Sink::start(command, SIGNING);
    let url = sink.url("/hook");
    house.set("webhooks.allowed_ports", vec![i64::from(url.port().expect("a port"))]);
    house.start().await;
    house.declare_to(url.as_str(), SIGNING).await;
    for n in 0..MESSAGES {
        house.accept("s2", &format!("+49155500000{n:02}"), "Grüße, 你好 👩‍👩‍👧").await;
    }
    // Sent and delivered of each; a line for each notification, so nothing is waited for that does not come.
    let mut ids = HashSet::new();
    for _ in 0..MESSAGES * 2 {
        let (line, back) = tokio::task::spawn_blocking(move || (sink.line(), sink)).await.expect("the task");
        sink = back;
        assert_eq!(line["ok"], true, "{line}");
        ids.insert(line["id"].to_string());
    }
    assert_eq!(ids.len(), MESSAGES * 2, "every notification has an id of its own");
    let stats = sink.stats().await;
    assert_eq!(stats["bad"], 0, "{stats}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the Python library: tests/run foreign"]
async fn the_python_library_verifies_our_notifications() {
    received_by(python(SUITE, "sink.py")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the JavaScript library: tests/run foreign"]
async fn the_javascript_library_verifies_our_notifications() {
    received_by(node(SUITE, "sink.cjs")).await;
}
