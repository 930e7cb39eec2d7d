//! The drop-in over the doubles: what existing clients send is taken, what is wrong is refused in Meta's shape.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::super::meta::tests::stage::{ACCOUNT, NOW, Reply, Stage, event};
use super::super::tests::feed::{fed, under_way};
use super::wamid;
use crate::domain::content::Content;
use crate::domain::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, Category, ClosedV1, ConsentChangedV1, Event, MessageAcceptedV1,
    OutcomeV1, SealedV1,
};
use crate::domain::record::{Position, Record};
use crate::journal::{Deed, Refusal};
use crate::vault::{Alias, Vault};

const TO: &str = "+12025550123";

fn request(path: &str, key: Option<&str>, headers: &[(&str, &str)], body: &[u8]) -> Request<Body> {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_vec())).expect("a request")
}

async fn send(stage: &Stage, headers: &[(&str, &str)], body: &Value) -> Reply {
    let path = format!("/v25.0/{ACCOUNT}/messages");
    stage.call(request(&path, Some(&stage.key), headers, body.to_string().as_bytes())).await
}

fn text(to: &str) -> Value {
    json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text", "text": {"body": "Ready"}})
}

fn template() -> Value {
    json!({"messaging_product": "whatsapp", "to": TO, "type": "template", "context": null,
        "template": {"name": "order_ready", "language": {"policy": "deterministic", "code": "en_US"}}})
}

/// What was accepted, newest last.
fn accepted(stage: &Stage) -> Vec<(MessageAcceptedV1, Record)> {
    let partition = stage.app.partition_of(stage.session);
    let contents = stage.journal.contents(partition);
    let found = contents.iter().filter_map(|entry| match event(&entry.record) {
        Event::MessageAccepted(facts) => Some((facts, entry.record.clone())),
        _ => None,
    });
    found.collect()
}

async fn content(stage: &Stage, (facts, record): &(MessageAcceptedV1, Record)) -> Content {
    let opened = stage.vault.open(stage.tenant, facts.contact, &record.header.id.0, &record.body).await;
    serde_json::from_slice(&opened.expect("it opens")).expect("content")
}

fn code(reply: &Reply) -> (u16, i64) {
    let body = reply.json();
    let error = &body["error"];
    let known = error["message"].is_string() && error["type"].is_string() && error["fbtrace_id"].is_string();
    assert!(known && error["error_data"]["details"].is_string(), "{body}");
    assert_eq!(reply.headers.get(header::CONTENT_TYPE).expect("a type"), "application/json");
    (reply.status.as_u16(), error["code"].as_i64().expect("a numeric code"))
}

#[tokio::test]
async fn a_message_is_taken_and_answered_as_meta_does() {
    let stage = Stage::new().await;
    let reply = send(&stage, &[], &text("+1 (202) 555-0123")).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(reply.headers.get(header::CONTENT_TYPE).expect("a type"), "application/json");
    let body = reply.json();
    assert_eq!(body["messaging_product"], "whatsapp");
    assert_eq!(body["contacts"], json!([{"input": "+1 (202) 555-0123", "wa_id": "12025550123"}]));
    assert_eq!(body["messages"][0]["message_status"], "accepted");
    let taken = accepted(&stage);
    let id = body["messages"][0]["id"].as_str().expect("an id");
    assert_eq!(wamid::read(id), Some(taken[0].0.message), "durable when it is answered");
    assert_eq!(taken[0].0.category, Category::Service);
    assert_eq!(content(&stage, &taken[0]).await.to, TO);
}

#[tokio::test]
async fn every_recorded_request_that_sends_is_taken() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta");
    let mut taken = 0;
    for file in std::fs::read_dir(folder).expect("fixtures") {
        let path = file.expect("a file").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if !name.starts_with("request.whatsapp.") {
            continue;
        }
        let body: Value = serde_json::from_slice(&std::fs::read(&path).expect("it reads")).expect("JSON");
        if body.get("to").or(body.get("recipient")).is_none() {
            continue;
        }
        let reply = send(&Stage::new().await, &[], &body).await;
        if name.contains("group") {
            assert_eq!(code(&reply), (400, 131_009), "{name}");
        } else {
            assert_eq!(reply.status, 200, "{name}: {}", reply.json());
            taken += 1;
        }
    }
    assert!(taken > 20, "only {taken}");
}

