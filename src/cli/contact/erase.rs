//! `waybill contact erase`: forgetting a person.

use std::time::Duration;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::person::Person;
use super::requests::all;
use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// How often it is asked whether it is done.
const LOOK: Duration = Duration::from_millis(500);

/// Forget a person: destroy the keys of all that is kept, and call off what has not left.
///
/// It is carried out at once, unless a legal hold stands against it; that it was done stays in the audit, and a no to marketing
/// stays under a keyed mark. It cannot be undone.
#[derive(Debug, Args)]
pub struct Erase {
    /// Whom.
    #[command(flatten)]
    pub person: Person,
    /// Why, in a few words. Kept in the journal for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long to wait until it is done, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub wait: u64,
}

impl Erase {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses; with [`Exit::BadAnswer`] when it is not done in time.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.tenant()?;
        let body = json!({"to": self.person.name()?, "reason": self.reason});
        let asked = client.put(Method::POST, "/v1/contacts/erase", &body, &[]).await?;
        let looks = Duration::from_secs(self.wait).as_millis() / LOOK.as_millis();
        let mut now = asked.clone();
        for _ in 0..looks {
            now = standing(&client, &asked).await?;
            if now["state"] != "open" {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        if context.json() {
            context.printer.line(&now)?;
        }
        let (number, word) = (|name: &str| now[name].as_u64().unwrap_or(0), |name: &str| text(&now[name]));
        match text(&now["state"]) {
            "done" if context.json() => Ok(()),
            "done" => context.printer.line(format!(
                "Erased at {}: {} messages, of which {} had not left.{}",
                word("done_at"),
                number("messages"),
                number("cancelled"),
                if now["opt_out_kept"] == true { " The no to marketing stays." } else { "" },
            )),
            "held" => Err(Failure::new(Exit::BadAnswer, "a legal hold stands against it".to_owned()).remedy(format!(
                "it is carried out when the hold is lifted (`waybill contact unhold`); it is due {}.",
                word("due_at")
            ))),
            _ => Err(Failure::new(Exit::BadAnswer, "it is recorded, and not done yet".to_owned())
                .remedy("see `waybill contact requests --open` and `waybill status`.")),
        }
    }
}

/// How a request stands by now: one that is not open any more is done, whatever page tells how.
async fn standing(client: &Client, asked: &Value) -> Result<Value, Failure> {
    let found = all(client, |request| request["id"] == asked["id"]).await?;
    Ok(found.into_iter().next().unwrap_or_else(|| {
        let mut unseen = asked.clone();
        unseen["state"] = json!("open");
        unseen
    }))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
