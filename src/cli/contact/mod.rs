//! `waybill contact`: what people have a right to, and what they allowed.
//!
//! | file | holds |
//! | --- | --- |
//! | `person` | who is meant: a number need not stand on a command line, where others can see it |
//! | `consent` | opt-in and opt-out |
//! | `export` | everything that is kept, in one file |
//! | `erase` | forgetting, and waiting until it is done |
//! | `hold` | a legal hold |
//! | `requests` | what was asked for, and what was done |

mod consent;
mod erase;
mod export;
mod hold;
mod person;
mod requests;
mod show;

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::Failure;

/// How these end, for scripts.
const ENDS: &str = "\
Exit codes: 0 done; 1 the server refuses it, nothing is kept of such a person, or an erasure is not done within --wait;
2 the command line is wrong; 3 the server cannot be reached; 4 the key may not do this (it takes an admin's).";

/// Examples of all.
const EXAMPLES: &str = "\
Examples:
  waybill contact show +4915500010000
  waybill contact opt-out +4915500010000 --source 'support call'
  waybill contact export +4915500010000 --reason 'asked by letter' --out person.json
  waybill contact hold +4915500010000 --reason 'dispute 17'
  echo +4915500010000 | waybill contact erase - --reason 'asked by letter'
  waybill contact requests --open";

/// Answer people: what is kept of them, what they allowed, and forgetting them.
///
/// A person is a phone number with its country code, or `bsuid:` and an id of Meta's; `-` reads it from standard input, so that it
/// stands in no list of processes and in no shell's history. Reasons are kept in the clear for ever: write no person's data
/// into them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{ENDS}"))]
pub struct Contact {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What is done for people.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the help text of the arguments")]
pub enum Verb {
    Show(show::Show),
    /// Record that a person allows marketing
    OptIn(consent::Consent),
    /// Record that a person does not want marketing: nothing of it leaves from here on
    OptOut(consent::Consent),
    Export(export::Export),
    Erase(erase::Erase),
    /// Keep what is known of a person, whoever asks to erase it
    Hold(hold::Hold),
    /// Lift a legal hold: an erasure that waits for it is carried out
    Unhold(hold::Hold),
    Requests(requests::Requests),
}

impl Contact {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Show(show) => show.run(context).await,
            Verb::OptIn(consent) => consent.run(context, true).await,
            Verb::OptOut(consent) => consent.run(context, false).await,
            Verb::Export(export) => export.run(context).await,
            Verb::Erase(erase) => erase.run(context).await,
            Verb::Hold(hold) => hold.run(context, true).await,
            Verb::Unhold(hold) => hold.run(context, false).await,
            Verb::Requests(requests) => requests.run(context).await,
        }
    }
}
