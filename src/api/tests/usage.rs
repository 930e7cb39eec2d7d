//! Usage: what became of messages, as JSON and as CSV.

use axum::http::Method;
use serde_json::{Value, json};

use super::failures::{Shop, failed, sent};
use super::stage::{Stage, request};
use crate::domain::event::{AttemptRef, Status, StatusReportedV1};
use crate::domain::id::Tag;

#[tokio::test]
async fn messages_are_counted_by_day_category_outcome_and_price() {
    let stage = Stage::new().await;
    let shop = Shop::open(&stage).await;
    let all = shop.send(3, "utility").await;
    shop.ends(&all[..1], 1, sent(7)).await;
    shop.ends(&all[1..2], 1, failed("request", 100)).await;
    let report = StatusReportedV1 {
        session: shop.session,
        of: Some(AttemptRef { message: all[0], attempt: 1 }),
        tag: Tag([7; 16]),
        status: Status::Delivered,
        provider_at: 0,
        code: 0,
        class: String::new(),
        pricing: Some("utility".to_owned()),
        provider_id: None,
        billable: Some(true),
        pricing_model: Some("PMP".to_owned()),
        pricing_type: Some("regular".to_owned()),
    };
    shop.happens(report.clone()).await;
    shop.happens(report).await;
    let answer = stage.get("acme/auditor", "/v1/usage").await.expect(200);
    let lines = answer["data"].as_array().expect("lines");
    let told: Vec<(&str, u64)> = lines
        .iter()
        .map(|line| (line["outcome"].as_str().expect("a word"), line["messages"].as_u64().expect("a number")))
        .collect();
    assert_eq!(told, [("accepted", 3), ("sent", 1), ("delivered", 1), ("failed", 1), ("priced", 1)]);
    let day = answer["to"].as_str().expect("a day");
    assert!(lines.iter().all(|line| line["day"] == day && line["category"] == "utility"), "{lines:?}");
    let csv = csv(&stage, "acme/auditor", &format!("/v1/usage?from={day}&to={day}")).await;
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "day,category,outcome,price_category,billable,pricing_model,pricing_type,messages");
    assert_eq!(rows[1], format!("{day},utility,accepted,,,,,3"));
    assert_eq!(rows[5], format!("{day},utility,priced,utility,true,PMP,regular,1"));
    let other = stage.get("other/auditor", "/v1/usage").await.expect(200);
    assert_eq!(other["data"], json!([]), "another tenant has none of it");
    let before = stage.get("acme/auditor", "/v1/usage?from=2001-01-01&to=2001-12-31").await.expect(200);
    assert_eq!(before["data"], json!([]));
}

async fn csv(stage: &Stage, key: &str, path: &str) -> String {
    let mut asked = request(Method::GET, path, Some(stage.key(key)), None::<&Value>);
    asked.headers_mut().insert("accept", "text/csv".parse().expect("a header"));
    let reply = stage.call(asked).await;
    assert_eq!((reply.status.as_u16(), reply.headers["content-type"].as_bytes()), (200, &b"text/csv"[..]));
    String::from_utf8(reply.body.to_vec()).expect("text")
}

#[tokio::test]
async fn days_that_cannot_be_are_refused() {
    let stage = Stage::new().await;
    for query in [
        "from=yesterday",
        "from=2026-02-30",
        "to=2026-01-31T00:00:00Z",
        "from=2026-02-01&to=2026-01-01",
        "from=2024-01-01&to=2026-01-01",
        "day=2026-01-01",
    ] {
        let reply = stage.get("acme/auditor", &format!("/v1/usage?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (400, "invalid_query"), "{query}");
    }
}

#[tokio::test]
async fn messages_of_test_keys_are_not_counted() {
    let stage = Stage::new().await;
    let body = json!({"from": "shop", "to": super::stage::TO, "text": {"body": "x"}});
    stage.post("acme/tester", "/v1/messages", &body).await.expect(202);
    stage.caught_up().await;
    assert_eq!(stage.get("acme/auditor", "/v1/usage").await.expect(200)["data"], json!([]));
}
