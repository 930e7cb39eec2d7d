//! `waybill failures`: messages that failed, ran out of time, or may have been sent, looked at together.

mod act;
mod list;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::context::Context;
use super::failure::Failure;

pub use act::{Resolve, Retry};
pub use list::{List, table};

/// Look at messages that failed, expired, or may have been sent.
#[derive(Debug, Args)]
pub struct Failures {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the help text of the arguments")]
pub enum Verb {
    List(List),
    Retry(Retry),
    Resolve(Resolve),
}

impl Failures {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(list) => list.run(context).await,
            Verb::Retry(retry) => retry.run(context).await,
            Verb::Resolve(resolve) => resolve.run(context).await,
        }
    }
}

/// How a message stands that needs somebody's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub enum State {
    Failed,
    Expired,
    Unknown,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Category {
    Authentication,
    Utility,
    Marketing,
    Service,
}

/// Which failures: what is left out fits all.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
    /// Only of this session.
    #[arg(long, value_name = "NAME", help_heading = "Which")]
    pub session: Option<String>,
    /// Only in this state.
    #[arg(long, value_name = "STATE", help_heading = "Which")]
    pub state: Option<State>,
    /// Only of this category.
    #[arg(long, value_name = "CATEGORY", help_heading = "Which")]
    pub category: Option<Category>,
    /// Only with this failure class or reason, such as `recipient` or `timeout`.
    #[arg(long, value_name = "CLASS", help_heading = "Which")]
    pub class: Option<String>,
    /// Only with this code of Meta's.
    #[arg(long, value_name = "CODE", help_heading = "Which", allow_negative_numbers = true)]
    pub code: Option<i32>,
    /// Only with this template.
    #[arg(long, value_name = "NAME", help_heading = "Which")]
    pub template: Option<String>,
    /// Only what was known before this time, such as 2026-01-31T09:30:00Z.
    #[arg(long, value_name = "TIME", help_heading = "Which")]
    pub before: Option<String>,
    /// Only what was known at this time or after it.
    #[arg(long, value_name = "TIME", help_heading = "Which")]
    pub after: Option<String>,
}

impl Which {
    /// The words as the API takes them.
    fn words(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let all = [
            ("session", text(&self.session)),
            ("state", self.state.as_ref().map(word)),
            ("category", self.category.as_ref().map(word)),
            ("class", text(&self.class)),
            ("code", self.code.map(Value::from)),
            ("template", text(&self.template)),
            ("before", text(&self.before)),
            ("after", text(&self.after)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn word(value: &impl ValueEnum) -> Value {
    value.to_possible_value().map_or(Value::Null, |value| Value::from(value.get_name()))
}
