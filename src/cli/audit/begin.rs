//! `waybill audit begin`: another log, under another origin.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;

/// Begin another log, after a backup was put back on purpose.
///
/// The journal is then not the one that was signed for, and nothing is signed any more. The new log has the same entries and
/// another origin, so whoever kept a checkpoint of the old one sees that it ended; the journal keeps the reason for ever.
#[derive(Debug, Args)]
pub struct Begin {
    /// Why, in a few words; kept in the journal, in the clear.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl Begin {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let body = json!({"reason": self.reason});
        let answer = context.operator()?.put(Method::POST, "/v1/admin/audit/begin", &body, &[]).await?;
        if context.json() {
            return context.printer.line(answer);
        }
        context.printer.line("Another log begins: its first checkpoint is signed in some seconds.")
    }
}
