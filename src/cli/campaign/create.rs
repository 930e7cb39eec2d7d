//! `waybill campaign create`.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::path;
use crate::cli::context::Context;
use crate::cli::failure::Failure;

/// Declare a campaign: a sender, a template, and until when.
///
/// It is declared once and never changes; the same again is nothing new. It needs an admin's key of the tenant.
///
/// Example: waybill campaign create spring --from shop --template spring_sale --language en_US
#[derive(Debug, Args)]
pub struct Create {
    /// What it is called: lower-case letters, digits and hyphens.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Name of the session or pool that sends.
    #[arg(long, value_name = "SESSION")]
    pub from: String,
    /// Name of the template, as Meta approved it.
    #[arg(long, value_name = "TEMPLATE")]
    pub template: String,
    /// Its language, such as en_US.
    #[arg(long, value_name = "CODE")]
    pub language: String,
    /// What it is for.
    #[arg(long, value_name = "CATEGORY", default_value = "marketing",
        value_parser = ["marketing", "utility", "authentication"])]
    pub category: String,
    /// Who goes first on the session.
    #[arg(long, value_name = "PRIORITY", default_value = "bulk", value_parser = ["bulk", "normal", "urgent"])]
    pub priority: String,
    /// Nothing of it leaves after this, such as 2026-03-31T20:00:00Z. Otherwise 30 days after a person was loaded.
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<String>,
    /// It starts by itself at this time, which is ahead, if somebody was loaded by then.
    #[arg(long, value_name = "TIME")]
    pub start_at: Option<String>,
}

impl Create {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let path = path(&self.name)?;
        let mut body = json!({
            "from": self.from, "template": {"name": self.template, "language": self.language},
            "category": self.category, "priority": self.priority,
        });
        for (name, at) in [("expires_at", self.expires_at), ("start_at", self.start_at)] {
            if let Some(at) = at {
                body[name] = json!(at);
            }
        }
        let answer = context.tenant()?.put(Method::PUT, &path, &body, &[]).await?;
        if context.json() {
            return context.printer.line(&answer);
        }
        let state = answer["state"].as_str().unwrap_or("declared");
        context.printer.line(format!("The campaign {} is declared, and {state}.", self.name))
    }
}
