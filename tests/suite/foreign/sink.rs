//! A webhook receiver in another language, as a child process.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::process::http::Http;

/// A running sink. Killed when dropped.
pub struct Sink {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u64,
}

impl Sink {
    /// Starts it with the one secret it knows, `whsec_…`.
    pub fn start(mut command: Command, secret: &str) -> Self {
        command.args(["0", secret]).stdout(Stdio::piped());
        let spawned = command.spawn();
        let mut process = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}: run `tests/run foreign` first"));
        let output = process.stdout.take().expect("piped");
        let mut sink = Self { process, lines: BufReader::new(output).lines(), port: 0 };
        sink.port = sink.line()["listening"].as_u64().expect("the sink names its port");
        sink
    }

    /// The next thing it says.
    pub fn line(&mut self) -> Value {
        let line = self.lines.next().expect("the sink runs").expect("text");
        serde_json::from_str(&line).expect("a JSON line")
    }

    pub fn url(&self, path: &str) -> url::Url {
        format!("http://127.0.0.1:{}{path}", self.port).parse().expect("a url")
    }

    /// Its counts: `ok`, `bad`, `distinct`.
    pub async fn stats(&self) -> Value {
        let http = Http::new(format!("http://127.0.0.1:{}", self.port));
        http.get("/stats", "").await.expect("stats").json()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.process.kill().expect("our own child");
        self.process.wait().expect("our own child");
    }
}
