//! `waybill suspend`, `waybill resume` and `waybill drain`: an operator stops what sends, and lets it go again.

use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::context::Context;
use super::effective::Wait;
use super::exit::Exit;
use super::failure::Failure;
use crate::config::Name;
use crate::domain::content::{is_template_name, read_code};

/// How this ends, for scripts.
const ENDS: &str = "\
Exit codes: 0 effective; 1 recorded, but not effective within --wait, or there is no such session;
2 the command line is wrong; 3 the server cannot be reached; 4 the key may not do this (it takes an admin's).";

/// Examples of both.
const EXAMPLES: &str = "\
Examples:
  waybill suspend tenant --reason 'complaints, until we know more'
  waybill suspend template order_update --reason 'a wrong price in it'
  waybill suspend country 49 --reason 'asked by the regulator'
  waybill suspend session orders --reason 'the number is being moved'
  waybill resume template order_update --reason 'corrected'";

/// What can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Everything of the tenant whose key this is.
    Tenant,
    /// Messages of one template.
    Template,
    /// Messages to phone numbers with this calling code.
    Country,
    /// One session.
    Session,
}

/// Stop a tenant, a template, a country or a session from sending.
///
/// Messages are still taken, and wait. It waits until no message that is stopped can leave any more, on any node. What
/// stands behind a stopped template or country holds up nothing else. It needs an admin's key of the tenant.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{ENDS}"))]
pub struct Suspend {
    /// Which, and why.
    #[command(flatten)]
    pub which: Which,
}

/// Let go again what was suspended or is being drained.
///
/// What waited leaves in its order. It needs an admin's key of the tenant.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{ENDS}"))]
pub struct Resume {
    /// Which, and why.
    #[command(flatten)]
    pub which: Which,
}

/// Empty a session: it takes no more messages, and sends those it has.
///
/// Whoever hands one in is answered 409 `draining`. `waybill resume session` ends it. It needs an admin's key of the tenant.
///
/// Example: waybill drain orders --reason 'the number is given up'
#[derive(Debug, Args)]
#[command(after_long_help = ENDS)]
pub struct Drain {
    /// Name of the session.
    #[arg(value_name = "SESSION")]
    pub session: String,
    /// Why, in a few words. Kept in the journal.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long to wait.
    #[command(flatten)]
    pub wait: Wait,
}

/// What both are told.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// What kind of thing.
    #[arg(value_name = "WHAT")]
    pub what: What,
    /// Its name: a template's, a calling code such as 49, a session's. A tenant is that of the key.
    #[arg(value_name = "NAME", required_if_eq_any([("what", "template"), ("what", "country"), ("what", "session")]))]
    pub name: Option<String>,
    /// Why, in a few words. Kept in the journal.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long to wait.
    #[command(flatten)]
    pub wait: Wait,
}

impl Suspend {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses; with [`Exit::BadAnswer`] when it is not effective in time.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        self.which.act(context, "suspend").await
    }
}

impl Resume {
    /// Runs the command.
    ///
    /// # Errors
    /// As [`Suspend::run`].
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        self.which.act(context, "resume").await
    }
}

impl Drain {
    /// Runs the command.
    ///
    /// # Errors
    /// As [`Suspend::run`].
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { session, reason, wait } = self;
        Which { what: What::Session, name: Some(session), reason, wait }.act(context, "drain").await
    }
}

impl Which {
    async fn act(self, context: &Context, verb: &str) -> Result<(), Failure> {
        let (path, called) = self.place()?;
        let client = context.tenant()?;
        let body = json!({"reason": self.reason});
        let mut answer = client.put(Method::POST, &format!("{path}/{verb}"), &body, &[]).await?;
        if self.what == What::Session {
            // Of a session the server says whether its one partition has applied it.
            answer["effective"] = answer["applied"].clone();
        }
        let look = async |answer| self.look(&client, (&path, verb), answer).await;
        let answer = self.wait.until_effective(answer, look).await?;
        let effective = answer["effective"] == true;
        if context.json() {
            context.printer.line(&answer)?;
        } else {
            context.printer.line(said(verb, &called, effective))?;
        }
        if effective { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
    }

    /// Its path at the server, and what it is called here. Nothing goes into a path that is not a name.
    fn place(&self) -> Result<(String, String), Failure> {
        let name = self.name.clone().unwrap_or_default();
        let wrong = |what: &str| Failure::usage(format!("{name:?} is no {what}"));
        Ok(match self.what {
            What::Tenant if self.name.is_some() => {
                return Err(Failure::usage("a tenant is that of the key, and is not named"));
            }
            What::Tenant => ("/v1/tenant".to_owned(), "the tenant".to_owned()),
            What::Template if is_template_name(&name) => {
                (format!("/v1/templates/{name}"), format!("the template {name}"))
            }
            What::Template => return Err(wrong("template's name").remedy("Lower-case letters, digits and `_`.")),
            What::Country => {
                let code = read_code(&name)
                    .ok_or_else(|| wrong("country's calling code").remedy("Write the digits after `+`, such as 49."))?;
                (format!("/v1/countries/{code}"), format!("the country +{code}"))
            }
            What::Session => {
                let name = Name::parse(&name)
                    .ok_or_else(|| wrong("session's name").remedy("`waybill apply` names them in its file."))?;
                (format!("/v1/sessions/{name}"), format!("the session {name}"))
            }
        })
    }

    /// The answer as it would be by now.
    async fn look(&self, client: &Client, (path, verb): (&str, &str), mut answer: Value) -> Result<Value, Failure> {
        if self.what == What::Session {
            let session = client.get(path, &[]).await?;
            let (stopped, draining) = (!session["suspended"].is_null(), !session["draining"].is_null());
            answer["effective"] = json!(match verb {
                "suspend" => stopped,
                "drain" => draining,
                _ => !stopped && !draining,
            });
            return Ok(answer);
        }
        let gates = client.get("/v1/gates", &[]).await?;
        let known = gates["data"].as_array().into_iter().flatten().find(|known| known["gate"] == answer["gate"]);
        match known {
            Some(known) => {
                answer["partitions"] = known["partitions"].clone();
                answer["effective"] = json!(known["effective"] == true && known["closed"] == (verb == "suspend"));
            }
            // An open gate is listed no more once it is open everywhere.
            None => answer["effective"] = json!(verb == "resume"),
        }
        Ok(answer)
    }
}

fn said(verb: &str, called: &str, effective: bool) -> String {
    let done = match verb {
        "suspend" => "is suspended: nothing of it leaves, and what is handed in waits",
        "drain" => "is being emptied: it takes no more messages, and sends those it has",
        _ => "may send again",
    };
    match effective {
        true => format!("{} {done}.", sentence(called)),
        false => format!("It is in the journal, and not effective everywhere yet: {called} {done} once it is."),
    }
}

fn sentence(called: &str) -> String {
    called.replacen('t', "T", 1)
}
