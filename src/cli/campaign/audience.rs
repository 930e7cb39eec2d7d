//! `waybill campaign load` and `waybill campaign validate`: a file of people, one JSON object a line.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::path;
use crate::cli::bulk::Lines;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::send::{load_lines, open};
use crate::cli::time::thousands;

/// How a line is written.
const LINES: &str = "\
A line: {\"to\": \"+4915500010000\", \"parameters\": [\"Ada\"], \"reference\": \"customer-7\"}
`parameters` are the texts of the template's body, in their order or as an object by their names; `components` instead of
them is what the Cloud API takes. Without a reference a person can be in a campaign once.";

/// Load people into a campaign from a file, one JSON object a line.
///
/// Nothing leaves before it is started. A line that was loaded before is passed by, so an interrupted run is simply
/// repeated. It takes people while it is a draft or paused.
#[derive(Debug, Args)]
#[command(after_help = LINES, after_long_help = format!("{LINES}\n\n{}", super::ENDS))]
pub struct Load {
    /// The campaign.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The file; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write refused lines here, one JSON object with number and problem a line.
    #[arg(long, value_name = "FILE")]
    pub refused: Option<PathBuf>,
}

impl Load {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked; with [`Exit::BadAnswer`] when a line is refused.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let to = format!("{}/audience", path(&self.name)?);
        load_lines(context, &context.tenant()?, (&self.file, &to), self.refused.as_deref()).await
    }
}

/// Count who of a file could not be loaded, and why. Nobody is loaded.
///
/// Wrong numbers, people who do not want marketing, people without an opt-in; with the first lines of each. Whether
/// somebody was loaded before is not asked.
#[derive(Debug, Args)]
#[command(after_help = LINES, after_long_help = format!("{LINES}\n\n{}", super::ENDS))]
pub struct Validate {
    /// The campaign.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The file; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

impl Validate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked; with [`Exit::BadAnswer`] when a line could not be loaded.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let to = format!("{}/validate", path(&self.name)?);
        let client = context.tenant()?;
        let (source, size) = open(&self.file)?;
        let progress = Progress::new(&context.printer, size);
        let (mut lines, mut done, mut found) = (Lines::plain(source), 0, Found::default());
        while let Some(chunk) = lines.next().await? {
            let numbers: Vec<u64> = chunk.lines.iter().map(|line| line.number).collect();
            let mut body = Vec::new();
            for line in &chunk.lines {
                body.extend_from_slice(&line.text);
                body.push(b'\n');
            }
            let answer = client.ask_lines(&to, body).await?;
            found.add(&answer, &numbers);
            done += chunk.bytes;
            progress.at(done, &format!("{} could be loaded", thousands(found.good)));
        }
        progress.end();
        found.tell(context)?;
        if found.good == found.lines { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
    }
}

/// What was found in all chunks.
#[derive(Debug, Default)]
struct Found {
    lines: u64,
    good: u64,
    problems: Vec<(String, Value)>,
}

impl Found {
    /// Adds a chunk's answer, whose lines have these numbers in the file.
    fn add(&mut self, answer: &Value, numbers: &[u64]) {
        let count = |name: &str| answer[name].as_u64().unwrap_or(0);
        self.lines += count("lines");
        self.good += count("good");
        for problem in answer["problems"].as_array().into_iter().flatten() {
            let mut problem = problem.clone();
            for first in problem["first"].as_array_mut().into_iter().flatten() {
                let at = first["line"].as_u64().and_then(|line| usize::try_from(line).ok()).unwrap_or(0);
                first["line"] = json!(at.checked_sub(1).and_then(|at| numbers.get(at)));
            }
            let code = problem["code"].as_str().unwrap_or_default().to_owned();
            match self.problems.iter_mut().find(|(known, _)| *known == code) {
                Some((_, known)) => {
                    known["lines"] =
                        json!(known["lines"].as_u64().unwrap_or(0) + problem["lines"].as_u64().unwrap_or(0));
                }
                None => self.problems.push((code, problem)),
            }
        }
    }

    fn tell(&self, context: &Context) -> Result<(), Failure> {
        let printer = &context.printer;
        let problems: Vec<&Value> = self.problems.iter().map(|(_, problem)| problem).collect();
        if context.json() {
            return printer.line(json!({"lines": self.lines, "good": self.good, "problems": problems}));
        }
        printer.line(format!("{} lines, {} could be loaded.", thousands(self.lines), thousands(self.good)))?;
        for problem in problems {
            let first: Vec<String> = problem["first"]
                .as_array()
                .into_iter()
                .flatten()
                .take(3)
                .map(|one| match one["reference"].as_str() {
                    Some(reference) => format!("{} ({})", one["line"], crate::domain::text::calm(reference)),
                    None => one["line"].to_string(),
                })
                .collect();
            let (lines, code) = (problem["lines"].as_u64().unwrap_or(0), problem["code"].as_str().unwrap_or_default());
            printer.line(format!("{:>9} {code}: line {} …", thousands(lines), first.join(", ")))?;
        }
        Ok(())
    }
}
