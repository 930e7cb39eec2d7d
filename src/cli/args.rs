//! The command line: what every command takes, and which commands there are. Each command's own arguments stand beside
//! its verb.

use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use super::exit::EXIT_CODES;
use super::{
    apply, audit, campaign, check_config, cluster, contact, failures, gates, inspect, rebind, release, revoke, send,
    serve, status, stop, tail, usage,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "waybill",
    version,
    about = "Routes messages between business systems and people on WhatsApp",
    long_about = "Routes messages between business systems and people on WhatsApp.\n\n\
        Every message is written to a journal before it is acknowledged, and so is every attempt and what became \
        of it.\n\n\
        New here? `waybill demo` shows a whole installation at work, without any account of Meta's.",
    after_long_help = EXIT_CODES,
    after_help = "`waybill --help` also lists the exit codes.",
    styles = STYLES,
    max_term_width = 100,
    disable_help_subcommand = false,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Args {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What every command takes.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Global {
    /// Settings file. Without it the defaults hold.
    #[arg(long, short = 'c', global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Data folder, in place of `data.dir` of the settings.
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub data: Option<PathBuf>,
    /// Address of the server, such as https://waybill.example. Otherwise WAYBILL_URL, or else `server.listen` of the
    /// settings.
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub url: Option<String>,
    /// Key to call the server with: `env:NAME`, `file:/path`, or the key itself, which other users of this machine can
    /// then see. Otherwise WAYBILL_KEY. Commands of the operator take the file operator.key in the data folder where this is
    /// not given and WAYBILL_KEY is no operator's key.
    #[arg(long, global = true, value_name = "KEY", help_heading = "Everywhere")]
    pub key: Option<String>,
    /// Write results as JSON, one object a line.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// Write no progress and no remarks, only results and errors.
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub quiet: bool,
    /// When to use colour, in the log too. `auto`: at a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Everywhere")]
    pub color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// At a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands. What each does stands at its arguments.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the help text of the arguments")]
pub enum Verb {
    Serve(serve::Serve),
    #[cfg(feature = "demo")]
    Demo(super::demo::Demo),
    Cluster(cluster::Cluster),
    Apply(apply::Apply),
    Revoke(revoke::Revoke),
    Send(Box<send::Send>),
    Tail(tail::Tail),
    Inspect(inspect::Inspect),
    Audit(audit::Audit),
    Release(release::Release),
    Rebind(rebind::Rebind),
    Campaign(campaign::Campaign),
    Failures(failures::Failures),
    Contact(contact::Contact),
    Usage(usage::Usage),
    Suspend(stop::Suspend),
    Resume(stop::Resume),
    Drain(stop::Drain),
    Gates(gates::Gates),
    Status(status::Status),
    CheckConfig(check_config::CheckConfig),
    /// List the exit codes and what each means
    ExitCodes,
}
