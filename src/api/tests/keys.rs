//! Keys: issued once, used, revoked; their text stands nowhere else.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use super::stage::{COUNT, Stage, request, text};

#[tokio::test]
async fn a_key_is_shown_once_works_at_once_and_stops_when_revoked() {
    let stage = Stage::new().await;
    let asked = json!({"name": "ci", "role": "sender"});
    let reply = stage.post("acme/admin", "/v1/keys", &asked).await;
    assert_eq!(reply.headers["cache-control"], "no-store");
    let issued = reply.expect(201);
    let (id, key) = (issued["id"].as_str().expect("an id"), issued["key"].as_str().expect("a text"));
    let send = || stage.call(request(Method::POST, "/v1/messages", Some(key), Some(&text("x"))));
    send().await.expect(202);
    let listed = stage.get("acme/admin", "/v1/keys").await.expect(200).to_string();
    assert!(listed.contains(id) && !listed.contains(key));
    for partition in 0..COUNT {
        for entry in stage.journal.contents(partition) {
            let secret = &key.as_bytes()[key.len() - 73..];
            assert!(!entry.record.raw.windows(secret.len()).any(|window| window == secret), "a key in the journal");
        }
    }
    assert_eq!(stage.post("acme/admin", "/v1/keys", &asked).await.code(), "taken");
    let revoke = request(Method::DELETE, &format!("/v1/keys/{id}"), Some(stage.key("acme/admin")), None);
    stage.call(revoke).await.expect(200);
    assert_eq!(send().await.code(), "unauthorized", "this node forgets it at once");
    stage.post("acme/admin", "/v1/keys", &asked).await.expect(201);
}

#[tokio::test]
async fn a_key_revoked_elsewhere_works_no_longer_than_it_is_remembered() {
    let stage = Stage::new().await;
    let issued = stage.post("acme/admin", "/v1/keys", &json!({"name": "ci", "role": "auditor"})).await.expect(201);
    let key = issued["key"].as_str().expect("a text");
    let ask = || stage.call(request(Method::GET, "/v1/tenant", Some(key), None));
    ask().await.expect(200);
    let id: crate::domain::id::ApiKeyId = issued["id"].as_str().expect("an id").parse().expect("an id");
    let event = crate::domain::event::ApiKeyRevokedV1 { key: id }.into();
    let tenant = stage.tenant("acme");
    let by = crate::domain::record::Principal::Operator;
    let draft =
        crate::domain::draft::Draft::new(crate::domain::id::EventId([3; 16]), tenant, &event, by, super::stage::NOW);
    stage.happens(stage.app.partition_of(tenant), draft.tenant(tenant)).await;
    ask().await.expect(200);
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(ask().await.code(), "unauthorized");
}

#[tokio::test]
async fn the_operator_revokes_by_name_and_the_name_is_free_again() {
    let stage = Stage::new().await;
    let key = stage.key("acme/sender").to_owned();
    let ask = || stage.call(request(Method::GET, "/v1/tenant", Some(&key), None));
    ask().await.expect(200);
    let revoke = |path: &str| stage.call(request(Method::DELETE, path, Some(&stage.operator), None));
    assert_eq!(revoke("/v1/admin/keys/nobody/sender").await.code(), "not_found");
    assert_eq!(revoke("/v1/admin/keys/acme/nothing").await.code(), "not_found");
    ask().await.expect(200);
    revoke("/v1/admin/keys/acme/sender").await.expect(200);
    assert_eq!(ask().await.code(), "unauthorized");
    stage.get("other/sender", "/v1/tenant").await.expect(200);
    revoke("/v1/admin/keys/acme/sender").await.expect(200);
    let again = json!({"keys": [{"tenant": "acme", "name": "sender", "role": "sender"}]});
    let answer = stage.put_operator("/v1/admin/declarations", &again).await.expect(200);
    assert_eq!(answer["keys"][0]["change"], "created", "{answer}");
}

#[tokio::test]
async fn bad_keys_are_refused() {
    let stage = Stage::new().await;
    for (body, code) in [
        (json!({"name": "Not A Name", "role": "sender"}), "invalid_request"),
        (json!({"name": "ok", "role": "boss"}), "invalid_request"),
        (json!({"name": "ok"}), "invalid_request"),
        (json!({"name": "ok", "role": "sender", "secret": "x"}), "invalid_request"),
    ] {
        assert_eq!(stage.post("acme/admin", "/v1/keys", &body).await.code(), code, "{body}");
    }
}
