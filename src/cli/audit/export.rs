//! `waybill audit export`: the records of a running node, hashed here and written into a folder.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::checkpoint::{ask, number, strange, text};
use super::pages::page;
use crate::api::describe;
use crate::audit::export::{Export as Writing, ExportError, Log, Scope};
use crate::domain::audit::note::{Note, NoteKey};
use crate::domain::id::TenantId;

/// Write events, their trees and what was signed into a folder, for an auditor.
///
/// The node runs on meanwhile. What is exported is everything that the newest checkpoint covers; it is hashed again as it
/// comes, and an export that does not agree with the checkpoint is not finished. What people wrote and were written stays
/// sealed. `waybill audit verify` needs the folder alone.
#[derive(Debug, Args)]
pub struct Export {
    /// A folder that is not there yet, or empty.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Only events of this tenant, by its name. May be given again. Without it: all, and the installation's own.
    #[arg(long, value_name = "TENANT")]
    pub tenant: Vec<String>,
}

impl Export {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, the folder cannot be written, or the journal is not what was signed.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.operator()?;
        let tenants = self.tenants(&client).await?;
        let signed = ask(&client).await?;
        let (home, sealed_at) = (number(&signed, "partition")?, number(&signed, "sealed_at")?);
        for tenant in tenants.iter().flatten() {
            context.printer.note(format!("to be verified with `--tenant {tenant}`"));
        }
        let scope = scope(&signed, tenants)?;
        let partitions = scope.partitions;
        let log = read_log(&client, home, sealed_at).await?;
        let mut export = Writing::begin(&self.dir, scope, log).map_err(failed)?;
        for partition in 0..partitions {
            if export.enter(partition) {
                read_partition(&client, partition, &mut export).await?;
            }
            export.leave().map_err(failed)?;
            context.printer.note(format!("partition {} of {partitions} is written", partition + 1));
        }
        let events = export.finish().map_err(failed)?;
        if context.json() {
            return context.printer.line(json!({"dir": self.dir, "events": events, "entries": signed["size"]}));
        }
        let dir = self.dir.display();
        context.printer.line(format!("{events} events are in {dir}, under a checkpoint of {} entries.", signed["size"]))
    }

    /// The tenants that are asked for, by their names.
    async fn tenants(&self, client: &Client) -> Result<Option<Vec<TenantId>>, Failure> {
        if self.tenant.is_empty() {
            return Ok(None);
        }
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = client.get("/v1/admin/tenants", &[("after", after)]).await?;
            for tenant in page["data"].as_array().into_iter().flatten() {
                if tenant["name"].as_str().is_some_and(|name| self.tenant.iter().any(|asked| asked == name)) {
                    found.push(text(tenant, "id")?.parse().map_err(|_| strange("id"))?);
                }
            }
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        if found.len() == self.tenant.len() {
            return Ok(Some(found));
        }
        Err(Failure::usage("not every tenant that was named is known, or one was named twice")
            .remedy("Name each once, as the file of `waybill apply` does."))
    }
}

fn scope(signed: &Value, tenants: Option<Vec<TenantId>>) -> Result<Scope, Failure> {
    Ok(Scope {
        installation: text(signed, "installation")?.parse().map_err(|_| strange("installation"))?,
        partitions: u16::try_from(number(signed, "partitions")?).map_err(|_| strange("partitions"))?,
        tenants,
        note: Note::parse(text(signed, "checkpoint")?.as_bytes()).map_err(|_| strange("checkpoint"))?,
        key: NoteKey::parse(text(signed, "key")?).map_err(|_| strange("key"))?,
    })
}

async fn read_log(client: &Client, home: u64, sealed_at: u64) -> Result<Log, Failure> {
    let (mut log, mut from) = (Log::default(), 0);
    while from <= sealed_at {
        let (records, next) = page(client, home, from).await?;
        if next == from {
            return Err(failed(ExportError::Log("the journal ends before the place at which it was signed")));
        }
        records.iter().filter(|placed| placed.position <= sealed_at).for_each(|placed| log.take(&placed.record));
        from = next;
    }
    Ok(log)
}

async fn read_partition(client: &Client, partition: u16, export: &mut Writing) -> Result<(), Failure> {
    let mut from = 0;
    loop {
        let (records, next) = page(client, u64::from(partition), from).await?;
        for placed in &records {
            if !export.take(&placed.record, describe(&placed.record)).map_err(failed)? {
                return Ok(());
            }
        }
        if next == from {
            return Ok(());
        }
        from = next;
    }
}

fn failed(error: ExportError) -> Failure {
    match error {
        ExportError::File(error) => {
            Failure::usage(format!("cannot write {error}")).remedy("Name a folder that is empty, or not there yet.")
        }
        error @ (ExportError::TooMany(_) | ExportError::OfNobody) => {
            Failure::usage(error.to_string()).remedy("Name the tenants with `--tenant`, fewer at a time.")
        }
        error => Failure::new(Exit::BadAnswer, error.to_string()).remedy(
            "The journal is not the one that was signed for. Keep a copy of the data folder as it is, and compare \
             checkpoints that were kept elsewhere.",
        ),
    }
}
