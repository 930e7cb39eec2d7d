//! Idempotency keys: same key and body, same message; another body, a conflict; and every mixture.

use serde_json::{Value, json};

use super::stage::{NOW, Stage, text};
use crate::api::time::stamp;
use crate::journal::Journal;

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn the_matrix_of_keys_bodies_senders_and_tenants() {
    let stage = Stage::new().await;
    let first = stage.send_with("acme/sender", "k-1", &text("a")).await.expect(202);
    stage.caught_up().await;
    let again = stage.send_with("acme/sender", "k-1", &text("a")).await.expect(202);
    assert_eq!((id(&again), &again["position"]), (id(&first), &first["position"]));
    assert_eq!(again["replayed"], true);
    let reordered = json!({"type": "text", "text": {"body": "a"}, "to": "+12025550123", "from": "shop"});
    let reordered = stage.send_with("acme/admin", "k-1", &reordered);
    assert_eq!(
        id(&reordered.await.expect(202)),
        id(&first),
        "order of fields and another key of the tenant do not matter"
    );
    let other_body = stage.send_with("acme/sender", "k-1", &text("b")).await;
    assert_eq!((other_body.status.as_u16(), other_body.code().as_str()), (409, "idempotency_conflict"));
    let mut bulkier = text("a");
    bulkier["priority"] = json!("bulk");
    let other_settings = stage.send_with("acme/sender", "k-1", &bulkier).await;
    assert_eq!(other_settings.code(), "idempotency_conflict", "settings are part of the request");
    let other_key = stage.send_with("acme/sender", "k-2", &text("a")).await.expect(202);
    assert_ne!(id(&other_key), id(&first));
    let other_tenant = stage.send_with("other/sender", "k-1", &text("a")).await.expect(202);
    assert_ne!(id(&other_tenant), id(&first), "a key is its tenant's own");
    let none = [stage.sent().await, stage.sent().await];
    assert_ne!(none[0], none[1], "without a key every request is a message");
}

#[tokio::test]
async fn both_of_two_racing_requests_get_the_same_message_and_it_is_one() {
    let stage = Stage::new().await;
    let body = text("a");
    let (one, two) =
        tokio::join!(stage.send_with("acme/sender", "k", &body), stage.send_with("acme/sender", "k", &body));
    let (one, two) = (one.expect(202), two.expect(202));
    assert_eq!(id(&one), id(&two));
    let listed = {
        stage.caught_up().await;
        stage.get("acme/sender", "/v1/messages").await.expect(200)
    };
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn two_bodies_that_race_under_one_key_are_both_answered_and_one_fails_visibly() {
    let stage = Stage::new().await;
    stage.caught_up().await;
    stage.store.hold_commits();
    let one = stage.send_with("acme/sender", "k", &text("a")).await.expect(202);
    let two = stage.send_with("acme/sender", "k", &text("b")).await.expect(202);
    assert_ne!(id(&one), id(&two));
    stage.store.release_commits();
    assert_eq!(stage.shown(&id(&one)).await["state"], "queued");
    let loser = stage.shown(&id(&two)).await;
    assert_eq!((&loser["state"], &loser["failure"]["class"]), (&json!("failed"), &json!("idempotency_conflict")));
    let retry = stage.send_with("acme/sender", "k", &text("b")).await;
    assert_eq!(retry.code(), "idempotency_conflict", "the loser's retry is told");
}

#[tokio::test]
async fn a_replay_is_answered_after_its_expiry_and_costs_no_event() {
    let stage = Stage::new().await;
    let mut body = text("a");
    body["expires_at"] = stamp(NOW + 3_600_000_000);
    let first = stage.send_with("acme/sender", "k", &body).await;
    let first = first.expect(202);
    stage.caught_up().await;
    stage.clock.advance(std::time::Duration::from_secs(400 * 24 * 3_600));
    let ends = || (0..super::stage::COUNT).map(|p| stage.journal.end(p).0).sum::<u64>();
    let before = ends();
    let again = stage.send_with("acme/sender", "k", &body).await.expect(202);
    assert_eq!(id(&again), id(&first));
    assert_eq!(ends(), before);
}
