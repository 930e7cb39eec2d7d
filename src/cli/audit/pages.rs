//! Pages of records as they stand in the journal: asked for again where the journal is slow.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::super::client::Client;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::checkpoint::{number, strange, text};
use crate::domain::record::Record;

/// How often a page is asked for: with the pauses between, and half a second for each empty answer, some 35 seconds.
const TRIES: u32 = 12;

/// The first pause, which doubles, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A record where it stands.
pub(super) struct Placed {
    pub position: u64,
    pub record: Record,
}

/// Records from there on, and where to go on; none only at the end of the partition, or where the journal shows none for half
/// a minute.
///
/// # Errors
/// When the server cannot be asked, or a record does not verify.
pub(super) async fn page(client: &Client, partition: u64, from: u64) -> Result<(Vec<Placed>, u64), Failure> {
    let query = [("partition", partition.to_string()), ("from", from.to_string())];
    let answer = patiently(from, PAUSES, async || client.get("/v1/admin/audit/records", &query).await).await?;
    let records = answer["records"].as_array().ok_or_else(|| strange("records"))?;
    let read = records.iter().map(placed).collect::<Result<Vec<_>, _>>()?;
    Ok((read, number(&answer, "next")?))
}

/// Asks until there is something, or the end. A journal whose brokers are slow, or change their leader, answers with nothing
/// or not in time, and the export would be over for that.
async fn patiently(
    from: u64,
    (mut pause, longest): (Duration, Duration),
    ask: impl AsyncFn() -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    for _ in 1..TRIES {
        match ask().await {
            Ok(answer) if !is_slow(&answer, from) => return Ok(answer),
            Err(failure) if failure.exit() != Exit::Unreachable => return Err(failure),
            Ok(_) | Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
    ask().await
}

/// It shows nothing, and that is not the end.
fn is_slow(answer: &Value, from: u64) -> bool {
    let is_empty = answer["records"].as_array().is_some_and(Vec::is_empty);
    is_empty && answer["end"].as_u64().is_some_and(|end| end > from)
}

fn placed(value: &Value) -> Result<Placed, Failure> {
    let decode = |text: &str| STANDARD.decode(text).map(Bytes::from);
    let (header, body) = (decode(text(value, "header")?), decode(value["body"].as_str().unwrap_or_default()));
    let (Ok(header), Ok(body)) = (header, body) else { return Err(strange("header")) };
    let record = Record::decode(header, body).map_err(|error| {
        Failure::new(Exit::BadAnswer, format!("a record of the journal does not verify: {error}"))
            .remedy("The journal is damaged there: see the log of the node.")
    })?;
    Ok(Placed { position: number(value, "position")?, record })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    /// Asks somebody who answers these in turn, and the last one for ever. Says how often.
    async fn asked(answers: Vec<Result<Value, Failure>>) -> (Result<Value, Failure>, usize) {
        let turn = RefCell::new(0);
        let short = (Duration::from_micros(10), Duration::from_millis(1));
        let answer = patiently(7, short, async || {
            *turn.borrow_mut() += 1;
            answers[(*turn.borrow() - 1).min(answers.len() - 1)].clone()
        });
        let answer = answer.await;
        (answer, turn.into_inner())
    }

    #[tokio::test]
    async fn a_slow_journal_is_asked_again_and_not_for_ever() {
        let slow = || Ok(json!({"records": [], "next": 7, "end": 9}));
        let there = json!({"records": [{}], "next": 8, "end": 9});
        let away = || Err(Failure::new(Exit::Unreachable, "not in time"));
        let (answer, times) = asked(vec![slow(), away(), slow(), Ok(there.clone())]).await;
        assert_eq!((answer, times), (Ok(there), 4));
        let end = json!({"records": [], "next": 7, "end": 7});
        assert_eq!(asked(vec![Ok(end.clone())]).await, (Ok(end), 1), "the end is one");
        let refused = Failure::new(Exit::Refused, "another key");
        assert_eq!(asked(vec![Err(refused.clone())]).await, (Err(refused), 1));
        assert_eq!(asked(vec![slow()]).await, (slow(), TRIES as usize));
        assert_eq!(asked(vec![away()]).await, (away(), TRIES as usize));
    }
}
