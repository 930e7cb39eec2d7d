//! Who a callback is about: contacts, names, windows, consent.

use super::fixtures::fixture;
use super::stage::{NOW, Stage, event};
use crate::domain::event::{AliasKind, Event};
use crate::domain::id::KeyId;
use crate::domain::row::{ContactRow, Row, RowId};
use crate::vault::{Alias, Vault};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// The recorded time of every message.
const SAID: i64 = 1_795_000_000_000_000;

pub(super) fn phone() -> Alias {
    Alias::phone("12025550123").expect("a number")
}

fn bsuid() -> Alias {
    Alias::bsuid("US.90010020030040050601").expect("an id")
}

async fn contact_row(stage: &Stage, contact: KeyId) -> ContactRow {
    match stage.row(RowId::Contact(contact)).await {
        Some(Row::Contact(row)) => row,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stranger_who_writes_is_met_under_both_names_and_opens_a_window() {
    let stage = Stage::new().await;
    stage.post(&fixture("whatsapp.message.text")).await;
    assert_eq!(stage.names(), ["AliasAdded", "AliasAdded", "InboundReceived", "WindowOpened"]);
    let contact = stage.contact(bsuid()).await.expect("known by the id");
    assert_eq!(stage.contact(phone()).await, Some(contact), "and by the number");
    stage.apply().await;
    let row = contact_row(&stage, contact).await;
    assert_eq!(row.windows, [(stage.session, SAID + DAY)]);
    assert_eq!(row.aliases, 0b11);
    stage.post(&fixture("whatsapp.message.image")).await;
    let again = stage.names().into_iter().filter(|name| *name == "AliasAdded").count();
    assert_eq!(again, 2, "names that the row shows are not told again");
}

#[tokio::test]
async fn a_person_we_wrote_to_by_number_is_the_one_who_answers() {
    let stage = Stage::new().await;
    let known = stage.vault.contact(stage.tenant, &phone()).await.expect("a contact");
    stage.post(&fixture("whatsapp.message.text")).await;
    assert_eq!(stage.contact(bsuid()).await, Some(known));
    for entry in stage.written() {
        if let Event::InboundReceived(facts) = event(&entry.record) {
            assert_eq!((facts.contact, facts.content.as_str()), (known, "text"));
            assert_eq!(entry.record.header.key, Some(known), "sealed under the person's key");
        }
    }
}

#[tokio::test]
async fn two_contacts_of_one_person_both_get_the_window() {
    let stage = Stage::new().await;
    let one = stage.vault.contact(stage.tenant, &phone()).await.expect("a contact");
    let other = stage.vault.contact(stage.tenant, &bsuid()).await.expect("a contact");
    assert_ne!(one, other);
    stage.post(&fixture("whatsapp.message.text")).await;
    stage.apply().await;
    for contact in [one, other] {
        assert_eq!(contact_row(&stage, contact).await.windows, [(stage.session, SAID + DAY)]);
    }
}

#[tokio::test]
async fn a_clock_that_runs_ahead_opens_no_longer_window() {
    let stage = Stage::new().await;
    let body = String::from_utf8(fixture("whatsapp.message.text")).expect("UTF-8");
    stage.post(body.replace("1795000000", "1995000000").as_bytes()).await;
    stage.apply().await;
    let contact = stage.contact(bsuid()).await.expect("known");
    let at = stage.written()[0].record.header.at;
    assert_eq!(contact_row(&stage, contact).await.windows, [(stage.session, at + DAY)]);
    assert!(at >= NOW);
}

#[tokio::test]
async fn stop_and_resume_are_consent_also_of_a_stranger() {
    let stage = Stage::new().await;
    stage.post(&fixture("whatsapp.user_preferences.stop")).await;
    stage.apply().await;
    let contact = stage.contact(bsuid()).await.expect("an opt-out makes the person known");
    let (allowed, at, _) = contact_row(&stage, contact).await.marketing.expect("a word on marketing");
    assert!(!allowed && at >= SAID);
    stage.post(&fixture("whatsapp.user_preferences.resume")).await;
    stage.apply().await;
    assert!(contact_row(&stage, contact).await.marketing.expect("a word").0);
    // The older word again: it changes nothing.
    stage.post(&fixture("whatsapp.user_preferences.stop")).await;
    stage.apply().await;
    assert!(contact_row(&stage, contact).await.marketing.expect("a word").0);
}

#[tokio::test]
async fn a_refusal_for_stopped_marketing_is_an_opt_out_of_whom_we_know() {
    let stage = Stage::new().await;
    stage.post(&fixture("whatsapp.status.failed.131050")).await;
    assert_eq!(stage.names(), ["StatusReported"], "a status makes nobody");
    assert_eq!(stage.contact(phone()).await, None);
    let stage = Stage::new().await;
    let known = stage.vault.contact(stage.tenant, &phone()).await.expect("a contact");
    stage.post(&fixture("whatsapp.status.failed.131050")).await;
    assert_eq!(stage.names(), ["ConsentChanged", "StatusReported"]);
    stage.apply().await;
    assert!(!contact_row(&stage, known).await.marketing.expect("a word").0);
    let told = stage.written().into_iter().find_map(|entry| match event(&entry.record) {
        Event::ConsentChanged(facts) => Some((facts.source, entry.record.header.cause)),
        _ => None,
    });
    let (source, cause) = told.expect("told");
    assert_eq!(source, "131050");
    assert!(cause.is_some_and(|cause| stage.written().iter().any(|e| e.record.header.id == cause)));
}

#[tokio::test]
async fn a_refusal_for_enough_marketing_holds_whom_we_know_for_a_day() {
    let stage = Stage::new().await;
    stage.post(&fixture("whatsapp.status.failed.131049")).await;
    assert_eq!(stage.names(), ["StatusReported"], "a status makes nobody");
    let stage = Stage::new().await;
    let known = stage.vault.contact(stage.tenant, &phone()).await.expect("a contact");
    for _ in 0..2 {
        stage.post(&fixture("whatsapp.status.failed.131049")).await;
        stage.apply().await;
    }
    assert!(stage.names().contains(&"ContactHeld") && !stage.names().contains(&"ConsentChanged"));
    let row = contact_row(&stage, known).await;
    // A day after the provider's time of it, however often it is told.
    assert_eq!(row.held, Some((1_795_000_005_000_000 + 86_400_000_000, 131_049)));
    assert_eq!(row.marketing, None, "nobody said no");
}

#[tokio::test]
async fn a_changed_number_is_one_more_name_of_whom_we_know() {
    let stage = Stage::new().await;
    stage.post(&fixture("whatsapp.message.system.user_changed_number")).await;
    assert_eq!(stage.names(), ["CallbackCarried"], "nobody is made of an update");
    let stage = Stage::new().await;
    let known = stage.vault.contact(stage.tenant, &phone()).await.expect("a contact");
    stage.post(&fixture("whatsapp.message.system.user_changed_number")).await;
    let names = stage.vault.aliases(stage.tenant, known).await.expect("names");
    assert!(names.len() > 1 && names.iter().any(|name| name.kind == AliasKind::Phone && *name != phone()));
    assert!(stage.names().contains(&"AliasAdded"), "{:?}", stage.names());
    assert!(!stage.names().contains(&"WindowOpened"), "a system message is no sign of life");
}

#[tokio::test]
async fn a_name_of_another_contact_stays_there() {
    let stage = Stage::new().await;
    let before = Alias::bsuid("US.90010020030040050601").expect("an id");
    stage.post(&fixture("whatsapp.message.text")).await;
    let body = String::from_utf8(fixture("whatsapp.user_id_update")).expect("UTF-8");
    let value: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let now = value.pointer("/entry/0/changes/0/value/user_id_update/0/user_id/current");
    let now = Alias::bsuid(now.and_then(serde_json::Value::as_str).expect("the new id")).expect("an id");
    let other = stage.vault.contact(stage.tenant, &now).await.expect("a contact");
    assert_eq!(stage.post(body.as_bytes()).await.status, 200);
    assert_eq!(stage.contact(now).await, Some(other));
    assert_ne!(stage.contact(before).await, Some(other));
}

#[tokio::test]
async fn an_erased_person_who_writes_again_is_a_new_one() {
    let stage = Stage::new().await;
    stage.post(&fixture("whatsapp.message.text")).await;
    let first = stage.contact(phone()).await.expect("known");
    stage.vault.erase(first);
    assert_eq!(stage.post(&fixture("whatsapp.message.image")).await.status, 200);
    assert!(stage.contact(phone()).await.is_some_and(|contact| contact != first));
}
