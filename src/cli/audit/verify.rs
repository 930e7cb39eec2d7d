//! `waybill audit verify`: an export, against its own checkpoint and those that were kept elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::print::Tone;
use crate::api::describe;
use crate::audit::verify::{Asked, Expected, Report, verify};
use crate::domain::audit::note::{KeyKind, NoteKey};
use crate::domain::id::TenantId;

/// Verify an export.
///
/// It needs the folder and nothing else: no network, no server, no secret. What you have kept elsewhere makes the proof
/// stronger: the log's public key, and checkpoints of earlier days, because whoever runs the installation can sign another
/// history and only an older checkpoint shows it. Say whose events there must be, with `--all` or `--tenant`: what the folder
/// says of that is the word of whoever made it. The exit code is 0 if everything is as it should be, else 1.
#[derive(Debug, Args)]
pub struct Verify {
    /// The folder.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// It must have everybody's events, and the installation's own.
    #[arg(long, conflicts_with = "tenant")]
    pub all: bool,
    /// It must have all events of this tenant and of no other, by its id: `ten_` and 32 digits. May be given again. Without it
    /// and `--all`, what is there is verified, and the report says whose events that are.
    #[arg(long, value_name = "ID")]
    pub tenant: Vec<TenantId>,
    /// The log's public key, or a file with it: `name+hash+key`. Otherwise the export's own is believed.
    #[arg(long = "log-key", value_name = "KEY")]
    pub log_key: Option<String>,
    /// A checkpoint that was kept elsewhere. May be given again.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,
    /// The public key of a witness that must have signed, or a file with it. May be given again.
    #[arg(long, value_name = "KEY")]
    pub witness: Vec<String>,
}

impl Verify {
    /// Runs the command.
    ///
    /// # Errors
    /// When something is wrong with the export, or a file cannot be read.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let asked = self.asked()?;
        let report = verify(&self.dir, &asked, &describe);
        if context.json() {
            context.printer.line(for_programs(&report))?;
        } else {
            context.printer.line(page(context, &report))?;
        }
        if report.is_good() { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
    }

    fn asked(&self) -> Result<Asked, Failure> {
        let mut checkpoints = Vec::new();
        for path in &self.checkpoint {
            let bytes = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
            checkpoints.push((path.display().to_string(), bytes));
        }
        let witnesses = self.witness.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
        if let Some(other) = witnesses.iter().find(|key| key.kind != KeyKind::Cosignature) {
            return Err(Failure::usage(format!("the key of {} is not one of a witness", other.name))
                .remedy("A witness has a key of its own for cosignatures: ask whoever runs it."));
        }
        let expected = match (self.all, &self.tenant[..]) {
            (true, _) => Expected::All,
            (false, []) => Expected::Unsaid,
            (false, tenants) => Expected::Tenants(tenants.iter().copied().collect()),
        };
        Ok(Asked { expected, key: self.log_key.as_deref().map(key).transpose()?, checkpoints, witnesses })
    }
}

/// A key, or a file with one.
fn key(text: &str) -> Result<NoteKey, Failure> {
    let path = Path::new(text);
    let text = match path.is_file() {
        true => fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?,
        false => text.to_owned(),
    };
    NoteKey::parse(text.trim()).map_err(|error| Failure::usage(error.to_string()))
}

/// The report on one page.
fn page(context: &Context, report: &Report) -> String {
    let paint = |tone, text: &str| context.printer.paint(tone, text);
    let mut lines = match report.is_good() {
        true => vec![paint(Tone::Good, "The export proves what it says.")],
        false => vec![paint(Tone::Bad, "The export does not prove what it says.")],
    };
    let mut fact = |name: &str, what: String| lines.push(format!("  {name:<12}{what}"));
    fact("log", format!("{}, {} entries, root {}", report.origin, report.entries, hex::encode(report.root)));
    fact(
        "key",
        if report.is_foreign_key { "the one that was handed in" } else { "the export's own: compare it" }.to_owned(),
    );
    match &report.extends[..] {
        [] => fact(
            "compared",
            "with no checkpoint kept elsewhere: whoever has the log's key could have signed this".to_owned(),
        ),
        kept => kept.iter().for_each(|(name, size)| fact("compared", format!("it extends {name}, of {size} entries"))),
    }
    for (name, seconds) in &report.witnesses {
        fact("witness", format!("{name} saw it at {} (evidence)", time(*seconds as i64 * 1_000_000)));
    }
    if let Some((first, last)) = report.times {
        fact("time", format!("{} to {} by the installation's own clock (a claim)", time(first), time(last)));
    }
    fact("events", format!("{} in {} trees of {} partitions", report.events, report.trees, report.partitions));
    whose(report).into_iter().for_each(|what| fact("of", what));
    fact("copies", format!("{} events are second copies of others", report.copies));
    fact("bodies", format!("{} sealed bodies are not in the export", report.without_body));
    if let Some(version) = &report.written_by {
        fact("readable", format!("written by version {version}: what it knew was compared"));
    }
    let mut kinds: Vec<_> = report.kinds.iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    lines.extend(kinds.iter().map(|(kind, count)| format!("  {count:>12}  {kind}")));
    lines.extend(report.findings.iter().map(|found| format!("  {}: {}", paint(Tone::Bad, &found.place), found.what)));
    if report.more > 0 {
        lines.push(format!("  and {} more", report.more));
    }
    lines.join("\n")
}

/// Whose events were verified, and who says that these are all that there must be.
fn whose(report: &Report) -> Vec<String> {
    let Some(tenants) = &report.tenants else {
        return vec!["everybody and the installation itself: every tree that the signed log has".to_owned()];
    };
    let mut said: Vec<String> = tenants.iter().map(ToString::to_string).collect();
    said.push(match report.is_scope_asked {
        true => "as expected: every tree that the signed log has of them".to_owned(),
        false => "these tenants only, as the export says: name those whom you expect with `--tenant`, or say `--all`"
            .to_owned(),
    });
    said.extend(report.nothing_of.iter().map(|tenant| format!("the signed log has no event of {tenant}")));
    said
}

fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| "no time".to_owned(), |time| time.to_string())
}

fn for_programs(report: &Report) -> Value {
    let place = |(name, size): &(String, u64)| json!({"name": name, "value": size});
    json!({
        "good": report.is_good(),
        "origin": report.origin,
        "entries": report.entries,
        "root": hex::encode(report.root),
        "key": if report.is_foreign_key { "given" } else { "own" },
        "extends": report.extends.iter().map(place).collect::<Vec<_>>(),
        "witnesses": report.witnesses.iter().map(place).collect::<Vec<_>>(),
        "tenants": report.tenants.as_ref().map(|tenants| tenants.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "scope": if report.is_scope_asked { "given" } else { "own" },
        "nothing_of": report.nothing_of.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "partitions": report.partitions,
        "trees": report.trees,
        "events": report.events,
        "copies": report.copies,
        "without_body": report.without_body,
        "kinds": report.kinds,
        "findings": report.findings.iter().map(|found| json!({"place": found.place, "what": found.what})).collect::<Vec<_>>(),
        "more": report.more,
    })
}
