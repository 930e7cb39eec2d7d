//! Sessions: shown, suspended, resumed. A suspended one still takes messages.

use serde_json::json;

use super::stage::Stage;

#[tokio::test]
async fn a_session_is_suspended_in_effect_and_still_takes_messages() {
    let stage = Stage::new().await;
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!((&shown["phone_number_id"], &shown["suspended"]), (&json!("900100200300501"), &json!(null)));
    let path = "/v1/sessions/shop/suspend";
    let answer = stage.post("acme/admin", path, &json!({"reason": "complaints"})).await.expect(200);
    assert_eq!(answer["applied"], true);
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!(shown["suspended"], "complaints");
    let id = stage.sent().await;
    assert_eq!(stage.shown(&id).await["state"], "queued");
    stage.post("acme/admin", "/v1/sessions/shop/resume", &json!({})).await.expect(200);
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!(shown["suspended"], json!(null));
    for reason in ["", &"x".repeat(201), "\u{1b}]0;owned\u{7}", "back\u{202e}wards"] {
        let reply = stage.post("acme/admin", path, &json!({"reason": reason})).await;
        assert_eq!(reply.code(), "invalid_request");
    }
    let slip = stage.post("acme/admin", path, &json!({"reson": "x"})).await;
    assert_eq!(slip.json()["remedy"], "did you mean `reason`?");
}

#[tokio::test]
async fn a_verb_that_is_not_in_the_rows_yet_is_202() {
    let stage = Stage::new().await;
    stage.caught_up().await;
    stage.store.hold_commits();
    let answer = stage.post("acme/admin", "/v1/sessions/shop/resume", &json!({})).await.expect(202);
    assert_eq!(answer["applied"], false);
}
