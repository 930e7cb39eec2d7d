//! Every recorded shape, what is read from it, and that nothing is lost or refused.

use proptest::prelude::*;

use super::{CallbackError, parse};
use crate::domain::callback::{Names, Part, PartBody, Person, Pricing};
use crate::domain::event::Status;

const RECEIVED: i64 = 1_795_000_000_000_000;
const ADA_PHONE: &str = "+12025550123";
const ADA: &str = "US.90010020030040050601";
const NUMBER: &str = "900100200300501";

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("webhook.{name}.json"))).expect("the fixture is there")
}

fn all() -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder())
        .expect("fixtures")
        .map(|file| file.expect("a file").path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_prefix("webhook.")?.strip_suffix(".json")?.to_owned();
            Some((name, std::fs::read(path).ok()?))
        })
        .collect();
    found.sort();
    found
}

fn parts(name: &str) -> Vec<Part> {
    parse(&fixture(name), RECEIVED).expect("a JSON object")
}

fn one(name: &str) -> Part {
    let mut parts = parts(name);
    assert_eq!(parts.len(), 1, "{name}: {parts:?}");
    parts.remove(0)
}

fn person(part: &Part) -> &Person {
    part.person.as_ref().expect("a person")
}

#[test]
fn every_recorded_callback_is_read_as_what_it_is() {
    let found = all();
    assert!(found.len() > 80, "only {} fixtures", found.len());
    for (name, body) in found {
        let parts = parse(&body, RECEIVED).unwrap_or_else(|e| panic!("{name}: {e}"));
        let words: Vec<&str> = parts.iter().map(|part| part.body.word()).collect();
        let expected: &[&str] = match name.as_str() {
            "whatsapp.batch.mixed_out_of_order" => &["inbound", "inbound", "status", "status", "inbound"],
            "whatsapp.errors.value_level" => &["signal"],
            "whatsapp.user_id_update" => &["identity_changed"],
            name if name.starts_with("whatsapp.message.system.") => &["identity_changed"],
            name if name.starts_with("whatsapp.message.") => &["inbound"],
            name if name.starts_with("whatsapp.status.") => &["status"],
            name if name.starts_with("whatsapp.user_preferences.") => &["preference"],
            _ => &["carried"],
        };
        assert_eq!(words, expected, "{name}");
        for part in &parts {
            let raw = std::str::from_utf8(&body).expect("UTF-8");
            let exact = raw.contains(part.body.raw()) || name.starts_with("whatsapp.history.chunk");
            assert!(exact, "{name}: raw is not the callback's own text");
            assert!(part.entry.is_some() && !part.dedup.is_empty(), "{name}");
        }
    }
}

#[test]
fn statuses_say_what_meta_said() {
    let cases: [(&str, Status, i32, Option<&str>, Option<&str>); 8] = [
        ("whatsapp.status.sent", Status::Sent, 0, Some("service"), Some("wb:01JD0000000000000000000001")),
        ("whatsapp.status.sent.legacy_v23", Status::Sent, 0, Some("service"), Some("wb:01JD0000000000000000000001")),
        ("whatsapp.status.delivered", Status::Delivered, 0, Some("service"), Some("wb:01JD0000000000000000000001")),
        ("whatsapp.status.delivered.bsuid_only", Status::Delivered, 0, Some("marketing"), None),
        ("whatsapp.status.read", Status::Read, 0, None, Some("wb:01JD0000000000000000000001")),
        ("whatsapp.status.played", Status::Played, 0, None, None),
        ("whatsapp.status.failed.131026", Status::Failed, 131_026, None, Some("wb:01JD0000000000000000000001")),
        ("whatsapp.status.group.delivered", Status::Delivered, 0, Some("group_service"), None),
    ];
    for (name, expected, number, category, ours) in cases {
        let part = one(name);
        assert_eq!(part.account.as_deref(), Some(NUMBER), "{name}");
        let PartBody::Status { provider_id, token, status, provider_at, code, pricing, .. } = &part.body else {
            panic!("{name}: {part:?}");
        };
        assert!(provider_id.starts_with("wamid."), "{name}");
        assert_eq!((*status, *code), (expected, number), "{name}");
        assert_eq!((pricing.category.as_deref(), token.as_deref()), (category, ours), "{name}");
        assert!((1_795_000_005_000_000..1_795_000_100_000_000).contains(provider_at), "{name}");
    }
}

