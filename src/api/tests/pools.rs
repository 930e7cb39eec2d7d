//! Several sessions as one sender: declared, named in `from`, shown; a message is one message wherever it is, and what waits
//! at a session is moved by somebody's word.

use serde_json::{Value, json};

use super::stage::{NOW, Stage, TO};
use crate::domain::draft::Draft;
use crate::domain::event::{
    AttemptRef, Event, MessageAcceptedV1, MessageMovedBackV1, MessageMovedInV1, MessageMovedOutV1, Status,
    StatusReportedV1,
};
use crate::domain::id::{EventId, MessageId, SessionId, Tag};
use crate::domain::record::Principal;
use crate::domain::row::{Accepted, Row, RowId};
use crate::store::rows;

/// Two more numbers, and a pool of them and `shop`.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.put_operator("/v1/admin/declarations", &declared(json!([]))).await.expect(200);
    stage
}

fn declared(more: Value) -> Value {
    let number = |name: &str, id: &str| json!({"tenant": "acme", "name": name, "phone_number_id": id, "token": "EAAB"});
    let members = json!([{"session": "shop", "weight": 2}, {"session": "second"}]);
    let mut pools = vec![json!({"tenant": "acme", "name": "both", "members": members})];
    pools.extend(more.as_array().expect("a list").clone());
    json!({"sessions": [number("second", "900100200300511"), number("third", "900100200300512")], "pools": pools})
}

/// A text from this sender.
fn from(name: &str, body: &str) -> Value {
    json!({"from": name, "to": TO, "type": "text", "text": {"body": body}})
}

async fn send(stage: &Stage, name: &str) -> MessageId {
    let answer = stage.post("acme/sender", "/v1/messages", &from(name, "hello")).await.expect(202);
    stage.caught_up().await;
    answer["id"].as_str().expect("an id").parse().expect("an id")
}

async fn accepted(stage: &Stage, id: MessageId) -> Accepted {
    match rows::get(&*stage.store, &RowId::Message(id)).await.expect("readable") {
        Some(Row::Message(row)) => row.accepted.expect("accepted"),
        other => panic!("no message but {other:?}"),
    }
}

async fn happens(stage: &Stage, session: SessionId, event: impl Into<Event>) {
    let id = EventId(stage.app.entropy.id());
    let by = Principal::Node(stage.app.node);
    let draft = Draft::new(id, session, &event.into(), by, NOW).tenant(stage.tenant("acme"));
    stage.happens(stage.app.partition_of(session), draft).await;
}

/// Hands the message on to a member, as the pool's actor and its partition do; what it is called there.
async fn handed_on(stage: &Stage, id: MessageId, to: &str, number: u16) -> MessageId {
    let (it, to) = (accepted(stage, id).await, SessionId::named(stage.tenant("acme"), to));
    let leg = id.leg(number, to, stage.app.partition_of(to));
    let person = Some(it.contact);
    let out = MessageMovedOutV1 { session: it.session, message: id, number, to, leg, person, reason: None };
    happens(stage, it.session, out).await;
    let facts = MessageAcceptedV1 {
        message: leg,
        session: to,
        contact: it.contact,
        category: it.category,
        priority: it.priority,
        unknown: it.unknown,
        expires_at: it.expires_at,
        nonce: it.nonce,
        idempotency: None,
        template: None,
        consent: None,
        policy: None,
        test: it.test,
        ordered: it.ordered,
        send_at: None,
        country: it.country,
        campaign: None,
    };
    let arrives = MessageMovedInV1 {
        accepted: facts,
        origin: id,
        from: id,
        sender: it.session,
        number,
        partition: id.partition(),
        position: it.fact.position,
        event: it.event,
        at: it.fact.at,
        depth: 1,
        round: None,
    };
    happens(stage, to, arrives).await;
    leg
}

async fn reported(stage: &Stage, leg: MessageId, status: Status) {
    let session = accepted(stage, leg).await.session;
    let report = StatusReportedV1 {
        session,
        of: Some(AttemptRef { message: leg, attempt: 1 }),
        tag: Tag(leg.0),
        status,
        provider_at: NOW,
        code: 0,
        class: String::new(),
        pricing: None,
        provider_id: None,
        billable: None,
        pricing_model: None,
        pricing_type: None,
    };
    happens(stage, session, report).await;
}

#[tokio::test]
async fn a_pool_is_declared_shown_and_is_no_session_of_the_list() {
    let stage = stage().await;
    let again = stage.put_operator("/v1/admin/declarations", &declared(json!([]))).await.expect(200);
    assert_eq!(again["pools"][0]["change"], "unchanged");
    let list = stage.get("acme/auditor", "/v1/pools").await.expect(200);
    assert_eq!((list["data"].as_array().map(Vec::len), &list["next"]), (Some(1), &json!(null)));
    let pool = stage.get("acme/auditor", "/v1/pools/both").await.expect(200);
    assert_eq!(list["data"][0], pool);
    let members: Vec<(&str, u64, bool)> = pool["members"].as_array().expect("members").iter().map(member).collect();
    assert_eq!(members, [("shop", 2, true), ("second", 1, true)]);
    let sessions = stage.get("acme/auditor", "/v1/sessions").await.expect(200);
    let names: Vec<&str> =
        sessions["data"].as_array().expect("some").iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["second", "shop", "third"]);
    let reason = json!({"reason": "a look at it"});
    stage.post("acme/admin", "/v1/sessions/second/suspend", &reason).await.expect(200);
    let pool = stage.get("acme/auditor", "/v1/pools/both").await.expect(200);
    assert_eq!(pool["members"][1]["able"], false);
    for (key, name) in [("other/auditor", "both"), ("acme/auditor", "shop"), ("acme/auditor", "none")] {
        assert_eq!(stage.get(key, &format!("/v1/pools/{name}")).await.code(), "not_found", "{key} {name}");
    }
}

