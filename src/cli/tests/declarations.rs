//! A declaration on its way to the server, and what comes back.

use serde_json::json;

use crate::cli::apply::{changes, take_secrets};
use crate::cli::declare::body;
use crate::cli::{Exit, Failure};
use crate::config::Declaration;

fn declared(text: &str) -> Result<serde_json::Value, Failure> {
    body(&Declaration::parse(text, "t.toml").expect("a good declaration"), true)
}

#[test]
fn every_record_arrives_with_its_secrets_and_without_what_was_left_out() {
    let token = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(token.path(), "from-a-file\n").expect("written");
    let text = format!(
        "[[tenant]]\nname = \"acme\"\nper_second = 5\nrequire_window = false\n\
         [[portfolio]]\nname = \"group\"\npeople_per_day = 2000\n\
         [[session]]\ntenant = \"acme\"\nname = \"orders\"\nphone_number_id = \"1\"\ntoken = \"file:{}\"\n\
         app_id = \"7\"\nportfolio = \"group\"\n\
         number_per_second = 20\ntest = true\n\
         [[pool]]\ntenant = \"acme\"\nname = \"team\"\nmember = [{{ session = \"orders\", weight = 2 }}, {{ session = \"more\" }}]\n\
         [[endpoint]]\ntenant = \"acme\"\nname = \"shop\"\nurl = \"https://shop.example/\"\nevents = [\"message.*\"]\n\
         [[key]]\ntenant = \"acme\"\nname = \"sender\"\nrole = \"sender\"\n",
        token.path().display()
    );
    let expected = json!({
        "tenants": [{ "name": "acme", "per_second": 5, "require_window": false }],
        "portfolios": [{ "name": "group", "people_per_day": 2_000 }],
        "sessions": [{
            "tenant": "acme", "name": "orders", "channel": "whatsapp", "phone_number_id": "1",
            "app_id": "7", "portfolio": "group", "token": "from-a-file", "test": true, "per_second": 20, "burst": 20,
        }],
        "pools": [{
            "tenant": "acme", "name": "team",
            "members": [{ "session": "orders", "weight": 2 }, { "session": "more", "weight": 1 }],
        }],
        "endpoints": [{ "tenant": "acme", "name": "shop", "url": "https://shop.example/", "events": ["message.*"] }],
        "keys": [{ "tenant": "acme", "name": "sender", "role": "sender", "test": false }],
        "dry_run": true,
    });
    assert_eq!(declared(&text).expect("every secret is there"), expected);
}

#[test]
fn every_secret_that_is_missing_is_named_at_once() {
    let session = |name: &str, number: u8| {
        format!(
            "[[session]]\ntenant = \"a\"\nname = \"{name}\"\nphone_number_id = \"{number}\"\ntoken = \"file:/nowhere/{name}\"\n"
        )
    };
    let failure = declared(&(session("one", 1) + &session("two", 2))).expect_err("no such files");
    let told = failure.to_json().to_string();
    assert_eq!(failure.exit(), Exit::Usage);
    assert!(told.contains("session a/one") && told.contains("/nowhere/two"), "{told}");
}

#[test]
fn the_answer_becomes_a_table_and_its_secrets_are_taken_out() {
    let mut answer = json!({
        "dry_run": false,
        "tenants": [{ "name": "acme", "id": "ten_1", "change": "unchanged" }],
        "endpoints": [{ "tenant": "acme", "name": "shop", "change": "created", "secret": "whsec_x" }],
        "keys": [
            { "tenant": "acme", "name": "new", "role": "sender", "change": "created", "key": "wb_live_x" },
            { "tenant": "acme", "name": "old", "role": "sender", "change": "unchanged" },
        ],
    });
    let table = changes(&answer).to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[1], "tenant    -       acme  unchanged");
    assert_eq!(lines[2], "endpoint  acme    shop  created");
    let secrets = take_secrets(&mut answer);
    assert_eq!(secrets.len(), 2);
    assert_eq!(secrets[0], json!({ "kind": "key", "tenant": "acme", "name": "new", "text": "wb_live_x" }));
    assert!(!answer.to_string().contains("wb_live_x") && !answer.to_string().contains("whsec_x"));
}
