//! Clients of the Cloud API that others wrote, against the drop-in of the real binary: they send, and they understand what
//! is refused. Only their base address and their token say that it is not Meta.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{node, python};
use crate::process::house::{House, Plan, phone_number_id};

const SUITE: &str = "graph-clients";

async fn spoken_to_by(mut command: Command) {
    let house = House::open(Plan::new()).await;
    command
        .env("GRAPH_BASE_URL", format!("http://127.0.0.1:{}", house.port))
        .env("GRAPH_TOKEN", &house.key)
        .env("GRAPH_PHONE_NUMBER_ID", phone_number_id(0))
        .env("GRAPH_RECIPIENT", "4915550000042");
    let running = tokio::task::spawn_blocking(move || command.output());
    let done = tokio::time::timeout(Duration::from_secs(60), running).await.expect("it ends");
    let done = done.expect("the task").unwrap_or_else(|error| panic!("{error}: run `tests/run foreign` first"));
    let (said, wrong) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    println!("{said}");
    assert!(done.status.success(), "{said}{wrong}");
    let cases: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let case =
        |name: &str| cases.iter().find(|case| case["case"] == name).unwrap_or_else(|| panic!("no {name}: {said}"));
    for name in ["text", "template"] {
        assert!(case(name)["message_id"].as_str().is_some_and(|id| id.starts_with("wamid.")), "{said}");
        assert_eq!(case(name)["wa_id"], "4915550000042", "{said}");
    }
    let (sender, recipient) = (case("unknown_sender"), case("invalid_recipient"));
    assert_eq!((&sender["code"], &sender["subcode"]), (&100.into(), &33.into()), "{said}");
    assert_eq!(recipient["code"], 131_009, "{said}");
    let until = Instant::now() + Duration::from_secs(20);
    while house.simulator.stats().callbacks.delivered < 2 {
        assert!(Instant::now() < until, "not delivered: {:?}", house.simulator.stats());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let sent = house.simulator.requests(0, 10);
    let kinds: Vec<&str> = sent.iter().map(|request| &*request.kind).collect();
    assert!(sent.len() == 2 && kinds.contains(&"text") && kinds.contains(&"template"), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the Python library: tests/run foreign"]
async fn a_python_client_of_the_graph_api_sends_through_us() {
    spoken_to_by(python(SUITE, "send.py")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the JavaScript library: tests/run foreign"]
async fn a_javascript_client_of_the_graph_api_sends_through_us() {
    spoken_to_by(node(SUITE, "send.cjs")).await;
}
