//! What the events bring about once they are applied: messages settle, orphans wait, strangers' accounts are kept.

use serde_json::{Value, json};

use super::fixtures::fixture;
use super::stage::{ACCOUNT, NOW, SECRET, Stage, event, sign};
use crate::channel::whatsapp::token;
use crate::domain::address::AddressKind;
use crate::domain::event::{
    AttemptRef, Category, Event, MessageAcceptedV1, Priority, SessionDeclaredV1, Status, StatusReportedV1,
    UnknownPolicy,
};
use crate::domain::id::{KeyId, MessageId, SessionId, TenantId, with_partition};
use crate::domain::row::{MessageRow, Row, RowId};
use crate::vault::{Alias, Vault};

fn message(stage: &Stage) -> MessageId {
    MessageId(with_partition([9; 16], stage.app.partition_of(stage.session)))
}

pub(super) async fn accepted(stage: &Stage, contact: KeyId) -> MessageId {
    accepted_as(stage, contact, None).await
}

pub(super) async fn accepted_as(stage: &Stage, contact: KeyId, template: Option<&str>) -> MessageId {
    let message = message(stage);
    let facts = MessageAcceptedV1 {
        message,
        session: stage.session,
        contact,
        category: Category::Utility,
        priority: Priority::Normal,
        unknown: UnknownPolicy::Hold,
        expires_at: NOW + 1_000_000_000,
        nonce: 1,
        idempotency: None,
        template: template.map(str::to_owned),
        consent: None,
        policy: None,
        test: false,
        ordered: false,
        send_at: None,
        country: None,
        campaign: None,
    };
    stage.write(stage.session, &Event::from(facts)).await;
    stage.apply().await;
    message
}

pub(super) fn with_token(stage: &Stage, name: &str, message: MessageId) -> Vec<u8> {
    let mac = |signed: &[u8]| stage.vault.mac("callback token", &[signed]);
    let token = token::write(AttemptRef { message, attempt: 1 }, mac);
    edited(name, |status| status["biz_opaque_callback_data"] = json!(token))
}

fn edited(name: &str, edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&fixture(name)).expect("JSON");
    edit(body.pointer_mut("/entry/0/changes/0/value/statuses/0").expect("a status"));
    body.to_string().into_bytes()
}

async fn row(stage: &Stage, message: MessageId) -> MessageRow {
    match stage.row(RowId::Message(message)).await {
        Some(Row::Message(row)) => *row,
        other => panic!("{other:?}"),
    }
}

fn reported(stage: &Stage) -> Vec<StatusReportedV1> {
    let written = stage.written();
    let facts = written.iter().filter_map(|entry| match event(&entry.record) {
        Event::StatusReported(facts) => Some(facts),
        _ => None,
    });
    facts.collect()
}

#[tokio::test]
async fn a_status_with_our_token_settles_its_message() {
    let stage = Stage::new().await;
    let phone = Alias::phone("12025550123").expect("a number");
    let contact = stage.vault.contact(stage.tenant, &phone).await.expect("a contact");
    let message = accepted(&stage, contact).await;
    assert_eq!(stage.post(&with_token(&stage, "whatsapp.status.delivered", message)).await.status, 200);
    stage.apply().await;
    let row = row(&stage, message).await;
    assert!(row.delivered.is_some() && row.sent.is_some());
    assert_eq!(row.price.as_ref().and_then(|price| price.category.as_deref()), Some("service"));
    let record = &stage.written()[0].record;
    assert_eq!((record.header.subject, record.header.tenant), (Some(message), Some(stage.tenant)));
    let sealed = row.provider.and_then(|(_, sealed)| sealed).expect("the provider's id, sealed");
    let opened = stage.vault.open(stage.tenant, sealed.key, &message.0, &sealed.bytes).await.expect("it opens");
    assert!(opened.starts_with(b"wamid."), "in the context of its message");
}

#[tokio::test]
async fn a_forged_token_is_no_token() {
    let stage = Stage::new().await;
    let message = accepted(&stage, KeyId([1; 16])).await;
    let forged = token::write(AttemptRef { message, attempt: 1 }, |_| [0; 8]);
    let body = edited("whatsapp.status.delivered", |status| status["biz_opaque_callback_data"] = json!(forged));
    assert_eq!(stage.post(&body).await.status, 200);
    stage.apply().await;
    assert!(row(&stage, message).await.delivered.is_none());
    assert!(reported(&stage)[0].of.is_none());
}

