//! Lists: every message once, whatever the page size, and what comes later is found from the same cursor.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stage::{Stage, TO};

fn ids(answer: &Value) -> Vec<String> {
    answer["data"].as_array().expect("a list").iter().map(|m| m["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn pages_of_any_size_hold_every_message_once() {
    let stage = Stage::new().await;
    let sessions: Vec<Value> = (0..5)
        .map(|n| json!({"tenant": "acme", "name": format!("s{n}"), "phone_number_id": format!("9001002003006{n}"), "test": true}))
        .collect();
    stage.put_operator("/v1/admin/declarations", &json!({"sessions": sessions})).await.expect(200);
    let mut sent = BTreeSet::new();
    for n in 0..23 {
        let body = json!({"from": format!("s{}", n % 5), "to": TO, "text": {"body": "x"}});
        let answer = stage.post("acme/sender", "/v1/messages", &body).await.expect(202);
        sent.insert(answer["id"].as_str().expect("an id").to_owned());
    }
    stage.caught_up().await;
    for limit in [1, 2, 7, 50] {
        let (mut found, mut cursor, mut rounds) = (Vec::new(), String::new(), 0);
        loop {
            let path = format!("/v1/messages?limit={limit}&cursor={cursor}");
            let path = if cursor.is_empty() { format!("/v1/messages?limit={limit}") } else { path };
            let page = stage.get("acme/auditor", &path).await.expect(200);
            assert!(ids(&page).len() <= limit);
            found.extend(ids(&page));
            cursor = page["next"].as_str().expect("a cursor").to_owned();
            rounds += 1;
            if page["more"] == false || rounds > 100 {
                break;
            }
        }
        assert_eq!(found.len(), sent.len(), "limit {limit}: {rounds} rounds");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), sent);
        let later = stage.sent().await;
        stage.caught_up().await;
        let page = stage.get("acme/auditor", &format!("/v1/messages?cursor={cursor}")).await.expect(200);
        assert_eq!(ids(&page), std::slice::from_ref(&later), "what comes later is found from the last cursor");
        sent.insert(later);
    }
}

#[tokio::test]
async fn a_list_is_filtered_by_session_and_state() {
    let stage = Stage::new().await;
    let one = stage.sent().await;
    let two = stage.sent().await;
    stage.caught_up().await;
    stage.post("acme/sender", &format!("/v1/messages/{two}/cancel"), &json!({})).await.expect(202);
    stage.caught_up().await;
    let list = async |query: &str| ids(&stage.get("acme/auditor", &format!("/v1/messages?{query}")).await.expect(200));
    assert_eq!(list("state=queued").await, std::slice::from_ref(&one));
    assert_eq!(list("state=cancelled&session=shop").await, std::slice::from_ref(&two));
    assert_eq!(list("session=shop").await, [one, two]);
    assert!(list("state=failed").await.is_empty());
    let shown = stage.get("acme/auditor", "/v1/messages").await.expect(200);
    assert!(!shown.to_string().contains("2025550123"), "lists show nothing that is sealed");
}
