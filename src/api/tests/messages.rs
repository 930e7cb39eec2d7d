//! One message: sent, shown, called off, resolved, erased.

use std::time::Duration;

use serde_json::json;

use super::stage::{COUNT, NOW, Stage, TO, text};
use crate::domain::draft::Draft;
use crate::domain::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, ClaimedV1, ClosedV1, Event, OutcomeV1, SessionStartedV1,
};
use crate::domain::id::{EventId, MessageId, NodeId, SessionId, with_partition};
use crate::domain::record::{Position, Principal};
use crate::domain::row::{Row, RowId};
use crate::journal::Journal;
use crate::store::rows;

#[tokio::test]
async fn a_message_is_durable_at_its_202_and_sealed() {
    let stage = Stage::new().await;
    let mut body = text("the secret words");
    body["reference"] = json!("order-7");
    let answer = stage.post("acme/sender", "/v1/messages", &body).await.expect(202);
    assert_eq!(answer["status"], "accepted");
    assert_eq!(answer["durability"], "synced");
    assert_eq!(answer["replayed"], false);
    let id: MessageId = answer["id"].as_str().expect("an id").parse().expect("an id");
    let position: u64 =
        answer["position"].as_str().and_then(|p| p.split_once(':')).expect("a place").1.parse().expect("a number");
    let entry = stage.journal.read(id.partition(), Position(position)).await.expect("durable");
    let header = &entry.record.header;
    assert_eq!((header.subject, header.tenant), (Some(id), Some(stage.tenant("acme"))));
    assert!(matches!(header.by, Principal::Key(_)));
    for personal in ["secret words", "12025550123", "order-7"] {
        let stands = |bytes: &[u8]| bytes.windows(personal.len()).any(|window| window == personal.as_bytes());
        assert!(!stands(&entry.record.raw) && !stands(&entry.record.body), "{personal} in the clear");
    }
    let wait = answer["position"].as_str().expect("a place");
    let shown = stage.get("acme/auditor", &format!("/v1/messages/{id}?wait={wait}&timeout=10s")).await.expect(200);
    assert_eq!((&shown["state"], &shown["to"], &shown["reference"]), (&json!("queued"), &json!(TO), &json!("order-7")));
    assert_eq!(shown["content"]["text"]["body"], "the secret words");
    assert_eq!(
        (&shown["from"], &shown["category"], &shown["priority"]),
        (&json!("shop"), &json!("service"), &json!("normal"))
    );
    assert_eq!(shown["timeline"][0]["what"], "accepted");
    assert_eq!(shown["timeline"][0]["position"], position);
}

#[tokio::test]
async fn a_scheduled_message_says_so_and_can_be_called_off() {
    let stage = Stage::new().await;
    let mut body = text("later");
    body["send_at"] = json!("2026-11-20T09:00:00+01:00");
    body["expires_in"] = json!("1h");
    let id = stage.post("acme/sender", "/v1/messages", &body).await.expect(202)["id"].as_str().expect("id").to_owned();
    let shown = stage.shown(&id).await;
    assert_eq!(shown["state"], "scheduled");
    assert_eq!(shown["send_at"], "2026-11-20T08:00:00Z");
    assert_eq!(shown["expires_at"], "2026-11-20T09:00:00Z", "its time to leave begins then");
    let list = stage.get("acme/auditor", "/v1/messages?state=scheduled").await.expect(200);
    assert_eq!(list["data"][0]["id"], json!(id));
    stage.post("acme/sender", &format!("/v1/messages/{id}/cancel"), &json!({})).await.expect(202);
    assert_eq!(stage.shown(&id).await["state"], "cancelled");
}

