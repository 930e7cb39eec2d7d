//! Consent: recorded in the contact's mailbox, asked at admission.

use serde_json::json;

use super::stage::{Stage, TO};

fn marketing() -> serde_json::Value {
    json!({
        "from": "shop", "to": TO, "type": "template", "category": "marketing",
        "template": {"name": "spring_sale", "language": {"code": "en_US"}},
    })
}

#[tokio::test]
async fn who_says_no_gets_no_marketing_and_everything_else() {
    let stage = Stage::new().await;
    stage.post("acme/sender", "/v1/messages", &marketing()).await.expect(202);
    let no = json!({"to": "+1 (202) 555-0123", "marketing": false, "source": "support call"});
    let answer = stage.put("acme/sender", "/v1/contacts/consent", &no).await.expect(200);
    assert_eq!(answer["applied"], true);
    let reply = stage.post("acme/sender", "/v1/messages", &marketing()).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (422, "consent_refused"));
    let mut update = marketing();
    update["category"] = json!("utility");
    stage.post("acme/sender", "/v1/messages", &update).await.expect(202);
    stage.post("other/sender", "/v1/messages", &marketing()).await.expect(202);
    let old = json!({"to": TO, "marketing": true, "source": "import", "said_at": "2020-01-01T00:00:00Z"});
    stage.put("acme/sender", "/v1/contacts/consent", &old).await.expect(200);
    let still = stage.post("acme/sender", "/v1/messages", &marketing()).await;
    assert_eq!(still.code(), "consent_refused", "the later word counts, by when it was said");
    stage.clock.advance(std::time::Duration::from_secs(60));
    let yes = json!({"to": TO, "marketing": true, "source": "checkout"});
    stage.put("acme/sender", "/v1/contacts/consent", &yes).await.expect(200);
    stage.post("acme/sender", "/v1/messages", &marketing()).await.expect(202);
}

#[tokio::test]
async fn bad_consents_are_refused() {
    let stage = Stage::new().await;
    let good = json!({"to": TO, "marketing": true, "source": "checkout"});
    for (field, value) in [
        ("to", json!("12")),
        ("source", json!("")),
        ("source", json!("caller +12025550123")),
        ("source", json!("anna@example.org")),
        ("said_at", json!("yesterday")),
        ("said_at", json!("2099-01-01T00:00:00Z")),
        ("colour", json!("red")),
        ("marketing", json!("yes")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        assert_eq!(stage.put("acme/sender", "/v1/contacts/consent", &body).await.code(), "invalid_request", "{body}");
    }
}
