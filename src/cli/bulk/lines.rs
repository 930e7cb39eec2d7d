//! Reading lines in chunks, off the async threads.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// What is read at once: about 1,000 messages of 250 bytes.
const BUFFER: usize = 256 * 1024;
/// Longest line: what `server.bulk_line_max` may be at most.
const LONGEST: usize = 1024 * 1024;
/// Most lines of a chunk. At a tenant's default rate of 1,000 a second a chunk takes a second, far below the time that
/// the server gives a request.
const MOST_LINES: usize = 1_000;
/// Most bytes of a chunk, beside its last line.
const MOST_BYTES: usize = 1024 * 1024;
/// The field that makes another try safe.
const KEY: &str = "idempotency_key";

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// Its text without the line break; cut where it is too long.
    pub text: Vec<u8>,
    /// Longer than any server takes.
    pub too_long: bool,
}

/// Lines that are sent together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// In the order of the file; blank lines are left out.
    pub lines: Vec<Line>,
    /// Bytes of the file that it stands for.
    pub bytes: u64,
}

type Source = BufReader<Box<dyn Read + Send>>;

/// A file, or standard input, as chunks.
pub struct Lines {
    source: Option<Source>,
    number: u64,
    run: Option<String>,
}

impl Lines {
    /// Reads from here. `run` names this run: with the number of the line it makes the idempotency key of each line that
    /// has none, so that going on after an interruption under the same name doubles nothing.
    #[must_use]
    pub fn new(source: Box<dyn Read + Send>, run: &str) -> Self {
        Self { run: Some(run.to_owned()), ..Self::plain(source) }
    }

    /// Reads from here, and leaves lines as they are: each says by itself which it is.
    #[must_use]
    pub fn plain(source: Box<dyn Read + Send>) -> Self {
        Self { source: Some(BufReader::with_capacity(BUFFER, source)), number: 0, run: None }
    }

    /// The next chunk: what one read gave, so that lines from a slow pipe do not wait for more. None at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn next(&mut self) -> Result<Option<Chunk>, Failure> {
        let Some(mut source) = self.source.take() else {
            return Ok(None);
        };
        let (run, number) = (self.run.clone(), self.number);
        let read = tokio::task::spawn_blocking(move || {
            let chunk = read_chunk(&mut source, number, run.as_deref());
            (source, chunk)
        });
        let (source, chunk) =
            read.await.map_err(|error| Failure::new(Exit::Internal, format!("reading the file: {error}")))?;
        let (chunk, number) =
            chunk.map_err(|error| Failure::usage(format!("line {} cannot be read: {error}", self.number + 1)))?;
        self.number = number;
        if chunk.bytes == 0 {
            return Ok(None);
        }
        self.source = Some(source);
        Ok(Some(chunk))
    }
}

fn read_chunk(source: &mut Source, mut number: u64, run: Option<&str>) -> io::Result<(Chunk, u64)> {
    let mut chunk = Chunk::default();
    while chunk.lines.len() < MOST_LINES && chunk.bytes < MOST_BYTES as u64 {
        let (line, bytes) = read_line(source)?;
        if bytes == 0 {
            break;
        }
        number += 1;
        chunk.bytes += bytes;
        if !line.iter().all(u8::is_ascii_whitespace) {
            let too_long = line.len() > LONGEST;
            let text = match run {
                Some(run) if !too_long => with_key(line, run, number),
                _ => line,
            };
            chunk.lines.push(Line { number, text, too_long });
        }
        if !chunk.lines.is_empty() && !source.buffer().contains(&b'\n') {
            break;
        }
    }
    Ok((chunk, number))
}

/// One line without its break, at most one byte more than the longest, and how many bytes were read for it.
fn read_line(source: &mut Source) -> io::Result<(Vec<u8>, u64)> {
    let mut line = Vec::new();
    let mut bytes = source.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut line)? as u64;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > LONGEST {
        bytes += skip_line(source)?;
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok((line, bytes))
}

fn skip_line(source: &mut Source) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = source.fill_buf()?;
        let (end, used) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (true, at + 1),
            None => (buffer.is_empty(), buffer.len()),
        };
        source.consume(used);
        skipped += used as u64;
        if end {
            return Ok(skipped);
        }
    }
}

