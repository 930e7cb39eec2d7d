//! What declaring comes down to: secrets to keep, events to append, words to show.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::super::super::applied::{WAIT_MAX, reached};
use super::super::super::codes::Code;
use super::super::super::problem::Problem;
use super::super::super::propose::propose_many;
use super::super::super::state::App;
use crate::domain::draft::Draft;
use crate::domain::id::TenantId;
use crate::domain::record::Record;
use crate::vault::SecretBytes;

/// Records of one append: a declaration is below 4 KiB, so 200 stay below the journal's 4 MiB and 256 records.
const BATCH: usize = 200;

/// Secrets that are kept side by side. One after the other, thousands of syncs outlast the caller's patience.
const TOGETHER: usize = 256;

/// What becomes of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// It is declared otherwise.
    Changed,
    /// It is as declared.
    Unchanged,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// One thing.
pub struct Step {
    /// What the answer calls it.
    pub names: Vec<(&'static str, String)>,
    /// What becomes of it.
    pub change: Change,
    /// Kept first.
    pub secret: Option<(TenantId, String, SecretBytes)>,
    /// Appended then.
    pub event: Option<(u16, Draft)>,
    /// Shown once: what it is called, and its text.
    pub reveal: Option<(&'static str, Zeroizing<String>)>,
}

impl Step {
    /// What is said of it.
    pub fn shown(&self, dry_run: bool) -> Value {
        let mut map = Map::new();
        for (name, value) in &self.names {
            map.insert((*name).to_owned(), json!(value));
        }
        map.insert("change".to_owned(), json!(self.change.word()));
        if let Some((name, text)) = self.reveal.as_ref().filter(|_| !dry_run) {
            map.insert((*name).to_owned(), json!(text.as_str()));
        }
        Value::Object(map)
    }
}

/// All of it.
#[derive(Default)]
pub struct Plan {
    pub tenants: Vec<Step>,
    pub portfolios: Vec<Step>,
    pub sessions: Vec<Step>,
    pub pools: Vec<Step>,
    pub endpoints: Vec<Step>,
    pub keys: Vec<Step>,
}

impl Plan {
    /// Keeps the secrets, appends the events, waits until the rows show them.
    ///
    /// # Errors
    /// `unhealthy`, `overloaded`, `unavailable`, `doubtful`: declaring again finishes what was begun.
    pub async fn carry_out(&mut self, app: &App) -> Result<(), Problem> {
        let things =
            [&mut self.tenants, &mut self.portfolios, &mut self.sessions, &mut self.pools, &mut self.endpoints];
        for steps in things {
            write(app, steps).await?;
        }
        write(app, &mut self.keys).await?;
        Ok(app.directory.refresh(app).await?)
    }
}

async fn write(app: &App, steps: &mut [Step]) -> Result<(), Problem> {
    let secrets: Vec<_> = steps.iter_mut().filter_map(|step| step.secret.take()).collect();
    for some in secrets.chunks(TOGETHER) {
        keep(app, some).await?;
    }
    let batches = batches(steps)?;
    for proposed in propose_many(app, batches).await? {
        if !reached(app, proposed.partition, proposed.position, WAIT_MAX).await? {
            return Err(Problem::new(Code::NotApplied, "the declarations are durable, and not in effect yet").remedy(
                "declare the same again in a moment; a key that was issued without being shown is revoked by \
                 DELETE /v1/admin/keys/{tenant}/{name} (`waybill revoke`) and then made anew",
            ));
        }
    }
    Ok(())
}

/// Keeps secrets side by side: the vault syncs those that wait together once.
async fn keep(app: &App, secrets: &[(TenantId, String, SecretBytes)]) -> Result<(), Problem> {
    let mut puts = JoinSet::new();
    for (tenant, name, value) in secrets.iter().cloned() {
        let vault = Arc::clone(&app.vault);
        puts.spawn(async move { vault.put_secret(Some(tenant), &name, &value).await });
    }
    while let Some(put) = puts.join_next().await {
        put.map_err(|error| Problem::new(Code::Internal, format!("keeping a secret: {error}")))??;
    }
    Ok(())
}

/// The events of one kind of thing, together for each partition.
fn batches(steps: &mut [Step]) -> Result<Vec<(u16, Vec<Record>)>, Problem> {
    let mut by_partition: BTreeMap<u16, Vec<Record>> = BTreeMap::new();
    for (partition, draft) in steps.iter_mut().filter_map(|step| step.event.take()) {
        let record = draft.record().map_err(|error| Problem::new(Code::TooLarge, error.to_string()))?;
        by_partition.entry(partition).or_default().push(record);
    }
    let cut = by_partition.into_iter().flat_map(|(partition, records)| {
        let chunks: Vec<_> = records.chunks(BATCH).map(<[Record]>::to_vec).collect();
        chunks.into_iter().map(move |chunk| (partition, chunk))
    });
    Ok(cut.collect())
}
