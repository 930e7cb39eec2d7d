//! Failures: each message that needs somebody's look stands in the list once, and leaves it as it moves on.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use super::stage::{NOW, Stage, TO, request};
use crate::domain::draft::Draft;
use crate::domain::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, ClaimedV1, ClosedV1, Event, MessageCancelledV1, MessageExpiredV1,
    OutcomeV1, SealedV1, SessionStartedV1,
};
use crate::domain::id::{EventId, KeyId, MessageId, NodeId, SessionId, Tag};
use crate::domain::record::{Position, Principal};

/// The session `shop` of acme, with an actor that lives.
pub(super) struct Shop<'s> {
    pub(super) stage: &'s Stage,
    pub(super) session: SessionId,
    pub(super) partition: u16,
    epoch: Position,
    life: Position,
}

impl<'s> Shop<'s> {
    pub(super) async fn open(stage: &'s Stage) -> Self {
        let session = SessionId::named(stage.tenant("acme"), "shop");
        let partition = stage.app.partition_of(session);
        let mut shop = Self { stage, session, partition, epoch: Position(0), life: Position(0) };
        shop.epoch = shop.happens(ClaimedV1 { node: NodeId([6; 16]), supersedes: None }).await;
        shop.life = shop.happens(SessionStartedV1 { session }).await;
        shop
    }

    pub(super) async fn happens(&self, event: impl Into<Event>) -> Position {
        let id = EventId(self.stage.app.entropy.id());
        let by = Principal::Node(NodeId([6; 16]));
        let draft = Draft::new(id, self.session, &event.into(), by, NOW).tenant(self.stage.tenant("acme"));
        self.stage.happens(self.partition, draft.epoch(self.epoch)).await
    }

    /// Sends so many messages; their ids.
    pub(super) async fn send(&self, count: usize, category: &str) -> Vec<MessageId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let body = json!({"from": "shop", "to": TO, "text": {"body": "x"}, "category": category});
            let answer = self.stage.post("acme/sender", "/v1/messages", &body).await.expect(202);
            ids.push(answer["id"].as_str().expect("an id").parse().expect("an id"));
        }
        self.stage.caught_up().await;
        ids
    }

    /// Attempts of messages end so, all in one event.
    pub(super) async fn ends(&self, ids: &[MessageId], attempt: u16, outcome: OutcomeV1) {
        let refs: Vec<AttemptRef> = ids.iter().map(|message| AttemptRef { message: *message, attempt }).collect();
        let (session, incarnation) = (self.session, self.life);
        self.happens(AttemptsStartedV1 { session, incarnation, deadline_ms: 5_000, attempts: refs.clone() }).await;
        self.closes(&refs, outcome).await;
    }

    pub(super) async fn closes(&self, refs: &[AttemptRef], outcome: OutcomeV1) {
        let closed = refs.iter().map(|of| ClosedV1 { of: *of, outcome: outcome.clone(), at: NOW });
        self.happens(AttemptsClosedV1 { session: self.session, closed: closed.collect() }).await;
    }

    pub(super) async fn list(&self, query: &str) -> Vec<Value> {
        let page = self.stage.get("acme/auditor", &format!("/v1/failures?{query}")).await.expect(200);
        page["data"].as_array().expect("a list").clone()
    }
}

pub(super) fn failed(class: &str, code: i32) -> OutcomeV1 {
    OutcomeV1::Failed { class: class.to_owned(), code }
}

pub(super) fn unknown() -> OutcomeV1 {
    OutcomeV1::Unknown { why: "timeout".to_owned() }
}

pub(super) fn sent(n: u8) -> OutcomeV1 {
    OutcomeV1::Sent { tag: Tag([n; 16]), provider_id: SealedV1 { key: KeyId([1; 16]), bytes: vec![n] } }
}

fn ids(rows: &[Value]) -> Vec<MessageId> {
    rows.iter().map(|row| row["id"].as_str().expect("an id").parse().expect("an id")).collect()
}

#[tokio::test]
async fn a_failure_is_listed_with_its_reason_and_without_content() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let sent = shop.send(4, "utility").await;
    shop.ends(&sent[..1], 1, failed("recipient", 131_026)).await;
    shop.ends(&sent[1..2], 1, unknown()).await;
    let retry = OutcomeV1::Retry { class: "throttle".to_owned(), code: 130_429, not_before: NOW, counts: None };
    shop.ends(&sent[2..3], 1, retry).await;
    shop.happens(MessageExpiredV1 { message: sent[2], round: None }).await;
    let rows = shop.list("").await;
    let told: Vec<(&Value, &Value, &Value)> = rows.iter().map(|r| (&r["state"], &r["class"], &r["code"])).collect();
    let words = [("failed", "recipient", 131_026), ("unknown", "timeout", 0), ("expired", "throttle", 130_429)];
    let words = words.map(|(state, class, code)| (json!(state), json!(class), json!(code)));
    assert_eq!(told, words.each_ref().map(|(state, class, code)| (state, class, code)));
    assert_eq!(ids(&rows), sent[..3], "the one that waits is none of them");
    assert_eq!(rows[0]["from"], "shop");
    assert!(!Value::from(rows).to_string().contains("2025550123"));
    let other = stage.get("other/auditor", "/v1/failures").await.expect(200);
    assert_eq!(other["data"], json!([]), "another tenant sees nothing of it");
}

