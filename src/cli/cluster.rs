//! `waybill cluster init`: an installation whose journal is in Kafka is founded.

use clap::{Args, Subcommand};
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::host::Host;
use crate::config::{JournalKind, StoreKind, VaultKind};

/// Found an installation whose journal is in a Kafka cluster.
#[derive(Debug, Args)]
pub struct Cluster {
    /// What to do.
    #[command(subcommand)]
    pub verb: ClusterVerb,
}

/// What can be done with a cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterVerb {
    /// Make the topic, the vault and the keyspaces, and write each partition's first record.
    ///
    /// The settings say which brokers, which topic, how many partitions and copies: journal.kind must be "kafka". Where
    /// store.kind is "cql", the keyspace of the rows is made too, or brought to this version's schema. The vault is made in
    /// the data folder or, where vault.kind is "cql", in a keyspace of its own, and its instance key in vault.key_file: without
    /// both nothing in the topic can be read, so keep copies. A run that was cut short is finished by another one; what is
    /// founded already is only checked; what is another installation's is refused, and so is a new topic for a vault that has
    /// seen another one.
    Init,
}

impl Cluster {
    /// Runs the command.
    ///
    /// # Errors
    /// When brokers or data folder cannot be used, or belong to another installation.
    pub async fn run(self, context: &Context, host: &dyn Host) -> Result<(), Failure> {
        let ClusterVerb::Init = self.verb;
        let settings = context.settings()?;
        if settings.journal.kind != JournalKind::Kafka {
            return Err(Failure::usage("the settings name an embedded journal, which needs no founding")
                .remedy("Set journal.kind = \"kafka\" and the brokers in [journal.kafka]; or run `waybill serve`."));
        }
        let topic = settings.journal.kafka.topic.clone();
        let keyspace = (settings.store.kind == StoreKind::Cql).then(|| settings.store.cql.keyspace.clone());
        let vault = (settings.vault.kind == VaultKind::Cql).then(|| settings.vault.cql.keyspace.clone());
        let founded = host.found(settings).await?;
        if context.json() {
            let said = json!({"topic": topic, "journal": founded, "keyspace": keyspace, "vault_keyspace": vault});
            return context.printer.line(said);
        }
        context.printer.line(format!("The topic {topic} is the journal of {founded}."))?;
        if let Some(keyspace) = keyspace {
            context.printer.line(format!("The keyspace {keyspace} takes its rows."))?;
        }
        match vault {
            Some(vault) => context.printer.line(format!("The keyspace {vault} has its keys and secrets.")),
            None => Ok(()),
        }
    }
}
