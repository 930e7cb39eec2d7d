//! Test keys: they change nothing that is live, whatever their role.

use axum::http::Method;
use serde_json::{Value, json};

use super::stage::{Stage, TO, request, text};
use crate::api::guard::Access;
use crate::api::routes::ROUTES;

/// Routes at which a test key does what it is for: it sends what never goes out.
const SENDING: [&str; 2] = ["/v1/messages", "/v1/messages/bulk"];

/// Routes that only read, whatever their method.
const READING: [&str; 3] = ["/v1/contacts/show", "/v1/campaigns/{name}/validate", "/v1/campaigns/{name}/plan"];

/// Routes that leave out what is live instead of refusing: their own test says so.
const LEAVING_OUT: [&str; 2] = ["/v1/failures/retry", "/v1/failures/resolve"];

/// A body that each route would take.
fn body(path: &str) -> Value {
    match path {
        "/v1/messages/{id}/resolve" => json!({"as": "resend"}),
        path if ["/suspend", "/resume", "/drain", "/release"].iter().any(|verb| path.ends_with(verb)) => {
            json!({"reason": "trouble"})
        }
        "/v1/campaigns/{name}" => json!({"from": "shop", "template": {"name": "sale", "language": "de"}}),
        path if path.starts_with("/v1/campaigns/") => json!({"reason": "trouble"}),
        "/v1/sessions/{name}/rebind" => json!({"to": "spare", "reason": "trouble"}),
        "/v1/keys" => json!({"name": "more", "role": "admin", "test": false}),
        "/v1/contacts/erase" | "/v1/contacts/export" => json!({"to": TO, "reason": "by letter"}),
        "/v1/contacts/legal-hold" => json!({"to": TO, "held": true, "reason": "a dispute"}),
        "/v1/contacts/consent" => json!({"to": TO, "marketing": true, "source": "checkout"}),
        _ => json!({}),
    }
}

/// A test key with the role admin, and the id of the key `sender`, which is live.
async fn keys(stage: &Stage) -> (String, String) {
    let asked = json!({"name": "ci", "role": "admin", "test": true});
    let issued = stage.post("acme/admin", "/v1/keys", &asked).await.expect(201);
    let listed = stage.get("acme/admin", "/v1/keys").await.expect(200);
    let sender = listed["data"].as_array().expect("keys").iter().find(|key| key["name"] == "sender");
    let id = sender.and_then(|key| key["id"].as_str()).expect("an id");
    (issued["key"].as_str().expect("a text").to_owned(), id.to_owned())
}

#[tokio::test]
async fn every_route_that_changes_something_refuses_a_test_key_on_what_is_live() {
    let stage = Stage::new().await;
    let (test, sender) = keys(&stage).await;
    let message = stage.sent().await;
    stage.put("acme/admin", "/v1/campaigns/shop", &body("/v1/campaigns/{name}")).await.expect(200);
    stage.caught_up().await;
    let end = || (0..super::stage::COUNT).map(|p| stage.journal.contents(p).len()).sum::<usize>();
    let (before, mut tried) = (end(), 0);
    let others = [SENDING, LEAVING_OUT].concat();
    for route in ROUTES.iter().filter(|route| route.method != "get" && !others.contains(&route.path)) {
        if READING.contains(&route.path) {
            continue;
        }
        if !matches!(route.access, Access::Roles(_)) {
            continue;
        }
        let name = if route.path.contains("endpoints") { "crm" } else { "shop" };
        let id = if route.path.contains("keys") { &sender } else { &message };
        let path = route.path.replace("{id}", id).replace("{name}", name).replace("{code}", "49");
        let method = Method::from_bytes(route.method.to_ascii_uppercase().as_bytes()).expect("a method");
        let reply = stage.call(request(method, &path, Some(&test), Some(&body(route.path)))).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (403, "forbidden"), "{} {path}", route.method);
        tried += 1;
    }
    assert!(tried >= 9, "only {tried} routes change something");
    assert_eq!(end(), before, "nothing was written");
}

#[tokio::test]
async fn a_test_key_changes_what_is_for_tests() {
    let stage = Stage::new().await;
    let (test, _) = keys(&stage).await;
    let declared =
        json!({"sessions": [{"tenant": "acme", "name": "lab", "phone_number_id": "900100200300509", "test": true}]});
    stage.put_operator("/v1/admin/declarations", &declared).await.expect(200);
    let call = |method, path: String, body: Value| stage.call(request(method, &path, Some(&test), Some(&body)));
    let sent = call(Method::POST, "/v1/messages".to_owned(), text("x")).await.expect(202);
    let id = sent["id"].as_str().expect("an id");
    stage.caught_up().await;
    call(Method::POST, format!("/v1/messages/{id}/cancel"), json!({})).await.expect(202);
    call(Method::POST, "/v1/sessions/lab/resume".to_owned(), json!({"reason": "mended"})).await.expect(200);
    let asked = json!({"name": "ci-2", "role": "sender", "test": true});
    let issued = call(Method::POST, "/v1/keys".to_owned(), asked).await.expect(201);
    let path = format!("/v1/keys/{}", issued["id"].as_str().expect("an id"));
    call(Method::DELETE, path, json!({})).await.expect(200);
}

#[tokio::test]
async fn a_test_under_the_same_idempotency_key_is_not_the_message() {
    let stage = Stage::new().await;
    let test = stage.send_with("acme/tester", "order-7", &text("x")).await.expect(202);
    stage.caught_up().await;
    let live = stage.send_with("acme/sender", "order-7", &text("x")).await.expect(202);
    assert_eq!(live["replayed"], false);
    assert_ne!(live["id"], test["id"]);
    assert_eq!(stage.shown(live["id"].as_str().expect("an id")).await["test"], false);
    let again = stage.send_with("acme/tester", "order-7", &text("x")).await.expect(202);
    assert_eq!((&again["id"], &again["replayed"]), (&test["id"], &json!(true)));
}
