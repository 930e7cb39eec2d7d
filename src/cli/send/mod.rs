//! `waybill send`: one message, or a file of them.
//!
//! To add a kind of content for a single message: an option below, and its shape in `one.rs`. A file takes every kind
//! that the API takes, for its lines are requests of the API.

mod file;
mod follow;
mod one;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::context::Context;
use super::failure::Failure;

pub use file::Summary;
pub(super) use file::{load_lines, open};
#[cfg(test)]
pub(super) use one::body;

/// What `waybill send --help` opens with. No doc comment: rustdoc takes indented lines for Rust.
const ABOUT: &str = "\
Send one message, or a file of them

One message:

    waybill send --from orders --to +4915500010000 --text 'Your parcel is on its way.'
    waybill send --from orders --to +4915500010000 \\
        --template order_update --param wbm-100001 --param shipped
    waybill send --from orders --to +4915500010000 \\
        --template appointment_reminder --at 2027-01-31T09:00:00+01:00

A file, one request of the API a line (`-` reads standard input):

    waybill send --file orders.ndjson --run orders-of-monday

Each line without an idempotency key gets one made of the run's name and its number, so an
interrupted run can be repeated under the same name: what was taken is not taken twice.

The key is one of a tenant: set WAYBILL_KEY, or give --key.";

/// Send one message, or a file of them
#[derive(Debug, Args)]
#[command(long_about = ABOUT)]
#[command(group(ArgGroup::new("content").required(true).args(["text", "template", "file"])))]
pub struct Send {
    /// Name of the session or pool that sends.
    #[arg(long, value_name = "SESSION", required_unless_present = "file", conflicts_with = "file")]
    pub from: Option<String>,
    /// Recipient: + and the number with its country code, or bsuid: and a business-scoped user id.
    #[arg(long, value_name = "NUMBER", required_unless_present = "file", conflicts_with = "file")]
    pub to: Option<String>,
    /// Text of the message. WhatsApp takes free text only within 24 hours of the person's last message.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Name of an approved template.
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// Language of the template.
    #[arg(long, value_name = "CODE", default_value = "en", conflicts_with_all = ["text", "file"])]
    pub language: String,
    /// A parameter of the template's body, in order. Repeat it for each.
    #[arg(long = "param", value_name = "TEXT", conflicts_with_all = ["text", "file"])]
    pub params: Vec<String>,
    /// What it is for; decides how long it may wait and what happens when nobody knows whether it was sent.
    #[arg(long, value_name = "CATEGORY", value_parser = ["authentication", "utility", "marketing", "service"], conflicts_with = "file")]
    pub category: Option<String>,
    /// When it is to leave, such as 2027-01-31T09:00:00+01:00: at most 30 days ahead. Without it, at once.
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "file")]
    pub at: Option<String>,
    /// Your own name for the message, repeated in every notification about it.
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    pub reference: Option<String>,
    /// Makes it safe to send the same command again: a key is good for one message.
    #[arg(long, value_name = "KEY", value_parser = idempotency_key, conflicts_with = "file")]
    pub idempotency_key: Option<String>,
    /// Wait until the message was delivered or has failed. A test message has come to its end when it is sent.
    #[arg(long, conflicts_with = "file")]
    pub wait: bool,
    /// File with one request a line; - reads standard input.
    #[arg(long, short = 'f', value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Name of this run of the file. Drawn if not given, and shown.
    #[arg(long, value_name = "NAME", value_parser = run_name, conflicts_with_all = ["text", "template"])]
    pub run: Option<String>,
    /// Write refused lines here, with their numbers and problems, in place of standard error.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "template"])]
    pub refused: Option<PathBuf>,
    /// After the file was taken, go on until every message was delivered or has failed; test messages, until they are sent.
    #[arg(long, conflicts_with_all = ["text", "template"])]
    pub follow: bool,
    /// How long --wait and --follow go on, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// Longest idempotency key that the API takes.
const KEY_MAX: usize = 255;
/// Room for a colon and the number of a line.
const RUN_MAX: usize = KEY_MAX - 1 - 20;

fn idempotency_key(text: &str) -> Result<String, String> {
    visible(text, KEY_MAX)
}

/// A run's name becomes the head of an idempotency key.
fn run_name(text: &str) -> Result<String, String> {
    visible(text, RUN_MAX)
}

/// Passed on as it is written; a slip is found here.
fn time(text: &str) -> Result<String, String> {
    let read = text.parse::<jiff::Timestamp>();
    read.map(|_| text.to_owned()).map_err(|_| "write it as 2027-01-31T09:00:00+01:00".to_owned())
}

fn visible(text: &str, most: usize) -> Result<String, String> {
    let good = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if good { Ok(text.to_owned()) } else { Err(format!("write 1 to {most} visible ASCII characters without spaces")) }
}

impl Send {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses; a silent failure when messages were refused or failed.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.tenant()?;
        match &self.file {
            Some(path) => file::send(context, &client, path, &self).await,
            None => one::send(context, &client, &self).await,
        }
    }

    /// How long to go on.
    fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
