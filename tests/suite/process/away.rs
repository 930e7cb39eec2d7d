//! Meta cannot be reached: messages are taken all the same, wait, and leave when it can.

use std::time::Duration;

use super::house::{House, Plan, SESSIONS};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_taken_and_wait_while_meta_cannot_be_reached() {
    let mut house = House::build(Plan::new().set("delivery.max_attempts", 100)).await;
    let meta = house.simulator.base_url();
    house.set("meta.graph_url", "http://127.0.0.1:1");
    house.start().await;
    house.declare().await;
    let mut ids = Vec::new();
    for (n, session) in SESSIONS.iter().enumerate() {
        ids.push(house.accept(session, &format!("+491510000000{n}"), "hello").await);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let late = house.accept(SESSIONS[0], "+4915100000009", "hello").await;
    ids.push(late);
    let ready = house.http.get("/readyz", "").await.expect("an answer");
    assert_eq!(ready.status, 200, "{ready}");
    for id in &ids {
        house.until(id, &["accepted", "queued", "sending"]).await;
    }
    house.stop().await;
    house.set("meta.graph_url", meta);
    house.start().await;
    for id in &ids {
        house.until(id, &["delivered", "read"]).await;
    }
    assert_eq!(house.simulator.stats().accepted, ids.len() as u64, "each once");
}
