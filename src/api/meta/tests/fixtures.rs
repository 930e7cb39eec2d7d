//! Every recorded callback: taken, durable, whole, sealed, and the same when it comes again.

use std::collections::BTreeSet;

use serde_json::Value;

use super::stage::{NOW, Stage, event};
use crate::channel::whatsapp::callback;
use crate::domain::event::Event;
use crate::domain::record::Record;

pub(super) fn fixture(name: &str) -> Vec<u8> {
    let path = folder().join(format!("webhook.{name}.json"));
    std::fs::read(path).expect("the fixture is there")
}

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta")
}

fn all() -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder()).expect("fixtures").map(|file| file.expect("a file").path());
    let mut found: Vec<(String, Vec<u8>)> = files
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_prefix("webhook.")?.to_owned();
            Some((name, std::fs::read(path).ok()?))
        })
        .collect();
    found.sort();
    assert!(found.len() > 80, "only {} fixtures", found.len());
    found
}

/// Every text of a JSON value that a person may have made: strings of five characters or more, but for the words that
/// are Meta's own.
fn telling(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.chars().count() >= 5 && !META.contains(&text.as_str()) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| telling(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            // The field's name stands in the header, so does the kind of content.
            if !["field", "object", "status", "type", "category", "recipient_type"].contains(&name.as_str()) {
                telling(value, found);
            }
        }),
        _ => {}
    }
}

/// Words of Meta's that a value and a header may share.
const META: [&str; 2] = ["whatsapp", "user_preferences"];

fn clear(record: &Record) -> String {
    let facts = String::from_utf8_lossy(&record.header.facts);
    format!("{} {facts}", String::from_utf8_lossy(&record.raw))
}

#[tokio::test]
async fn every_recorded_callback_is_taken_and_nothing_of_it_is_lost() {
    for (name, body) in all() {
        let stage = Stage::new().await;
        assert_eq!(stage.post(&body).await.status, 200, "{name}");
        let mut bodies = Vec::new();
        for entry in stage.written() {
            bodies.extend(stage.open(&entry.record).await);
        }
        let parts = callback::parse(&body, NOW).expect("a JSON object");
        assert_eq!(bodies.len(), parts.len(), "{name}: one sealed body for each part");
        for part in parts {
            let said: Value = serde_json::from_str(part.body.raw()).expect("JSON");
            let found = bodies.iter().find(|opened| opened["part"] == said);
            let found = found.unwrap_or_else(|| panic!("{name}: a part is lost"));
            assert_eq!(found["field"], part.field.as_str(), "{name}");
            assert_eq!(found["entry"].as_str(), part.entry.as_deref(), "{name}");
            assert_eq!(found["account"].as_str(), part.account.as_deref(), "{name}");
            let contact = part.person.and_then(|person| person.raw);
            let contact = contact.map(|raw| serde_json::from_str::<Value>(&raw).expect("JSON"));
            assert_eq!(found.get("contact"), contact.as_ref(), "{name}");
        }
    }
}

#[tokio::test]
async fn the_text_under_the_seal_is_metas_own_byte_for_byte() {
    let stage = Stage::new().await;
    let odd = br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{
        "metadata":{"phone_number_id":"900100200300501"},"messages":[{"from":"12025550123","id":"wamid.A","timestamp":"1795000000",
        "type":"text","text":{"body":"caf\u00e9 \ud83d\ude0a http:\/\/x"},  "n":1.50e3}]}}]}]}"#;
    assert_eq!(stage.post(odd).await.status, 200);
    let received = stage.written().into_iter().find(|entry| event(&entry.record).name() == "InboundReceived");
    let record = &received.expect("an event").record;
    let (tenant, key) = (stage.tenant, record.header.key.expect("a key"));
    let opened = crate::vault::Vault::open(&*stage.vault, tenant, key, &record.header.id.0, &record.body).await;
    let text = String::from_utf8(opened.expect("it opens")).expect("UTF-8");
    assert!(text.contains(r#""text":{"body":"caf\u00e9 \ud83d\ude0a http:\/\/x"},  "n":1.50e3}"#), "{text}");
}

#[tokio::test]
async fn nothing_of_a_person_stands_in_the_clear() {
    let (mut checked, mut canaries) = (0, 0);
    for (name, body) in all() {
        let stage = Stage::new().await;
        stage.post(&body).await;
        let mut words = BTreeSet::new();
        telling(&serde_json::from_slice(&body).expect("JSON"), &mut words);
        canaries += words.len();
        for entry in stage.written() {
            let clear = clear(&entry.record);
            let sealed = String::from_utf8_lossy(&entry.record.body).into_owned();
            for word in &words {
                assert!(!clear.contains(word.as_str()), "{name}: `{word}` in {:?}", event(&entry.record));
                assert!(!sealed.contains(word.as_str()), "{name}: `{word}` in a body");
            }
            checked += 1;
        }
    }
    assert!(checked > 100 && canaries > 500, "{checked} records, {canaries} texts");
}

#[tokio::test]
async fn the_same_post_again_changes_nothing() {
    for (name, body) in all() {
        let stage = Stage::new().await;
        stage.post(&body).await;
        stage.apply().await;
        let ids = |stage: &Stage| -> BTreeSet<_> { stage.written().iter().map(|e| e.record.header.id).collect() };
        let (before, digest) = (ids(&stage), stage.digest().await);
        // Within the same minute: an error of an account has no id, and is another one a minute later.
        assert_eq!(stage.post(&body).await.status, 200, "{name}");
        assert_eq!(ids(&stage), before, "{name}: the same things are the same events");
        stage.apply().await;
        assert_eq!(stage.digest().await, digest, "{name}");
    }
}

#[tokio::test]
async fn everything_at_once_is_taken_too() {
    let entries = all().into_iter().filter_map(|(_, body)| {
        let mut value: Value = serde_json::from_slice(&body).ok()?;
        (value["object"] == "whatsapp_business_account").then(|| value["entry"].take())
    });
    let entries: Vec<Value> = entries.flat_map(|list| list.as_array().cloned().unwrap_or_default()).collect();
    let body = serde_json::json!({ "object": "whatsapp_business_account", "entry": entries }).to_string();
    let stage = Stage::new().await;
    let parts = callback::parse(body.as_bytes(), NOW).expect("JSON").len();
    assert!(parts > 60, "{parts}");
    assert_eq!(stage.post(body.as_bytes()).await.status, 200);
    let bodies = stage.written().iter().filter(|entry| entry.record.header.key.is_some()).count();
    assert_eq!(bodies, parts);
    stage.apply().await;
    let received = stage.written().into_iter().filter(|e| matches!(event(&e.record), Event::InboundReceived(_)));
    assert!(received.count() > 25);
}
