//! What is let through and what is refused.

use super::{Decoded, Recipient, SendRequest, find_marker};

#[test]
fn markers_are_found_anywhere() {
    assert_eq!(find_marker("a wbm- b wbm-7f-12 c wbm-9"), Some("wbm-7f-12"));
    assert_eq!(find_marker("wbm-0\\n"), Some("wbm-0"));
    assert_eq!(find_marker("wbm_1"), None);
}

/// Every send request of the fixtures is well-formed.
#[test]
fn fixtures_pass() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("fixtures") {
        let path = entry.expect("entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("name").to_owned();
        if !name.starts_with("request.whatsapp.") {
            continue;
        }
        let body = std::fs::read(&path).expect("read");
        let decoded = SendRequest::decode(&body).and_then(SendRequest::check);
        assert!(decoded.is_ok(), "{name}: {decoded:?}");
        seen += 1;
    }
    assert!(seen > 25, "only {seen} fixtures seen");
}

#[test]
fn the_shape_is_checked() {
    let code = |body: &str| match SendRequest::decode(body.as_bytes()).and_then(SendRequest::check) {
        Ok(_) => 0,
        Err(e) => e.code,
    };
    assert_eq!(code("{"), 100);
    assert_eq!(code(r#"{"messaging_product":"whatsapp","to":12,"type":"text","text":{"body":"x"}}"#), 100);
    assert_eq!(code(r#"{"to":"+12025550123","type":"text","text":{"body":"x"}}"#), 100);
    assert_eq!(code(r#"{"messaging_product":"whatsapp","type":"text","text":{"body":"x"}}"#), 131_008);
    assert_eq!(code(r#"{"messaging_product":"whatsapp","to":"+12025550123","type":"text"}"#), 131_008);
    assert_eq!(code(r#"{"messaging_product":"whatsapp","to":"+12025550123","text":{"body":"x"}}"#), 0);
    assert_eq!(code(r#"{"messaging_product":"whatsapp","to":"me@x","type":"text","text":{"body":"x"}}"#), 131_009);
    assert_eq!(code(r#"{"messaging_product":"whatsapp","to":"+12025550123","type":"fax","fax":{}}"#), 100);
    let both =
        r#"{"messaging_product":"whatsapp","to":"+12025550123","type":"text","text":{"body":"x"},"image":{"id":"1"}}"#;
    assert_eq!(code(both), 100);
    let long = |n| {
        format!(
            r#"{{"messaging_product":"whatsapp","to":"+12025550123","type":"text","text":{{"body":"{}"}}}}"#,
            "é".repeat(n)
        )
    };
    assert_eq!((code(&long(4096)), code(&long(4097))), (0, 100));
}

#[test]
fn recipients_are_told_apart() {
    let to = |body: &str| match SendRequest::decode(body.as_bytes()).and_then(SendRequest::check) {
        Ok(Decoded::Message(message)) => message.recipient,
        other => panic!("{other:?}"),
    };
    let phone = to(r#"{"messaging_product":"whatsapp","to":"+1 (202) 555-0123","type":"text","text":{"body":"x"}}"#);
    assert_eq!(phone, Recipient::Phone("12025550123".into()));
    let user = to(include_str!("../../../tests/fixtures/request.whatsapp.text.bsuid.json"));
    assert_eq!(user, Recipient::UserId("US.90010020030040050601".into()));
    let group = to(include_str!("../../../tests/fixtures/request.whatsapp.group.text.json"));
    assert!(matches!(group, Recipient::Group(_)));
}
