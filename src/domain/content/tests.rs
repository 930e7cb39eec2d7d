//! What is taken, what is refused, and in which words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Content, Kind, OBJECT_MAX, Problem};

fn refused(value: Value) -> Vec<Problem> {
    Content::check(value).expect_err("a mistake")
}

fn text() -> Value {
    json!({"messaging_product": "whatsapp", "to": "+12025550123", "type": "text", "text": {"body": "hello"}})
}

fn with(pointer: &str, value: Value) -> Value {
    let mut message = text();
    message[pointer] = value;
    message
}

#[test]
fn every_recorded_message_is_taken_and_every_other_request_is_not() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta");
    let mut taken = 0;
    for file in std::fs::read_dir(folder).expect("fixtures") {
        let path = file.expect("a file").path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_prefix("request.whatsapp.")) else {
            continue;
        };
        let value: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let group = value.get("recipient_type") == Some(&json!("group"));
        let message = value.get("type").is_some();
        match Content::check(value.clone()) {
            Ok(content) => {
                assert!(message && !group, "{name} is no message to a person");
                taken += 1;
                for ours in ["to", "recipient", "messaging_product", "biz_opaque_callback_data"] {
                    assert!(!content.object.contains_key(ours), "{name}");
                }
                let kind = value["type"].as_str().expect("a type");
                assert_eq!(content.object.get(kind), value.get(kind), "{name}: content goes through untouched");
                assert_eq!(content.client_token.as_deref(), value["biz_opaque_callback_data"].as_str(), "{name}");
            }
            Err(problems) => assert!(group || !message, "{name}: {problems:?}"),
        }
    }
    assert!(taken >= 25, "only {taken}");
}

#[test]
fn a_message_survives_being_written_down() {
    let mut value = with("reference", json!("order 1042"));
    value["biz_opaque_callback_data"] = json!("theirs");
    let content = Content::check(value).expect("a message");
    assert_eq!((content.to.as_str(), content.kind), ("+12025550123", Kind::Text));
    assert_eq!((content.reference.as_deref(), content.client_token.as_deref()), (Some("order 1042"), Some("theirs")));
    let bytes = serde_json::to_vec(&content).expect("data");
    assert_eq!(serde_json::from_slice::<Content>(&bytes).expect("data"), content);
    assert!(!format!("{content:?}").contains("hello"), "personal data is not shown");
}

#[test]
fn known_clients_are_tolerated() {
    let value = json!({
        "to": "1 (202) 555-0123", "context": null, "text": {"body": "hello"}, "recipient_type": null, "later": {"a": 1},
    });
    let content = Content::check(value).expect("a message");
    assert_eq!(content.to, "+12025550123");
    assert_eq!(Value::from(content.object), json!({"type": "text", "text": {"body": "hello"}, "later": {"a": 1}}));
    let template = json!({"to": "+12025550123", "type": "template", "template": {
        "name": "order_ready", "language": {"code": "en_US", "policy": "deterministic"}}});
    let content = Content::check(template).expect("a template");
    assert_eq!((content.kind, content.template()), (Kind::Template, Some(("order_ready", "en_US"))));
}

#[test]
fn a_user_id_is_a_recipient_and_a_number_goes_before_it() {
    let to = |value: Value| Content::check(value).expect("a message").to;
    let mut both = with("recipient", json!("US.1234"));
    assert_eq!(to(both.clone()), "+12025550123");
    both.as_object_mut().expect("an object").remove("to");
    assert_eq!(to(both), "bsuid:US.1234");
    assert_eq!(to(with("to", json!("bsuid:US.ENT.1234"))), "bsuid:US.ENT.1234");
}