#[tokio::test]
async fn what_was_settled_since_is_no_failure_and_what_fails_otherwise_is_one_once() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let ids_sent = shop.send(3, "utility").await;
    shop.ends(&ids_sent, 1, unknown()).await;
    assert_eq!(ids(&shop.list("").await), ids_sent);
    let of = |n: usize| AttemptRef { message: ids_sent[n], attempt: 1 };
    shop.closes(&[of(0)], sent(7)).await;
    shop.closes(&[of(1)], failed("request", 100)).await;
    let rows = shop.list("").await;
    let told: BTreeSet<(String, String)> = rows.iter().map(|r| (r["id"].to_string(), r["state"].to_string())).collect();
    let now = [(ids_sent[1], "failed"), (ids_sent[2], "unknown")];
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(told, now.map(|(id, state)| (json!(id.to_string()).to_string(), json!(state).to_string())).into());
}

#[tokio::test]
async fn pages_hold_every_failure_once_whatever_their_size() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let all = shop.send(9, "utility").await;
    for part in [&all[..1], &all[1..4], &all[4..5], &all[5..]] {
        shop.ends(part, 1, failed("request", 100)).await;
    }
    for limit in [1, 2, 3, 50] {
        let (mut found, mut cursor, mut rounds) = (Vec::new(), String::new(), 0);
        loop {
            let path = match cursor.as_str() {
                "" => format!("/v1/failures?limit={limit}"),
                cursor => format!("/v1/failures?limit={limit}&cursor={cursor}"),
            };
            let page = stage.get("acme/auditor", &path).await.expect(200);
            found.extend(ids(page["data"].as_array().expect("a list")));
            cursor = page["next"].as_str().expect("a cursor").to_owned();
            rounds += 1;
            if page["more"] == false || rounds > 50 {
                break;
            }
        }
        assert_eq!(found, all, "limit {limit}, {rounds} rounds");
    }
}

#[tokio::test]
async fn a_list_is_filtered_by_every_word_and_refuses_others() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let one = shop.send(1, "utility").await;
    let two = shop.send(1, "service").await;
    shop.ends(&one, 1, failed("recipient", 131_026)).await;
    shop.ends(&two, 1, unknown()).await;
    for (query, wanted) in [
        ("state=failed", &one),
        ("state=unknown", &two),
        ("category=service", &two),
        ("class=recipient&session=shop", &one),
        ("code=131026", &one),
        ("class=timeout&code=0", &two),
    ] {
        assert_eq!(ids(&shop.list(query).await), *wanted, "{query}");
    }
    for query in ["template=x", "before=2001-01-01T00:00:00Z", "after=2100-01-01T00:00:00Z", "code=1"] {
        assert!(shop.list(query).await.is_empty(), "{query}");
    }
    for query in ["state=sent", "category=spam", "before=yesterday", "code=x", "colour=red"] {
        let reply = stage.get("acme/auditor", &format!("/v1/failures?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (400, "invalid_query"), "{query}");
    }
    assert_eq!(stage.get("acme/auditor", "/v1/failures?session=nobody").await.code(), "not_found");
}

/// Counts, and does what was counted; the answer of the second call.
async fn counted_and_done(stage: &Stage, path: &str, mut body: Value) -> Value {
    body["dry_run"] = json!(true);
    let dry = stage.post("acme/admin", path, &body).await.expect(200);
    assert_eq!((&dry["done"], &dry["applied"]), (&json!(0), &Value::Null));
    body["dry_run"] = json!(false);
    body["fingerprint"] = dry["fingerprint"].clone();
    body["reason"] = json!("asked by its owner");
    let wet = stage.post("acme/admin", path, &body).await.expect(200);
    assert_eq!(wet["matched"], dry["matched"]);
    wet
}

#[tokio::test]
async fn what_was_counted_is_queued_again_and_nothing_else() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let all = shop.send(6, "utility").await;
    shop.ends(&all[..3], 1, failed("recipient", 131_026)).await;
    shop.ends(&all[3..4], 1, failed("request", 100)).await;
    shop.ends(&all[4..5], 1, unknown()).await;
    shop.happens(MessageExpiredV1 { message: all[5], round: None }).await;
    let dry = json!({"dry_run": true});
    let counted = stage.post("acme/admin", "/v1/failures/retry", &dry).await.expect(200);
    let group = |state: &str, class: &str, code: i32, count: u32| json!({"state": state, "class": class, "code": code, "count": count});
    let by = [group("expired", "", 0, 1), group("failed", "recipient", 131_026, 3), group("failed", "request", 100, 1)];
    assert_eq!(counted["by"], json!(by), "what may have been sent is none of them");
    assert_eq!(shop.list("").await.len(), 6, "a dry run changes nothing");
    let wet =
        counted_and_done(&stage, "/v1/failures/retry", json!({"filter": {"class": "recipient"}, "limit": 2})).await;
    assert_eq!((&wet["done"], &wet["more"], &wet["applied"]), (&json!(2), &json!(true), &json!(true)));
    let wet = counted_and_done(&stage, "/v1/failures/retry", json!({"filter": {"class": "recipient"}})).await;
    assert_eq!((&wet["done"], &wet["more"]), (&json!(1), &json!(false)), "the rest of the same event");
    assert_eq!(ids(&shop.list("").await), all[3..]);
    let shown = stage.shown(&all[0].to_string()).await;
    assert_eq!((&shown["state"], &shown["requeued"]), (&json!("queued"), &json!(1)));
    shop.ends(&all[..1], 2, sent(9)).await;
    assert_eq!(stage.shown(&all[0].to_string()).await["state"], "sent");
    // It fails again, and stands in the list once.
    shop.ends(&all[1..2], 2, failed("recipient", 131_026)).await;
    let again = shop.list("class=recipient").await;
    assert_eq!((ids(&again), &again[0]["attempts"]), (all[1..2].to_vec(), &json!(2)));
}

