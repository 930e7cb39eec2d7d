//! Bad input: each with its code, its place, and what to do.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use super::stage::{Stage, TO, request, text};

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = text("x");
    change(&mut body);
    body
}

#[tokio::test]
async fn the_table_of_bad_messages() {
    let stage = Stage::new().await;
    let table: Vec<(Value, &str, &str)> = vec![
        (json!({}), "invalid_request", "/from"),
        (json!([]), "invalid_request", ""),
        (with(|b| b["from"] = json!("nobody")), "unknown_sender", "/from"),
        (with(|b| b["from"] = json!(7)), "invalid_request", "/from"),
        (with(|b| b["to"] = json!("0049301234567")), "invalid_request", "/to"),
        (with(|b| b["to"] = json!(12_025_550_123_u64)), "invalid_request", "/to"),
        (with(|b| drop(b.as_object_mut().and_then(|b| b.remove("to")))), "invalid_request", "/to"),
        (with(|b| b["text"] = json!({})), "invalid_request", "/text/body"),
        (with(|b| b["text"]["body"] = json!("")), "invalid_request", "/text/body"),
        (with(|b| b["text"]["body"] = json!("x".repeat(4097))), "invalid_request", "/text/body"),
        (with(|b| b["type"] = json!("image")), "invalid_request", "/text"),
        (with(|b| b["priority"] = json!("high")), "invalid_request", "/priority"),
        (with(|b| b["prioriti"] = json!("bulk")), "invalid_request", "/prioriti"),
        (with(|b| b["category"] = json!("sales")), "invalid_request", "/category"),
        (with(|b| b["unknown"] = json!("drop")), "invalid_request", "/unknown"),
        (with(|b| b["ordered"] = json!(true)), "invalid_request", "/ordered"),
        (with(|b| b["expires_in"] = json!("0s")), "invalid_request", "/expires_at"),
        (with(|b| b["expires_in"] = json!("31d")), "invalid_request", "/expires_at"),
        (with(|b| b["expires_in"] = json!("tomorrow")), "invalid_request", "/expires_in"),
        (with(|b| b["expires_at"] = json!("2020-01-01T00:00:00Z")), "invalid_request", "/expires_at"),
        (with(|b| b["send_at"] = json!("in an hour")), "invalid_request", "/send_at"),
        (with(|b| b["send_at"] = json!("2027-11-18T00:00:00Z")), "invalid_request", "/send_at"),
        (with(|b| b["reference"] = json!("r".repeat(257))), "invalid_request", "/reference"),
        (with(|b| b["recipient_type"] = json!("group")), "invalid_request", "/recipient_type"),
        (with(|b| b["messaging_product"] = json!("sms")), "invalid_request", "/messaging_product"),
    ];
    for (body, code, pointer) in table {
        let reply = stage.post("acme/sender", "/v1/messages", &body).await;
        let said = reply.json();
        assert_eq!(reply.code(), code, "{body}: {said}");
        let pointers: Vec<&str> =
            said["errors"].as_array().expect("errors").iter().filter_map(|e| e["pointer"].as_str()).collect();
        assert!(pointers.contains(&pointer), "{body}: {said}");
        for error in said["errors"].as_array().expect("errors") {
            assert!(error["remedy"].as_str().is_some_and(|r| !r.is_empty()), "{said}");
        }
        assert!(!said.to_string().contains("4930123"), "repeats a number: {said}");
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_say_why() {
    let stage = Stage::new().await;
    let post = |kind: &str, body: &str| {
        let request =
            Request::post("/v1/messages").header("authorization", format!("Bearer {}", stage.key("acme/sender")));
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        stage.call(request.body(Body::from(body.to_owned())).expect("a request"))
    };
    let broken = post("application/json", "{\"from\": \"shop\",\n \"to\": }").await;
    assert_eq!((broken.status.as_u16(), broken.code().as_str()), (400, "malformed_json"));
    assert!(broken.json()["detail"].as_str().expect("a detail").contains("line 2, column"), "{:?}", broken.body);
    let fine = text("x").to_string();
    assert_eq!(post("text/plain", &fine).await.code(), "unsupported_media_type");
    assert_eq!(post("", &fine).await.code(), "unsupported_media_type");
    assert_eq!(post("Application/JSON; charset=utf-8", &fine).await.status.as_u16(), 202);
    assert_eq!(post("application/json", "").await.code(), "malformed_json");
    assert_eq!(post("application/json", &"[".repeat(1000)).await.code(), "malformed_json");
}

#[tokio::test]
async fn a_body_above_the_limit_is_413() {
    let stage = Stage::with(|settings| settings.server.max_body = crate::config::Size::kib(4)).await;
    let reply = stage.post("acme/sender", "/v1/messages", &text(&"x".repeat(4096))).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (413, "too_large"));
}

#[tokio::test]
async fn bad_headers_queries_and_ids() {
    let stage = Stage::new().await;
    for bad in ["a b", &"k".repeat(256)] {
        assert_eq!(stage.send_with("acme/sender", bad, &text("x")).await.code(), "invalid_header", "{bad}");
    }
    let mut twice = request(Method::POST, "/v1/messages", Some(stage.key("acme/sender")), Some(&text("x")));
    twice.headers_mut().append("idempotency-key", "a".parse().expect("a header"));
    twice.headers_mut().append("idempotency-key", "b".parse().expect("a header"));
    assert_eq!(stage.call(twice).await.code(), "invalid_header");
    let queries = [
        "/v1/messages?limit=many",
        "/v1/messages?cursor=!",
        "/v1/messages?state=happy",
        "/v1/messages?colour=red",
        "/v1/sessions?limit=-1",
        "/v1/messages/msg_00000000000000000000000000000000?wait=1",
        "/v1/messages/msg_00000000000000000000000000000000?wait=99:1",
        "/v1/messages/msg_00000000000000000000000000000000?wait=1:1&timeout=soon",
    ];
    for query in queries {
        assert_eq!(stage.get("acme/auditor", query).await.code(), "invalid_query", "{query}");
    }
    for id in ["nonsense", "msg_00000000000000000000000000000000", "msg_ffff0000000000000000000000000000"] {
        let reply = stage.get("acme/auditor", &format!("/v1/messages/{id}")).await;
        assert_eq!(reply.code(), "not_found", "{id}");
        assert_eq!(reply.json()["detail"], "there is no such message", "{id}");
    }
}

#[tokio::test]
async fn what_meta_may_add_inside_a_content_goes_through() {
    let stage = Stage::new().await;
    let body = json!({
        "from": "shop", "to": TO, "type": "interactive", "biz_opaque_callback_data": "mine",
        "interactive": {"type": "something_new", "body": {"text": "x"}, "action": {"brand": "new"}},
    });
    let answer = stage.post("acme/sender", "/v1/messages", &body).await.expect(202);
    let shown = stage.shown(answer["id"].as_str().expect("an id")).await;
    assert_eq!(shown["content"]["interactive"], body["interactive"]);
}
