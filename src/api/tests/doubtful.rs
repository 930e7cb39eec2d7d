//! A journal that refuses, doubts, lands late, lands twice: what the caller is told, and what really stands.

use serde_json::json;

use super::stage::{Stage, text};
use crate::domain::event::Event;
use crate::domain::id::MessageId;
use crate::journal::{Deed, Journal, Refusal};

#[tokio::test]
async fn a_full_journal_is_a_503_with_a_time_to_come_back() {
    let stage = Stage::new().await;
    stage.journal.script([Deed::refused(Refusal::Overloaded)]);
    let reply = stage.post("acme/sender", "/v1/messages", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (503, "overloaded"));
    assert_eq!(reply.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_doubtful_acceptance_is_withdrawn_whether_it_landed_or_not() {
    for deed in [Deed::durable_but_doubtful(), Deed::lost(), Deed::held()] {
        let stage = Stage::new().await;
        stage.journal.script([deed.clone()]);
        let reply = stage.send_with("acme/sender", "k", &text("x")).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (503, "withdrawn"), "{deed:?}");
        stage.journal.land();
        stage.caught_up().await;
        let listed = stage.get("acme/sender", "/v1/messages").await.expect(200);
        assert!(alive(&listed).is_empty(), "{deed:?}: {listed}");
        let retry = stage.send_with("acme/sender", "k", &text("x")).await.expect(202);
        stage.caught_up().await;
        let listed = stage.get("acme/sender", "/v1/messages").await.expect(200);
        assert_eq!(alive(&listed), [retry["id"].as_str().expect("an id")], "{deed:?}: the retry counts, once");
    }
}

fn alive(listed: &serde_json::Value) -> Vec<&str> {
    let mut ids: Vec<&str> =
        listed["data"].as_array().expect("a list").iter().filter_map(|m| m["id"].as_str()).collect();
    ids.dedup();
    ids
}

#[tokio::test]
async fn when_the_withdrawal_is_in_doubt_too_the_caller_gets_the_id() {
    let stage = Stage::new().await;
    stage.journal.script([Deed::durable_but_doubtful(), Deed::lost()]);
    let reply = stage.send_with("acme/sender", "k", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (504, "doubtful"));
    let id = reply.json()["id"].as_str().expect("the id").to_owned();
    // It did land, so asking tells; and sending again meets it.
    assert_eq!(stage.shown(&id).await["state"], "queued");
    let again = stage.send_with("acme/sender", "k", &text("x")).await.expect(202);
    assert_eq!((again["id"].as_str(), &again["replayed"]), (Some(id.as_str()), &json!(true)));
}

#[tokio::test]
async fn a_withdrawal_names_its_acceptance_and_its_cause() {
    let stage = Stage::new().await;
    stage.journal.script([Deed::durable_but_doubtful()]);
    assert_eq!(stage.post("acme/sender", "/v1/messages", &text("x")).await.code(), "withdrawn");
    let mut accepted = None;
    let mut withdrawn = None;
    for partition in 0..super::stage::COUNT {
        for entry in stage.journal.contents(partition) {
            match entry.record.event().expect("an event") {
                Event::MessageAccepted(it) => accepted = Some((it.message, it.nonce, entry.record.header.id)),
                Event::MessageWithdrawn(it) => {
                    withdrawn = Some((it.message, it.nonce, entry.record.header.cause.expect("a cause")));
                }
                _ => {}
            }
        }
    }
    assert!(accepted.is_some());
    assert_eq!(accepted, withdrawn);
}

#[tokio::test]
async fn a_failed_journal_takes_nothing_and_says_so() {
    let stage = Stage::new().await;
    stage.journal.fail("the disk is gone");
    let reply = stage.post("acme/sender", "/v1/messages", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (503, "unhealthy"));
    assert!(!reply.json().to_string().contains("disk"), "reasons are the operator's");
}

#[tokio::test]
async fn a_house_without_room_takes_no_message_and_hears_the_rest() {
    let stage = Stage::new().await;
    stage.health.press("memory", Some("9 GiB are in use".to_owned()));
    let reply = stage.post("acme/sender", "/v1/messages", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (503, "overloaded"));
    assert_eq!(reply.headers["retry-after"], "5");
    assert!(reply.json().to_string().contains("memory") && !reply.json().to_string().contains("GiB"));
    let ready = stage.call(super::stage::request(axum::http::Method::GET, "/readyz", None, None)).await;
    assert_eq!(ready.status.as_u16(), 503);
    assert!(stage.health.is_well(), "what is taken already may leave");
    stage.health.press("memory", None);
    stage.sent().await;
}

#[tokio::test]
async fn a_sick_house_names_the_part_and_not_the_reason() {
    let stage = Stage::new().await;
    stage.health.set("vault", Some("fsync of keys.log failed".to_owned()));
    let reply = stage.post("acme/sender", "/v1/messages", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (503, "unhealthy"));
    let said = reply.json().to_string();
    assert!(said.contains("vault") && !said.contains("fsync"), "{said}");
    let ready = stage.call(super::stage::request(axum::http::Method::GET, "/readyz", None, None)).await;
    assert_eq!(ready.status.as_u16(), 503);
    stage.health.set("vault", None);
    stage.sent().await;
}

#[tokio::test]
async fn verbs_are_repeated_until_durable_and_a_copy_changes_nothing() {
    let stage = Stage::new().await;
    let id = stage.sent().await;
    stage.caught_up().await;
    stage.journal.script([Deed::durable_but_doubtful()]);
    stage.post("acme/sender", &format!("/v1/messages/{id}/cancel"), &json!({})).await.expect(202);
    assert_eq!(stage.shown(&id).await["state"], "cancelled");
    let message: MessageId = id.parse().expect("an id");
    let copies = stage.journal.contents(message.partition());
    let copies = copies.iter().filter(|e| matches!(e.record.event(), Ok(Event::MessageCancelled(_)))).count();
    assert_eq!(copies, 2, "the same event stands twice");
    let id = stage.sent().await;
    stage.caught_up().await;
    stage.journal.script([Deed::lost(), Deed::lost(), Deed::lost()]);
    let reply = stage.post("acme/sender", &format!("/v1/messages/{id}/cancel"), &json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (504, "doubtful"));
    assert!(stage.journal.failed().is_none());
}
