//! `waybill audit`: what was signed over all events, an export of them, and whether an export proves what it says.

mod begin;
mod checkpoint;
mod export;
mod pages;
mod verify;

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::Failure;

pub use begin::Begin;
pub use checkpoint::Checkpoint;
pub use export::Export;
pub use verify::Verify;

/// Prove what happened: export events and verify exports.
///
/// Every event is a leaf of a Merkle tree, that of its tenant in its partition, and the log over the heads of all trees is
/// signed each second. Whoever keeps a checkpoint can show later that nothing before it was changed, dropped or put in.
#[derive(Debug, Args)]
pub struct Audit {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the help text of the arguments")]
pub enum Verb {
    Checkpoint(Checkpoint),
    Export(Export),
    Verify(Verify),
    Begin(Begin),
}

impl Audit {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or an export does not prove what it says.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Checkpoint(checkpoint) => checkpoint.run(context).await,
            Verb::Export(export) => export.run(context).await,
            Verb::Verify(verify) => verify.run(context),
            Verb::Begin(begin) => begin.run(context).await,
        }
    }
}