/// The line with an idempotency key. What is no object stays as it is, for the server to refuse.
///
/// The key is put behind the last field: where a line holds `"idempotency_key": null`, readers of JSON take the last of two
/// equal names, and a line whose key does not count is sent twice by the next try.
fn with_key(line: Vec<u8>, run: &str, number: u64) -> Vec<u8> {
    let Some(fields) = keyless(&line) else {
        return line;
    };
    let Some(end) = line.iter().rposition(|byte| *byte == b'}') else {
        return line;
    };
    let comma = if fields == 0 { "" } else { "," };
    let key = Value::from(format!("{run}:{number}"));
    [&line[..end], format!("{comma}\"{KEY}\":{key}}}").as_bytes()].concat()
}

/// How many fields an object has that names no idempotency key; None for everything else.
fn keyless(line: &[u8]) -> Option<usize> {
    // A map, so that of two equal names the last counts, as it does at the server.
    let fields: HashMap<String, IgnoredAny> = serde_json::from_slice(line).ok()?;
    if !fields.contains_key(KEY) {
        return Some(fields.len());
    }
    let keyed: HashMap<String, Value> = serde_json::from_slice(line).ok()?;
    keyed[KEY].is_null().then_some(fields.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(text: &[u8]) -> Vec<Chunk> {
        let mut lines = Lines::new(Box::new(io::Cursor::new(text.to_vec())), "run");
        let mut chunks = Vec::new();
        while let Some(chunk) = lines.next().await.expect("memory can be read") {
            chunks.push(chunk);
        }
        chunks
    }

    #[tokio::test]
    async fn lines_keep_their_numbers_past_blanks_and_line_ends_of_any_kind() {
        let chunks = all(b"{\"a\":1}\r\n\n  \n{}\nnot json").await;
        let lines: Vec<(u64, String)> = chunks
            .iter()
            .flat_map(|chunk| &chunk.lines)
            .map(|line| (line.number, String::from_utf8(line.text.clone()).expect("text")))
            .collect();
        let expected =
            [(1, r#"{"a":1,"idempotency_key":"run:1"}"#), (4, r#"{"idempotency_key":"run:4"}"#), (5, "not json")];
        assert_eq!(lines, expected.map(|(number, text)| (number, text.to_owned())));
        assert_eq!(chunks.iter().map(|chunk| chunk.bytes).sum::<u64>(), 24);
    }

    #[tokio::test]
    async fn a_key_of_ones_own_is_kept() {
        let line = br#"{"idempotency_key":"mine","a":1}"#;
        assert_eq!(all(line).await[0].lines[0].text, line);
    }

    #[tokio::test]
    async fn a_key_that_is_null_is_none_and_the_run_s_key_counts() {
        let lines = [
            r#"{"idempotency_key":null,"a":1}"#,
            r#"{"a":1,"idempotency_key":null}"#,
            r#"{"idempotency_key":"mine","idempotency_key":null}"#,
            r#"{"idempotency\u005fkey":null} "#,
        ];
        for line in lines {
            let text = all(line.as_bytes()).await[0].lines[0].text.clone();
            let read: Value = serde_json::from_slice(&text).expect("still JSON");
            assert_eq!(read[KEY], "run:1", "{line}");
        }
    }

    #[tokio::test]
    async fn what_is_no_object_goes_to_the_server_as_it_is() {
        for line in [r#"["{}"]"#, "null", r#"{"a":1}}"#, r#"{"a":1"#] {
            assert_eq!(all(line.as_bytes()).await[0].lines[0].text, line.as_bytes());
        }
    }

    #[tokio::test]
    async fn a_chunk_is_bounded_and_an_endless_line_is_cut() {
        let many = "{}\n".repeat(MOST_LINES + 1);
        let chunks = all(many.as_bytes()).await;
        assert_eq!(chunks.iter().map(|chunk| chunk.lines.len()).collect::<Vec<_>>(), [MOST_LINES, 1]);
        let mut long = vec![b'x'; LONGEST + 100];
        long.extend(b"\n{}");
        let lines: Vec<Line> = all(&long).await.into_iter().flat_map(|chunk| chunk.lines).collect();
        assert!(lines[0].too_long && lines[0].text.len() == LONGEST + 1);
        assert_eq!((lines[1].number, lines[1].too_long), (2, false));
    }
}
