//! `waybill contact hold`, `unhold`: a legal hold.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::person::Person;
use crate::cli::context::Context;
use crate::cli::failure::Failure;

/// Whose data, and why.
#[derive(Debug, Args)]
pub struct Hold {
    /// Whose data.
    #[command(flatten)]
    pub person: Person,
    /// Why, in a few words. Kept in the journal for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl Hold {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context, held: bool) -> Result<(), Failure> {
        let body = json!({"to": self.person.name()?, "held": held, "reason": self.reason});
        let answer = context.tenant()?.put(Method::PUT, "/v1/contacts/legal-hold", &body, &[]).await?;
        if context.json() {
            return context.printer.line(&answer);
        }
        context.printer.line(if held {
            "What is kept of the person stays until `waybill contact unhold`."
        } else {
            "Nothing stands against an erasure any more."
        })
    }
}
