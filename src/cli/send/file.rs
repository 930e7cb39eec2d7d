//! Sending a file: chunk by chunk, in its order, with what was refused written down line by line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::Send;
use super::follow::{settle_all, spoken};
use crate::cli::bulk::{Chunk, Lines, MESSAGES, Outcome, post};
use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::print::Tone;
use crate::cli::progress::Progress;
use crate::cli::time::{spent, thousands};
use crate::domain::text::calm;
use crate::runtime::{Entropy, SystemEntropy};

/// Messages that can be followed, 40 bytes each: 40 MB.
const MOST_FOLLOWED: usize = 1_000_000;

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Name of the run, if it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// Lines that were read, blank ones left out.
    pub lines: u64,
    /// Of these, taken.
    pub accepted: u64,
    /// Of the taken ones, taken before under the same key.
    pub replayed: u64,
    /// Of the lines, refused.
    pub refused: u64,
    /// The refused ones by code.
    pub by_code: BTreeMap<String, u64>,
    /// With `--follow`: in which state the messages are now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<BTreeMap<String, u64>>,
    /// Of these, how many did not come out well.
    #[serde(skip)]
    pub bad: u64,
}

impl Summary {
    /// Whether every line came out well.
    fn is_good(&self) -> bool {
        self.refused == 0 && self.bad == 0
    }
}

