//! `waybill contact opt-in`, `opt-out`: what a person said about marketing.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::person::Person;
use crate::cli::context::Context;
use crate::cli::failure::Failure;

/// What was said, and where.
#[derive(Debug, Args)]
pub struct Consent {
    /// Who said it.
    #[command(flatten)]
    pub person: Person,
    /// Where it was said: a word or two such as `checkout`.
    #[arg(long, value_name = "WORD")]
    pub source: String,
    /// When, such as 2026-01-31T12:00:00Z; now by default. The later word counts.
    #[arg(long, value_name = "TIME")]
    pub said_at: Option<String>,
    /// What shows it: kept sealed under the person's own key.
    #[arg(long, value_name = "TEXT")]
    pub evidence: Option<String>,
}

impl Consent {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context, allowed: bool) -> Result<(), Failure> {
        let to = self.person.name()?;
        let mut body = json!({"to": to, "marketing": allowed, "source": self.source});
        for (name, value) in [("said_at", self.said_at), ("evidence", self.evidence)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        let answer = context.tenant()?.put(Method::PUT, "/v1/contacts/consent", &body, &[]).await?;
        if context.json() {
            return context.printer.line(&answer);
        }
        let word = if allowed { "Marketing is allowed" } else { "No marketing" };
        context.printer.line(format!("{word}: recorded at {}.", answer["position"].as_str().unwrap_or("-")))
    }
}
