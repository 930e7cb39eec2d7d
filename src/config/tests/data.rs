//! The data files beside the settings: Meta's error codes, the example tenants and orders.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Declaration;

const CODES: &str = include_str!("../../../config/meta-errors.toml");
const TENANTS: &str = include_str!("../../../config/examples/tenants.toml");
const ACME: &str = include_str!("../../../config/examples/orders.acme-shop.ndjson");
const PEOPLE: &str = include_str!("../../../config/examples/campaign.people.ndjson");
const NORDWIND: &str = include_str!("../../../config/examples/orders.nordwind.ndjson");

const CLASSES: [&str; 7] = ["auth", "throttle", "retry", "ambiguous", "recipient", "sender", "request"];
const BUCKETS: [&str; 9] =
    ["app", "waba", "endpoint", "number", "pair", "portfolio", "template", "flow", "user-marketing"];
const KEYS: [&str; 10] =
    ["code", "from", "to", "class", "async_class", "bucket", "retry_after", "meaning", "action", "confidence"];

fn codes() -> Vec<toml::Table> {
    let document: BTreeMap<String, Vec<toml::Table>> = toml::from_str(CODES).expect("the codes parse");
    document
        .into_iter()
        .flat_map(|(kind, rows)| if kind == "code" { rows } else { panic!("unknown header {kind}") })
        .collect()
}

fn text<'r>(row: &'r toml::Table, key: &str) -> &'r str {
    row.get(key).and_then(toml::Value::as_str).unwrap_or("")
}

/// First and last code of a row.
fn span(row: &toml::Table) -> (i64, i64) {
    let number = |key: &str| row.get(key).and_then(toml::Value::as_integer);
    match (number("code"), number("from"), number("to")) {
        (Some(code), None, None) => (code, code),
        (None, Some(from), Some(to)) if from < to => (from, to),
        _ => panic!("neither a code nor a range: {row}"),
    }
}

#[test]
fn every_row_has_known_words_only() {
    for row in codes() {
        assert!(row.keys().all(|key| KEYS.contains(&key.as_str())), "{row}");
        assert!(CLASSES.contains(&text(&row, "class")), "{row}");
        assert!(["O", "T", "M"].contains(&text(&row, "confidence")), "{row}");
        assert!(text(&row, "meaning").ends_with('.') && text(&row, "action").ends_with('.'), "{row}");
        assert_eq!(text(&row, "class") == "throttle", BUCKETS.contains(&text(&row, "bucket")), "{row}");
        assert!(!row.contains_key("async_class") || CLASSES.contains(&text(&row, "async_class")), "{row}");
    }
}

#[test]
fn no_code_is_named_twice() {
    let mut spans: Vec<_> = codes().iter().map(span).collect();
    spans.sort_unstable();
    assert!(spans.len() > 80, "{}", spans.len());
    for pair in spans.windows(2) {
        assert!(pair[0].1 < pair[1].0, "{pair:?}");
    }
}

#[test]
fn the_codes_that_decide_most_have_their_class() {
    let rows = codes();
    let find = |code: i64| rows.iter().find(|row| span(row).0 <= code && code <= span(row).1).expect("a known code");
    let cases = [
        (190, "auth", ""),
        (250, "auth", ""),
        (130_429, "throttle", "number"),
        (131_056, "throttle", "pair"),
        (80_007, "throttle", "waba"),
        (4, "throttle", "app"),
        (131_016, "retry", ""),
        (131_000, "ambiguous", ""),
        (2, "ambiguous", ""),
        (131_047, "recipient", ""),
        (131_031, "sender", ""),
        (100, "request", ""),
    ];
    for (code, class, bucket) in cases {
        assert_eq!((text(find(code), "class"), text(find(code), "bucket")), (class, bucket), "{code}");
    }
    assert_eq!(text(find(131_000), "async_class"), "retry");
    assert_eq!(text(find(131_049), "retry_after"), "24h");
}

#[test]
fn the_example_tenants_are_a_good_declaration() {
    let d = Declaration::parse(TENANTS, "config/examples/tenants.toml").map_err(|mistakes| mistakes.to_string());
    let d = d.expect("the example is good");
    assert_eq!((d.tenant.len(), d.session.len(), d.endpoint.len(), d.key.len()), (2, 5, 2, 3));
    assert!(d.session.iter().all(|session| session.test), "no example sends to a real number");
}

#[test]
fn the_example_people_of_a_campaign_are_nobody() {
    let people: Vec<serde_json::Value> =
        PEOPLE.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let references: BTreeSet<&str> = people.iter().filter_map(|person| person["reference"].as_str()).collect();
    assert_eq!(references.len(), people.len());
    let to = |person: &serde_json::Value| person["to"].as_str().expect("a number").starts_with("+49155000");
    assert!(people.iter().all(to), "numbers that nobody has");
}

#[test]
fn the_example_orders_are_requests_of_the_declared_sessions() {
    let d = Declaration::parse(TENANTS, "config/examples/tenants.toml").expect("the example is good");
    let mut references = BTreeSet::new();
    for (tenant, orders, count) in [("acme-shop", ACME, 1800), ("nordwind", NORDWIND, 1200)] {
        let sessions: BTreeSet<_> =
            d.session.iter().filter(|s| s.tenant.as_str() == tenant).map(|s| s.name.as_str()).collect();
        let (mut used, mut people) = (BTreeSet::new(), BTreeSet::new());
        for line in orders.lines() {
            let order: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let field = |name: &str| order[name].as_str().expect("a string").to_owned();
            // Templates only: nobody in them has written first, and as shipped a text to a stranger is refused.
            assert_eq!((field("type").as_str(), field("category").as_str()), ("template", "utility"), "{line}");
            assert!(order["template"].is_object() && line.len() < 400, "{line}");
            let number = field("to").strip_prefix("+49155000").map(str::len);
            assert!(number == Some(5) && sessions.contains(field("from").as_str()), "{line}");
            assert!(references.insert(field("reference")), "{line}");
            used.insert(field("from"));
            people.insert(field("to"));
        }
        assert_eq!((orders.lines().count(), used.len()), (count, sessions.len()), "{tenant}");
        assert!(people.len() * 100 > count * 90 && people.len() < count, "mostly other people: {}", people.len());
    }
}

#[test]
fn what_is_said_of_a_number_holds_no_portfolio() {
    let of = |code: i64| codes().into_iter().find(|row| span(row) == (code, code)).expect("it is there");
    let spam = of(131_048);
    assert_eq!((text(&spam, "bucket"), text(&spam, "retry_after")), ("number", "1h"));
    assert_eq!(text(&of(131_064), "bucket"), "portfolio");
}
