//! Who may do what: generated from the table of routes, so that a new route is tested by being there.

use axum::body::Body;
use axum::http::{Method, Request};

use super::stage::{Stage, request};
use crate::api::guard::{Access, word};
use crate::api::routes::{ROUTES, Route};
use crate::domain::event::Role;

/// A path of this route whose parameters lead nowhere.
fn path(route: &Route) -> String {
    route
        .path
        .replace("{id}", "msg_00000000000000000000000000000000")
        .replace("{name}", "nothing")
        .replace("{tenant}", "nobody")
        .replace("{code}", "nowhere")
}

fn method(route: &Route) -> Method {
    Method::from_bytes(route.method.to_ascii_uppercase().as_bytes()).expect("a method")
}

async fn code(stage: &Stage, route: &Route, key: Option<&str>) -> String {
    let reply = stage.call(request(method(route), &path(route), key, None)).await;
    if reply.status.is_success() {
        "passed".to_owned()
    } else {
        reply.json()["code"].as_str().unwrap_or("passed").to_owned()
    }
}

#[tokio::test]
async fn every_route_lets_in_exactly_whom_the_table_names() {
    let stage = Stage::new().await;
    for route in ROUTES {
        for role in [Role::Admin, Role::Sender, Role::Auditor] {
            let key = stage.key(&format!("acme/{}", word(role)));
            let said = code(&stage, route, Some(key)).await;
            let passed = said != "forbidden" && said != "unauthorized";
            let may = match route.access {
                Access::Public => true,
                Access::Operator => false,
                Access::Roles(roles) => roles.contains(&role),
            };
            assert_eq!(passed, may, "{} {} as {}: {said}", route.method, route.path, word(role));
        }
        let operator = code(&stage, route, Some(&stage.operator)).await;
        let may = !matches!(route.access, Access::Roles(_));
        assert_eq!(operator != "unauthorized", may, "{} {} as operator: {operator}", route.method, route.path);
    }
}

#[tokio::test]
async fn without_a_good_key_nothing_but_the_public_is_answered() {
    let stage = Stage::new().await;
    let good = stage.key("acme/admin").to_owned();
    let flipped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    let unknown = crate::api::key::NewKey::draw(&crate::runtime::SeededEntropy::new(99), false).text;
    let bad = [None, Some(""), Some("x"), Some(flipped.as_str()), Some(unknown.as_str()), Some(&good[..40])];
    for route in ROUTES.iter().filter(|route| route.access != Access::Public) {
        for key in bad {
            let said = code(&stage, route, key).await;
            assert_eq!(said, "unauthorized", "{} {} with {key:?}", route.method, route.path);
        }
    }
    let basic = Request::get("/v1/tenant").header("authorization", format!("Basic {good}")).body(Body::empty());
    let reply = stage.call(basic.expect("a request")).await;
    assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"waybill\"");
    assert_eq!(reply.code(), "unauthorized");
}

#[tokio::test]
async fn a_key_with_a_wrong_checksum_is_refused_without_a_look_at_the_store() {
    use crate::store::Store;

    let stage = Stage::new().await;
    stage.store.close().await.expect("closed");
    let good = stage.key("acme/auditor").to_owned();
    let said = stage.call(request(Method::GET, "/v1/tenant", Some(&good[..good.len() - 1]), None)).await;
    assert_eq!(said.code(), "unauthorized");
    let said = stage.call(request(Method::GET, "/v1/tenant", Some(&good), None)).await;
    assert_eq!(said.code(), "unavailable", "a whole key needs the store");
}

#[tokio::test]
async fn what_is_not_in_the_table_is_not_there() {
    let stage = Stage::new().await;
    let key = Some(stage.key("acme/admin"));
    let said = stage.call(request(Method::GET, "/v1/mesages", key, None)).await;
    assert_eq!(said.code(), "not_found");
    assert_eq!(said.json()["remedy"], "did you mean `/v1/messages`?");
    let said = stage.call(request(Method::PATCH, "/v1/messages", key, None)).await;
    assert_eq!(said.code(), "method_not_allowed");
}
