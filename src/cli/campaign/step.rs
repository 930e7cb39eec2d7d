//! `waybill campaign start`, `pause`, `resume`, `cancel`: asked for, and waited for until it is effective.

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::path;
use crate::cli::context::Context;
use crate::cli::effective::Wait;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Which campaign, and why.
#[derive(Debug, Args)]
#[command(after_long_help = super::ENDS)]
pub struct Step {
    /// The campaign.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Why, in a few words. Kept in the journal.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long to wait.
    #[command(flatten)]
    pub wait: Wait,
}

impl Step {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses; with [`Exit::BadAnswer`] when it is not effective in time.
    pub async fn run(self, context: &Context, verb: &str) -> Result<(), Failure> {
        let (path, client) = (path(&self.name)?, context.tenant()?);
        let body = json!({"reason": self.reason});
        let answer = client.put(Method::POST, &format!("{path}/{verb}"), &body, &[]).await?;
        let answer =
            self.wait.until_effective(judged(verb, answer), async |_| Ok(judged(verb, client.get(&path, &[]).await?)));
        let answer = answer.await?;
        let effective = answer["effective"] == true;
        if context.json() {
            context.printer.line(&answer)?;
        } else {
            context.printer.line(said(verb, &self.name, effective))?;
        }
        if effective { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
    }
}

/// Its last word may be effective and an older one than this.
fn judged(verb: &str, mut answer: Value) -> Value {
    let states: &[&str] = match verb {
        "start" | "resume" => &["running", "finished"],
        "pause" => &["paused"],
        _ => &["cancelled"],
    };
    let reached = answer["state"].as_str().is_some_and(|state| states.contains(&state));
    answer["effective"] = json!(reached && answer["effective"] == true);
    answer
}

fn said(verb: &str, name: &str, effective: bool) -> String {
    let what = match verb {
        "start" => "runs: its messages leave",
        "pause" => "is paused: nothing of it leaves",
        "resume" => "runs again",
        _ => "is cancelled: what has not left is called off",
    };
    match effective {
        true => format!("The campaign {name} {what}."),
        false => format!("Recorded, and not effective yet: the campaign {name} {what} in a while."),
    }
}
