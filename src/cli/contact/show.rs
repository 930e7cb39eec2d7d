//! `waybill contact show`: what a person allowed.

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::person::Person;
use crate::cli::context::Context;
use crate::cli::failure::Failure;

/// Show what a person allowed, and what stands against or for forgetting them.
#[derive(Debug, Args)]
pub struct Show {
    /// Who.
    #[command(flatten)]
    pub person: Person,
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let body = json!({"to": self.person.name()?});
        let found = context.tenant()?.put(Method::POST, "/v1/contacts/show", &body, &[]).await?;
        if context.json() {
            return context.printer.line(&found);
        }
        let printer = &context.printer;
        printer.line(format!("contact     {}", text(&found["contact"])))?;
        printer.line(format!("marketing   {}", marketing(&found["marketing"])))?;
        for window in found["windows"].as_array().into_iter().flatten() {
            printer.line(format!("may answer  {} until {}", text(&window["from"]), text(&window["until"])))?;
        }
        if found["legal_hold"] == true {
            printer.line("legal hold  what is kept must stay")?;
        }
        if let Some(asked) = found["erasure"].as_str() {
            printer.line(format!("erasure     asked for: {asked}"))?;
        }
        Ok(())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn marketing(word: &Value) -> String {
    match word["allowed"].as_bool() {
        None => "nothing is known".to_owned(),
        Some(allowed) => {
            let said = if allowed { "allowed" } else { "no" };
            format!("{said}, said {} ({})", text(&word["said_at"]), text(&word["source"]))
        }
    }
}
