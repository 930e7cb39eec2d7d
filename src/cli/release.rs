//! `waybill release`: a session that the provider holds or slows down goes on.

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
/// admin.
#[derive(Debug, Args)]
pub struct Release {
    /// Name of the session.
    #[arg(value_name = "SESSION", value_parser = name)]
    pub session: Name,
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
    /// When there is no such session, or the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { session, reason } = self;
        let path = format!("/v1/sessions/{session}/release");
        let answer = context.tenant()?.put(Method::POST, &path, &json!({"reason": reason}), &[]).await?;
        if context.json() {
            return context.printer.line(answer);
        }
        context.printer.line(match answer["applied"] == json!(true) {
            true => format!("The session {session} may go on."),
            false => format!("The session {session} may go on in a moment: it is in the journal."),
        })
    }
}
