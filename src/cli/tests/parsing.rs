//! What the command line understands.

use clap::{CommandFactory, Parser};

use crate::cli::args::{Args, Verb};
use crate::cli::send::Send;

fn parse(line: &[&str]) -> Result<Args, clap::Error> {
    Args::try_parse_from(std::iter::once(&"waybill").chain(line))
}

#[test]
fn the_definition_is_consistent() {
    Args::command().debug_assert();
}

#[test]
fn every_command_is_understood() {
    let lines: &[&[&str]] = &[
        &["serve"],
        &["cluster", "init", "--json"],
        &["apply", "-f", "tenants.toml", "--dry-run"],
        &["apply", "--file", "tenants.toml", "--keys-out", "keys.json"],
        &["send", "--from", "orders", "--to", "+4915500010000", "--text", "Hello"],
        &["send", "--from", "orders", "--to", "+4915500010000", "--template", "order_update", "--param", "a", "--wait"],
        &["send", "--file", "-", "--run", "monday", "--follow", "--refused", "refused.ndjson"],
        &["tail", "-f", "--tenant", "acme-shop", "-n", "100"],
        &["inspect", "msg_00000000000000000000000000000001"],
        &["failures", "list", "--state", "failed", "--class", "recipient", "--code", "131026", "-n", "1000"],
        &["failures", "retry", "--class", "throttle", "--session", "orders", "--dry-run"],
        &["failures", "retry", "--code", "131026", "--reason", "numbers were ported", "--expires-in", "2h"],
        &["failures", "resolve", "--as", "give_up", "--class", "timeout", "--reason", "asked", "--limit", "10000"],
        &["campaign", "create", "spring", "--from", "shop", "--template", "spring_sale", "--language", "en_US"],
        &["campaign", "load", "spring", "-", "--refused", "refused.ndjson"],
        &["campaign", "validate", "spring", "people.ndjson"],
        &["campaign", "plan", "spring", "--json"],
        &["campaign", "start", "spring", "--reason", "approved", "--wait", "5"],
        &["campaign", "pause", "spring", "--reason", "complaints"],
        &["campaign", "resume", "spring", "--reason", "answered"],
        &["campaign", "cancel", "spring", "--reason", "a wrong price"],
        &["campaign", "show", "spring"],
        &["campaign", "list"],
        &["contact", "show", "+4915500010000"],
        &["contact", "opt-out", "-", "--source", "support call", "--said-at", "2026-01-31T12:00:00Z"],
        &["contact", "opt-in", "bsuid:DE.1", "--source", "checkout", "--evidence", "form 7"],
        &["contact", "export", "-", "--reason", "by letter", "--out", "person.json"],
        &["contact", "erase", "-", "--reason", "by letter", "--wait", "0"],
        &["contact", "hold", "+4915500010000", "--reason", "dispute"],
        &["contact", "unhold", "+4915500010000", "--reason", "settled"],
        &["contact", "requests", "--open", "--json"],
        &["usage", "--from", "2026-01-01", "--to", "2026-01-31", "--csv"],
        &["status", "--json"],
        &["suspend", "tenant", "--reason", "complaints"],
        &["suspend", "template", "order_update", "--reason", "a wrong price", "--wait", "5"],
        &["resume", "country", "+49", "--reason", "allowed again", "--json"],
        &["suspend", "session", "orders", "--reason", "moved"],
        &["drain", "orders", "--reason", "given up"],
        &["gates", "--json"],
        &["revoke", "acme-shop", "shop-sender"],
        &["release", "orders", "--reason", "the token was mended"],
        &["rebind", "orders", "--to", "shop", "--reason", "the number is given up"],
        &["rebind", "orders", "--to", "shop", "--dry-run"],
        &["release", "--portfolio", "group", "--reason", "lifted by Meta"],
        &["audit", "checkpoint", "--json"],
        &["audit", "export", "folder", "--tenant", "acme-shop", "--tenant", "other"],
        &["audit", "verify", "folder", "--log-key", "key", "--checkpoint", "kept", "--witness", "w"],
        &["audit", "verify", "folder", "--all"],
        &["audit", "verify", "folder", "--tenant", "ten_00112233445566778899aabbccddeeff"],
        &["audit", "begin", "--reason", "put back from a backup"],
        &["audit", "begin", "--reason", "put back from a backup", "--era", "3"],
        &["check-config", "waybill.toml", "--declarations", "tenants.toml"],
        &["check-config", "--defaults"],
        &["exit-codes"],
        #[cfg(feature = "demo")]
        &["demo", "--once", "--json", "--messages", "100", "--data", "folder"],
    ];
    for line in lines {
        assert!(parse(line).is_ok(), "{line:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let lines: &[&[&str]] = &[
        &[],
        &["frobnicate"],
        &["apply"],
        &["apply", "-f", "x", "--dry-run", "--keys-out", "y"],
        &["send"],
        &["send", "--from", "orders", "--text", "no recipient"],
        &["send", "--from", "o", "--to", "+49", "--text", "x", "--template", "y"],
        &["send", "--file", "x", "--text", "y"],
        &["send", "--file", "x", "--to", "+49"],
        &["send", "--from", "o", "--to", "+49", "--text", "x", "--param", "without a template"],
        &["send", "--from", "o", "--to", "+49", "--text", "x", "--run", "without a file"],
        &["send", "--from", "o", "--to", "+49", "--text", "x", "--category", "spam"],
        &["send", "--from", "o", "--to", "+49", "--text", "x", "--idempotency-key", "two words"],
        &["send", "--file", "x", "--run", "orders of monday"],
        &["revoke", "acme-shop"],
        &["release", "orders"],
        &["rebind", "orders", "--to", "shop"],
        &["rebind", "orders", "--reason", "x"],
        &["release", "--reason", "x"],
        &["release", "orders", "--portfolio", "group", "--reason", "x"],
        &["release", "../admin", "--reason", "x"],
        &["revoke", "acme-shop", "../admin"],
        &["inspect", "../admin/status"],
        &["failures"],
        &["failures", "list", "--state", "sent"],
        &["failures", "retry"],
        &["usage", "--csv", "--json"],
        &["campaign"],
        &["campaign", "start", "spring"],
        &["campaign", "load", "spring"],
        &[
            "campaign",
            "create",
            "spring",
            "--from",
            "shop",
            "--template",
            "t",
            "--language",
            "de",
            "--category",
            "service",
        ],
        &["failures", "resolve", "--dry-run"],
        &["failures", "resolve", "--as", "read", "--dry-run"],
        &["failures", "retry", "--reason", "x", "--limit", "10001"],
        &["suspend", "tenant"],
        &["suspend", "template", "--reason", "x"],
        &["suspend", "planet", "mars", "--reason", "x"],
        &["drain", "--reason", "x"],
        &["audit", "verify"],
        &["audit", "begin", "--era", "3"],
        &["audit", "begin", "--reason", "x", "--era", "0"],
        &["audit", "verify", "folder", "--all", "--tenant", "ten_00112233445566778899aabbccddeeff"],
        &["audit", "verify", "folder", "--tenant", "acme-shop"],
        &["check-config", "x", "--defaults"],
        &["tail", "-n", "1000"],
        &["serve", "--color", "sometimes"],
        #[cfg(feature = "demo")]
        &["demo", "--messages", "0"],
    ];
    for line in lines {
        assert!(parse(line).is_err(), "{line:?}");
    }
}

#[test]
fn what_every_command_takes_may_stand_behind_it() {
    let args =
        parse(&["status", "--url", "https://waybill.example", "--key", "env:KEY", "--json"]).expect("understood");
    assert_eq!(args.global.url.as_deref(), Some("https://waybill.example"));
    assert!(args.global.json && !args.global.quiet);
}

fn send(line: &[&str]) -> Send {
    match parse(line).expect("understood").verb {
        Verb::Send(send) => *send,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_of_the_command_line_is_a_request_of_the_api() {
    let to = ["send", "--from", "orders", "--to", "+4915500010000"];
    let line = |more: &[&'static str]| [&to[..], more].concat();
    let text = send(&line(&["--text", "Hello", "--category", "service", "--reference", "r"]));
    assert_eq!(
        crate::cli::send::body(&text),
        serde_json::json!({
            "from": "orders", "to": "+4915500010000", "type": "text", "text": { "body": "Hello" },
            "category": "service", "reference": "r",
        })
    );
    let template = send(&line(&["--template", "order_update", "--language", "de", "--param", "1", "--param", "2"]));
    let parameters = serde_json::json!([{ "type": "text", "text": "1" }, { "type": "text", "text": "2" }]);
    assert_eq!(
        crate::cli::send::body(&template)["template"],
        serde_json::json!({
            "name": "order_update", "language": { "code": "de" },
            "components": [{ "type": "body", "parameters": parameters }],
        })
    );
}

#[test]
fn every_help_text_is_whole() {
    let mut command = Args::command();
    command.build();
    let whole = command.render_long_help().to_string();
    assert!(whole.contains("Exit codes:") && whole.contains("  70  "), "{whole}");
    for verb in command.get_subcommands() {
        let told = verb.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!told.is_empty() && !told.ends_with('.'), "{}: {told:?}", verb.get_name());
        assert!(!told.contains('\n'), "{}: {told:?}", verb.get_name());
        for argument in verb.get_arguments().filter(|argument| !argument.is_hide_set()) {
            assert!(argument.get_help().is_some(), "{} {}", verb.get_name(), argument.get_id());
        }
    }
}
