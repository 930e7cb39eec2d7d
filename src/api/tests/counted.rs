//! What the API counts: each way in has its latency, each way out its counter.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use super::stage::{Stage, request, text};
use crate::api::meta::tests::stage as meta;
use crate::telemetry::Watched;

#[tokio::test]
async fn each_line_of_a_bulk_has_its_latency_and_each_refusal_its_code() {
    let stage = Stage::new().await;
    let watched = Watched::begin();
    let lines = format!("{}\n{{}}\n{}\n", text("one"), text("two"));
    let bulk = Request::post("/v1/messages/bulk").header("content-type", "application/x-ndjson");
    let bulk = bulk.header("authorization", format!("Bearer {}", stage.key("acme/sender")));
    assert_eq!(stage.call(bulk.body(Body::from(lines)).expect("a request")).await.status, 200);
    for stage in ["accept", "commit"] {
        watched.has(&format!("waybill_stage_seconds_count{{stage=\"{stage}\"}} 2"));
    }
    watched.has("waybill_requests_refused_total{code=\"invalid_request\"} 1");
    stage.sent().await;
    watched.has("waybill_stage_seconds_count{stage=\"accept\"} 3");
}

#[tokio::test]
async fn the_drop_in_counts_what_it_refuses() {
    let stage = Stage::new().await;
    let watched = Watched::begin();
    let key = Some(stage.key("acme/sender"));
    let path = "/v25.0/900100200300501/messages";
    let reply = stage.call(request(Method::POST, path, key, Some(&json!({"to": "x", "text": {"body": "x"}})))).await;
    assert_eq!(reply.status, 400);
    watched.has("waybill_dropin_refused_total{code=\"131009\"} 1");
}

#[tokio::test]
async fn callbacks_are_counted_by_what_became_of_them() {
    let stage = meta::Stage::new().await;
    let watched = Watched::begin();
    let body = include_bytes!("../../../tests/fixtures/meta/webhook.whatsapp.status.delivered.json");
    assert_eq!(stage.post(body).await.status, 200);
    assert_eq!(stage.post_signed(body, Some("sha256=00")).await.status, 401);
    assert_eq!(stage.post(b"no JSON").await.status, 200);
    stage.health.set("disk", Some("full".to_owned()));
    assert_eq!(stage.post(body).await.status, 503);
    for (outcome, times) in [("taken", 2), ("unauthorized", 1), ("refused", 1)] {
        watched.has(&format!("waybill_callbacks_total{{outcome=\"{outcome}\"}} {times}"));
    }
    watched.has("waybill_callback_events_total{kind=\"status\"} 1");
    watched.has("waybill_callback_events_total{kind=\"carried\"} 1");
}
