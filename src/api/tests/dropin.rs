//! A client of the drop-in asks what became of its message: by the id it was answered with, under the names it knows.

use axum::http::Method;
use serde_json::{Value, json};

use super::stage::{Stage, TO, request};
use crate::domain::id::MessageId;
use crate::domain::wamid;

/// Sends through the drop-in with acme's sender key; the id it was answered with.
async fn send(stage: &Stage, token: Option<&str>) -> String {
    let mut body = json!({"messaging_product": "whatsapp", "to": TO, "type": "text", "text": {"body": "Ready"}});
    if let Some(token) = token {
        body["biz_opaque_callback_data"] = json!(token);
    }
    let path = "/v25.0/900100200300501/messages";
    let answer = stage.call(request(Method::POST, path, Some(stage.key("acme/sender")), Some(&body))).await.expect(200);
    answer["messages"][0]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_message_is_found_by_the_id_that_its_client_was_given() {
    let stage = Stage::new().await;
    let id = send(&stage, Some("order-1042")).await;
    let shown = stage.shown(&id).await;
    assert_eq!((&shown["wamid"], &shown["biz_opaque_callback_data"]), (&json!(id), &json!("order-1042")));
    let ours: MessageId = shown["id"].as_str().expect("an id").parse().expect("of ours");
    assert_eq!(wamid::read(&id), Some(ours));
    let listed = stage.get("acme/auditor", "/v1/messages").await.expect(200);
    assert_eq!(listed["data"][0]["wamid"], json!(id));
    assert!(!listed.to_string().contains("order-1042"), "lists show nothing that is sealed");
    let plain = send(&stage, None).await;
    assert_eq!(stage.shown(&plain).await["biz_opaque_callback_data"], Value::Null);
    stage.post("acme/sender", &format!("/v1/messages/{plain}/cancel"), &json!({})).await.expect(202);
}

#[tokio::test]
async fn a_wamid_opens_nothing_of_a_stranger_and_metas_own_are_not_ours() {
    let stage = Stage::new().await;
    let id = send(&stage, None).await;
    stage.caught_up().await;
    let strange = stage.get("other/admin", &format!("/v1/messages/{id}")).await;
    assert_eq!(strange.code(), "not_found");
    let metas = "wamid.HBgLMTIwMjU1NTAxMjMVAgARGBJGOTg2NkE3RjRDODdCRDdCNDkA";
    assert_eq!(stage.get("acme/admin", &format!("/v1/messages/{metas}")).await.code(), "not_found");
}
