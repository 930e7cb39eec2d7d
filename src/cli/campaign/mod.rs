//! `waybill campaign`: declared, loaded, looked at, planned, moved.
//!
//! | file | holds |
//! | --- | --- |
//! | `create` | what is declared |
//! | `audience` | loading a file, and looking at one |
//! | `step` | start, pause, resume, cancel |
//! | `show` | one, the list, the plan |

mod audience;
mod create;
mod show;
mod step;

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::Failure;
use crate::config::Name;

/// How these end, for scripts.
const ENDS: &str = "\
Exit codes: 0 done; 1 the server refuses it, a line was refused, or it is not effective within --wait;
2 the command line is wrong; 3 the server cannot be reached; 4 the key may not do this (steps take an admin's).";

/// Examples of all.
const EXAMPLES: &str = "\
Examples:
  waybill campaign create spring --from shop --template spring_sale --language en_US
  waybill campaign validate spring people.ndjson
  waybill campaign load spring people.ndjson --refused refused.ndjson
  waybill campaign plan spring
  waybill campaign start spring --reason 'approved by marketing'";

/// Send one template to many people: load them, plan, start, pause, resume, cancel.
///
/// What is loaded waits until the campaign is started. Loading a file twice adds nobody twice.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{ENDS}"))]
pub struct Campaign {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What is done with campaigns.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the help text of the arguments")]
pub enum Verb {
    Create(create::Create),
    Load(audience::Load),
    Validate(audience::Validate),
    Plan(show::Plan),
    /// Let its messages leave
    Start(step::Step),
    /// Stop it for a while: nothing leaves once this is effective
    Pause(step::Step),
    /// Let it go on
    Resume(step::Step),
    /// End it for ever: what has not left is cancelled
    Cancel(step::Step),
    Show(show::Show),
    List(show::List),
}

impl Campaign {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(create) => create.run(context).await,
            Verb::Load(load) => load.run(context).await,
            Verb::Validate(validate) => validate.run(context).await,
            Verb::Plan(plan) => plan.run(context).await,
            Verb::Start(step) => step.run(context, "start").await,
            Verb::Pause(step) => step.run(context, "pause").await,
            Verb::Resume(step) => step.run(context, "resume").await,
            Verb::Cancel(step) => step.run(context, "cancel").await,
            Verb::Show(show) => show.run(context).await,
            Verb::List(list) => list.run(context).await,
        }
    }
}

/// Its path at the server. Nothing goes into a path that is not a name.
fn path(name: &str) -> Result<String, Failure> {
    let name = Name::parse(name).ok_or_else(|| {
        Failure::usage(format!("{name:?} is no campaign's name"))
            .remedy("1 to 63 lower-case letters, digits and hyphens, a letter or digit first.")
    })?;
    Ok(format!("/v1/campaigns/{name}"))
}
