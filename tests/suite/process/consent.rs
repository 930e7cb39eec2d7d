//! Consent as shipped: who wrote may be answered, at once and by the sender that was written to; who did not gets
//! templates.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;

use super::house::{House, Plan, phone_number_id};

const PERSON: &str = "+4915550000042";

/// Waits until the customer was told that somebody wrote.
async fn told_of_a_message(house: &House) {
    let until = Instant::now() + Duration::from_secs(20);
    while !house.sink.events(0, 1_000).iter().any(|event| event.kind == "message.received") {
        assert!(Instant::now() < until, "nobody was told");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wrote_is_answered_and_strangers_are_not_written_to() {
    let plan = Plan::new().set("consent.require_opt_in", true).set("consent.require_window", true);
    let house = House::open(plan).await;
    let code = async |from: &str| {
        let reply = house.hand_in(from, PERSON, "hello").await.expect("an answer");
        (reply.status, reply.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code("s0").await, (422, "window_closed".to_owned()));
    house
        .simulator
        .inbound(&phone_number_id(0), PERSON.trim_start_matches('+'), "Is my order ready?")
        .expect("a number");
    told_of_a_message(&house).await;
    // The customer's program answers the moment it is told.
    let id = house.accept("s0", PERSON, "It is.").await;
    house.until(&id, &["delivered"]).await;
    assert_eq!(code("s1").await, (422, "window_closed".to_owned()), "another number was not written to");
    let shown = house.http.json(Method::POST, "/v1/contacts/show", &house.key, &json!({"to": PERSON})).await;
    let shown = shown.expect("an answer").json();
    assert_eq!((&shown["windows"][0]["from"], &shown["marketing"]), (&json!("s0"), &json!(null)), "{shown}");
    let sent: Vec<String> = house.simulator.requests(0, 10).into_iter().map(|request| request.kind).collect();
    assert_eq!(sent, ["text"], "what was refused never reached Meta");
}
