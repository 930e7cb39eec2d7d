//! Campaigns whose time has passed, and what failed in those that are over.

use std::time::Duration;

use serde_json::json;

use super::campaigns::{SALE, to};
use super::failures::{Shop, failed};
use super::stage::Stage;
use crate::api::time::stamp;
use crate::runtime::Clock;

#[tokio::test]
async fn a_time_that_has_passed_is_no_start_and_what_was_declared_in_time_stays_so() {
    let stage = Stage::new().await;
    let at = |ahead: i64| stamp(stage.clock.wall() + ahead * 1_000_000);
    let past = json!({"from": "shop", "template": {"name": "sale", "language": "de"}, "start_at": at(-1)});
    let refused = stage.put("acme/admin", SALE, &past).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/start_at")));
    let mut ahead = past;
    (ahead["start_at"], ahead["expires_at"]) = (at(60), at(7_200));
    let first = stage.put("acme/admin", SALE, &ahead).await.expect(200);
    stage.clock.advance(Duration::from_secs(8_000));
    assert_eq!(stage.put("acme/admin", SALE, &ahead).await.expect(200)["id"], first["id"], "the same again");
    assert_eq!(stage.put("acme/admin", "/v1/campaigns/other", &ahead).await.status.as_u16(), 422);
}

#[tokio::test]
async fn what_failed_is_queued_again_in_any_campaign_but_a_cancelled_one() {
    let stage = Stage::new().await;
    stage.declared().await;
    let loaded = stage.loaded(&[to(1), to(2)]).await;
    stage.step("start").await.expect(200);
    let shop = Shop::open(&stage).await;
    let ids: Vec<_> = loaded.iter().map(|line| line["id"].as_str().expect("an id").parse().expect("an id")).collect();
    shop.ends(&ids, 1, failed("recipient", 131_026)).await;
    let counts = async || {
        let dry = stage.post("acme/admin", "/v1/failures/retry", &json!({"dry_run": true})).await.expect(200);
        ["matched", "left_out", "of_cancelled_campaigns"].map(|name| dry[name].as_u64().expect("a number"))
    };
    assert_eq!(counts().await, [2, 0, 0]);
    stage.step("cancel").await.expect(200);
    assert_eq!(counts().await, [0, 2, 2]);
}
