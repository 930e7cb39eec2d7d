//! `waybill audit checkpoint`: what was signed last.

use clap::Args;
use serde_json::Value;

use super::super::client::Client;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// Write what was signed last, to be kept.
///
/// Keep it where the operator of this installation cannot change it: it is what an export is compared with later, and without
/// one kept elsewhere whoever holds the signing key could write another history. `--json` adds the public key.
#[derive(Debug, Args)]
pub struct Checkpoint {}

impl Checkpoint {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or nothing was signed yet.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let found = ask(&context.operator()?).await?;
        if context.json() {
            return context.printer.line(found);
        }
        context.printer.line(text(&found, "checkpoint")?.trim_end_matches('\n'))?;
        context.printer.note(format!("The key that verifies it: {}", text(&found, "key")?));
        Ok(())
    }
}

/// Asks for it.
pub(super) async fn ask(client: &Client) -> Result<Value, Failure> {
    client.get("/v1/admin/audit/checkpoint", &[]).await
}

/// A field of its answer.
pub(super) fn text<'a>(answer: &'a Value, name: &str) -> Result<&'a str, Failure> {
    answer[name].as_str().ok_or_else(|| strange(name))
}

/// A number of its answer.
pub(super) fn number(answer: &Value, name: &str) -> Result<u64, Failure> {
    answer[name].as_u64().ok_or_else(|| strange(name))
}

/// The server answers something else than this program knows.
pub(super) fn strange(name: &str) -> Failure {
    Failure::new(Exit::Unreachable, format!("the server's answer has no `{name}` that this program can read"))
        .remedy("Use the program of the server's own version.")
}
