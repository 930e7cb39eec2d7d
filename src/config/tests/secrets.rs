//! Secrets: found by reference, and repeated by no mistake, no debug output, no serialization.

use std::io::Write as _;

use super::{lines, read};
use crate::config::{Secret, SecretError, SecretRef};

const TEXT: &str = "hunter2-hunter2";

fn reference(text: &str) -> SecretRef {
    SecretRef::parse(text).expect("a reference")
}

#[test]
fn references_are_told_from_bare_secrets() {
    assert_eq!(reference("env:A_1"), SecretRef::Env("A_1".into()));
    assert_eq!(reference("file:/run/x"), SecretRef::File("/run/x".into()));
    assert_eq!(reference("literal:a:b"), SecretRef::Literal(Secret::new("a:b".into())));
    for bare in ["", TEXT, "env:", "env:1A", "env:A B", "file:relative", "literal:", "vault:x"] {
        assert_eq!(SecretRef::parse(bare), None, "{bare}");
    }
}

#[test]
fn a_secret_is_fetched_when_it_is_used() {
    let from_env = |name: &str| (name == "TOKEN").then(|| TEXT.to_owned());
    assert_eq!(reference("env:TOKEN").resolve_with(from_env).expect("set").expose(), TEXT);
    assert_eq!(reference(&format!("literal:{TEXT}")).resolve().expect("literal").expose(), TEXT);
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(format!("{TEXT}\r\n").as_bytes()).expect("written");
    let reference = SecretRef::File(file.path().to_owned());
    assert_eq!(reference.resolve().expect("readable").expose(), TEXT, "without the line break");
    file.write_all(&vec![b'x'; 70_000]).expect("written");
    assert!(matches!(reference.resolve(), Err(SecretError::Unreadable { .. })), "beyond the bound");
}

#[test]
fn what_cannot_be_fetched_names_the_reference() {
    let unset = reference("env:TOKEN").resolve_with(|_| None).expect_err("not set");
    assert!(unset.to_string().contains("TOKEN is not set"), "{unset}");
    let empty = reference("env:TOKEN").resolve_with(|_| Some(String::new())).expect_err("empty");
    assert_eq!(empty.to_string(), "the secret env:TOKEN is empty; put the secret there");
    let missing = reference("file:/no/such/secret").resolve().expect_err("missing");
    assert!(missing.to_string().starts_with("the secret file /no/such/secret cannot be read: "), "{missing}");
}

#[test]
fn no_output_repeats_a_secret() {
    let literal = reference(&format!("literal:{TEXT}"));
    assert_eq!(
        format!("{literal:?} {literal} {:?}", Secret::new(TEXT.into())),
        "SecretRef(literal:(hidden)) literal:(hidden) Secret(hidden)"
    );
    let file = format!("[meta]\nverify_token = \"literal:{TEXT}\"\napp_secrets = [\"literal:{TEXT}\"]");
    let settings = read(&file, &[]).expect("good settings");
    let printed = format!("{settings:?} {}", serde_json::to_string(&settings).expect("serializes"));
    assert!(!printed.contains(TEXT) && printed.contains("literal:(hidden)"), "{printed}");
}

#[test]
fn no_mistake_repeats_a_secret() {
    let quoted = format!("\"{TEXT}\"");
    let files = [
        format!("[meta]\nverify_token = {quoted}"),
        format!("[meta]\nverify_token = [{quoted}]"),
        format!("[meta]\nverify_token = {{ a = {quoted} }}"),
        format!("[meta]\nverify_tokn = {quoted}"),
        format!("[meta]\napp_secrets = {quoted}"),
        format!("[meta]\napp_secrets = [{quoted}]"),
        format!("[meta]\nverify_token = {quoted} x"),
        format!("[meta]\nverify_token = {TEXT}"),
        format!("[meta]\ngraph_url = \"https://user:{TEXT}@graph.facebook.com\""),
        format!("[meta]\ngraph_url = \"//user:{TEXT}@graph.facebook.com\""),
    ];
    for file in &files {
        let found = lines(read(file, &[]));
        assert!(!found.is_empty() && found.iter().all(|line| !line.contains(TEXT)), "{file}\n{found:#?}");
    }
    for name in ["WAYBILL_META__VERIFY_TOKEN", "WAYBILL_META__APP_SECRETS", "WAYBILL_META__VERIFY_TOKN"] {
        for value in [TEXT.to_owned(), format!("[{quoted}"), format!("[{quoted}]")] {
            let found = lines(read("", &[(name, &value)]));
            assert!(!found.is_empty() && found.iter().all(|line| !line.contains(TEXT)), "{name}={value}\n{found:#?}");
        }
    }
}

#[test]
fn a_bare_secret_is_refused_with_the_way_to_write_it() {
    let found = lines(read("[meta]\nverify_token = \"abc\"", &[]));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("w.toml:2:16 meta.verify_token: expected a reference to a secret: \"env:NAME\" or \"file:/path\", found a string. Name"), "{found:?}");
}
