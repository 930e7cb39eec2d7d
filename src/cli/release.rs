//! `waybill release`: a session that the provider holds or slows down goes on, or a portfolio that it holds.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use crate::config::Name;

/// Lift a session's hold, and its lowered rate, before their time.
///
/// For a session whose token was mended, or when Meta says that the number is well again. Nothing is forced: if Meta still
/// refuses, the hold comes back with its next answer. A suspension is not lifted. Needs a key of the tenant with the role
/// admin; for a portfolio, whose sessions may belong to several tenants, the operator's.
#[derive(Debug, Args)]
pub struct Release {
    /// Name of the session.
    #[arg(value_name = "SESSION", value_parser = name, required_unless_present = "portfolio")]
    pub session: Option<Name>,
    /// Lift the hold of this portfolio instead.
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with = "session")]
    pub portfolio: Option<Name>,
    /// Why, in a few words; kept in the journal, in the clear.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Names go into a path: nothing else may stand in it.
fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).ok_or_else(|| "a name is 1 to 63 lower-case letters, digits and hyphens".to_owned())
}

impl Release {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such session or portfolio, or the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { session, portfolio, reason } = self;
        let (client, path, what) = match (session, portfolio) {
            (Some(session), _) => {
                (context.tenant()?, format!("/v1/sessions/{session}/release"), format!("The session {session}"))
            }
            (None, Some(name)) => {
                (context.operator()?, format!("/v1/admin/portfolios/{name}/release"), format!("The portfolio {name}"))
            }
            (None, None) => return Err(Failure::usage("say which session, or which portfolio")),
        };
        let answer = client.put(Method::POST, &path, &json!({"reason": reason}), &[]).await?;
        if context.json() {
            return context.printer.line(answer);
        }
        context.printer.line(match answer["applied"] == json!(true) {
            true => format!("{what} may go on."),
            false => format!("{what} may go on in a moment: it is in the journal."),
        })
    }
}