pub(super) async fn send(context: &Context, client: &Client, path: &Path, send: &Send) -> Result<(), Failure> {
    let (source, size) = open(path)?;
    let run = send.run.clone().unwrap_or_else(|| hex::encode(&SystemEntropy.id()[..6]));
    let progress = Progress::new(&context.printer, size);
    progress.note(&format!("Run {run}. To go on after an interruption, repeat the command with --run {run}."));
    let mut refusals = Refusals::open(context, &progress, send.refused.as_deref())?;
    let mut summary = Summary { run: run.clone(), ..Summary::default() };
    let mut ids = Vec::new();
    let (mut lines, mut done) = (Lines::new(source, &run), 0);
    while let Some(chunk) = lines.next().await? {
        for (number, outcome) in post(client, MESSAGES, &chunk).await? {
            let id = count(&mut summary, &mut refusals, number, outcome)?;
            ids.extend(id.filter(|_| send.follow));
        }
        if ids.len() > MOST_FOLLOWED {
            return Err(Failure::usage("--follow can follow one million messages; this file has more").remedy(
                format!(
                    "Go on without --follow: --run {run} takes nothing twice. Endpoints are told of every message."
                ),
            ));
        }
        done += chunk.bytes;
        progress.at(done, &text(&summary, &progress));
    }
    refusals.close()?;
    progress.end();
    if send.follow {
        let progress = Progress::new(&context.printer, Some(ids.len() as u64));
        let settled = settle_all(client, ids, send.patience(), &progress).await?;
        (summary.states, summary.bad) = (Some(settled.states), settled.bad);
    }
    tell(context, &summary, &spent(progress.elapsed()))?;
    if summary.is_good() { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
}

/// Loads a file of lines to this path of the server: what was loaded before is passed by, whatever the run.
///
/// # Errors
/// When the server cannot be asked; with [`Exit::BadAnswer`] when a line is refused.
pub(in crate::cli) async fn load_lines(
    context: &Context,
    client: &Client,
    (path, to): (&Path, &str),
    refused: Option<&Path>,
) -> Result<(), Failure> {
    let (source, size) = open(path)?;
    let progress = Progress::new(&context.printer, size);
    let mut refusals = Refusals::open(context, &progress, refused)?;
    let (mut summary, mut lines, mut done) = (Summary::default(), Lines::plain(source), 0);
    while let Some(chunk) = lines.next().await? {
        load_chunk(client, to, &chunk, (&mut summary, &mut refusals)).await?;
        done += chunk.bytes;
        progress.at(done, &text(&summary, &progress));
    }
    refusals.close()?;
    progress.end();
    tell(context, &summary, &spent(progress.elapsed()))?;
    if summary.is_good() { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
}

async fn load_chunk(
    client: &Client,
    to: &str,
    chunk: &Chunk,
    (summary, refusals): (&mut Summary, &mut Refusals<'_>),
) -> Result<(), Failure> {
    for (number, outcome) in post(client, to, chunk).await? {
        count(summary, refusals, number, outcome)?;
    }
    Ok(())
}

type Source = Box<dyn Read + std::marker::Send>;

pub(in crate::cli) fn open(path: &Path) -> Result<(Source, Option<u64>), Failure> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    Ok((Box::new(file), size))
}

fn count(
    summary: &mut Summary,
    refusals: &mut Refusals<'_>,
    number: u64,
    outcome: Outcome,
) -> Result<Option<String>, Failure> {
    summary.lines += 1;
    match outcome {
        Outcome::Accepted { id, replayed } => {
            summary.accepted += 1;
            summary.replayed += u64::from(replayed);
            Ok(Some(id))
        }
        Outcome::Refused(problem) => {
            summary.refused += 1;
            let code = problem["code"].as_str().unwrap_or("without a code").to_owned();
            *summary.by_code.entry(code).or_default() += 1;
            refusals.write(number, &problem)?;
            Ok(None)
        }
    }
}

fn text(summary: &Summary, progress: &Progress<'_>) -> String {
    let rate = summary.lines as f64 / progress.elapsed().as_secs_f64().max(0.001);
    let (accepted, refused) = (thousands(summary.accepted), thousands(summary.refused));
    format!("{accepted} accepted, {refused} refused, {rate:.0}/s")
}

fn tell(context: &Context, summary: &Summary, time: &str) -> Result<(), Failure> {
    let printer = &context.printer;
    if context.json() {
        return printer.line(json!(summary));
    }
    let lines = if summary.lines == 1 { "line" } else { "lines" };
    printer.line(format!("{} {lines} in {time}.", thousands(summary.lines)))?;
    let replayed = match summary.replayed {
        0 => String::new(),
        some => format!(" ({} of them before, under the same key)", thousands(some)),
    };
    printer.line(format!("{:>9} {}{replayed}", thousands(summary.accepted), printer.paint(Tone::Good, "accepted")))?;
    if summary.refused > 0 {
        let codes = spoken(&summary.by_code);
        printer.line(format!("{:>9} {}: {codes}", thousands(summary.refused), printer.paint(Tone::Bad, "refused")))?;
    }
    match &summary.states {
        Some(states) => printer.line(format!("Now: {}.", spoken(states))),
        None => Ok(()),
    }
}

/// Where refused lines are written.
enum Refusals<'p> {
    File(Box<BufWriter<File>>, &'p Path),
    Notes(&'p Progress<'p>),
    Json(&'p Context),
}

impl<'p> Refusals<'p> {
    fn open(context: &'p Context, progress: &'p Progress<'p>, path: Option<&'p Path>) -> Result<Self, Failure> {
        Ok(match path {
            Some(path) => {
                let file = File::create(path).map_err(|error| Failure::file("write", path, &error))?;
                Self::File(Box::new(BufWriter::new(file)), path)
            }
            None if context.json() => Self::Json(context),
            None => Self::Notes(progress),
        })
    }

    fn write(&mut self, line: u64, problem: &Value) -> Result<(), Failure> {
        let object = || json!({ "line": line, "problem": problem });
        match self {
            Self::File(file, path) => {
                writeln!(file, "{}", object()).map_err(|error| Failure::file("write", path, &error))
            }
            Self::Json(context) => context.printer.line(object()),
            Self::Notes(progress) => {
                progress.note(&spoken_problem(line, problem));
                Ok(())
            }
        }
    }

    fn close(self) -> Result<(), Failure> {
        match self {
            Self::File(mut file, path) => file.flush().map_err(|error| Failure::file("write", path, &error)),
            _ => Ok(()),
        }
    }
}

/// `line 17: invalid_request: /to is not a phone number`
fn spoken_problem(line: u64, problem: &Value) -> String {
    let text = |value: &Value, name: &str| calm(value[name].as_str().unwrap_or_default());
    let errors = problem["errors"].as_array().into_iter().flatten();
    let details: Vec<String> =
        errors.map(|error| format!("{} {}", text(error, "pointer"), text(error, "what"))).collect();
    let detail = if details.is_empty() { text(problem, "detail") } else { details.join("; ") };
    format!("line {line}: {}: {detail}", text(problem, "code"))
}
