//! Endpoints: shown with their lag, switched off and on.

use serde_json::json;

use super::stage::{NOW, Stage};
use crate::domain::draft::Draft;
use crate::domain::event::{CursorV1, DeliveriesSettledV1, FailingV1};
use crate::domain::id::{EndpointId, EventId, MessageId, NodeId};
use crate::domain::record::{Position, Principal};
use crate::journal::Journal;

#[tokio::test]
async fn an_endpoint_shows_what_it_was_not_told_yet() {
    let stage = Stage::new().await;
    let before = stage.get("acme/auditor", "/v1/endpoints/crm").await.expect(200);
    assert_eq!((&before["url"], &before["lag"]["waiting"]), (&json!("https://crm.example/hooks"), &json!(0)));
    let id = stage.sent().await;
    stage.caught_up().await;
    let path = format!("/v1/messages/{id}/cancel");
    stage.post("acme/sender", &path, &json!({})).await.expect(202);
    stage.caught_up().await;
    let behind = stage.get("acme/auditor", "/v1/endpoints/crm").await.expect(200);
    assert_eq!(behind["lag"]["waiting"], 1, "the call-off; the acceptance is not what it asked for: {behind}");
    let endpoint = EndpointId::named(stage.tenant("acme"), "crm");
    let partition = id.parse::<MessageId>().expect("an id").partition();
    let at = CursorV1 { partition, position: Position(stage.journal.end(partition).0 - 1) };
    let failing =
        FailingV1 { notification: EventId([4; 16]), at, tries: 2, next: Some(NOW), why: "status 500".to_owned() };
    let settled =
        DeliveriesSettledV1 { endpoint, cursors: vec![at], delivered: 3, failing: vec![failing], recovered: vec![] };
    let by = Principal::Node(NodeId([6; 16]));
    let draft = Draft::new(EventId([8; 16]), endpoint, &settled.into(), by, NOW).tenant(stage.tenant("acme"));
    stage.happens(stage.app.partition_of(endpoint), draft).await;
    let told = stage.get("acme/auditor", "/v1/endpoints/crm").await.expect(200);
    assert_eq!((&told["lag"]["waiting"], &told["delivered"], &told["failing"]), (&json!(0), &json!(3), &json!(1)));
    assert_eq!(told["failures"][0]["why"], "status 500");
}

#[tokio::test]
async fn an_endpoint_is_switched_off_and_on() {
    let stage = Stage::new().await;
    stage.post("acme/admin", "/v1/endpoints/crm/disable", &json!({})).await.expect(200);
    let listed = stage.get("acme/auditor", "/v1/endpoints").await.expect(200);
    assert_eq!(listed["data"][0]["disabled"], "disabled by hand");
    stage.post("acme/admin", "/v1/endpoints/crm/enable", &json!({})).await.expect(200);
    let shown = stage.get("acme/auditor", "/v1/endpoints/crm").await.expect(200);
    assert_eq!(shown["disabled"], json!(null));
}
