//! Consent: recorded in the contact's mailbox, asked at admission.

use axum::http::Method;
use serde_json::json;

use super::stage::{NOW, Stage, TO, request, text};
use crate::domain::draft::Draft;
use crate::domain::event::{ContactHeldV1, Event, WindowOpenedV1};
use crate::domain::id::{EventId, KeyId, SessionId};
use crate::domain::record::Principal;
use crate::journal::Journal;
use crate::vault::{Alias, Vault};

const SHOW: &str = "/v1/contacts/show";
const DECLARE: &str = "/v1/admin/declarations";

/// As shipped.
async fn strict() -> Stage {
    Stage::with(|settings| {
        settings.consent.require_opt_in = true;
        settings.consent.require_window = true;
    })
    .await
}

async fn contact(stage: &Stage) -> KeyId {
    stage.vault.contact(stage.tenant("acme"), &Alias::phone(TO).expect("a number")).await.expect("a vault")
}

/// The person writes to acme's `shop`.
fn writes(stage: &Stage, contact: KeyId) -> Draft {
    let tenant = stage.tenant("acme");
    let until = NOW + 86_400_000_000;
    let event = Event::from(WindowOpenedV1 { contact, session: SessionId::named(tenant, "shop"), until });
    Draft::new(EventId(stage.app.entropy.id()), contact, &event, Principal::Meta, NOW).tenant(tenant)
}

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
        ("evidence", json!("")),
        ("evidence", json!("é".repeat(1_025))),
        ("evidence", json!({"form": 7})),
    ] {
        let mut body = good.clone();
        body[field] = value;
        assert_eq!(stage.put("acme/sender", "/v1/contacts/consent", &body).await.code(), "invalid_request", "{body}");
    }
}

#[tokio::test]
async fn as_shipped_a_stranger_gets_templates_and_no_marketing() {
    let stage = strict().await;
    for key in ["acme/sender", "acme/tester"] {
        let reply = stage.post(key, "/v1/messages", &text("hello")).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (422, "window_closed"), "{key}");
        assert!(reply.json()["remedy"].as_str().expect("a remedy").contains("template"), "{reply:?}");
        let reply = stage.post(key, "/v1/messages", &marketing()).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (422, "no_opt_in"), "{key}");
        let mut update = marketing();
        update["category"] = json!("utility");
        stage.post(key, "/v1/messages", &update).await.expect(202);
        let mut called_otherwise = text("hello");
        called_otherwise["category"] = json!("utility");
        assert_eq!(stage.post(key, "/v1/messages", &called_otherwise).await.code(), "window_closed");
    }
    let graph = json!({"messaging_product": "whatsapp", "to": TO, "type": "text", "text": {"body": "hello"}});
    let asked = request(Method::POST, "/v25.0/900100200300501/messages", Some(stage.key("acme/sender")), Some(&graph));
    let answer = stage.call(asked).await.expect(400);
    assert_eq!(answer["error"]["code"], 131_047, "as Meta would say it: {answer}");
}

#[tokio::test]
async fn an_opt_in_lets_marketing_through_and_a_window_texts() {
    let stage = strict().await;
    let yes = json!({"to": TO, "marketing": true, "source": "checkout"});
    stage.put("acme/sender", "/v1/contacts/consent", &yes).await.expect(200);
    stage.post("acme/sender", "/v1/messages", &marketing()).await.expect(202);
    assert_eq!(stage.post("other/sender", "/v1/messages", &marketing()).await.code(), "no_opt_in");
    let mut offer = text("20 % today");
    offer["category"] = json!("marketing");
    assert_eq!(stage.post("acme/sender", "/v1/messages", &offer).await.code(), "window_closed");
    let contact = contact(&stage).await;
    stage.happens(stage.app.partition_of(contact), writes(&stage, contact)).await;
    stage.post("acme/sender", "/v1/messages", &offer).await.expect(202);
    stage.post("acme/sender", "/v1/messages", &text("hello")).await.expect(202);
    assert_eq!(stage.post("other/sender", "/v1/messages", &text("hello")).await.code(), "window_closed");
    stage.clock.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(stage.post("acme/sender", "/v1/messages", &text("hello")).await.code(), "window_closed");
}