#[tokio::test]
async fn a_status_before_its_message_waits_under_the_tag_the_sender_makes() {
    let stage = Stage::new().await;
    stage.post(&fixture("whatsapp.status.delivered")).await;
    let id = serde_json::from_slice::<Value>(&fixture("whatsapp.status.delivered")).expect("JSON");
    let id = id.pointer("/entry/0/changes/0/value/statuses/0/id").and_then(Value::as_str).expect("an id");
    let tag = stage.vault.tag(stage.tenant, "provider message", &[id.as_bytes()]).await.expect("a tag");
    assert_eq!(reported(&stage)[0].tag, tag);
    stage.apply().await;
    assert!(matches!(stage.row(RowId::Provider(tag)).await, Some(Row::Provider(_))));
}

#[tokio::test]
async fn a_message_whose_number_moved_is_found_by_its_token() {
    let stage = Stage::new().await;
    let message = accepted(&stage, KeyId([1; 16])).await;
    let body = String::from_utf8(with_token(&stage, "whatsapp.status.read", message)).expect("UTF-8");
    assert_eq!(stage.post(body.replace(ACCOUNT, "111").as_bytes()).await.status, 200);
    stage.apply().await;
    assert!(row(&stage, message).await.read.is_some());
}

#[tokio::test]
async fn a_status_of_a_number_that_is_another_tenants_now_stays_with_who_sent_the_message() {
    let stage = Stage::new().await;
    let phone = Alias::phone("12025550123").expect("a number");
    let contact = stage.vault.contact(stage.tenant, &phone).await.expect("a contact");
    let message = accepted(&stage, contact).await;
    let other = moved_to_another_tenant(&stage).await;
    let strange = stage.vault.contact(other, &phone).await.expect("a contact of the other's");
    let body = with_token(&stage, "whatsapp.status.failed.131050", message);
    assert_eq!(stage.post(&body).await.status, 200);
    let status = stage.written().into_iter().find(|entry| event(&entry.record).name() == "StatusReported");
    let record = &status.expect("a status").record;
    assert_eq!(reported(&stage)[0].session, stage.session);
    assert_eq!((record.header.tenant, record.header.key), (Some(stage.tenant), Some(contact)));
    let consents: Vec<KeyId> = stage.written().iter().filter_map(|entry| consent(&event(&entry.record))).collect();
    assert_eq!(consents, [contact], "it is not {strange} who said so to the other tenant");
}

fn consent(event: &Event) -> Option<KeyId> {
    match event {
        Event::ConsentChanged(facts) => Some(facts.contact),
        _ => None,
    }
}

/// The number moves to a session of another tenant in the same partition.
async fn moved_to_another_tenant(stage: &Stage) -> TenantId {
    let other = TenantId([0x77; 16]);
    let partition = stage.app.partition_of(stage.session);
    let session =
        (0..).map(|n| SessionId::named(other, &format!("s{n}"))).find(|s| stage.app.partition_of(*s) == partition);
    let declared = |session, tenant, name: &str, account: &str| SessionDeclaredV1 {
        session,
        tenant,
        name: name.into(),
        channel: "whatsapp".into(),
        account: account.into(),
        waba: None,
        app: None,
        portfolio: None,
        per_second: 80,
        burst: 80,
        test: false,
        members: None,
    };
    stage.write(stage.session, &Event::from(declared(stage.session, stage.tenant, "orders", "111"))).await;
    let session = session.expect("one of many");
    stage.write(session, &Event::from(declared(session, other, "theirs", ACCOUNT))).await;
    stage.apply().await;
    let found = stage.app.directory.session_of_account(&stage.app, ACCOUNT).await.expect("a store");
    assert_eq!(found.map(|found| found.tenant), Some(other), "the stage is set");
    other
}

#[tokio::test]
async fn a_failed_status_has_the_class_of_a_callback() {
    let stage = Stage::new().await;
    for (code, class) in [("131026", "recipient"), ("131000", "retry"), ("137000", "request")] {
        stage.post(&fixture(&format!("whatsapp.status.failed.{code}"))).await;
        let found = reported(&stage).into_iter().find(|facts| facts.code.to_string() == code);
        let found = found.unwrap_or_else(|| panic!("{code}"));
        assert_eq!((found.status, found.class.as_str()), (Status::Failed, class), "{code}");
    }
}

