//! Limits: at each the caller is told when to come back, and nobody else pays.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::sync::mpsc::Sender;

use super::feed::{fed, under_way};
use super::stage::{Reply, Stage, request, text};

#[tokio::test]
async fn a_tenant_above_its_rate_waits_and_others_do_not() {
    let stage = Stage::new().await;
    let slow = json!({"tenants": [{"name": "acme", "per_second": 1, "burst": 2}]});
    stage.put_operator("/v1/admin/declarations", &slow).await.expect(200);
    stage.sent().await;
    stage.sent().await;
    let reply = stage.post("acme/sender", "/v1/messages", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (429, "quota_exceeded"));
    assert!(reply.headers.contains_key("retry-after"));
    stage.post("other/sender", "/v1/messages", &text("x")).await.expect(202);
    stage.clock.advance(Duration::from_secs(1));
    stage.sent().await;
}

#[tokio::test]
async fn a_full_queue_is_a_429_and_takes_again_when_some_have_left() {
    let stage = Stage::new().await;
    let few = json!({"tenants": [{"name": "acme", "queue_max": 2}]});
    stage.put_operator("/v1/admin/declarations", &few).await.expect(200);
    let first = stage.sent().await;
    let keyed = || {
        let mut keyed = request(Method::POST, "/v1/messages", Some(stage.key("acme/sender")), Some(&text("keyed")));
        keyed.headers_mut().insert("idempotency-key", "k".parse().expect("a header"));
        stage.call(keyed)
    };
    keyed().await.expect(202);
    let full = stage.post("acme/sender", "/v1/messages", &text("x")).await;
    assert_eq!((full.status.as_u16(), full.code().as_str()), (429, "queue_full"));
    assert_eq!(full.headers["retry-after"], "1");
    stage.post("other/sender", "/v1/messages", &text("x")).await.expect(202);
    stage.caught_up().await;
    keyed().await.expect(202);
    let tenant = stage.get("acme/admin", "/v1/tenant").await.expect(200);
    assert_eq!((&tenant["waiting"], &tenant["queue_max"]), (&json!(2), &json!(2)));
    stage.post("acme/sender", &format!("/v1/messages/{first}/cancel"), &json!({})).await.expect(202);
    stage.caught_up().await;
    stage.clock.advance(Duration::from_secs(1));
    stage.sent().await;
    assert_eq!(stage.post("acme/sender", "/v1/messages", &text("x")).await.code(), "queue_full");
}

#[tokio::test]
async fn a_full_house_is_a_503_and_takes_again_when_there_is_room() {
    let stage = Stage::with(|settings| settings.server.max_in_flight = 1).await;
    let (pen, mut slow) = slow(&stage, "acme/sender");
    under_way(&mut slow, || stage.app.in_flight.free() == 0).await;
    let reply = stage.post("other/sender", "/v1/messages", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (503, "overloaded"));
    assert_eq!(reply.headers["retry-after"], "1");
    pen.send(text("slow").to_string().into()).await.expect("read");
    drop(pen);
    slow.await.expect(202);
    stage.sent().await;
    assert_eq!(stage.app.in_flight.free(), 1, "every place is given back");
}

#[tokio::test]
async fn a_tenant_with_many_slow_requests_leaves_room_for_others() {
    let stage = Stage::with(|settings| settings.server.max_in_flight = 4).await;
    let mut held: Vec<_> = (0..3).map(|_| slow(&stage, "acme/sender")).collect();
    for (number, (_, slow)) in held.iter_mut().enumerate() {
        under_way(slow, || stage.app.in_flight.free() == 3 - number).await;
    }
    assert_eq!(stage.post("acme/sender", "/v1/messages", &text("x")).await.code(), "overloaded");
    stage.post("other/sender", "/v1/messages", &text("x")).await.expect(202);
}

/// A request whose body has not come yet.
fn slow<'a>(stage: &'a Stage, key: &str) -> (Sender<Bytes>, Pin<Box<dyn Future<Output = Reply> + 'a>>) {
    let (pen, body) = fed();
    let mut request = request(Method::POST, "/v1/messages", Some(stage.key(key)), Some(&json!({})));
    *request.body_mut() = body;
    (pen, Box::pin(stage.call(request)))
}

