//! Sending a chunk: one request, an answer for each line, and another try for whatever failed for the moment.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use super::lines::{Chunk, Line};
use crate::cli::client::Client;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Where chunks of messages are sent.
pub const MESSAGES: &str = "/v1/messages/bulk";
/// Refusals that pass by themselves. The keys of the lines make another try safe, even after `doubtful`.
const RETRIED: [&str; 8] = [
    "quota_exceeded",
    "queue_full",
    "overloaded",
    "unhealthy",
    "withdrawn",
    "unavailable",
    "doubtful",
    "request_timeout",
];
/// Tries of one chunk. The waits between them, 0.25 s doubling to 8 s, add up to 40 s: long enough for a restart.
const TRIES: u32 = 9;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// What became of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Taken: it is durable.
    Accepted {
        /// The message.
        id: String,
        /// It had been taken before, under the same key.
        replayed: bool,
    },
    /// Refused, with the problem document that says why.
    Refused(Value),
}

/// Sends a chunk until each line has its answer. Answers come back in the order of the lines.
///
/// # Errors
/// When the server cannot be reached or refuses the request as a whole, after all tries. Lines of this chunk may have
/// been taken; sending them again under the same keys is safe.
pub async fn post(client: &Client, path: &str, chunk: &Chunk) -> Result<Vec<(u64, Outcome)>, Failure> {
    let mut settled: BTreeMap<u64, Outcome> =
        chunk.lines.iter().filter(|line| line.too_long).map(|line| (line.number, too_long())).collect();
    let mut waiting: Vec<&Line> = chunk.lines.iter().filter(|line| !line.too_long).collect();
    let mut wait = FIRST_WAIT;
    for attempt in 1..=TRIES {
        if waiting.is_empty() {
            break;
        }
        let last = attempt == TRIES;
        let broken = once((client, path), &waiting, last, &mut settled).await;
        waiting.retain(|line| !settled.contains_key(&line.number));
        match broken {
            Err(failure) if last || failure.exit() != Exit::Unreachable => return Err(failure),
            _ => {}
        }
        if !waiting.is_empty() {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
    Ok(settled.into_iter().collect())
}

/// One request. Notes the answers that stand; on the last try all of them do.
async fn once(
    (client, path): (&Client, &str),
    waiting: &[&Line],
    last: bool,
    settled: &mut BTreeMap<u64, Outcome>,
) -> Result<(), Failure> {
    let mut body = Vec::with_capacity(waiting.iter().map(|line| line.text.len() + 1).sum());
    for line in waiting {
        body.extend_from_slice(&line.text);
        body.push(b'\n');
    }
    let mut response = client.post_lines(path, body).await?;
    let mut answers = Answers::default();
    while let Some(answer) = answers.next(client, &mut response).await? {
        let (index, outcome) = read(&answer)?;
        let line = index.checked_sub(1).and_then(|index| waiting.get(index)).ok_or_else(|| {
            Failure::new(Exit::Internal, format!("the server answered line {index}, which was not sent"))
        })?;
        if last || !passes(&outcome) {
            settled.insert(line.number, outcome);
        }
    }
    let unanswered = waiting.iter().any(|line| !settled.contains_key(&line.number));
    if last && unanswered {
        return Err(Failure::new(Exit::Unreachable, "the server left lines without an answer").remedy(
            "Run the same command again, with the same --run if it has one: what was taken is not taken twice.",
        ));
    }
    Ok(())
}

/// Whether another try may help.
fn passes(outcome: &Outcome) -> bool {
    let Outcome::Refused(problem) = outcome else {
        return false;
    };
    problem["code"].as_str().is_some_and(|code| RETRIED.contains(&code))
}

fn too_long() -> Outcome {
    Outcome::Refused(json!({
        "code": "too_large",
        "title": "The request is too large",
        "detail": "the line is longer than 1 MiB",
    }))
}

/// The line's place in the request, from 1, and what became of it.
fn read(answer: &Value) -> Result<(usize, Outcome), Failure> {
    let strange = || Failure::new(Exit::Internal, format!("the server's answer to a line cannot be read: {answer}"));
    let index = answer["line"].as_u64().and_then(|line| usize::try_from(line).ok()).ok_or_else(strange)?;
    let outcome = match answer.get("error") {
        Some(problem) => Outcome::Refused(problem.clone()),
        None => Outcome::Accepted {
            id: answer["id"].as_str().ok_or_else(strange)?.to_owned(),
            replayed: answer["replayed"].as_bool().unwrap_or(false),
        },
    };
    Ok((index, outcome))
}

/// Longest answer to a line: a problem with a few dozen wrong fields.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Lines of an answer, as they arrive.
#[derive(Default)]
struct Answers {
    buffer: Vec<u8>,
    ended: bool,
}

impl Answers {
    async fn next(&mut self, client: &Client, response: &mut Response) -> Result<Option<Value>, Failure> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return parse(&line).map(Some);
            }
            if self.ended {
                let rest = std::mem::take(&mut self.buffer);
                return if rest.trim_ascii().is_empty() { Ok(None) } else { parse(&rest).map(Some) };
            }
            match response.chunk().await.map_err(|error| client.unreachable(&error))? {
                Some(bytes) if self.buffer.len() + bytes.len() <= LONGEST_ANSWER => {
                    self.buffer.extend_from_slice(&bytes)
                }
                Some(_) => {
                    return Err(Failure::new(Exit::Internal, "the server's answer to a line is longer than 1 MiB"));
                }
                None => self.ended = true,
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(line)
        .map_err(|error| Failure::new(Exit::Unreachable, format!("the server's answer broke off: {error}")))
}
