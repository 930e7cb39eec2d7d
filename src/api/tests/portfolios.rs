//! Portfolios: declared once, named by sessions, and shown to those whose sessions name them.

use serde_json::{Value, json};

use axum::http::Method;

use super::stage::{NOW, Stage, request};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, PeopleAskedV1, PortfolioHeldV1};
use crate::domain::id::{BudgetId, EventId, KeyId};
use crate::domain::record::Principal;

const PATH: &str = "/v1/admin/declarations";
const HOUR: i64 = 3_600_000_000;

fn document(limit: Value) -> Value {
    json!({
        "portfolios": [{"name": "group", "people_per_day": limit}],
        "sessions": [{
            "tenant": "acme", "name": "shop", "phone_number_id": "900100200300501", "portfolio": "group", "app_id": "77",
        }],
    })
}

fn changes(answer: &Value) -> [&str; 2] {
    ["portfolios", "sessions"].map(|list| answer[list][0]["change"].as_str().expect("a change"))
}

async fn happens(stage: &Stage, event: Event) {
    let portfolio = group(stage);
    let id = EventId(stage.app.entropy.id());
    let draft = Draft::new(id, portfolio, &event, Principal::Node(stage.app.node), stage.app.clock.wall());
    stage.happens(stage.app.partition_of(portfolio), draft).await;
}

fn group(stage: &Stage) -> BudgetId {
    BudgetId::portfolio(stage.app.journal.genesis().installation, "group")
}

async fn shown(stage: &Stage, key: &str) -> Vec<Value> {
    let answer = stage.get(key, "/v1/portfolios").await.expect(200);
    answer["data"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_portfolio_shows_its_limit_who_counts_and_when_there_is_room_again() {
    let stage = Stage::new().await;
    assert!(shown(&stage, "acme/auditor").await.is_empty());
    let declare = async |document: Value| stage.put_operator(PATH, &document).await.expect(200);
    assert_eq!(changes(&declare(document(json!(2))).await), ["created", "changed"]);
    assert_eq!(changes(&declare(document(json!(2))).await), ["unchanged", "unchanged"]);
    let session = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!((&session["portfolio"], &session["app_id"]), (&json!("group"), &json!("77")));

    let empty = json!({"name": "group", "people_per_day": 2, "used": 0, "free_at": null, "held": null});
    assert_eq!(shown(&stage, "acme/auditor").await, [empty]);
    let portfolio = group(&stage);
    let people = [1, 2, 3, 1].map(|n| KeyId([n; 16])).to_vec();
    happens(&stage, PeopleAskedV1 { portfolio, people }.into()).await;
    let full = shown(&stage, "acme/auditor").await;
    assert_eq!(full[0]["used"], 2, "{full:?}");
    let free_at = full[0]["free_at"].as_str().expect("it is full").parse::<jiff::Timestamp>().expect("a time");
    let wait = free_at.as_microsecond() - NOW;
    assert!((24 * HOUR..=25 * HOUR + HOUR / 5).contains(&wait), "{wait}");
    assert!(shown(&stage, "other/admin").await.is_empty(), "none of its sessions is in it");

    assert_eq!(changes(&declare(document(json!(250))).await), ["changed", "unchanged"]);
    let raised = shown(&stage, "acme/auditor").await;
    assert_eq!((&raised[0]["used"], &raised[0]["free_at"]), (&json!(2), &Value::Null));
    happens(&stage, PortfolioHeldV1 { portfolio, until: NOW + HOUR, code: 131_064 }.into()).await;
    assert_eq!(shown(&stage, "acme/auditor").await[0]["held"]["code"], 131_064);
    let release = async |name: &str| {
        let path = format!("/v1/admin/portfolios/{name}/release");
        let request = request(Method::POST, &path, Some(&stage.operator), Some(&json!({"reason": "lifted by Meta"})));
        stage.call(request).await
    };
    assert_eq!(release("nothing").await.code(), "not_found");
    assert_eq!(release("group").await.expect(200)["applied"], true);
    assert_eq!(shown(&stage, "acme/auditor").await[0]["held"], Value::Null);
    declare(document(Value::Null)).await;
    let free = shown(&stage, "acme/auditor").await;
    assert_eq!((&free[0]["people_per_day"], &free[0]["used"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_session_names_a_portfolio_that_is_there() {
    let stage = Stage::new().await;
    let refused = async |document: Value| {
        let problem = stage.put_operator(PATH, &document).await;
        assert_eq!(problem.code(), "invalid_request");
        let problem = problem.json();
        problem["errors"].as_array().expect("faults").iter().map(|it| it["pointer"].clone()).collect::<Vec<_>>()
    };
    let mut unknown = document(json!(250));
    unknown["portfolios"] = json!([]);
    assert_eq!(refused(unknown).await, ["/sessions/0/portfolio"]);
    assert_eq!(refused(document(json!(0))).await, ["/portfolios/0/people_per_day"]);
    let twice = json!({"portfolios": [{"name": "group"}, {"name": "group"}]});
    assert_eq!(refused(twice).await, ["/portfolios/1/name"]);
}
