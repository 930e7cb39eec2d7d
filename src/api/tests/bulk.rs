//! Bulk: every line answered, in order, whatever its neighbours are.

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use super::feed::fed;
use super::stage::{Reply, Stage, text};
use crate::journal::{Deed, Refusal};

fn request(stage: &Stage, body: Body) -> Request<Body> {
    Request::post("/v1/messages/bulk")
        .header("authorization", format!("Bearer {}", stage.key("acme/sender")))
        .header("content-type", "application/x-ndjson")
        .body(body)
        .expect("a request")
}

async fn bulk(stage: &Stage, text: String) -> Vec<Value> {
    lines(&stage.call(request(stage, Body::from(text))).await)
}

fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/x-ndjson");
    let lines = reply.body.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("a JSON line")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_lines_are_answered_in_order_and_stand_in_order() {
    const LINES: usize = 10_000;
    let stage = Stage::new().await;
    let mut body = String::new();
    for number in 0..LINES {
        let to = format!("+1202555{:04}", number % 500);
        let line =
            json!({"from": "shop", "to": to, "text": {"body": format!("n{number}")}, "reference": number.to_string()});
        body += &format!("{line}\n");
    }
    let answers = bulk(&stage, body).await;
    assert_eq!(answers.len(), LINES);
    let mut last = 0;
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer["line"], number + 1);
        assert_eq!(answer["status"], "accepted", "{answer}");
        let place = answer["position"].as_str().and_then(|place| place.split_once(':')).expect("a place");
        let position: u64 = place.1.parse().expect("a number");
        assert!(position > last, "line {} stands before its neighbour", number + 1);
        last = position;
    }
    let ids: std::collections::HashSet<&str> = answers.iter().filter_map(|a| a["id"].as_str()).collect();
    assert_eq!(ids.len(), LINES);
}

#[tokio::test]
async fn a_bad_line_fails_alone_and_blank_ones_count_but_say_nothing() {
    let stage = Stage::with(|settings| {
        settings.server.bulk_line_max = serde_size();
    })
    .await;
    let long = format!("{{\"x\":\"{}\"}}", "y".repeat(1100));
    let body = format!(
        "{}\n\n{{broken\n{}\n{}\n  \r\n{}\n{}",
        text("one"),
        json!({"from": "nobody", "to": "+12025550123", "text": {"body": "x"}}),
        long,
        json!({"from": "shop", "to": "12", "text": {"body": "x"}}),
        text("last, without a line break"),
    );
    let answers = bulk(&stage, body).await;
    let said: Vec<(u64, String)> = answers
        .iter()
        .map(|a| {
            let code = a["error"]["code"].as_str().or(a["status"].as_str()).expect("one of the two");
            (a["line"].as_u64().expect("a line"), code.to_owned())
        })
        .collect();
    let expected = [
        (1, "accepted"),
        (3, "malformed_json"),
        (4, "unknown_sender"),
        (5, "too_large"),
        (7, "invalid_request"),
        (8, "accepted"),
    ];
    assert_eq!(said, expected.map(|(line, code)| (line, code.to_owned())));
}

fn serde_size() -> crate::config::Size {
    crate::config::Size::kib(1)
}

#[tokio::test]
async fn a_line_has_its_own_idempotency_key() {
    let stage = Stage::new().await;
    let line = |body: &str, key: &str| {
        let mut line = text(body);
        line["idempotency_key"] = json!(key);
        line.to_string()
    };
    let first = bulk(&stage, line("a", "k-1")).await;
    stage.caught_up().await;
    let answers = bulk(&stage, format!("{}\n{}\n{}\n", line("a", "k-1"), line("b", "k-1"), line("b", "no good"))).await;
    assert_eq!((&answers[0]["id"], &answers[0]["replayed"]), (&first[0]["id"], &json!(true)));
    assert_eq!(answers[1]["error"]["code"], "idempotency_conflict");
    assert_eq!(answers[2]["error"]["errors"][0]["pointer"], "/idempotency_key");
    let single = stage.send_with("acme/sender", "k-1", &text("a")).await.expect(202);
    assert_eq!(single["id"], first[0]["id"], "a line and a single request are the same request");
}

