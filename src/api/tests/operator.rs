//! The operator's routes: tenants, any message, events, status.

use serde_json::json;

use super::stage::{COUNT, Stage};

#[tokio::test]
async fn the_operator_sees_tenants_and_any_message() {
    let stage = Stage::new().await;
    let tenants = stage.get_operator("/v1/admin/tenants").await.expect(200);
    let names: Vec<&str> =
        tenants["data"].as_array().expect("a list").iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(names, ["acme", "other"]);
    let first = stage.get_operator("/v1/admin/tenants?limit=1").await.expect(200);
    assert_eq!(first["next"], "acme");
    let next = stage.get_operator("/v1/admin/tenants?limit=1&after=acme").await.expect(200);
    assert_eq!(next["data"][0]["name"], "other");
    let id = stage.sent().await;
    let shown = stage.get_operator(&format!("/v1/admin/messages/{id}")).await.expect(200);
    assert_eq!(shown["tenant"], stage.tenant("acme").to_string());
    let nothing = "/v1/admin/messages/msg_00000000000000000000000000000000";
    assert_eq!(stage.get_operator(nothing).await.code(), "not_found");
}

#[tokio::test]
async fn events_are_shown_page_by_page_and_nothing_sealed_is() {
    let stage = Stage::new().await;
    stage.sent().await;
    stage.caught_up().await;
    let mut names = Vec::new();
    for partition in 0..COUNT {
        let mut from = 0;
        loop {
            let path = format!("/v1/admin/events?partition={partition}&from={from}&limit=2");
            let page = stage.get_operator(&path).await.expect(200);
            let events = page["events"].as_array().expect("events");
            if events.is_empty() {
                assert_eq!(page["next"], page["end"]);
                break;
            }
            for event in events {
                assert!(event["facts"].is_object(), "{event}");
                names.push(event["name"].as_str().expect("a name").to_owned());
            }
            from = page["next"].as_u64().expect("a position");
            assert!(!page.to_string().contains("2025550123"));
        }
    }
    for name in ["Genesis", "TenantDeclared", "ApiKeyIssued", "SessionDeclared", "EndpointDeclared", "MessageAccepted"]
    {
        assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
    }
    for partition in 0..COUNT {
        let all = stage.get_operator(&format!("/v1/admin/events?partition={partition}")).await.expect(200);
        let all = all["events"].as_array().expect("events");
        for last in 1..=all.len() + 1 {
            let path = format!("/v1/admin/events?partition={partition}&last={last}");
            let page = stage.get_operator(&path).await.expect(200);
            assert_eq!(page["events"].as_array().expect("events"), &all[all.len().saturating_sub(last)..]);
            assert_eq!(page["next"], page["end"]);
        }
    }
    assert_eq!(stage.get_operator("/v1/admin/events?partition=99").await.code(), "invalid_query");
    assert_eq!(stage.get_operator("/v1/admin/events").await.code(), "invalid_query");
}

#[tokio::test]
async fn status_shows_reasons_to_the_operator_alone() {
    let stage = Stage::new().await;
    stage.caught_up().await;
    stage.health.set("disk", Some("3 MiB left on /data".to_owned()));
    let status = stage.get_operator("/v1/admin/status").await.expect(200);
    assert_eq!((&status["healthy"], &status["reasons"][0]["why"]), (&json!(false), &json!("3 MiB left on /data")));
    assert_eq!(status["partitions"].as_array().map(Vec::len), Some(usize::from(COUNT)));
    for partition in status["partitions"].as_array().expect("partitions") {
        let (end, applied) = (partition["end"].as_u64(), partition["applied"].as_u64());
        assert_eq!(end, applied.map(|applied| applied + 1), "{partition}");
        assert_eq!(partition["behind"], 0);
        assert!(partition["events"].as_u64() >= Some(1) && partition["events"].as_u64() <= end, "{partition}");
    }
}
