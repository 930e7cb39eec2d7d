//! Limits: at each the caller is told when to come back, and nobody else pays.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::stage::{Stage, text};

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
async fn a_full_house_is_a_503_and_takes_again_when_there_is_room() {
    let stage = Stage::with(|settings| settings.server.max_in_flight = 2).await;
    let places = Arc::clone(&stage.app.in_flight).acquire_many_owned(2).await.expect("open");
    let reply = stage.post("acme/sender", "/v1/messages", &text("x")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (503, "overloaded"));
    assert_eq!(reply.headers["retry-after"], "1");
    drop(places);
    stage.sent().await;
    assert_eq!(stage.app.in_flight.available_permits(), 2, "every place is given back");
}

#[tokio::test]
async fn bulk_requests_have_their_own_limit() {
    let stage = Stage::new().await;
    let all = u32::try_from(stage.app.bulks.available_permits()).expect("few");
    let _places = Arc::clone(&stage.app.bulks).acquire_many_owned(all).await.expect("open");
    let request = axum::http::Request::post("/v1/messages/bulk")
        .header("authorization", format!("Bearer {}", stage.key("acme/sender")))
        .header("content-type", "application/x-ndjson")
        .body(axum::body::Body::from(text("x").to_string()));
    assert_eq!(stage.call(request.expect("a request")).await.code(), "overloaded");
    stage.sent().await;
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