#[tokio::test]
async fn any_version_and_the_token_in_the_query_are_taken() {
    let stage = Stage::new().await;
    for version in ["v13.0", "v20.0", "v23", "v99.1"] {
        let path = format!("/{version}/{ACCOUNT}/messages?access_token={}", stage.key);
        let reply = stage.call(request(&path, None, &[], text(TO).to_string().as_bytes())).await;
        assert_eq!(reply.status, 200, "{version}: {}", reply.json());
    }
    for path in ["/25.0/1/messages", "/vx/1/messages", "/v1.2.3/1/messages", "/v/1/messages"] {
        let reply = stage.call(request(path, Some(&stage.key), &[], b"{}")).await;
        assert_eq!(reply.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_of_the_graph_api_is_not_offered_is_refused_in_metas_shape() {
    let stage = Stage::new().await;
    let calls = [
        ("GET", format!("/v25.0/{ACCOUNT}/messages")),
        ("POST", "/v25.0/me/messages".to_owned()),
        ("POST", format!("/v25.0/{ACCOUNT}/media")),
        ("GET", format!("/v25.0/{ACCOUNT}?fields=verified_name&access_token=EAAB-secret")),
        ("GET", "/v19.0/1234/message_templates".to_owned()),
        ("DELETE", "/v23.0/1234".to_owned()),
    ];
    for (method, path) in calls {
        let request = Request::builder().method(method).uri(&path).body(Body::empty()).expect("a request");
        let reply = stage.call(request).await;
        assert_eq!(code(&reply), (400, 100), "{method} {path}");
        assert_eq!(reply.json()["error"]["error_subcode"], 33, "{method} {path}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("EAAB"), "no token comes back");
    }
    for (method, path, status) in [("GET", "/nothing", 404), ("PUT", "/callbacks/meta", 405)] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let reply = stage.call(request).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path}");
        assert_eq!(reply.headers.get(header::CONTENT_TYPE).expect("a type"), "application/problem+json");
    }
}

#[tokio::test]
async fn what_plain_clients_leave_out_is_no_mistake() {
    let stage = Stage::new().await;
    let bare = json!({"to": TO, "text": {"body": "Ready"}, "context": null, "later": {"field": 1}});
    assert_eq!(send(&stage, &[], &bare).await.status, 200);
    assert_eq!(send(&stage, &[], &template()).await.status, 200);
    let taken = accepted(&stage);
    assert_eq!(taken[1].0.category, Category::Utility);
    assert_eq!(taken[1].0.template.as_deref(), Some("order_ready"));
}

#[tokio::test]
async fn the_clients_own_callback_data_is_kept() {
    let stage = Stage::new().await;
    let mut body = text(TO);
    body["biz_opaque_callback_data"] = json!("order-1042");
    assert_eq!(send(&stage, &[], &body).await.status, 200);
    let content = content(&stage, &accepted(&stage)[0]).await;
    assert_eq!(content.client_token.as_deref(), Some("order-1042"));
    assert!(!content.object.contains_key("biz_opaque_callback_data"), "ours goes out in its place");
}

#[tokio::test]
async fn the_category_is_taken_from_its_header() {
    let stage = Stage::new().await;
    assert_eq!(send(&stage, &[("X-Waybill-Category", "authentication")], &template()).await.status, 200);
    assert_eq!(accepted(&stage)[0].0.category, Category::Authentication);
    assert_eq!(code(&send(&stage, &[("X-Waybill-Category", "spam")], &template()).await), (400, 131_009));
}

#[tokio::test]
async fn the_same_key_and_body_is_the_same_message() {
    let stage = Stage::new().await;
    let key = [("Idempotency-Key", "order-1042")];
    let id = |reply: Reply| reply.json()["messages"][0]["id"].clone();
    let first = id(send(&stage, &key, &text(TO)).await);
    assert!(first.is_string());
    stage.apply().await;
    assert_eq!(id(send(&stage, &key, &text(TO)).await), first);
    assert_eq!(accepted(&stage).len(), 1);
    let other = send(&stage, &key, &text("+12025550145")).await;
    assert_eq!(code(&other), (409, 100), "another body under the same key");
    assert_eq!(code(&send(&stage, &[("Idempotency-Key", "a b")], &text(TO)).await), (400, 100));
}

#[tokio::test]
async fn mistakes_are_told_with_metas_codes() {
    let stage = Stage::new().await;
    let without = |field: &str| {
        let mut body = text(TO);
        body.as_object_mut().expect("an object").remove(field);
        body
    };
    let cases = [
        (text("not-a-number"), 131_009),
        (text("0151 123456"), 131_009),
        (without("to"), 131_008),
        (without("text"), 131_008),
        (json!({"to": TO, "type": "text", "text": {"body": ""}}), 131_009),
        (json!([]), 131_009),
        (json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}), 131_051),
    ];
    for (body, expected) in cases {
        let reply = send(&stage, &[], &body).await;
        assert_eq!(code(&reply), (400, expected), "{body}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("not-a-number"), "a value may be a person's");
    }
    let path = format!("/v25.0/{ACCOUNT}/messages");
    let reply = stage.call(request(&path, Some(&stage.key), &[], b"{\"to\":")).await;
    assert_eq!(code(&reply), (400, 100));
    let large = vec![b' '; 2 * 1024 * 1024];
    assert_eq!(code(&stage.call(request(&path, Some(&stage.key), &[], &large)).await), (413, 100));
    assert!(accepted(&stage).is_empty());
}

#[tokio::test]
async fn strangers_and_strange_numbers_are_refused() {
    let stage = Stage::new().await;
    let body = text(TO).to_string();
    let path = format!("/v25.0/{ACCOUNT}/messages");
    let mut other = stage.key.clone();
    other.replace_range(10..11, if other.as_bytes()[10] == b'0' { "1" } else { "0" });
    for key in [None, Some(""), Some("EAAB-token"), Some(other.as_str())] {
        assert_eq!(code(&stage.call(request(&path, key, &[], body.as_bytes())).await), (401, 190), "{key:?}");
    }
    let reply = stage.call(request("/v25.0/1/messages", Some(&stage.key), &[], body.as_bytes())).await;
    assert_eq!(code(&reply), (400, 100));
    assert_eq!(reply.json()["error"]["error_subcode"], 33);
    assert_eq!(reply.json()["error"]["type"], "GraphMethodException");
    assert!(accepted(&stage).is_empty());
}

#[tokio::test]
async fn who_is_too_fast_is_throttled_with_metas_code() {
    let stage = Stage::new().await;
    let mut codes = Vec::new();
    for _ in 0..25 {
        let reply = send(&stage, &[], &text(TO)).await;
        if reply.status != 200 {
            assert!(reply.headers.contains_key(header::RETRY_AFTER));
            codes.push(code(&reply));
        }
    }
    assert_eq!(codes, [(429, 130_429); 5], "twenty at once are this tenant's");
}

#[tokio::test]
async fn what_is_not_durable_is_not_accepted() {
    let stage = Stage::new().await;
    stage.journal.script([Deed::refused(Refusal::Overloaded)]);
    let reply = send(&stage, &[], &text(TO)).await;
    assert_eq!(code(&reply), (503, 131_016));
    assert!(reply.headers.contains_key(header::RETRY_AFTER));
    stage.health.set("disk", Some("full".to_owned()));
    assert_eq!(code(&send(&stage, &[], &text(TO)).await), (503, 131_016));
    assert!(accepted(&stage).is_empty());
}

#[tokio::test]
async fn a_request_that_comes_slowly_holds_a_place_and_a_full_house_takes_none() {
    let stage = Stage::new().await;
    let (_pen, body) = fed();
    let path = format!("/v25.0/{ACCOUNT}/messages");
    let mut slow = request(&path, Some(&stage.key), &[], b"");
    *slow.body_mut() = body;
    let free = stage.app.in_flight.free();
    let mut slow = Box::pin(stage.call(slow));
    under_way(&mut slow, || stage.app.in_flight.free() == free - 1).await;
    let held: Vec<_> = (1..free).map(|_| stage.app.in_flight.take(None).expect("room")).collect();
    let reply = send(&stage, &[], &text(TO)).await;
    assert_eq!(code(&reply), (503, 131_016));
    assert!(reply.headers.contains_key(header::RETRY_AFTER));
    drop((slow, held));
    assert_eq!(stage.app.in_flight.free(), free, "every place is given back");
}

#[tokio::test]
async fn who_stopped_marketing_gets_none() {
    let stage = Stage::new().await;
    let alias = Alias::phone(TO).expect("a number");
    let contact = stage.vault.contact(stage.tenant, &alias).await.expect("a contact");
    let facts = ConsentChangedV1 { contact, marketing: false, source: "api".into(), said_at: NOW, evidence: None };
    stage.write(contact, &Event::from(facts)).await;
    stage.apply().await;
    let reply = send(&stage, &[("X-Waybill-Category", "marketing")], &template()).await;
    assert_eq!(code(&reply), (400, 131_050));
    assert_eq!(send(&stage, &[], &template()).await.status, 200, "an order update is no marketing");
}

#[tokio::test]
async fn a_reply_to_our_id_becomes_a_reply_to_metas() {
    let stage = Stage::new().await;
    let first = send(&stage, &[], &text(TO)).await.json()["messages"][0]["id"].clone();
    let mut reply = text(TO);
    reply["context"] = json!({"message_id": first});
    stage.apply().await;
    assert_eq!(code(&send(&stage, &[], &reply).await), (400, 131_009), "not sent yet");
    sent(&stage, "wamid.META").await;
    assert_eq!(send(&stage, &[], &reply).await.status, 200);
    let taken = accepted(&stage);
    let object = content(&stage, &taken[1]).await.object;
    assert_eq!(object["context"]["message_id"], "wamid.META");
    let mut inbound = text(TO);
    inbound["context"] = json!({"message_id": "wamid.HBgLMTIwMjU1NTAxMjMVAgARGBJGOTg2NkE3RjRDODdCRDdCNDkA"});
    assert_eq!(send(&stage, &[], &inbound).await.status, 200);
    let object = content(&stage, &accepted(&stage)[2]).await.object;
    assert_eq!(object["context"], inbound["context"], "Meta's own ids stay");
}

/// The first accepted message leaves and is taken under this id.
async fn sent(stage: &Stage, provider_id: &str) {
    let (facts, _) = &accepted(stage)[0];
    let of = AttemptRef { message: facts.message, attempt: 1 };
    let started =
        AttemptsStartedV1 { session: stage.session, incarnation: Position(0), deadline_ms: 1, attempts: vec![of] };
    stage.write(stage.session, &Event::from(started)).await;
    let vault = &stage.vault;
    let tag = vault.tag(stage.tenant, "provider message", &[provider_id.as_bytes()]).await.expect("a tag");
    let sealed = vault.seal(stage.tenant, facts.contact, &facts.message.0, provider_id.as_bytes()).await;
    let sealed = sealed.expect("sealed");
    let outcome = OutcomeV1::Sent { tag, provider_id: SealedV1 { key: sealed.key, bytes: sealed.bytes } };
    let closed = AttemptsClosedV1 { session: stage.session, closed: vec![ClosedV1 { of, outcome, at: NOW }] };
    stage.write(stage.session, &Event::from(closed)).await;
    stage.apply().await;
}
