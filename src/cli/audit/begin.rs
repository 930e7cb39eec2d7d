//! `waybill audit begin`: another log, under another origin.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;

/// Begin another log, after a backup was put back on purpose, or the signing key was lost.
///
/// The journal is then not the one that was signed for, and nothing is signed any more. The new log has another origin and
/// begins with all trees as they are now, so whoever kept a checkpoint of the old one sees that it ended; the journal keeps
/// the reason for ever. It works while the node is held because of the backup; the new log is signed once it is not.
///
/// The number behind the origin counts up from the highest that journal or vault know. If both were put back, neither knows
/// what was signed since: look at a checkpoint that was kept elsewhere, and name a higher number with `--era`.
#[derive(Debug, Args)]
pub struct Begin {
    /// Why, in a few words; kept in the journal, in the clear.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The number of the new log, above that of every log that was ever signed. Without it: the next that is known to be free.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub era: Option<u32>,
}

impl Begin {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut body = json!({"reason": self.reason});
        if let Some(era) = self.era {
            body["era"] = era.into();
        }
        let answer = context.operator()?.put(Method::POST, "/v1/admin/audit/begin", &body, &[]).await?;
        if context.json() {
            return context.printer.line(answer);
        }
        context.printer.line("Another log begins: its first checkpoint is signed in some seconds.")
    }
}
