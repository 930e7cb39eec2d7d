//! Borders: which crate or which call belongs to which rooms; what the domain must not touch; what nobody may leave.

use super::gravity::room;
use super::paths::{Written, paths};
use super::source::tokens;

/// A word and the rooms where it may stand.
struct Border {
    /// `ractor::` is the head of a path (a crate); `Instant::now` is a piece of a path, wherever it stands.
    word: &'static str,
    rooms: &'static [&'static str],
    /// Whether tests in other rooms may use it as well.
    tests: bool,
    why: &'static str,
}

/// One line of the table below.
const fn only(word: &'static str, rooms: &'static [&'static str], why: &'static str) -> Border {
    Border { word, rooms, tests: false, why }
}

/// The same, and free in tests.
const fn free(word: &'static str, rooms: &'static [&'static str], why: &'static str) -> Border {
    Border { word, rooms, tests: true, why }
}

/// `roof` stands for `src/main.rs` and `src/lib.rs`. To move a border, edit its line and say why in the commit.
const BORDERS: &[Border] = &[
    only("ractor::", &["actors", "runtime", "node"], "the choice of actor library must stay changeable"),
    only("fjall::", &["store"], "the embedded store is behind the trait of store/"),
    only("rdkafka::", &["journal"], "Kafka is spoken in journal/kafka"),
    only("scylla::", &["cql", "store", "vault", "journal"], "CQL is spoken behind traits"),
    only("openssl::", &["cql"], "TLS is rustls, but for what the driver of CQL takes"),
    only("reqwest::", &["channel", "webhook", "cli"], "providers and customers are called in one place each"),
    only("axum::", &["api", "node"], "api chooses status codes; node binds the listener"),
    only("minicbor::", &["domain", "journal", "vault"], "the encoding of what is kept for ever"),
    only("bincode::", &["domain", "store"], "unmaintained upstream: rebuildable bytes only"),
    only("aes_gcm::", &["vault"], "sealing has one door"),
    only("metrics::", &["telemetry"], "telemetry names the metrics and caches their handles"),
    only("metrics_exporter_prometheus::", &["telemetry", "node"], "telemetry renders, node starts it"),
    only("tracing_subscriber::", &["telemetry", "config", "roof"], "logs go where telemetry says"),
    only("clap::", &["cli"], "the command line is one room"),
    only("miette::", &["cli", "roof"], "errors are drawn at the edge; inside they are thiserror types"),
    only("indicatif::", &["cli"], "progress bars are for people at a terminal"),
    only("waybill_loadtest::", &["cli"], "only `waybill demo` brings the simulator in"),
    free("SystemTime", &["runtime"], "take `now` as an argument, or ask runtime::Clock"),
    free("Instant::now", &["runtime"], "take `now` as an argument, or ask runtime::Clock"),
    free("Timestamp::now", &["runtime"], "jiff formats and parses; the clock is runtime::Clock"),
    free("Zoned::now", &["runtime"], "jiff formats and parses; the clock is runtime::Clock"),
    free("rand::", &["runtime"], "draw from runtime::Entropy"),
    free("getrandom::", &["runtime"], "draw from runtime::Entropy"),
    free("OsRng", &["runtime"], "draw from runtime::Entropy"),
    free("SysRng", &["runtime"], "draw from runtime::Entropy"),
];

/// What would make the domain fail because of the world.
const NOT_IN_DOMAIN: &[(&str, &str)] = &[
    ("tokio::", "the domain does not wait"),
    ("tracing::", "the domain returns what happened; its caller writes it down"),
    ("metrics::", "the domain returns what happened; its caller counts it"),
    ("rand::", "randomness is drawn outside and passed in"),
    ("std::time::SystemTime", "`now` is an argument"),
    ("std::time::Instant", "`now` is an argument"),
    ("std::fs", "no files"),
    ("std::net", "no network: a plain address is core::net::IpAddr"),
    ("std::env", "no environment: settings are arguments"),
    ("std::thread", "no threads"),
    ("std::process", "no processes"),
];

fn place(file: &str) -> Option<&str> {
    file.starts_with("src/").then(|| room(file).unwrap_or("roof"))
}

/// Whether a path mentions a word of a table.
fn mentions(path: &Written, word: &str) -> bool {
    if let Some(head) = word.strip_suffix("::") {
        return path.segments[0] == head;
    }
    let pieces: Vec<&str> = word.split("::").collect();
    path.segments.windows(pieces.len()).any(|window| window == pieces)
}

/// Words outside of their rooms.
pub fn out_of_place(file: &str, text: &str) -> Vec<String> {
    let Some(place) = place(file) else {
        return Vec::new();
    };
    let tests_only = file.ends_with("/tests.rs") || file.contains("/tests/");
    let mut findings = Vec::new();
    for path in paths(&tokens(text)) {
        let in_test = tests_only || path.in_test;
        let crossed = BORDERS.iter().filter(|border| {
            mentions(&path, border.word) && !border.rooms.contains(&place) && !(border.tests && in_test)
        });
        findings.extend(crossed.map(|border| {
            let (line, rooms) = (path.line, border.rooms.join(", "));
            format!("{file}:{line}: `{}` belongs to {rooms}: {}", border.word, border.why)
        }));
    }
    findings
}

/// Words that the domain must not know.
pub fn not_in_domain(file: &str, text: &str) -> Vec<String> {
    // Files of tests alone read their fixtures and golden bytes from disk.
    let only_tests = file.ends_with("tests.rs") || file.ends_with("/golden.rs");
    if place(file) != Some("domain") || only_tests {
        return Vec::new();
    }
    let tokens = tokens(text);
    let waits = tokens.iter().filter(|token| token.text == "async" || token.text == "await");
    let mut findings: Vec<String> =
        waits.map(|token| format!("{file}:{}: `{}`: the domain does not wait", token.line, token.text)).collect();
    for path in paths(&tokens) {
        let known = NOT_IN_DOMAIN.iter().filter(|(word, _)| mentions(&path, word));
        findings.extend(known.map(|(word, why)| format!("{file}:{}: `{word}`: {why}", path.line)));
    }
    findings
}

/// What must not stay in any file: unfinished code, debugging, tests that are skipped without a word.
pub fn banned(file: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut findings = Vec::new();
    for window in tokens.windows(3) {
        let [first, second, third] = window else {
            continue;
        };
        let line = first.line;
        match (first.text.as_str(), second.text.as_str(), third.text.as_str()) {
            (name @ ("todo" | "unimplemented"), "!", _) => {
                findings.push(format!("{file}:{line}: {name}!: finish it, or refuse with an error"));
            }
            ("dbg", "!", _) => findings.push(format!("{file}:{line}: dbg!: remove it")),
            ("[", "ignore", "]") => {
                findings.push(format!("{file}:{line}: #[ignore] needs its reason: #[ignore = \"...\"]"));
            }
            _ => {}
        }
    }
    findings
}

#[test]
fn a_word_out_of_place_is_found() {
    let bad = [
        ("src/store/mod.rs", "use ractor::Actor;"),
        ("src/journal/mod.rs", "fn f(_: ractor::ActorRef<()>) {}"),
        ("src/actors/mod.rs", "use {fjall::Database, std::fmt};"),
        ("src/api/mod.rs", "use std::time::{Duration, SystemTime};"),
        ("src/api/mod.rs", "fn f() { std::time::Instant::now(); }"),
        ("src/api/mod.rs", "fn f() { tokio::time::Instant::now(); }"),
        ("src/webhook/mod.rs", "fn f() { let x: u8 = rand::random(); }"),
        ("src/store/rows.rs", "#[derive(minicbor::Encode)] struct Row;"),
        ("src/journal/mod.rs", "#[cfg(test)] mod tests { use bincode::config; }"),
        ("src/main.rs", "use axum::Router;"),
    ];
    for (file, text) in bad {
        assert_eq!(out_of_place(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn a_word_at_home_is_not() {
    let good = [
        ("src/actors/session.rs", "use ractor::Actor; // rand::rng()"),
        ("src/runtime/clock.rs", "use std::time::SystemTime; fn f() { SystemTime::now(); }"),
        ("src/api/mod.rs", "fn f(ractor: u8) -> &'static str { \"use fjall::Database\" }"),
        ("src/api/mod.rs", "#[cfg(test)] mod tests { use std::time::SystemTime; }"),
        ("src/api/tests.rs", "fn f() { rand::rng(); }"),
        ("loadtest/src/lib.rs", "use axum::Router; use std::time::SystemTime;"),
        ("tests/suite/main.rs", "use std::time::SystemTime;"),
    ];
    for (file, text) in good {
        assert_eq!(out_of_place(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}

#[test]
fn the_world_in_the_domain_is_found() {
    let bad = [
        "async fn f() {}",
        "use tokio::time::sleep;",
        "fn f() { tracing::info!(\"x\"); }",
        "use std::{fs, fmt};",
        "use std::net::IpAddr;",
        "fn f(_: std::time::SystemTime) {}",
    ];
    for text in bad {
        assert_eq!(not_in_domain("src/domain/x.rs", text).len(), 1, "{text}");
    }
    let good = "//! tokio::spawn, async\nuse core::net::IpAddr; use std::time::Duration; use super::metrics;";
    assert_eq!(not_in_domain("src/domain/x.rs", good), Vec::<String>::new());
    assert_eq!(not_in_domain("src/node/x.rs", bad[0]), Vec::<String>::new());
}

#[test]
fn leftovers_are_found() {
    let bad = [
        "fn f() { todo!() }",
        "fn f() { unimplemented!(\"x\") }",
        "fn f() { dbg!(1); }",
        "#[ignore] #[test] fn f() {}",
    ];
    for text in bad {
        assert_eq!(banned("src/x.rs", text).len(), 1, "{text}");
    }
    let good = "// todo!()\n#[ignore = \"needs a Kafka\"] fn f() { let s = \"dbg!(1)\"; }";
    assert_eq!(banned("src/x.rs", good), Vec::<String>::new());
}
