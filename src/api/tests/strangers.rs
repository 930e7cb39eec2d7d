//! Another tenant's things do not exist: the matrix of routes and objects.

use axum::http::Method;
use serde_json::{Value, json};

use super::stage::{Stage, TO, request};
use crate::api::guard::Access;
use crate::api::routes::{ROUTES, Route};

/// A body that each route would take.
fn body(path: &str) -> Option<Value> {
    const VERBS: [&str; 7] = ["/suspend", "/resume", "/drain", "/release", "/start", "/pause", "/cancel"];
    let message = path.starts_with("/v1/messages/");
    match path {
        "/v1/messages/{id}/resolve" => Some(json!({"as": "sent"})),
        _ if !message && VERBS.iter().any(|verb| path.ends_with(verb)) => Some(json!({"reason": "trouble"})),
        _ => None,
    }
}

#[tokio::test]
async fn every_route_with_an_object_answers_404_for_another_tenants() {
    let stage = Stage::new().await;
    // Things that only `acme` has.
    let declared = json!({
        "tenants": [],
        "sessions": [{"tenant": "acme", "name": "only", "phone_number_id": "900100200300509", "test": true}],
        "endpoints": [{"tenant": "acme", "name": "only", "url": "https://only.example/"}],
        "keys": [{"tenant": "acme", "name": "only", "role": "sender"}],
    });
    let answer = stage.put_operator("/v1/admin/declarations", &declared).await.expect(200);
    let key = answer["keys"][0]["id"].as_str().expect("an id").to_owned();
    let message = stage.sent().await;
    let campaign = json!({"from": "shop", "template": {"name": "sale", "language": "de"}});
    stage.put("acme/admin", "/v1/campaigns/only", &campaign).await.expect(200);
    stage.caught_up().await;
    let mut tried = 0;
    // Which templates and countries there are Meta knows: a tenant stops its own messages of any.
    let gate = |route: &Route| ["/v1/templates/", "/v1/countries/"].iter().any(|head| route.path.starts_with(head));
    // Whoever declares a campaign makes its own.
    let made = |route: &Route| route.method == "put" && route.path == "/v1/campaigns/{name}";
    let of_objects =
        |route: &&Route| route.path.contains('{') && route.access != Access::Operator && !gate(route) && !made(route);
    for route in ROUTES.iter().filter(of_objects) {
        let id = if route.path.contains("keys") { &key } else { &message };
        let path = route.path.replace("{id}", id).replace("{name}", "only");
        let method = Method::from_bytes(route.method.to_ascii_uppercase().as_bytes()).expect("a method");
        let body = body(route.path);
        let ask = |name: &str| request(method.clone(), &path, Some(stage.key(name)), body.as_ref());
        let stranger = stage.call(ask("other/admin")).await;
        assert_eq!((stranger.status.as_u16(), stranger.code().as_str()), (404, "not_found"), "{method} {path}");
        let owner = stage.call(ask("acme/admin")).await;
        assert_ne!(owner.status.as_u16(), 404, "{method} {path}: {:?}", owner.body);
        tried += 1;
    }
    assert!(tried >= 9, "only {tried} routes have objects");
}

#[tokio::test]
async fn lists_hold_ones_own_and_senders_are_ones_own() {
    let stage = Stage::new().await;
    let declared =
        json!({"sessions": [{"tenant": "acme", "name": "only", "phone_number_id": "900100200300509", "test": true}]});
    stage.put_operator("/v1/admin/declarations", &declared).await.expect(200);
    stage.sent().await;
    stage.caught_up().await;
    let names = |answer: Value| -> Vec<String> {
        answer["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| it["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(names(stage.get("acme/admin", "/v1/sessions").await.expect(200)), ["only", "shop"]);
    assert_eq!(names(stage.get("other/admin", "/v1/sessions").await.expect(200)), ["shop"]);
    assert_eq!(names(stage.get("other/admin", "/v1/messages").await.expect(200)).len(), 0);
    assert_eq!(names(stage.get("acme/admin", "/v1/messages").await.expect(200)).len(), 1);
    let body = json!({"from": "only", "to": TO, "text": {"body": "x"}});
    assert_eq!(stage.post("other/sender", "/v1/messages", &body).await.code(), "unknown_sender");
    assert_eq!(stage.get("other/admin", "/v1/messages?session=only").await.code(), "not_found");
    let tenant = stage.get("other/auditor", "/v1/tenant").await.expect(200);
    assert_eq!((&tenant["name"], &tenant["key"]["role"]), (&json!("other"), &json!("auditor")));
}