#[tokio::test]
async fn a_message_that_changed_since_it_was_counted_is_told_and_one_that_failed_since_is_left() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let all = shop.send(3, "utility").await;
    shop.ends(&all[..2], 1, failed("request", 100)).await;
    let dry = stage.post("acme/admin", "/v1/failures/retry", &json!({"dry_run": true})).await.expect(200);
    let wet = json!({"fingerprint": dry["fingerprint"], "reason": "again"});
    shop.ends(&all[2..], 1, failed("request", 100)).await;
    let done = stage.post("acme/admin", "/v1/failures/retry", &wet).await.expect(200);
    assert_eq!(done["done"], 2, "one that failed since was not counted");
    assert_eq!(ids(&shop.list("").await), all[2..]);
    let reply = stage.post("acme/admin", "/v1/failures/retry", &wet).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (409, "changed"));
    let forged = json!({"fingerprint": "x", "reason": "again"});
    assert_eq!(stage.post("acme/admin", "/v1/failures/retry", &forged).await.code(), "invalid_request");
    for missing in [json!({"reason": "again"}), json!({"fingerprint": dry["fingerprint"]}), json!({"limit": 10_001})] {
        assert_eq!(stage.post("acme/admin", "/v1/failures/retry", &missing).await.code(), "invalid_request");
    }
    assert_eq!(stage.post("acme/sender", "/v1/failures/retry", &json!({"dry_run": true})).await.code(), "forbidden");
    let other = stage.post("other/admin", "/v1/failures/retry", &json!({"dry_run": true})).await.expect(200);
    assert_eq!(other["matched"], 0, "another tenant has none of it");
}

#[tokio::test]
async fn many_unknown_outcomes_are_decided_at_once() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let all = shop.send(6, "utility").await;
    shop.ends(&all, 1, unknown()).await;
    for (resolution, state) in [("sent", "sent"), ("resend", "queued"), ("give_up", "failed")] {
        let body = json!({"as": resolution, "filter": {"class": "timeout"}, "limit": 2});
        let wet = counted_and_done(&stage, "/v1/failures/resolve", body).await;
        assert_eq!(wet["done"], 2);
        let mut states = Vec::new();
        for id in &all {
            states.push(stage.shown(&id.to_string()).await["state"].clone());
        }
        assert_eq!(states.iter().filter(|now| **now == state).count(), 2, "{states:?}");
    }
    let given_up = shop.list("class=unknown_given_up").await;
    assert_eq!((given_up.len(), shop.list("").await.len()), (2, 2));
}

#[tokio::test]
async fn what_was_called_off_is_not_queued_again() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let all = shop.send(1, "utility").await;
    let of = AttemptRef { message: all[0], attempt: 1 };
    let (session, incarnation) = (shop.session, shop.life);
    shop.happens(AttemptsStartedV1 { session, incarnation, deadline_ms: 5_000, attempts: vec![of] }).await;
    shop.happens(MessageCancelledV1 { message: all[0], round: None }).await;
    shop.closes(&[of], failed("request", 100)).await;
    let dry = stage.post("acme/admin", "/v1/failures/retry", &json!({"dry_run": true})).await.expect(200);
    assert_eq!((&dry["matched"], &dry["left_out"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn a_test_key_leaves_out_what_is_live() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let all = shop.send(2, "utility").await;
    shop.ends(&all[..1], 1, failed("request", 100)).await;
    shop.ends(&all[1..], 1, unknown()).await;
    let asked = json!({"name": "ci", "role": "admin", "test": true});
    let issued = stage.post("acme/admin", "/v1/keys", &asked).await.expect(201);
    let key = issued["key"].as_str().expect("a text");
    for (path, body) in [
        ("/v1/failures/retry", json!({"dry_run": true})),
        ("/v1/failures/resolve", json!({"dry_run": true, "as": "resend"})),
    ] {
        let counted = stage.call(request(Method::POST, path, Some(key), Some(&body))).await.expect(200);
        assert_eq!((&counted["matched"], &counted["left_out"]), (&json!(0), &json!(1)), "{path}");
    }
}
