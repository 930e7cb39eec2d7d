//! Sessions: shown, suspended, resumed, held, slowed down, released. A suspended one still takes messages.

use serde_json::json;

use super::stage::{NOW, Stage};
use crate::api::time::stamp;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, SessionHeldV1, SessionPacedV1};
use crate::domain::id::{EventId, SessionId};
use crate::domain::record::{Micros, Principal};

const MINUTE: Micros = 60_000_000;

#[tokio::test]
async fn a_session_is_suspended_in_effect_and_still_takes_messages() {
    let stage = Stage::new().await;
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!((&shown["phone_number_id"], &shown["suspended"]), (&json!("900100200300501"), &json!(null)));
    let path = "/v1/sessions/shop/suspend";
    let answer = stage.post("acme/admin", path, &json!({"reason": "complaints"})).await.expect(200);
    assert_eq!(answer["applied"], true);
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!((&shown["suspended"]["why"], &shown["suspended"]["since"]), (&json!("complaints"), &stamp(NOW)));
    let id = stage.sent().await;
    let message = stage.shown(&id).await;
    assert_eq!((&message["state"], &message["waiting"]["why"]), (&json!("held"), &json!("suspended")));
    assert_eq!(message["waiting"]["reason"], "complaints");
    stage.post("acme/admin", "/v1/sessions/shop/resume", &json!({"reason": "mended"})).await.expect(200);
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!(shown["suspended"], json!(null));
    let message = stage.shown(&id).await;
    assert_eq!((&message["state"], message.get("waiting")), (&json!("queued"), None));
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
    let answer = stage.post("acme/admin", "/v1/sessions/shop/resume", &json!({"reason": "mended"})).await.expect(202);
    assert_eq!(answer["applied"], false);
}

/// What acme's session is told by its provider.
async fn answered(stage: &Stage, facts: impl FnOnce(SessionId) -> Event) {
    let tenant = stage.tenant("acme");
    let session = SessionId::named(tenant, "shop");
    let id = EventId(stage.app.entropy.id());
    let draft = Draft::new(id, session, &facts(session), Principal::Node(stage.app.node), NOW).tenant(tenant);
    stage.happens(stage.app.partition_of(session), draft).await;
}

fn held(class: &str, code: i32, until: Micros) -> impl FnOnce(SessionId) -> Event {
    let class = Some(class.to_owned());
    move |session| SessionHeldV1 { session, code, until, class, bucket: None }.into()
}

fn paced(per_second: u32, until: Micros) -> impl FnOnce(SessionId) -> Event {
    let bucket = "number".to_owned();
    move |session| SessionPacedV1 { session, bucket, per_second, until, code: 130_429 }.into()
}

#[tokio::test]
async fn a_hold_and_a_lowered_rate_are_shown_until_somebody_lifts_them() {
    let stage = Stage::new().await;
    let id = stage.sent().await;
    answered(&stage, paced(20, NOW + 9 * MINUTE)).await;
    let message = stage.shown(&id).await;
    let waiting = json!({"why": "throttled", "until": null, "code": 130_429, "reason": "throttle:number"});
    assert_eq!((&message["state"], &message["waiting"]), (&json!("queued"), &waiting));
    answered(&stage, held("auth", 190, NOW + MINUTE)).await;
    let message = stage.shown(&id).await;
    let waiting = json!({"why": "held", "until": stamp(NOW + MINUTE), "code": 190, "reason": "auth"});
    assert_eq!((&message["state"], &message["waiting"]), (&json!("held"), &waiting));
    for (state, count) in [("held", 1), ("queued", 0)] {
        let list = stage.get("acme/auditor", &format!("/v1/messages?state={state}")).await.expect(200);
        assert_eq!(list["data"].as_array().map(Vec::len), Some(count), "{state}");
        assert!(count == 0 || list["data"][0]["waiting"] == waiting, "{list}");
    }
    let list = stage.get("acme/auditor", "/v1/sessions").await.expect(200);
    let (since, until) = (stamp(NOW), stamp(NOW + MINUTE));
    let shown = json!({"why": "auth", "bucket": null, "code": 190, "since": since, "until": until});
    assert_eq!(list["data"][0]["held"], shown);
    assert_eq!(list["data"][0]["paced"]["per_second"], 20);
    assert_eq!(list["data"][0]["paced"]["since"], stamp(NOW));

    let path = "/v1/sessions/shop/release";
    for reason in ["", "back\u{202e}wards"] {
        let reply = stage.post("acme/admin", path, &json!({"reason": reason})).await;
        assert_eq!(reply.code(), "invalid_request");
    }
    assert_eq!(stage.post("acme/sender", path, &json!({"reason": "mine"})).await.code(), "forbidden");
    stage.post("acme/admin", path, &json!({"reason": "the token was mended"})).await.expect(200);
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!((&shown["held"], &shown["paced"]), (&json!(null), &json!(null)));
    assert_eq!(stage.shown(&id).await.get("waiting"), None);
}

#[tokio::test]
async fn releasing_lifts_no_suspension() {
    let stage = Stage::new().await;
    let suspend = json!({"reason": "complaints"});
    stage.post("acme/admin", "/v1/sessions/shop/suspend", &suspend).await.expect(200);
    stage.post("acme/admin", "/v1/sessions/shop/release", &json!({"reason": "x"})).await.expect(200);
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!(shown["suspended"]["why"], "complaints");
}

#[tokio::test]
async fn a_hold_of_the_token_ends_with_a_new_one_and_other_holds_do_not() {
    let stage = Stage::new().await;
    let declared = |token: &str| {
        let session = json!({"tenant": "acme", "name": "shop", "phone_number_id": "900100200300501", "token": token});
        json!({"sessions": [session]})
    };
    for (class, token, still) in [("auth", "EAABnew", false), ("throttle", "EAABnewer", true)] {
        answered(&stage, held(class, 1, NOW + MINUTE)).await;
        stage.put_operator("/v1/admin/declarations", &declared(token)).await.expect(200);
        stage.caught_up().await;
        let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
        assert_eq!(shown["held"].is_object(), still, "{class}");
    }
}

#[tokio::test]
async fn what_is_over_by_the_clock_is_not_shown() {
    let stage = Stage::new().await;
    answered(&stage, paced(20, NOW)).await;
    answered(&stage, held("unreached", 0, NOW)).await;
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!((&shown["held"], &shown["paced"]), (&json!(null), &json!(null)));
}
