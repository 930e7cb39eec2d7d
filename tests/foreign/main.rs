//! Our signatures, judged by the reference libraries of Standard Webhooks for two other languages.
//!
//! `README.md` beside this file says how the libraries are installed and what else lives here.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use waybill::webhook::{Deliver, Delivered, DeliveryId, Guard, Ports, Post, Poster, PosterSettings, Secret, Secrets};

/// Where `install.sh` puts what it installs.
fn installed() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().expect("the target folder").join("foreign/standardwebhooks")
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/standardwebhooks")
}

/// A running sink. Killed when dropped.
struct Sink {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u64,
}

impl Sink {
    fn start(mut command: Command, secret: &Secret) -> Self {
        command.args(["0", &secret.to_text()]).stdout(Stdio::piped());
        let mut process = command.spawn().expect("run tests/foreign/install.sh first");
        let output = process.stdout.take().expect("piped");
        let mut sink = Self { process, lines: BufReader::new(output).lines(), port: 0 };
        sink.port = sink.line()["listening"].as_u64().expect("the sink names its port");
        sink
    }

    fn line(&mut self) -> Value {
        let line = self.lines.next().expect("the sink runs").expect("text");
        serde_json::from_str(&line).expect("a JSON line")
    }

    fn url(&self, path: &str) -> url::Url {
        format!("http://127.0.0.1:{}{path}", self.port).parse().expect("a url")
    }

    async fn stats(&self) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let body = client.get(self.url("/stats")).send().await.expect("stats").bytes().await.expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.process.kill().expect("our own child");
        self.process.wait().expect("our own child");
    }
}

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
    let mut sink = Sink::start(command, &secret(1));
    let poster = Poster::new(PosterSettings {
        guard: Guard { allow_private: true, allowed_ports: Ports::Any },
        timeout: Duration::from_secs(20),
        extra_roots_pem: None,
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
#[ignore = "needs the Python library: tests/foreign/install.sh"]
async fn the_python_library_verifies_what_we_sign() {
    let mut command = Command::new(installed().join("venv/bin/python"));
    command.arg(here().join("sink.py"));
    judged_by(command).await;
}

#[tokio::test]
#[ignore = "needs the JavaScript library: tests/foreign/install.sh"]
async fn the_javascript_library_verifies_what_we_sign() {
    let mut command = Command::new("node");
    command.arg(here().join("sink.cjs")).env("NODE_PATH", installed().join("node_modules"));
    judged_by(command).await;
}
