//! Callbacks: signed, retried, early, given up; and people who write.

use crate::street::{NUMBER, Receiver, Street, config, eventually, text};
use serde_json::json;
use waybill_loadtest::graph::{CallbackConfig, CallbackFaults, Faults, Rule, SimulatorConfig};

#[tokio::test]
async fn callbacks_are_signed_and_retried_until_200() {
    let receiver = Receiver::open("s3cret", 2).await;
    let rules = vec![Rule { suffix: "0013".into(), async_code: Some(131_049), ..Rule::default() }];
    let street = Street::open(SimulatorConfig { callback: receiver.config(), rules, ..config() }).await;
    street.send(&text("+12025550123", "x")).await;
    eventually("three statuses", || receiver.statuses().len() == 3).await;
    let mut statuses = receiver.statuses();
    statuses.sort();
    assert_eq!(statuses, ["delivered", "read", "sent"]);
    eventually("all settled", || street.sim.stats().callbacks.pending == 0).await;
    let stats = street.sim.stats().callbacks;
    assert_eq!((stats.posted, stats.refused, stats.posts, stats.abandoned), (3, 2, 5, 0));
    street.send(&text("+12025550013", "x")).await;
    eventually("a failure", || receiver.statuses().len() == 4).await;
    let last = receiver.seen.lock().expect("lock").last().cloned().expect("body");
    let status = &last["entry"][0]["changes"][0]["value"]["statuses"][0];
    assert_eq!((&status["errors"][0]["code"], &status["biz_opaque_callback_data"]), (&json!(131_049), &json!("wb:1")));
}

#[tokio::test]
async fn a_callback_can_come_before_the_answer() {
    let receiver = Receiver::open("s3cret", 0).await;
    let faults = Faults {
        latency_ms: 200,
        callbacks: CallbackFaults { early: 1.0, ..CallbackFaults::default() },
        ..Faults::default()
    };
    let street = Street::open(SimulatorConfig { callback: receiver.config(), faults, ..config() }).await;
    let message = text("+12025550123", "x");
    let answer = street.send(&message);
    tokio::pin!(answer);
    let early = tokio::select! {
        _ = &mut answer => false,
        () = eventually("sent", || receiver.statuses() == ["sent"]) => true,
    };
    assert!(early, "the callback is there, the answer is not");
    assert_eq!(answer.await.0, 200);
}

#[tokio::test]
async fn callbacks_that_go_nowhere_are_given_up_and_counted() {
    let receiver = Receiver::open("s3cret", usize::MAX).await;
    let callback = CallbackConfig { attempts: 3, delivered: false, ..receiver.config() };
    let street = Street::open(SimulatorConfig { callback, ..config() }).await;
    street.send(&text("+12025550123", "x")).await;
    eventually("given up", || street.sim.stats().callbacks.abandoned == 1).await;
    let stats = street.sim.stats().callbacks;
    assert_eq!((stats.posts, stats.pending, stats.posted), (3, 0, 0));
}

#[tokio::test]
async fn a_person_can_write() {
    let receiver = Receiver::open("s3cret", 0).await;
    let street = Street::open(SimulatorConfig { callback: receiver.config(), ..config() }).await;
    let id = street.sim.inbound(NUMBER, "+12025550123", "héllo").expect("inbound");
    eventually("the message", || !receiver.seen.lock().expect("lock").is_empty()).await;
    let value = receiver.seen.lock().expect("lock")[0]["entry"][0]["changes"][0]["value"].clone();
    assert_eq!((&value["messages"][0]["id"], &value["messages"][0]["text"]["body"]), (&json!(id), &json!("héllo")));
    assert!(street.sim.inbound("999", "1", "x").is_err());
}