#[tokio::test]
async fn a_tenant_may_have_other_gates_than_its_installation() {
    let stage = strict().await;
    let declare = async |more: serde_json::Value| {
        let mut tenant = json!({"name": "acme", "per_second": 100_000, "burst": 100_000});
        tenant.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let answer = stage.put_operator(DECLARE, &json!({"tenants": [tenant]})).await.expect(200);
        answer["tenants"][0]["change"].as_str().expect("a change").to_owned()
    };
    assert_eq!(declare(json!({})).await, "unchanged");
    assert_eq!(declare(json!({"require_window": false})).await, "changed");
    assert_eq!(declare(json!({"require_window": false})).await, "unchanged");
    stage.post("acme/sender", "/v1/messages", &text("hello")).await.expect(202);
    assert_eq!(stage.post("acme/sender", "/v1/messages", &marketing()).await.code(), "no_opt_in");
    assert_eq!(stage.post("other/sender", "/v1/messages", &text("hello")).await.code(), "window_closed");
    assert_eq!(declare(json!({"require_opt_in": false})).await, "changed");
    stage.post("acme/sender", "/v1/messages", &marketing()).await.expect(202);
    assert_eq!(stage.post("acme/sender", "/v1/messages", &text("hello")).await.code(), "window_closed");
    let shown = stage.get("acme/admin", "/v1/tenant").await.expect(200);
    assert_eq!((&shown["require_opt_in"], &shown["require_window"]), (&json!(false), &json!(null)));
    let no = json!({"to": TO, "marketing": false, "source": "support"});
    stage.put("acme/sender", "/v1/contacts/consent", &no).await.expect(200);
    let reply = stage.post("acme/sender", "/v1/messages", &marketing()).await;
    assert_eq!(reply.code(), "consent_refused", "no setting speaks over the person");
}

#[tokio::test]
async fn marketing_waits_for_the_morning_and_nothing_else_does() {
    let stage = Stage::new().await;
    let declare = async |quiet_hours: &str| {
        let tenant = json!({"name": "acme", "per_second": 100_000, "burst": 100_000, "quiet_hours": quiet_hours});
        stage.put_operator(DECLARE, &json!({"tenants": [tenant]})).await
    };
    for (wrong, why) in [("21-8", "form"), ("06:00-22:00 UTC", "960 minutes"), ("21:00-08:00 Mars/Base", "Mars/Base")] {
        let refused = declare(wrong).await.expect(422);
        assert!(refused["errors"][0]["what"].to_string().contains(why), "{wrong}: {refused}");
    }
    let quiet = "21:00-08:00 Europe/Berlin";
    assert_eq!(declare(quiet).await.expect(200)["tenants"][0]["change"], "changed");
    assert_eq!(declare(quiet).await.expect(200)["tenants"][0]["change"], "unchanged");
    assert_eq!(stage.get("acme/admin", "/v1/tenant").await.expect(200)["quiet_hours"], quiet);
    let send_at = async |body: &serde_json::Value| {
        let id = stage.post("acme/sender", "/v1/messages", body).await.expect(202)["id"].clone();
        stage.shown(id.as_str().expect("an id")).await["send_at"].clone()
    };
    // It is 11:06 in Greenwich: noon in Berlin, before dawn in America, where the last coast wakes at 16:00.
    assert_eq!(send_at(&marketing()).await, "2026-11-18T16:00:00Z");
    let mut update = marketing();
    update["category"] = json!("utility");
    assert_eq!(send_at(&update).await, json!(null));
    for (to, at) in [
        ("+4930123456", json!(null)),
        ("bsuid:US.13491208655302741918", json!(null)),
        ("+6421234567", json!("2026-11-18T19:00:00Z")),
    ] {
        let mut there = marketing();
        there["to"] = json!(to);
        assert_eq!(send_at(&there).await, at, "{to}");
    }
    let mut evening = marketing();
    evening["send_at"] = json!("2026-11-20T03:30:00Z");
    assert_eq!(send_at(&evening).await, "2026-11-20T16:00:00Z", "what is scheduled into the night too");
    let mut soon = marketing();
    soon["expires_at"] = json!("2026-11-18T15:00:00Z");
    assert_eq!(stage.post("acme/sender", "/v1/messages", &soon).await.code(), "quiet_hours");
}

