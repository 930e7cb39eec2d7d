//! `waybill cluster init`: an installation whose journal is in Kafka is founded.

use clap::{Args, Subcommand};
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::host::Host;
use crate::config::JournalKind;

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
    /// Make the topic and the vault, and write each partition's first record.
    ///
    /// The settings say which brokers, which topic, how many partitions and copies: journal.kind must be "kafka". The vault
    /// is made in the data folder: without it nothing in the topic can be read, so keep a copy of it. A run that was cut
    /// short is finished by another one; a topic that is founded already is only checked; one of another installation is
    /// refused.
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
        let founded = host.found(settings).await?;
        if context.json() {
            return context.printer.line(json!({"topic": topic, "journal": founded}));
        }
        context.printer.line(format!("The topic {topic} is the journal of {founded}."))
    }
}
