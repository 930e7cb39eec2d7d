//! `waybill campaign show`, `list`, `plan`: how things stand and would go, in words.

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::path;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::table::Table;
use crate::cli::time::thousands;

/// What becomes of messages, in the order in which it is told.
const COUNTS: [&str; 8] = ["waiting", "unknown", "sent", "delivered", "read", "failed", "expired", "cancelled"];

/// Campaigns asked for at once.
const PAGE: usize = 500;

/// Show a campaign: where it is, how far, how fast, and until when.
#[derive(Debug, Args)]
pub struct Show {
    /// The campaign.
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// List campaigns, those that are over too.
#[derive(Debug, Args)]
pub struct List {}

/// Say how long a campaign would take from now on, which limit binds when, and who would get nothing.
///
/// By the rates of now, as if nothing else was sent and Meta took everything. Up to a million messages.
#[derive(Debug, Args)]
pub struct Plan {
    /// The campaign.
    #[arg(value_name = "NAME")]
    pub name: String,
}

fn number(value: &Value) -> String {
    thousands(value.as_u64().unwrap_or(0))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let found = context.tenant()?.get(&path(&self.name)?, &[]).await?;
        if context.json() {
            return context.printer.line(&found);
        }
        let printer = &context.printer;
        let template = format!("{} ({})", text(&found["template"]["name"]), text(&found["template"]["language"]));
        let (name, state) = (text(&found["name"]), text(&found["state"]));
        printer.line(format!("{name}: {state}, {template} from {}", text(&found["from"])))?;
        if let Some(reason) = found["moved"]["reason"].as_str() {
            let (at, reason) = (text(&found["moved"]["at"]), crate::domain::text::calm(reason));
            printer.line(format!("Since {at}: {reason}"))?;
        }
        let counts = COUNTS.iter().map(|word| (word, &found["counts"][word]));
        let counts: Vec<String> =
            counts.filter(|(_, n)| n.as_u64() > Some(0)).map(|(word, n)| format!("{} {word}", number(n))).collect();
        printer.line(format!("{} messages: {}", number(&found["messages"]), counts.join(", ")))?;
        match (found["per_second"].as_f64(), found["eta"].as_str()) {
            (Some(rate), Some(eta)) => printer.line(format!("{rate} a second; nothing is left at {eta}.")),
            _ => Ok(()),
        }
    }
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.tenant()?;
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(after.map(|after| ("after", after)));
            let mut page = client.get("/v1/campaigns", &query).await?;
            found.extend(page["data"].as_array_mut().map(std::mem::take).unwrap_or_default());
            after = page["next"].as_str().map(ToOwned::to_owned);
            if after.is_none() {
                break;
            }
        }
        if context.json() {
            return found.iter().try_for_each(|one| context.printer.line(one));
        }
        if found.is_empty() {
            context.printer.note("There is no campaign.");
            return Ok(());
        }
        let mut table = Table::new(&["name", "state", "from", "template", ">messages", ">left", "eta"]);
        for one in &found {
            table.row([
                text(&one["name"]).to_owned(),
                text(&one["state"]).to_owned(),
                text(&one["from"]).to_owned(),
                text(&one["template"]["name"]).to_owned(),
                number(&one["messages"]),
                number(&one["left"]),
                one["eta"].as_str().unwrap_or_default().to_owned(),
            ]);
        }
        context.printer.line(table)
    }
}

impl Plan {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let path = format!("{}/plan", path(&self.name)?);
        let found = context.tenant()?.put(Method::POST, &path, &json!({}), &[]).await?;
        if context.json() {
            return context.printer.line(&found);
        }
        let printer = &context.printer;
        let (begins, ends) = (text(&found["begins_at"]), text(&found["ends_at"]));
        let sent = number(&found["would_send"]);
        printer.line(format!("{sent} would be sent from {begins} to {ends} ({} s).", found["seconds"]))?;
        let told = [
            ("would_expire", "out of time before their turn"),
            ("opted_out", "do not want marketing"),
            ("no_opt_in", "without an opt-in"),
            ("not_planned", "not planned"),
            ("quiet_held", "waits for the end of quiet hours"),
            ("portfolio_people", "people outside of a service window"),
        ];
        for (name, what) in told.into_iter().filter(|(name, _)| found[*name].as_u64() > Some(0)) {
            printer.line(format!("{:>9} {what}", number(&found[name])))?;
        }
        for one in found["binding"].as_array().into_iter().flatten() {
            let (limit, from, until) = (text(&one["limit"]), text(&one["from"]), text(&one["until"]));
            printer.line(format!("The limit that binds from {from} to {until}: {}", limit.replace('_', " ")))?;
        }
        if found["session_suspended"] == true {
            printer.line("Its session is suspended: nothing leaves before that is resumed.")?;
        }
        Ok(())
    }
}
