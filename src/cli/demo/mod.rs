//! `waybill demo`: a whole installation at work in one process, with Meta's API and a customer's server simulated.
//!
//! The node is the real one, and it is spoken to as customers do: declarations, bulk requests and the story of a message
//! go through its HTTP API. What Meta and the customer saw is compared with what was acknowledged, message by message.
//!
//! | file | holds |
//! | --- | --- |
//! | `folder` | the data folder, removed at the end |
//! | `orders` | the messages, from `config/examples` |
//! | `life` | what goes wrong, as it does in life |
//! | `stage` | simulator, sink and node, started and stopped |
//! | `handover` | declarations, and the messages handed in |
//! | `watch` | how far it has come |
//! | `verdict` | the ledger: counts, tables, whether they agree |
//!
//! To add something that goes wrong: a rule in `life.rs`, and a word about it in its table.

mod folder;
mod handover;
mod life;
mod orders;
mod stage;
mod verdict;
mod watch;

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::host::Host;
use super::inspect::story;
use super::print::Tone;
use super::signal::Stop;
use folder::Folder;
use handover::Book;
use stage::Stage;
use verdict::Verdict;
use watch::Watch;

/// Show a whole installation at work, against a simulator of Meta's API.
///
/// Two tenants hand in 3,000 order notifications for five WhatsApp numbers. The simulator answers as Meta does, limits
/// included: some people are not on WhatsApp, some messages fail hours later (here: milliseconds), one number is
/// throttled for a while, some answers are lost on the way. Both tenants are notified of everything. At the end each
/// message is accounted for, and the exit code says whether the accounts agree.
///
/// Nothing leaves this machine, no account is needed, and the data folder is removed at the end.
#[derive(Debug, Args)]
pub struct Demo {
    /// End when every message is accounted for, instead of staying up to be looked at.
    #[arg(long)]
    pub once: bool,
    /// How many messages are handed in.
    #[arg(long, value_name = "COUNT", default_value_t = orders::ALL, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub messages: u64,
    /// Port of 127.0.0.1 to serve on; 0 lets the system choose.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
}

impl Demo {
    /// Runs the command.
    ///
    /// # Errors
    /// When something does not start; a silent failure when the ledger does not agree.
    pub async fn run(self, context: &Context, host: &dyn Host) -> Result<(), Failure> {
        let mut stop = Stop::catch()?;
        let folder = Folder::open(context.data().map(PathBuf::as_path))?;
        let stage = Stage::set(context, host, &folder, self.port).await?;
        let shown = tokio::select! {
            shown = self.show(context, &stage) => shown,
            reason = stage.node.failed() => Err(broken(&reason)),
            signal = stop.asked() => {
                context.printer.note(format!("{signal}: the demo was broken off."));
                Err(Failure::said(Exit::BadAnswer))
            }
        };
        let stayed = match (&shown, self.once) {
            (Ok(verdict), false) => self.stay(context, &stage, verdict, &mut stop).await,
            _ => Ok(()),
        };
        // Taken down in every case, so that a failed demo leaves nothing behind either.
        let struck = stage.strike().await;
        let removed = folder.remove();
        let verdict = shown?;
        stayed.and(struck).and(removed)?;
        self.conclude(context, &verdict)
    }

    /// From declarations to the ledger.
    async fn show(&self, context: &Context, stage: &Stage) -> Result<Verdict, Failure> {
        let doors = handover::declare(context, stage).await?;
        let book = Book::default();
        let watch = Watch::new(context, stage, self.messages);
        let calm = async {
            life::calm_down(&stage.simulator).await;
            Ok::<_, Failure>(())
        };
        let handing = handover::hand_in(&doors, orders::first(self.messages), &book);
        tokio::try_join!(handing, watch.until_accounted(&book), calm)?;
        let verdict = Verdict::reach(stage, &book, doors.into_iter().map(|door| door.key).next(), watch.elapsed());
        if !context.json() {
            verdict.tell(context, stage)?;
            self.tell_story(context, stage, &verdict).await?;
        }
        Ok(verdict)
    }

    /// One message as `waybill inspect` tells it.
    async fn tell_story(&self, context: &Context, stage: &Stage, verdict: &Verdict) -> Result<(), Failure> {
        let Some(id) = &verdict.example else {
            return Ok(());
        };
        let message = stage.operator()?.get(&format!("/v1/admin/messages/{id}"), &[]).await?;
        context.printer.line(context.printer.paint(Tone::Strong, "\nThe story of one message"))?;
        context.printer.line(story(&context.printer, &message))
    }

    /// Stays up to be looked at, until a signal.
    async fn stay(&self, context: &Context, stage: &Stage, verdict: &Verdict, stop: &mut Stop) -> Result<(), Failure> {
        if context.json() {
            context.printer.line(verdict.json()?)?;
        } else {
            stage.tell_addresses(context, verdict)?;
        }
        tokio::select! {
            _ = stop.asked() => Ok(()),
            reason = stage.node.failed() => Err(broken(&reason)),
        }
    }

    /// The last line, and the exit code.
    fn conclude(&self, context: &Context, verdict: &Verdict) -> Result<(), Failure> {
        if context.json() && self.once {
            context.printer.line(verdict.json()?)?;
        }
        if verdict.agrees() { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
    }
}

fn broken(reason: &str) -> Failure {
    Failure::new(Exit::Internal, format!("the node had to stop: {reason}"))
}