#[tokio::test]
async fn a_refused_append_is_its_lines_own_answer() {
    let stage = Stage::new().await;
    stage.journal.script([Deed::honest(), Deed::refused(Refusal::Overloaded), Deed::honest()]);
    let answers = bulk(&stage, format!("{}\n{}\n{}\n", text("1"), text("2"), text("3"))).await;
    let said: Vec<bool> = answers.iter().map(|a| a.get("error").is_some()).collect();
    assert_eq!(said, [false, true, false]);
    assert_eq!(answers[1]["error"]["code"], "overloaded");
    assert_eq!(answers[1]["error"]["retry_after"], 1, "a line has no headers");
}

#[tokio::test]
async fn an_idempotency_key_for_all_of_it_is_refused_and_nothing_is_taken() {
    let stage = Stage::new().await;
    let mut request = request(&stage, Body::from(text("x").to_string()));
    request.headers_mut().insert("idempotency-key", "night-run".parse().expect("a header"));
    let reply = stage.call(request).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (400, "invalid_header"));
    assert_eq!(reply.json()["remedy"], "put `idempotency_key` into each line");
    stage.caught_up().await;
    let kept = stage.get("acme/auditor", "/v1/messages").await.expect(200);
    assert_eq!(kept["data"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn an_answer_comes_before_the_body_has_ended() {
    let stage = Stage::new().await;
    let (sender, body) = fed();
    let service = TowerToHyperService::new(stage.router.clone());
    let response = service.call(request(&stage, body)).await.expect("infallible");
    let mut answers = response.into_body();
    for number in 1..=3 {
        sender.send(Bytes::from(format!("{}\n", text("x")))).await.expect("read");
        let frame = answers.frame().await.expect("a frame").expect("whole").into_data().expect("data");
        let answer: Value = serde_json::from_slice(&frame).expect("one line");
        assert_eq!(answer["line"], number);
    }
    drop(sender);
    assert!(answers.frame().await.is_none(), "the answer ends with the request");
}

#[tokio::test]
async fn a_revoked_key_ends_its_open_bulk() {
    let stage = Stage::new().await;
    let (pen, body) = fed();
    let service = TowerToHyperService::new(stage.router.clone());
    let mut answers = service.call(request(&stage, body)).await.expect("infallible").into_body();
    let line = |body: &str| Bytes::from(format!("{}\n", text(body)));
    pen.send(line("before")).await.expect("read");
    let first = answers.frame().await.expect("a frame").expect("whole").into_data().expect("data");
    assert_eq!(serde_json::from_slice::<Value>(&first).expect("a line")["status"], "accepted");
    let listed = stage.get("acme/admin", "/v1/keys").await.expect(200);
    let key = listed["data"].as_array().expect("keys").iter().find(|key| key["name"] == "sender").expect("the key");
    let path = format!("/v1/keys/{}", key["id"].as_str().expect("an id"));
    let admin = Some(stage.key("acme/admin"));
    stage.call(super::stage::request(Method::DELETE, &path, admin, None)).await.expect(200);
    stage.clock.advance(std::time::Duration::from_secs(5));
    pen.send([line("after"), line("long after")].concat().into()).await.expect("read");
    let rest = answers.collect().await.expect("an orderly end, though the body goes on").to_bytes();
    let said: Vec<Value> = rest
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("a JSON line"))
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!((&said[0]["line"], &said[0]["error"]["code"]), (&json!(2), &json!("unauthorized")));
    drop(pen);
    stage.caught_up().await;
    let kept = stage.get("acme/auditor", "/v1/messages").await.expect(200);
    assert_eq!(kept["data"].as_array().map(Vec::len), Some(1), "nothing was accepted after it");
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let stage = Stage::new().await;
    let mut request = request(&stage, Body::from(text("x").to_string()));
    request.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
    assert_eq!(stage.call(request).await.code(), "unsupported_media_type");
}