fn member(member: &Value) -> (&str, u64, bool) {
    let name = member["session"].as_str().expect("a name");
    (name, member["weight"].as_u64().expect("a weight"), member["able"].as_bool().expect("a word"))
}

#[tokio::test]
async fn what_is_no_pool_is_refused_with_each_place() {
    let stage = stage().await;
    let pool = |name: &str, members: Value| json!({"tenant": "acme", "name": name, "members": members});
    let body = declared(json!([
        pool("empty", json!([])),
        pool("third", json!([{"session": "second"}])),
        pool("nested", json!([{"session": "both"}, {"session": "nobody"}])),
        pool("twice", json!([{"session": "second"}, {"session": "second", "weight": 1_001}])),
    ]));
    let reply = stage.put_operator("/v1/admin/declarations", &body).await;
    let mut at: Vec<String> = reply.json()["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["pointer"].as_str().expect("a pointer").to_owned())
        .collect();
    at.sort_unstable();
    let wrong = [
        "1/members",
        "2/name",
        "3/members/0/session",
        "3/members/1/session",
        "4/members/1/session",
        "4/members/1/weight",
    ];
    assert_eq!(at, wrong.map(|place| format!("/pools/{place}")));
    let session = json!({"sessions": [{
        "tenant": "acme", "name": "both", "phone_number_id": "900100200300519", "token": "EAAB",
    }]});
    let reply = stage.put_operator("/v1/admin/declarations", &session).await;
    assert_eq!(reply.json()["errors"][0]["pointer"], "/sessions/0/name", "a session in the place of a pool");
}

#[tokio::test]
async fn a_message_is_one_message_by_the_id_that_was_answered_wherever_it_is() {
    let stage = stage().await;
    let id = send(&stage, "both").await;
    assert_eq!(stage.shown(&id.to_string()).await["from"], "both");
    let leg = handed_on(&stage, id, "second", 1).await;
    let shown = stage.shown(&id.to_string()).await;
    assert_eq!(
        (&shown["id"], &shown["from"], &shown["state"]),
        (&json!(id.to_string()), &json!("second"), &json!("queued"))
    );
    assert_eq!(shown["content"]["text"]["body"], "hello", "the content stays where it was sealed");
    assert_eq!(shown["accepted_at"], stage.shown(&id.to_string()).await["accepted_at"]);
    reported(&stage, leg, Status::Delivered).await;
    let shown = stage.shown(&id.to_string()).await;
    assert_eq!((&shown["id"], &shown["state"]), (&json!(id.to_string()), &json!("delivered")));
    assert_eq!(
        stage.get("acme/auditor", &format!("/v1/messages/{leg}")).await.code(),
        "not_found",
        "nobody knows it by that"
    );
    let list = stage.get("acme/auditor", "/v1/messages").await.expect(200);
    let listed: Vec<_> = list["data"].as_array().expect("some").iter().map(|it| (&it["id"], &it["state"])).collect();
    assert_eq!(listed, [(&json!(id.to_string()), &json!("delivered"))], "once");
    let told = told(&stage).await;
    assert!(told.iter().all(|(message, _)| *message == Some(id)), "{told:?}");
    let words: Vec<&str> = told.iter().map(|(_, word)| *word).collect();
    assert!(words.contains(&"message.accepted") && words.contains(&"message.delivered"), "{words:?}");
    let usage = stage.get("acme/auditor", "/v1/usage").await.expect(200);
    let lines = usage["data"].as_array().expect("lines").iter();
    let counts: Vec<(&str, u64)> =
        lines.map(|line| (word(&line["outcome"]), line["messages"].as_u64().expect("a count"))).collect();
    assert_eq!(counts, [("accepted", 1), ("sent", 1), ("delivered", 1)], "it counts once, where it is");
}

fn word(value: &Value) -> &str {
    value.as_str().expect("a word")
}

/// What endpoints of acme are told, of which message.
async fn told(stage: &Stage) -> Vec<(Option<MessageId>, &'static str)> {
    let mut told = Vec::new();
    for partition in 0..stage.app.partitions {
        let through = crate::domain::record::Position(u64::from(u32::MAX));
        let feed = rows::feed(&*stage.store, stage.tenant("acme"), partition, None, through, 100).await;
        told.extend(feed.expect("readable").into_iter().map(|(_, row)| (row.message, row.kind.word())));
    }
    told
}

#[tokio::test]
async fn a_call_off_finds_the_message_where_it_is_also_on_its_way() {
    let stage = stage().await;
    let cancel = async |id: MessageId| {
        stage.post("acme/sender", &format!("/v1/messages/{id}/cancel"), &json!({})).await.expect(202);
        stage.shown(&id.to_string()).await["state"].clone()
    };
    let id = send(&stage, "both").await;
    handed_on(&stage, id, "second", 1).await;
    assert_eq!(cancel(id).await, "cancelled");
    // It left, and has not come: the word waits where it left from.
    let id = send(&stage, "both").await;
    let (pool, tenant) = (accepted(&stage, id).await.session, stage.tenant("acme"));
    let to = SessionId::named(tenant, "second");
    let leg = id.leg(1, to, stage.app.partition_of(to));
    let out = MessageMovedOutV1 { session: pool, message: id, number: 1, to, leg, person: None, reason: None };
    happens(&stage, pool, out).await;
    assert_eq!(cancel(id).await, "queued", "it is told where it comes");
    happens(&stage, pool, MessageMovedBackV1 { message: id, leg, number: 1 }).await;
    assert_eq!(stage.shown(&id.to_string()).await["state"], "cancelled");
}

#[tokio::test]
async fn one_that_was_sent_from_a_number_that_it_had_left_says_so() {
    let stage = stage().await;
    let id = send(&stage, "both").await;
    let pool = accepted(&stage, id).await.session;
    let first = handed_on(&stage, id, "second", 1).await;
    let session = accepted(&stage, first).await.session;
    let back = MessageMovedOutV1 { session, message: first, number: 1, to: pool, leg: id, person: None, reason: None };
    happens(&stage, session, back).await;
    happens(&stage, pool, MessageMovedBackV1 { message: id, leg: first, number: 1 }).await;
    assert_eq!(stage.shown(&id.to_string()).await["from"], "both");
    handed_on(&stage, id, "shop", 2).await;
    assert_eq!(stage.shown(&id.to_string()).await["from"], "shop");
    reported(&stage, first, Status::Read).await;
    let shown = stage.shown(&id.to_string()).await;
    assert_eq!((&shown["state"], &shown["from"]), (&json!("read"), &json!("second")));
}

#[tokio::test]
async fn a_retry_meets_the_first_acceptance_whatever_number_it_went_to() {
    let stage = stage().await;
    let first = stage.send_with("acme/sender", "order-1", &from("both", "hello")).await.expect(202);
    stage.caught_up().await;
    let id: MessageId = first["id"].as_str().expect("an id").parse().expect("an id");
    handed_on(&stage, id, "second", 1).await;
    let again = stage.send_with("acme/sender", "order-1", &from("both", "hello")).await.expect(202);
    assert_eq!((&again["id"], &again["replayed"]), (&first["id"], &json!(true)));
    let other = stage.send_with("acme/sender", "order-1", &from("both", "other words")).await;
    assert_eq!(other.code(), "idempotency_conflict");
}

#[tokio::test]
async fn what_waits_at_a_session_is_counted_and_moved_to_another() {
    let stage = stage().await;
    let ids = [send(&stage, "shop").await, send(&stage, "shop").await];
    let path = "/v1/sessions/shop/rebind";
    let counted = stage.post("acme/admin", path, &json!({"to": "third", "dry_run": true})).await.expect(200);
    assert_eq!((&counted["matched"], &counted["moved"], &counted["applied"]), (&json!(2), &json!(0), &json!(null)));
    let ask = json!({"to": "third", "reason": "the number is given up"});
    assert_eq!(stage.post("acme/admin", path, &ask).await.code(), "wrong_state", "it may send while they go");
    stage.post("acme/admin", "/v1/sessions/shop/suspend", &json!({"reason": "given up"})).await.expect(200);
    let moved = stage.post("acme/admin", path, &ask).await.expect(200);
    assert_eq!((&moved["moved"], &moved["applied"]), (&json!(2), &json!(true)));
    let third = SessionId::named(stage.tenant("acme"), "third");
    for id in ids {
        let Some(Row::Message(row)) = rows::get(&*stage.store, &RowId::Message(id)).await.expect("readable") else {
            panic!("no row");
        };
        assert_eq!(row.moved.map(|moved| moved.to), Some(third));
    }
    let again = stage.post("acme/admin", path, &json!({"to": "third", "dry_run": true})).await.expect(200);
    assert_eq!((&again["matched"], &again["left_out"]), (&json!(0), &json!(0)));
    for (ask, code) in [
        (json!({"to": "third"}), "invalid_request"),
        (json!({"to": "shop", "dry_run": true}), "invalid_request"),
        (json!({"to": "nobody", "dry_run": true}), "invalid_request"),
    ] {
        assert_eq!(stage.post("acme/admin", path, &ask).await.code(), code, "{ask}");
    }
    let of_pool = stage.post("acme/admin", "/v1/sessions/both/rebind", &json!({"to": "third", "dry_run": true})).await;
    assert_eq!(of_pool.code(), "wrong_state");
}
