//! `waybill rebind`: what waits at a session goes to another.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use crate::config::Name;

/// Move what waits at a session to another session, or to a pool.
///
/// For a number that is given up or barred. What is under way, or may have been sent, stays where it is; so do lines of
/// campaigns, but for those that go back to their pool. --dry-run counts and moves nothing. Needs a key of the tenant with the
/// role admin.
#[derive(Debug, Args)]
pub struct Rebind {
    /// Name of the session.
    #[arg(value_name = "SESSION", value_parser = name)]
    pub session: Name,
    /// Name of the session or pool that is to send instead.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub to: Name,
    /// Why, in a few words; kept in the journal, in the clear.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub reason: Option<String>,
    /// Say how many would move, and move none.
    #[arg(long)]
    pub dry_run: bool,
}

/// Names go into a path: nothing else may stand in it.
fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).ok_or_else(|| "a name is 1 to 63 lower-case letters, digits and hyphens".to_owned())
}

impl Rebind {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such session, or the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { session, to, reason, dry_run } = self;
        let path = format!("/v1/sessions/{session}/rebind");
        let body = json!({"to": to.as_str(), "reason": reason, "dry_run": dry_run});
        let answer = context.tenant()?.put(Method::POST, &path, &body, &[]).await?;
        if context.json() {
            return context.printer.line(answer);
        }
        let (matched, stay) = (&answer["matched"], &answer["left_out"]);
        context.printer.line(match (dry_run, answer["applied"] == json!(true)) {
            (true, _) => format!("{matched} would move from {session} to {to}; {stay} stay. Nothing was moved."),
            (false, true) => format!("{matched} moved from {session} to {to}; {stay} stay."),
            (false, false) => format!("{matched} move from {session} to {to} in a moment; {stay} stay."),
        })?;
        if answer["more"] == json!(true) {
            context.printer.note("There are more: run it again.".to_owned());
        }
        Ok(())
    }
}