#[tokio::test]
async fn nobody_is_refused_by_a_row_that_is_late() {
    let mut stage = strict().await;
    let contact = contact(&stage).await;
    stage.caught_up().await;
    // Nothing is applied from here on.
    stage.applier = None;
    let record = writes(&stage, contact).record().expect("small");
    let appended = stage.journal.append(stage.app.partition_of(contact), vec![record]).await;
    assert!(matches!(appended, crate::journal::Appended::Durable { .. }), "{appended:?}");
    // The person's own message was told to the customer, who answers it, before its window is in the rows.
    stage.post("acme/sender", "/v1/messages", &text("how can we help?")).await.expect(202);
    let record = stage.journal.contents(stage.app.partition_of(SessionId::named(stage.tenant("acme"), "shop")));
    let last = record.last().expect("the acceptance").record.event().expect("facts");
    assert!(matches!(last, Event::MessageAccepted(_)), "{last:?}");
}

#[tokio::test]
async fn evidence_stands_sealed_beside_the_word_it_shows() {
    let stage = Stage::new().await;
    let evidence = "é".repeat(1_024);
    let yes = json!({"to": TO, "marketing": true, "source": "checkout", "evidence": evidence});
    stage.put("acme/sender", "/v1/contacts/consent", &yes).await.expect(200);
    let contact = contact(&stage).await;
    let entries = stage.journal.contents(stage.app.partition_of(contact));
    let record = &entries.last().expect("the word").record;
    let Ok(Event::ConsentChanged(facts)) = record.event() else {
        panic!("it is no word on marketing");
    };
    assert_eq!((facts.evidence, record.header.key), (Some(2_048), Some(contact)));
    assert!(!record.raw.windows(20).any(|window| window == &evidence.as_bytes()[..20]), "it stands in the clear");
    let opened = stage.vault.open(stage.tenant("acme"), contact, &record.header.id.0, &record.body).await;
    let opened: serde_json::Value = serde_json::from_slice(&opened.expect("it opens")).expect("JSON");
    assert_eq!(opened, json!({"evidence": evidence}));
}