#[tokio::test]
async fn the_account_of_a_stranger_is_kept_and_nobody_is_made_of_it() {
    let stage = Stage::new().await;
    for name in ["whatsapp.message.text", "whatsapp.status.sent", "whatsapp.user_preferences.stop"] {
        let body = String::from_utf8(fixture(name)).expect("UTF-8").replace(ACCOUNT, "111");
        assert_eq!(stage.post(body.as_bytes()).await.status, 200, "{name}");
    }
    for name in ["messenger.message.text", "instagram.message.text", "whatsapp.account_alerts"] {
        assert_eq!(stage.post(&fixture(name)).await.status, 200, "{name}");
    }
    assert_eq!(stage.names(), ["CallbackCarried"; 6]);
    for entry in stage.written() {
        let header = &entry.record.header;
        assert_eq!((header.address.kind, header.tenant), (AddressKind::Partition, None));
        assert_eq!(stage.app.partition_of(header.address), entry.partition);
        let day = format!("intake-{}", NOW / (24 * 60 * 60 * 1_000_000));
        let intake = stage.vault.find(TenantId::default(), &Alias::bsuid(&day).expect("a name")).await;
        assert_eq!(header.key, intake.expect("a vault"), "under the key of the day");
        assert!(stage.open(&entry.record).await.is_some());
    }
    let phone = Alias::phone("12025550123").expect("a number");
    assert_eq!(stage.contact(phone).await, None);
}

#[tokio::test]
async fn a_part_larger_than_a_record_is_kept_in_pieces() {
    let stage = Stage::new().await;
    let filler = "ä".repeat(1_400_000);
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "history",
        "value": {"metadata": {"phone_number_id": ACCOUNT}, "blob": filler}}]}]});
    assert_eq!(stage.post(body.to_string().as_bytes()).await.status, 200);
    let mut written = stage.written();
    written.sort_by_key(|entry| entry.position);
    assert_eq!(written[0].record.header.key, None, "the part's own event has no body");
    let mut text = Vec::new();
    for (number, entry) in written[1..].iter().enumerate() {
        let piece = stage.open(&entry.record).await.expect("a piece");
        assert_eq!((piece["piece"].as_u64(), piece["of"].as_u64()), (Some(number as u64), Some(6)));
        assert_eq!(entry.record.header.cause, Some(written[0].record.header.id));
        let bytes =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, piece["base64"].as_str().expect("text"));
        text.extend(bytes.expect("base64"));
    }
    let whole: Value = serde_json::from_slice(&text).expect("the pieces are the whole");
    assert_eq!(whole["part"]["blob"], filler.as_str());
}

#[tokio::test]
async fn what_is_signed_and_no_json_is_kept_and_not_asked_for_again() {
    let stage = Stage::new().await;
    for body in [&b"not json"[..], b"[]", b"", &[0xff, 0xfe]] {
        assert_eq!(stage.post_signed(body, Some(&sign(SECRET, body))).await.status, 200);
    }
    let mut kept = Vec::new();
    for entry in stage.written() {
        let opened = stage.open(&entry.record).await.expect("a body");
        assert_eq!(opened["field"], "unreadable");
        let bytes = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            opened["base64"].as_str().expect("text"),
        );
        kept.push(bytes.expect("base64"));
    }
    kept.sort();
    assert_eq!(kept, [&b""[..], b"[]", b"not json", &[0xff, 0xfe]]);
}

#[tokio::test]
async fn a_damaged_neighbour_spoils_nothing() {
    let stage = Stage::new().await;
    let mut body: Value = serde_json::from_slice(&fixture("whatsapp.message.text")).expect("JSON");
    let messages = body.pointer_mut("/entry/0/changes/0/value/messages").expect("messages");
    let list = messages.as_array_mut().expect("a list");
    list.insert(0, json!(7));
    list.insert(1, json!({"id": "x", "type": {"a": 1}}));
    list.push(json!({"from": "12025550145", "id": "wamid.B", "timestamp": "soon", "type": "text"}));
    assert_eq!(stage.post(body.to_string().as_bytes()).await.status, 200);
    let names = stage.names();
    assert_eq!(names.iter().filter(|name| **name == "CallbackCarried").count(), 3, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "InboundReceived").count(), 1, "{names:?}");
}
