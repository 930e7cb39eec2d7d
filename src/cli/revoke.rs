//! `waybill revoke`: an API key works no more.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use crate::config::Name;

/// Revoke an API key of a tenant.
///
/// For a key that leaked, and for one whose text was lost: once it is revoked, `waybill apply` makes a new one of the same
/// name. Every node has forgotten it after five seconds. Revoking a key twice is no mistake.
#[derive(Debug, Args)]
pub struct Revoke {
    /// Name of the tenant.
    #[arg(value_name = "TENANT", value_parser = name)]
    pub tenant: Name,
    /// Name of the key.
    #[arg(value_name = "NAME", value_parser = name)]
    pub name: Name,
}

/// Names go into a path: nothing else may stand in it.
fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).ok_or_else(|| "a name is 1 to 63 lower-case letters, digits and hyphens".to_owned())
}

impl Revoke {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such key, or the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { tenant, name } = self;
        let answer = context.operator()?.delete(&format!("/v1/admin/keys/{tenant}/{name}")).await?;
        if context.json() {
            return context.printer.line(answer);
        }
        context.printer.line(match answer["applied"] == json!(true) {
            true => format!("The key {tenant}/{name} is revoked."),
            false => format!("The key {tenant}/{name} will be revoked in a moment: it is in the journal."),
        })
    }
}
