//! What became of messages: asked for again and again until each has come to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::cli::client::Client;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::time::thousands;
use crate::runtime::{Clock, SystemClock};

/// Between two questions about the same message.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether nothing is expected to change any more, but from delivered to read.
fn is_final(message: &Value) -> bool {
    matches!(message["state"].as_str(), Some("failed" | "expired" | "cancelled" | "withdrawn")) || is_good(message)
}

/// Whether it came out well. A test message never reaches the provider, so no status ever follows `sent`.
pub(super) fn is_good(message: &Value) -> bool {
    match message["state"].as_str() {
        Some("delivered" | "read") => true,
        Some("sent") => message["test"] == true,
        _ => false,
    }
}

/// What became of many.
pub(super) struct Settled {
    /// How many are in which state.
    pub(super) states: BTreeMap<String, u64>,
    /// How many of them did not come out well, or not yet.
    pub(super) bad: u64,
}

/// Asks for one message until it has come to its end or the time is up; answers with what was said last.
pub(super) async fn settle(client: &Client, id: &str, patience: Duration) -> Result<Value, Failure> {
    let deadline = SystemClock.steady() + patience;
    loop {
        let message = ask(client, id).await?;
        if is_final(&message) || SystemClock.steady() >= deadline {
            return Ok(message);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The same for many: how many are in which state at the end.
pub(super) async fn settle_all(
    client: &Client,
    mut ids: Vec<String>,
    patience: Duration,
    progress: &Progress<'_>,
) -> Result<Settled, Failure> {
    let deadline = SystemClock.steady() + patience;
    let mut ended: BTreeMap<String, u64> = BTreeMap::new();
    let mut bad = 0;
    let all = ids.len() as u64;
    loop {
        let mut open = Vec::new();
        let mut standing: BTreeMap<String, u64> = BTreeMap::new();
        for id in ids {
            let message = ask(client, &id).await?;
            let state = message["state"].as_str().unwrap_or("without a state").to_owned();
            if is_final(&message) {
                bad += u64::from(!is_good(&message));
                *ended.entry(state).or_default() += 1;
            } else {
                *standing.entry(state).or_default() += 1;
                open.push(id);
            }
            let done = ended.values().sum();
            progress.at(done, &format!("{} of {} settled: {}", thousands(done), thousands(all), spoken(&ended)));
        }
        if open.is_empty() || SystemClock.steady() >= deadline {
            for (state, count) in standing {
                bad += count;
                *ended.entry(state).or_default() += count;
            }
            return Ok(Settled { states: ended, bad });
        }
        ids = open;
        tokio::time::sleep(PAUSE).await;
    }
}

/// A message that was acknowledged a moment ago may not stand in the rows yet.
async fn ask(client: &Client, id: &str) -> Result<Value, Failure> {
    match client.get(&format!("/v1/messages/{id}"), &[]).await {
        Err(failure) if failure.exit() == Exit::BadAnswer => Ok(serde_json::json!({ "id": id, "state": "accepted" })),
        answer => answer,
    }
}

/// `12 delivered, 1 failed`
pub(super) fn spoken(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{} {state}", thousands(*count))).collect();
    counts.join(", ")
}