#[tokio::test]
async fn bulk_requests_have_their_own_limit() {
    let stage = Stage::new().await;
    let bulk = |key: &str, body: Body| {
        let request = Request::post("/v1/messages/bulk")
            .header("authorization", format!("Bearer {}", stage.key(key)))
            .header("content-type", "application/x-ndjson");
        TowerToHyperService::new(stage.router.clone()).call(request.body(body).expect("a request"))
    };
    let mut open = Vec::new();
    let refused = loop {
        let (pen, body) = fed();
        let response = bulk("acme/sender", body).await.expect("infallible");
        match response.status().as_u16() {
            200 => open.push((pen, response)),
            status => break status,
        }
        assert!(open.len() <= 32, "one tenant has them all");
    };
    assert_eq!((refused, open.len(), stage.app.bulks.free()), (503, 8, 24));
    stage.sent().await;
    let other = bulk("other/sender", Body::from(text("x").to_string())).await.expect("infallible");
    assert_eq!(other.status(), 200, "another tenant's are its own");
    drop(other);
    drop(open);
    while stage.app.bulks.free() < 32 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_bulk_whose_answers_are_never_read_is_given_up() {
    let stage = Stage::with(|settings| settings.server.request_timeout = Duration::from_millis(200)).await;
    let lines: String = (0..2_000).map(|number| format!("{}\n", text(&number.to_string()))).collect();
    let request = Request::post("/v1/messages/bulk")
        .header("authorization", format!("Bearer {}", stage.key("acme/sender")))
        .header("content-type", "application/x-ndjson")
        .body(Body::from(lines))
        .expect("a request");
    let unread = TowerToHyperService::new(stage.router.clone()).call(request).await.expect("infallible");
    let given_up = async {
        while stage.app.bulks.free() < 32 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), given_up).await.expect("it holds its place for ever");
    assert!(unread.into_body().collect().await.is_err(), "not an orderly end: lines are unanswered");
}

#[tokio::test]
async fn who_waits_holds_a_place_of_its_tenants_share() {
    let mut stage = Stage::new().await;
    stage.caught_up().await;
    stage.applier = None;
    stage.store.hold_commits();
    let answer = stage.post("acme/sender", "/v1/messages", &text("x")).await.expect(202);
    let (id, place) = (answer["id"].as_str().expect("id"), answer["position"].as_str().expect("place"));
    let path = format!("/v1/messages/{id}?wait={place}&timeout=30s");
    let free = stage.app.waits.free();
    let mut waiting = Box::pin(stage.get("acme/sender", &path));
    under_way(&mut waiting, || stage.app.waits.free() == free - 1).await;
    let acme = Some(stage.tenant("acme"));
    let _held: Vec<_> = std::iter::from_fn(|| stage.app.waits.take(acme).ok()).collect();
    assert!(stage.app.waits.free() > free / 2, "one tenant leaves room");
    assert_eq!(stage.get("acme/auditor", &path).await.code(), "overloaded");
    assert_eq!(stage.get("other/auditor", &path).await.code(), "not_found", "a stranger is not kept out");
}

#[tokio::test]
async fn a_session_declared_elsewhere_is_found_within_a_second() {
    let stage = Stage::new().await;
    // Another node declares: its directory is not ours.
    let other = crate::api::App::new(crate::api::Parts {
        journal: stage.journal.clone(),
        store: stage.store.clone(),
        vault: stage.vault.clone(),
        clock: stage.clock.clone(),
        entropy: Arc::new(crate::runtime::SeededEntropy::new(77)),
        health: stage.health.clone(),
        settings: stage.app.settings.clone(),
        node: crate::domain::id::NodeId([7; 16]),
        operator: crate::api::OperatorKey::of_text(&stage.operator),
    });
    let mut elsewhere = Stage::bare(|_| {});
    elsewhere.router = crate::api::router(Arc::new(other));
    elsewhere.operator.clone_from(&stage.operator);
    let declared =
        json!({"sessions": [{"tenant": "acme", "name": "new", "phone_number_id": "900100200300509", "test": true}]});
    elsewhere.put_operator("/v1/admin/declarations", &declared).await.expect(200);
    let mut body = text("x");
    body["from"] = json!("new");
    assert_eq!(stage.post("acme/sender", "/v1/messages", &body).await.code(), "unknown_sender", "looked a moment ago");
    stage.clock.advance(Duration::from_secs(1));
    stage.post("acme/sender", "/v1/messages", &body).await.expect(202);
}
