//! Our signatures, judged by the reference libraries of Standard Webhooks for two other languages.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use waybill::webhook::{Deliver, Delivered, DeliveryId, Guard, Ports, Post, Poster, PosterSettings, Secret, Secrets};

use super::sink::Sink;
use super::{node, python};

const SUITE: &str = "standardwebhooks";

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn secret(n: u8) -> Secret {
    Secret::from_random(&[n; 32]).expect("32 bytes")
}

fn secrets(keys: &[u8]) -> Secrets {
    Secrets::new(keys.iter().copied().map(secret).collect()).expect("one to four")
}

/// The sink knows secret 1. Each case: name, secrets that sign, age in seconds, whether it must verify.
const CASES: &[(&str, &[u8], u64, bool)] = &[
    ("the_secret", &[1], 0, true),
    ("newest_of_two", &[1, 2], 0, true),
    ("older_of_two", &[2, 1], 0, true),
    ("oldest_of_four", &[2, 3, 4, 1], 0, true),
    ("four_minutes_old", &[1], 240, true),
    ("another_secret", &[2], 0, false),
    ("four_others", &[2, 3, 4, 5], 0, false),
    ("six_minutes_old", &[1], 360, false),
];

const BODIES: &[&str] = &[
    r#"{"type":"message.delivered","timestamp":"2026-01-05T10:00:00Z","data":{"id":"msg_1"}}"#,
    "{ \"spaced\" :\n\t[1, 2.50, 1e9] }",
    r#"{"text":"Grüße, 你好, 👩‍👩‍👧 \u0000 \ud83d\ude00"}"#,
    "[]",
    "\"a.b.c\"",
];

async fn judged_by(command: Command) {
    let mut sink = Sink::start(command, &secret(1).to_text());
    let poster = Poster::new(PosterSettings {
        guard: Guard { allow_private: true, allowed_ports: Ports::Any },
        timeout: Duration::from_secs(20),
        ..PosterSettings::default()
    })
    .expect("a client");
    let (mut good, mut bad) = (0, 0);
    for (name, keys, age_s, must_verify) in CASES {
        for (n, body) in BODIES.iter().enumerate() {
            let id = DeliveryId::new(&format!("msg_{name}-{n}")).expect("an id");
            let post = Post {
                url: sink.url("/hook"),
                id: id.clone(),
                timestamp_s: now_s() - age_s,
                body: (*body).into(),
                secrets: secrets(keys),
            };
            let outcome = poster.deliver(post).await;
            let line = sink.line();
            assert_eq!(line["id"], id.as_str());
            assert_eq!(line["ok"], *must_verify, "{name}: {line}");
            match outcome {
                Delivered::Acknowledged { status: 204 } if *must_verify => good += 1,
                Delivered::Rejected { status: 401, .. } if !must_verify => bad += 1,
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    let stats = sink.stats().await;
    assert_eq!((&stats["ok"], &stats["bad"], &stats["distinct"]), (&good.into(), &bad.into(), &good.into()));
}

#[tokio::test]
#[ignore = "needs the Python library: tests/run foreign"]
async fn the_python_library_verifies_what_we_sign() {
    judged_by(python(SUITE, "sink.py")).await;
}

#[tokio::test]
#[ignore = "needs the JavaScript library: tests/run foreign"]
async fn the_javascript_library_verifies_what_we_sign() {
    judged_by(node(SUITE, "sink.cjs")).await;
}
