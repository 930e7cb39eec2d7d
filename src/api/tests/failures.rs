//! Failures: each message that needs somebody's look stands in the list once, and leaves it as it moves on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stage::{NOW, Stage, TO};
use crate::domain::draft::Draft;
use crate::domain::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, ClaimedV1, ClosedV1, Event, MessageExpiredV1, OutcomeV1, SealedV1,
    SessionStartedV1,
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
    let retry = OutcomeV1::Retry { class: "throttle".to_owned(), code: 130_429, not_before: NOW };
    shop.ends(&sent[2..3], 1, retry).await;
    shop.happens(MessageExpiredV1 { message: sent[2] }).await;
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