#[test]
fn a_price_is_read_as_far_as_it_is_said() {
    let cases = [("sent.legacy_v23", "CBP"), ("sent", "PMP"), ("delivered", "PMP"), ("delivered.bsuid_only", "PMP")];
    for (name, model) in cases {
        let PartBody::Status { pricing, .. } = one(&format!("whatsapp.status.{name}")).body else {
            panic!("{name}");
        };
        assert_eq!(pricing.model.as_deref(), Some(model), "{name}");
        assert!(pricing.billable.is_some() && pricing.category.is_some(), "{name}: {pricing:?}");
    }
    let PartBody::Status { pricing, .. } = one("whatsapp.status.read").body else { panic!("a status") };
    assert_eq!(pricing, Pricing::default());
}

#[test]
fn every_failed_status_has_the_code_of_its_file() {
    for code in [130_403, 130_472, 131_000, 131_026, 131_047, 131_049, 131_050, 131_053, 137_000] {
        match one(&format!("whatsapp.status.failed.{code}")).body {
            PartBody::Status { status: Status::Failed, code: found, .. } => assert_eq!(found, code),
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn messages_have_their_type_and_their_person() {
    for (name, expected) in [
        ("text", "text"),
        ("text.username_only", "text"),
        ("audio.voice", "audio"),
        ("button.template_quick_reply", "button"),
        ("interactive.nfm_reply", "interactive"),
        ("reaction.removed", "reaction"),
        ("edit", "edit"),
        ("revoke", "revoke"),
        ("unsupported", "unsupported"),
        ("media_too_big.131052", "unsupported"),
        ("contacts", "contacts"),
        ("group.text", "text"),
    ] {
        let part = one(&format!("whatsapp.message.{name}"));
        let PartBody::Inbound { content, provider_at, .. } = &part.body else { panic!("{name}: {part:?}") };
        assert_eq!((content.as_str(), *provider_at), (expected, 1_795_000_000_000_000), "{name}");
        let who = person(&part);
        assert_eq!(who.bsuid.as_deref(), Some(ADA), "{name}");
        assert_eq!(who.profile_name.as_deref(), Some("Ada Example"), "{name}");
        let phone = if name == "text.username_only" { None } else { Some(ADA_PHONE) };
        assert_eq!(who.phone.as_deref(), phone, "{name}");
        assert!(who.raw.as_deref().is_some_and(|raw| raw.starts_with('{')), "{name}");
    }
    let legacy = one("whatsapp.message.text.legacy_no_bsuid");
    assert_eq!((person(&legacy).phone.as_deref(), person(&legacy).bsuid.as_deref()), (Some(ADA_PHONE), None));
}

#[test]
fn a_batch_is_split_by_person_and_account_and_matched_by_name() {
    let parts = parts("whatsapp.batch.mixed_out_of_order");
    let names: Vec<_> = parts.iter().map(|part| person(part).profile_name.as_deref()).collect();
    assert_eq!(
        names,
        [Some("Ada Example"), Some("Bob Example"), Some("Ada Example"), Some("Ada Example"), Some("Ada Example")]
    );
    assert!(!parts[0].body.raw().contains("12025550145"), "a part holds one person only");
    let accounts: Vec<_> = parts.iter().filter_map(|part| part.account.as_deref()).collect();
    assert_eq!(accounts, [NUMBER, NUMBER, NUMBER, NUMBER, "900100200300502"]);
    assert_ne!(parts[2].dedup, parts[3].dedup, "delivered and sent of one message are two things");
}

#[test]
fn consent_is_read_and_never_guessed() {
    for (name, expected, at) in [("stop", false, 1_795_000_000), ("resume", true, 1_795_000_100)] {
        let part = one(&format!("whatsapp.user_preferences.{name}"));
        assert_eq!(person(&part).phone.as_deref(), Some(ADA_PHONE));
        match part.body {
            PartBody::Preference { resume, at: found, .. } => assert_eq!((resume, found), (expected, at * 1_000_000)),
            other => panic!("{other:?}"),
        }
    }
    let text = String::from_utf8(fixture("whatsapp.user_preferences.resume")).expect("UTF-8");
    for (from, to) in [("\"resume\"", "\"signup\""), ("marketing_messages", "other_messages")] {
        let parts = parse(text.replace(from, to).as_bytes(), RECEIVED).expect("an object");
        assert_eq!(parts[0].body.word(), "carried", "{to}");
        assert_eq!(person(&parts[0]).bsuid.as_deref(), Some(ADA));
    }
}

#[test]
fn a_person_keeps_the_old_name_and_gets_the_new_one() {
    let changed = |name: &str| {
        let part = one(name);
        match part.body.clone() {
            PartBody::IdentityChanged { before, now, .. } => (part, before, now),
            other => panic!("{name}: {other:?}"),
        }
    };
    let names =
        |phone: Option<&str>, bsuid: Option<&str>| Names { phone: phone.map(Into::into), bsuid: bsuid.map(Into::into) };
    let second = "US.90010020030040050602";
    let (part, before, now) = changed("whatsapp.user_id_update");
    assert!(before == names(Some(ADA_PHONE), Some(ADA)) && now == names(Some(ADA_PHONE), Some(second)));
    assert_eq!(person(&part).profile_name.as_deref(), Some("Ada Example"));
    let (_, before, now) = changed("whatsapp.message.system.user_changed_number");
    assert!(before == names(Some(ADA_PHONE), None) && now == names(Some("+12025550145"), None));
    let (_, before, now) = changed("whatsapp.message.system.user_changed_user_id");
    assert!(before == names(Some(ADA_PHONE), None) && now == names(None, Some(second)));
}

#[test]
fn what_only_looks_like_live_traffic_is_carried_with_its_person() {
    assert_eq!(person(&one("whatsapp.smb_message_echoes")).phone.as_deref(), Some(ADA_PHONE));
    assert_eq!(person(&one("whatsapp.smb_app_state_sync")).phone.as_deref(), Some(ADA_PHONE));
    let thread = one("whatsapp.history.chunk");
    assert_eq!(person(&thread).phone.as_deref(), Some(ADA_PHONE));
    assert!(thread.body.raw().contains("\"chunk_order\": 1"), "{}", thread.body.raw());
    let standby = String::from_utf8(fixture("whatsapp.message.text"))
        .expect("UTF-8")
        .replace("\"field\": \"messages\"", "\"field\": \"standby\"");
    let parts = parse(standby.as_bytes(), RECEIVED).expect("an object");
    assert_eq!((parts[0].field.as_str(), parts[0].body.word()), ("standby", "carried"));
    assert_eq!(person(&parts[0]).phone.as_deref(), Some(ADA_PHONE));
}

#[test]
fn pages_and_instagram_are_carried_with_their_person() {
    let message = one("messenger.message.text");
    assert_eq!(person(&message).scoped.as_deref(), Some("9001002003006510"));
    let echo = one("messenger.message_echo");
    assert_eq!(person(&echo).scoped.as_deref(), Some("9001002003006510"), "an echo is about whom it went to");
    assert_eq!(echo.account.as_deref(), Some("900100200300601"));
    let (sent, unsent) = (one("instagram.message.text"), one("instagram.message.deleted"));
    assert_ne!(sent.dedup, unsent.dedup);
}

#[test]
fn account_events_have_no_person_and_their_own_time() {
    let part = one("whatsapp.account_update.disabled");
    assert!(part.person.is_none() && part.account.is_none());
    assert_eq!((part.entry.as_deref(), part.field.as_str()), (Some("900100200300401"), "account_update"));
    let later = String::from_utf8(fixture("whatsapp.account_update.disabled")).expect("UTF-8");
    let later = parse(later.replace("1795000000", "1795000060").as_bytes(), RECEIVED).expect("an object");
    assert_ne!(part.dedup, later[0].dedup, "the same words at another time are another event");
}

#[test]
fn a_repeat_has_the_same_key_and_a_signal_only_within_its_minute() {
    for (name, body) in all() {
        let keys = |at| parse(&body, at).expect("an object").into_iter().map(|part| part.dedup).collect::<Vec<_>>();
        let repeated = keys(RECEIVED) == keys(RECEIVED + 3_600_000_000);
        assert_eq!(repeated, name != "whatsapp.errors.value_level", "{name}");
    }
}

#[test]
fn an_odd_element_is_carried_and_spoils_nothing() {
    let body = br#"{"object":"whatsapp_business_account","later":true,"entry":[7,{"id":1,"extra":[1.0],"changes":[
        {"field":"messages","value":{"metadata":{"phone_number_id":5},"new":{"a":1e2},
          "contacts":[{"wa_id":"12025550145","profile":{"name":"Bob"}},9],
          "messages":[{"id":"a"},"text",{"from":"12025550123","id":"b","timestamp":"-1","type":"text"},
                      {"from":"12025550123","id":"c","timestamp":"1","type":"Odd type"}],
          "statuses":[{"id":"d","status":"beamed","timestamp":2},{"id":"e","status":"read","timestamp":"soon"}]}},
        {"field":"messages","value":[]},{"value":{}},null]}]}"#;
    let parts = parse(body, RECEIVED).expect("an object");
    let carried: Vec<&str> =
        parts.iter().filter(|part| part.body.word() == "carried").map(|part| part.body.raw()).collect();
    for raw in
        ["7", r#"{"later":true}"#, r#"{"extra":[1.0]}"#, r#"{"new":{"a":1e2}}"#, r#"{"id":"a"}"#, "\"text\"", "9"]
    {
        assert!(carried.contains(&raw), "{raw} is lost: {carried:?}");
    }
    assert!(carried.contains(&"[]") && carried.contains(&"null") && carried.contains(&r#"{"value":{}}"#));
    let bob = parts.iter().find(|part| part.body.raw().contains("Bob")).expect("an unmatched contact is a part");
    assert_eq!(person(bob).phone.as_deref(), Some("+12025550145"));
    assert!(parts.iter().any(|part| matches!(&part.body, PartBody::Inbound { content, .. } if content == "other")));
    assert!(parts.iter().any(|part| matches!(part.body, PartBody::Status { status: Status::Other, .. })));
    assert_eq!(parts.len(), 15, "{parts:?}");
}

#[test]
fn only_what_is_no_object_is_refused() {
    assert_eq!(parse(b"[]", RECEIVED), Err(CallbackError::NotAnObject));
    for body in [&b""[..], b"{", b"hello", b"{\"a\":\"\xff\"}", b"{}{}"] {
        assert!(matches!(parse(body, RECEIVED), Err(CallbackError::NotJson { .. })));
    }
    for body in
        ["{}", r#"{"object":"payments"}"#, r#"{"object":"page","object":"page"}"#, r#"{"object":"page","entry":[]}"#]
    {
        let parts = parse(body.as_bytes(), RECEIVED).expect("an object");
        assert_eq!((parts.len(), parts[0].body.raw()), (1, body));
    }
}

#[test]
fn an_error_says_nothing_of_the_body() {
    let error = parse(b"{\"secret\":\"+12025550123\" nonsense", RECEIVED).expect_err("not JSON").to_string();
    assert!(!error.contains("2025550123") && error.contains("line 1"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is done to a callback: it is read, carried or called no JSON. It never panics and never vanishes.
    #[test]
    fn a_damaged_callback_is_never_lost(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4u8), 1..6),
    ) {
        thread_local!(static ALL: Vec<Vec<u8>> = all().into_iter().map(|(_, body)| body).collect());
        const PIECES: [&str; 12] =
            ["null", "{}", "[]", "\"\"", "-1", "1e999", "true", "\"type\":", ",", "{", "\"\\ud800\"", "99999999999999999999"];
        let mut body = ALL.with(|all| which.get(all).clone());
        for (at, piece, how) in edits {
            if body.is_empty() { break; }
            let at = at.index(body.len());
            let piece = PIECES[piece.index(PIECES.len())].bytes();
            match how {
                0 => { body.remove(at); }
                1 => { body.splice(at..at, piece); }
                // Replaces a whole scalar, so that most results are still JSON.
                2 => {
                    let end = body[at..].iter().position(|b| b",}]".contains(b)).map_or(body.len(), |n| at + n);
                    let start = body[..at].iter().rposition(|b| b":[,".contains(b)).map_or(0, |n| n + 1);
                    body.splice(start..end, piece);
                }
                _ => { body.truncate(at); }
            }
        }
        let object = serde_json::from_slice::<&serde_json::value::RawValue>(&body)
            .is_ok_and(|raw| raw.get().starts_with('{'));
        match parse(&body, RECEIVED) {
            Ok(parts) => prop_assert!(object && !parts.is_empty()),
            Err(_) => prop_assert!(!object),
        }
    }
}