#[test]
fn limits_are_those_of_meta() {
    let body = |length: usize| Content::check(with("text", json!({"body": "é".repeat(length)}))).is_ok();
    assert_eq!([0, 1, 4096, 4097].map(body), [false, true, true, false]);
    let token = |length: usize| Content::check(with("biz_opaque_callback_data", json!("x".repeat(length)))).is_ok();
    assert_eq!([0, 512, 513].map(token), [true, true, false]);
    let name = |name: String| {
        let template = json!({"name": name, "language": {"code": "en"}});
        Content::check(json!({"to": "+12025550123", "type": "template", "template": template})).is_ok()
    };
    assert_eq!(["", "a", "a_1", "A", "a-b"].map(|text| name(text.into())), [false, true, true, false, false]);
    assert_eq!([512, 513].map(|length| name("a".repeat(length))), [true, false]);
    let frame =
        serde_json::to_vec(&json!({"later": "", "text": {"body": "hello"}, "type": "text"})).expect("data").len();
    let sized = |size: usize| Content::check(with("later", json!("x".repeat(size - frame)))).is_ok();
    assert_eq!([OBJECT_MAX, OBJECT_MAX + 1].map(sized), [true, false]);
}

#[test]
fn each_mistake_is_told_with_its_place() {
    let cases = [
        (json!([]), ""),
        (json!({"type": "text", "text": {"body": "x"}}), "/to"),
        (with("to", json!(12_025_550_123_u64)), "/to"),
        (with("to", json!("0301234567")), "/to"),
        (with("to", json!("bsuid:no dots")), "/to"),
        (with("recipient_type", json!("group")), "/recipient_type"),
        (with("messaging_product", json!("sms")), "/messaging_product"),
        (with("context", json!("wamid.1")), "/context"),
        (with("reference", json!(7)), "/reference"),
        (with("type", json!("Text")), "/type"),
        (with("type", json!("image")), "/image"),
        (with("text", json!({})), "/text/body"),
        (with("text", json!("hello")), "/text/body"),
        (json!({"to": "+12025550123"}), "/type"),
        (json!({"to": "+12025550123", "type": "image", "image": "x"}), "/image"),
        (json!({"to": "+12025550123", "type": "template", "template": {"name": "a"}}), "/template/language/code"),
        (
            json!({"to": "+12025550123", "type": "template",
                "template": {"name": "a", "language": {"code": "en"}, "components": {}}}),
            "/template/components",
        ),
    ];
    for (value, pointer) in cases {
        let problems = refused(value);
        assert!(problems.iter().any(|problem| problem.pointer == pointer), "{pointer}: {problems:?}");
        assert!(problems.iter().all(|problem| !problem.what.is_empty() && !problem.remedy.is_empty()), "{problems:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_repeat_no_value() {
    let problems = refused(json!({"to": "Ada Example", "type": "text", "text": {"body": ""}, "context": 5}));
    let places: Vec<&str> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(places, ["/to", "/context", "/text/body"]);
    assert!(!format!("{problems:?}").contains("Ada"));
}

proptest! {
    /// What is taken is in the one form, whatever was sent.
    #[test]
    fn a_taken_recipient_is_in_the_one_form(to in "[+]?[0-9 ()\\-a]{0,20}") {
        if let Ok(content) = Content::check(with("to", json!(to))) {
            prop_assert!(content.to.starts_with('+') && (8..=16).contains(&content.to.len()));
            prop_assert!(content.to[1..].bytes().all(|b| b.is_ascii_digit()));
            prop_assert_eq!(super::phone(&content.to), Ok(content.to.clone()));
        }
    }
}

#[test]
fn a_reference_that_a_terminal_would_obey_is_refused_and_a_client_s_own_data_is_not_judged() {
    for evil in ["\u{1b}]0;owned\u{7}", "two\nlines", "back\u{202e}wards", "\u{9b}2J"] {
        let problems = refused(with("reference", json!(evil)));
        assert_eq!(problems.len(), 1, "{evil:?}");
        assert_eq!((problems[0].pointer.as_str(), problems[0].what.contains(evil)), ("/reference", false));
        assert!(Content::check(with("biz_opaque_callback_data", json!(evil))).is_ok());
    }
    assert!(Content::check(with("reference", json!("Bestellung 12, שלום 👩\u{200d}👧"))).is_ok());
}