#[tokio::test]
async fn right_after_its_202_a_message_is_found_without_asking_to_wait() {
    let stage = Stage::new().await;
    for _ in 0..20 {
        let id = stage.sent().await;
        stage.get("acme/sender", &format!("/v1/messages/{id}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_position_that_is_not_applied_in_time_is_said_so() {
    let mut stage = Stage::new().await;
    stage.caught_up().await;
    stage.applier = None;
    stage.store.hold_commits();
    let answer = stage.post("acme/sender", "/v1/messages", &text("x")).await.expect(202);
    let (id, place) = (answer["id"].as_str().expect("id"), answer["position"].as_str().expect("place"));
    let reply = stage.get("acme/sender", &format!("/v1/messages/{id}?wait={place}&timeout=20ms")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (504, "not_applied"));
}

#[tokio::test]
async fn only_for_ones_own_message_in_its_own_partition_and_for_what_stands_is_waited() {
    let mut stage = Stage::new().await;
    let id = stage.sent().await;
    stage.caught_up().await;
    let partition = id.parse::<MessageId>().expect("an id").partition();
    // From here on nothing is applied, so whoever is let wait waits until the end of the test.
    stage.applier = None;
    stage.store.hold_commits();
    stage.sent().await;
    let end = stage.journal.end(partition).0;
    let ask = async |key: &str, id: &str, partition: u16, position: u64| {
        let path = format!("/v1/messages/{id}?wait={partition}:{position}&timeout=30s");
        tokio::time::timeout(Duration::from_secs(5), stage.get(key, &path)).await.expect("nobody waits").code()
    };
    let nothing = MessageId(with_partition([9; 16], partition)).to_string();
    for (key, id) in [("other/auditor", id.as_str()), ("acme/auditor", nothing.as_str()), ("acme/auditor", "msg_1")] {
        for position in [end - 1, 9_999_999_999] {
            assert_eq!(ask(key, id, partition, position).await, "not_found", "{key} {id} {position}");
        }
    }
    assert_eq!(ask("acme/auditor", &id, (partition + 1) % COUNT, 0).await, "invalid_query", "another partition");
    for position in [end, 9_999_999_999] {
        assert_eq!(ask("acme/auditor", &id, partition, position).await, "invalid_query", "{position} is beyond");
    }
}

#[tokio::test]
async fn what_was_erased_is_gone_and_the_rest_still_stands() {
    let stage = Stage::new().await;
    let id = stage.sent().await;
    let shown = stage.shown(&id).await;
    let contact = shown["contact"].as_str().expect("a contact").parse().expect("a key id");
    stage.vault.erase(contact);
    let erased = stage.shown(&id).await;
    assert_eq!(erased["erased"], true);
    assert_eq!(erased["state"], "queued");
    for gone in ["to", "reference", "content"] {
        assert!(erased.get(gone).is_none(), "{gone}");
    }
}

#[tokio::test]
async fn a_message_that_waits_is_called_off_once_and_for_all() {
    let stage = Stage::new().await;
    let id = stage.sent().await;
    let path = format!("/v1/messages/{id}/cancel");
    let answer = stage.post("acme/sender", &path, &json!({})).await.expect(202);
    assert_eq!(answer["id"], id.as_str());
    let shown = stage.shown(&id).await;
    assert_eq!(shown["state"], "cancelled");
    assert_eq!(shown["timeline"][1]["what"], "cancelled");
    let again = stage.post("acme/sender", &path, &json!({})).await;
    assert_eq!(again.code(), "wrong_state");
}

/// Lets a claim, a session's life and an attempt of the message happen, as an actor would.
async fn attempt(stage: &Stage, id: MessageId) -> (SessionId, u16, Position) {
    let Some(Row::Message(row)) = rows::get(&*stage.store, &RowId::Message(id)).await.expect("readable") else {
        panic!("no row");
    };
    let session = row.accepted.expect("accepted").session;
    let partition = stage.app.partition_of(session);
    let node = NodeId([6; 16]);
    let draft = |address: crate::domain::address::Address, event: Event| {
        let id = EventId(stage.app.entropy.id());
        Draft::new(id, address, &event, Principal::Node(node), NOW).tenant(stage.tenant("acme"))
    };
    let claim =
        draft(crate::domain::address::Address::partition(partition), ClaimedV1 { node, supersedes: None }.into());
    let epoch = stage.happens(partition, claim).await;
    let start = draft(session.into(), SessionStartedV1 { session }.into()).epoch(epoch);
    let incarnation = stage.happens(partition, start).await;
    let attempts = vec![AttemptRef { message: id, attempt: 1 }];
    let intent = AttemptsStartedV1 { session, incarnation, deadline_ms: 30_000, attempts };
    stage.happens(partition, draft(session.into(), intent.into()).epoch(epoch)).await;
    (session, partition, epoch)
}

#[tokio::test]
async fn an_open_attempt_is_not_taken_back_and_an_unknown_one_is_resolved() {
    let stage = Stage::new().await;
    let id = stage.sent().await;
    stage.caught_up().await;
    let message: MessageId = id.parse().expect("an id");
    let (session, partition, epoch) = attempt(&stage, message).await;
    let cancel = format!("/v1/messages/{id}/cancel");
    assert_eq!(stage.post("acme/sender", &cancel, &json!({})).await.code(), "wrong_state");
    let resolve = format!("/v1/messages/{id}/resolve");
    let early = stage.post("acme/admin", &resolve, &json!({"as": "sent"})).await;
    assert_eq!(early.code(), "wrong_state");
    let of = AttemptRef { message, attempt: 1 };
    let outcome = OutcomeV1::Unknown { why: "timeout".to_owned() };
    let closed = AttemptsClosedV1 { session, closed: vec![ClosedV1 { of, outcome, at: NOW }] };
    let node = Principal::Node(NodeId([6; 16]));
    let draft =
        Draft::new(EventId([9; 16]), session, &closed.into(), node, NOW).tenant(stage.tenant("acme")).epoch(epoch);
    stage.happens(partition, draft).await;
    assert_eq!(stage.shown(&id).await["state"], "unknown");
    stage.post("acme/admin", &resolve, &json!({"as": "sent"})).await.expect(202);
    let shown = stage.shown(&id).await;
    assert_eq!(shown["state"], "sent");
    let steps: Vec<&str> =
        shown["timeline"].as_array().expect("steps").iter().filter_map(|s| s["what"].as_str()).collect();
    assert_eq!(steps, ["accepted", "attempt_started", "attempt_ended", "sent"]);
}

#[tokio::test]
async fn a_test_key_sends_nothing_to_the_provider() {
    let stage = Stage::new().await;
    let answer = stage.post("acme/tester", "/v1/messages", &text("x")).await.expect(202);
    let id = answer["id"].as_str().expect("an id");
    assert_eq!(stage.shown(id).await["test"], true);
    let id = stage.sent().await;
    assert_eq!(stage.shown(&id).await["test"], false);
}