#[tokio::test]
async fn a_contact_shows_the_word_that_counts_its_evidence_and_open_windows() {
    let stage = Stage::new().await;
    let who = json!({"to": "+1 (202) 555-0123"});
    for (key, asked) in [("acme/admin", &who), ("other/admin", &who)] {
        let reply = stage.post(key, SHOW, asked).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (404, "not_found"), "nobody is made by asking");
    }
    stage.post("acme/sender", "/v1/messages", &text("hello")).await.expect(202);
    let bare = stage.post("acme/sender", SHOW, &who).await.expect(200);
    assert_eq!(
        (&bare["marketing"], &bare["marketing_held"], &bare["windows"]),
        (&json!(null), &json!(null), &json!([]))
    );
    let yes = json!({"to": TO, "marketing": true, "source": "checkout", "said_at": "2026-01-02T03:04:05Z",
        "evidence": "box 3 of form 7"});
    let recorded = stage.put("acme/sender", "/v1/contacts/consent", &yes).await.expect(200);
    let contact = contact(&stage).await;
    stage.happens(stage.app.partition_of(contact), writes(&stage, contact)).await;
    let held = Event::from(ContactHeldV1 { contact, until: NOW + 60_000_000, code: 131_049 });
    let draft = Draft::new(EventId(stage.app.entropy.id()), contact, &held, Principal::Meta, NOW);
    stage.happens(stage.app.partition_of(contact), draft.tenant(stage.tenant("acme"))).await;
    let shown = stage.post("acme/auditor", SHOW, &who).await.expect(200);
    assert_eq!(shown["marketing_held"]["code"], 131_049);
    stage.post("acme/sender", "/v1/messages", &marketing()).await.expect(202);
    let marketing = &shown["marketing"];
    assert_eq!((&marketing["allowed"], &marketing["source"]), (&json!(true), &json!("checkout")));
    assert_eq!((&marketing["said_at"], &marketing["position"]), (&yes["said_at"], &recorded["position"]));
    assert_eq!(marketing["evidence"], json!({"bytes": 15, "text": "box 3 of form 7", "withheld": null}));
    assert_eq!((&shown["contact"], &shown["windows"][0]["from"]), (&json!(contact.to_string()), &json!("shop")));
    assert!(shown["windows"][0]["until"].as_str().is_some_and(|until| until.starts_with("2026-11-")), "{shown}");
    let elsewhere = stage.post("other/admin", SHOW, &who).await;
    assert_eq!(elsewhere.status.as_u16(), 404, "another tenant's person is nobody");
    stage.clock.advance(std::time::Duration::from_secs(86_400));
    let later = stage.post("acme/admin", SHOW, &who).await.expect(200);
    assert_eq!(later["windows"], json!([]), "what is over is not open");
    assert_eq!(later["marketing_held"], json!(null));
}

#[tokio::test]
async fn evidence_is_for_those_who_answer_for_it_and_goes_with_the_person() {
    let stage = Stage::new().await;
    let who = json!({"to": TO});
    let yes = json!({"to": TO, "marketing": true, "source": "checkout", "evidence": "box 3 of form 7"});
    stage.put("acme/sender", "/v1/contacts/consent", &yes).await.expect(200);
    let asked = json!({"name": "ci", "role": "admin", "test": true});
    let issued = stage.post("acme/admin", "/v1/keys", &asked).await.expect(201);
    let test_admin = issued["key"].as_str().expect("a text");
    for key in [stage.key("acme/sender"), stage.key("acme/tester"), test_admin] {
        let shown = stage.call(request(Method::POST, SHOW, Some(key), Some(&who))).await.expect(200);
        assert_eq!(shown["marketing"]["evidence"], json!({"bytes": 15, "text": null, "withheld": "role"}));
    }
    for key in ["acme/admin", "acme/auditor"] {
        let shown = stage.post(key, SHOW, &who).await.expect(200);
        assert_eq!(shown["marketing"]["evidence"]["text"], "box 3 of form 7");
    }
    let no = json!({"to": TO, "marketing": false, "source": "support"});
    stage.clock.advance(std::time::Duration::from_secs(1));
    stage.put("acme/sender", "/v1/contacts/consent", &no).await.expect(200);
    let shown = stage.post("acme/admin", SHOW, &who).await.expect(200);
    assert_eq!((&shown["marketing"]["allowed"], &shown["marketing"]["evidence"]), (&json!(false), &json!(null)));
    stage.vault.erase(contact(&stage).await);
    assert_eq!(stage.post("acme/admin", SHOW, &who).await.status.as_u16(), 404, "who is erased is nobody");
}

#[tokio::test]
async fn a_question_names_a_person_and_nothing_else() {
    let stage = Stage::new().await;
    for body in [json!({}), json!({"to": "12"}), json!({"to": TO, "colour": "red"}), json!({"to": 7})] {
        assert_eq!(stage.post("acme/admin", SHOW, &body).await.code(), "invalid_request", "{body}");
    }
}
