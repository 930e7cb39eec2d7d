//! Answers of the server, in words.

use serde_json::json;

use crate::cli::inspect::story;
use crate::cli::moves::moves;
use crate::cli::print::{Printer, Style};
use crate::cli::tail::{is_wanted, lines};
use crate::cli::time::{of_day, spent, thousands};

fn plain() -> Printer {
    Printer::new(Style::default(), Box::new(std::io::sink()), Box::new(std::io::sink()))
}

#[test]
fn an_event_is_a_line_for_each_message_it_moves() {
    let event = json!({
        "partition": 12, "position": 7, "name": "AttemptsClosed", "at": "2026-01-31T09:30:00.125Z", "tenant": "ten_1",
        "facts": { "closed": [
            { "of": { "message": "msg_1", "attempt": 2 }, "outcome": { "how": "sent" } },
            { "of": { "message": "msg_2", "attempt": 1 }, "outcome": { "how": "retry", "class": "throttle", "code": 130_429 } },
        ] },
    });
    assert_eq!(
        lines(&plain(), &event),
        [
            "09:30:00.125  12:7        AttemptsClosed     msg_1  sent  attempt 2",
            "09:30:00.125  12:7        AttemptsClosed     msg_2  retry  attempt 1, throttle, code 130429",
        ]
    );
}

#[test]
fn an_event_without_a_message_tells_its_facts() {
    let event = json!({ "name": "SessionDeclared", "facts": { "name": "orders", "per_second": 80, "test": false, "waba": null } });
    let told = moves(&event);
    assert_eq!((told.len(), told[0].detail.as_str()), (1, "name orders, per second 80"));
    assert_eq!(moves(&json!({ "name": "Novelty", "facts": null })).len(), 1);
}

#[test]
fn what_holds_a_session_is_told_in_words() {
    let line = |name: &str, facts: serde_json::Value| {
        let told = moves(&json!({ "name": name, "facts": facts }));
        format!("{}: {}", told[0].state, told[0].detail)
    };
    let held =
        json!({ "session": "ses_1", "class": "auth", "bucket": null, "code": 190, "until": "2026-01-31T09:30:00Z" });
    assert_eq!(line("SessionHeld", held), "held: ses_1, auth, code 190, until 2026-01-31T09:30:00Z");
    let paced = json!({ "session": "ses_1", "bucket": "number", "per_second": 40, "code": 130_429 });
    assert_eq!(line("SessionPaced", paced), "paced: ses_1, 40 a second, code 130429");
    let released = json!({ "session": "ses_1", "reason": "mended" });
    assert_eq!(line("SessionReleased", released), "released: ses_1, mended");
}

#[test]
fn a_story_says_why_it_waits() {
    let waiting = json!({ "why": "held", "until": "2026-01-31T09:30:00Z", "code": null, "reason": "unreached" });
    let told = story(&plain(), &json!({ "id": "msg_1", "state": "held", "waiting": waiting }));
    assert_eq!(told, "msg_1  held\n  held until 2026-01-31 09:30:00 UTC: Meta was not reached");
}

#[test]
fn a_story_names_what_is_known_and_leaves_out_what_is_not() {
    let message = json!({
        "id": "msg_1", "state": "failed", "from": "orders", "to": "+4915500010000", "reference": null,
        "failure": { "code": 131_026 }, "session": "ses_1",
        "timeline": [
            { "at": "2026-01-31T09:30:00Z", "what": "accepted", "position": 4 },
            { "at": "2026-01-31T09:30:01Z", "what": "attempt_ended", "position": 6, "outcome": "failed", "code": 131_026, "attempt": 1 },
        ],
    });
    let told = story(&plain(), &message);
    assert!(told.starts_with("msg_1  failed\n") && !told.contains("reference") && !told.contains("ses_1"), "{told}");
    assert!(told.contains("09:30:01.000         6  attempt ended  attempt 1, code 131026, outcome failed"), "{told}");
}

#[test]
fn what_a_tenant_wrote_never_reaches_the_terminal_as_a_command() {
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}x\ny";
    let message = json!({
        "id": evil, "state": evil, "reference": evil, "failure": { "detail": evil },
        "waiting": { "why": "suspended", "until": evil, "code": null, "reason": evil },
        "timeline": [{ "at": evil, "what": evil, "position": 1, "reason": evil }],
    });
    let event = json!({ "name": evil, "at": evil, "partition": 1, "position": 2, "facts": { "reason": evil } });
    let moved = json!({
        "name": "MessageAccepted", "at": evil, "partition": 1, "position": 2,
        "facts": { "message": evil, "category": evil },
    });
    let sick = json!({ "healthy": false, "reasons": [{ "part": evil, "why": evil }], "installation": evil });
    let mut table = crate::cli::table::Table::new(&["one"]);
    table.row([evil]);
    let problem =
        json!({ "title": evil, "detail": evil, "remedy": evil, "errors": [{ "what": evil }, { "what": evil }] });
    let failure = crate::cli::client::problem_failure(crate::cli::Exit::BadAnswer, &problem);
    let mut told = vec![story(&plain(), &message), table.to_string()];
    told.extend(lines(&plain(), &event));
    told.extend(lines(&plain(), &moved));
    told.extend(crate::cli::status::lines(&sick));
    told.push(format!("{failure} {}", miette::Diagnostic::help(&failure).expect("a remedy")));
    for text in told {
        let obeyed = text.chars().filter(|c| *c != '\n').any(crate::domain::text::disturbs);
        assert!(!obeyed && !text.contains("x\ny"), "{text:?}");
    }
}

#[test]
fn numbers_and_times_are_written_for_people() {
    use std::time::Duration;
    assert_eq!(
        ["1", "999", "1,000", "1,234,567"],
        [1, 999, 1_000, 1_234_567].map(thousands).each_ref().map(String::as_str)
    );
    let written = [50, 12_500, 200_000].map(|ms| spent(Duration::from_millis(ms)));
    assert_eq!(["50 ms", "12.5 s", "3 min 20 s"], written.each_ref().map(String::as_str));
    assert_eq!(of_day("1970-01-01T00:00:01.5Z"), "00:00:01.500");
    assert_eq!(of_day("never"), "never");
}

#[test]
fn a_tail_shows_the_sealing_only_to_whom_asks_for_it() {
    let of = |kind: u64| json!({"kind": kind, "tenant": "ten_1"});
    for kind in 112..=115 {
        assert!(!is_wanted(&of(kind), None, false) && is_wanted(&of(kind), None, true), "{kind}");
    }
    for kind in [1, 111, 116, 117] {
        assert!(is_wanted(&of(kind), None, false), "{kind}: what an operator did, or has to do, is shown");
    }
    assert!(is_wanted(&of(1), Some("ten_1"), false) && !is_wanted(&of(1), Some("ten_2"), true));
}
