//! `waybill serve`: a node, until a signal asks it to stop.

use clap::Args;

use super::context::{Context, listening_url};
use super::exit::Exit;
use super::failure::Failure;
use super::host::{Host, Hosted};
use super::signal::Stop;

/// Run a node: accept messages, send them, notify endpoints.
///
/// It runs until SIGTERM or SIGINT, then takes nothing more, lets what is under way come to its end, and leaves. A second
/// signal ends it at once; nothing that was acknowledged is lost either way. At its first start it makes the data folder
/// and a key for the operator (operator.key in that folder).
///
/// Several nodes share the work where journal, store and vault are in clusters: each takes part of the partitions, and hands
/// them over when it is asked to stop.
#[derive(Debug, Args)]
pub struct Serve {
    /// What this node is for, whatever the settings say: api, worker, or both.
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Vec<String>,
}

impl Serve {
    /// What the arguments say beyond the settings, as the environment would.
    fn overrides(&self) -> Vec<(String, String)> {
        let roles = (!self.roles.is_empty()).then(|| ("WAYBILL_RUNTIME__ROLES".to_owned(), self.roles.join(",")));
        roles.into_iter().collect()
    }

    /// Runs the command.
    ///
    /// # Errors
    /// When the node does not start, can no longer do its work, or does not come to a proper end.
    pub async fn run(self, context: &Context, host: &dyn Host) -> Result<(), Failure> {
        let settings = context.settings_with(&self.overrides())?;
        let tls = settings.server.tls_cert.is_some();
        host.log(&settings, context.log_color())
            .map_err(|what| Failure::usage(what).remedy("Correct telemetry.log in the settings."))?;
        // Caught before the start: a signal during a long replay must not be lost.
        let mut stop = Stop::catch()?;
        let node = tokio::select! {
            started = host.start(settings) => started?,
            signal = stop.asked() => {
                context.printer.note(format!("{signal}: left before the node was ready."));
                return Ok(());
            }
        };
        context.printer.note(format!("Waybill serves {}.", listening_url(node.addr(), tls)));
        until_asked(context, node, &mut stop).await
    }
}

async fn until_asked(context: &Context, node: Box<dyn Hosted>, stop: &mut Stop) -> Result<(), Failure> {
    let broken = tokio::select! {
        reason = node.failed() => Some(reason),
        signal = stop.asked() => {
            context.printer.note(format!("{signal}: letting what is under way come to its end. A second signal ends it at once."));
            None
        }
    };
    let stopped = tokio::select! {
        stopped = node.stop() => stopped,
        signal = stop.asked() => Err(format!("{signal} came again before everything under way had ended")),
    };
    if let Some(reason) = broken {
        return Err(Failure::new(Exit::Internal, format!("the node had to stop: {reason}")).remedy(
            "Nothing that was acknowledged is lost: it goes on where it was at the next start. The log tells more.",
        ));
    }
    stopped.map_err(|what| {
        Failure::new(Exit::Internal, format!("the node did not come to a proper end: {what}"))
            .remedy("Nothing that was acknowledged is lost. Attempts without an answer are found and settled at the next start.")
    })
}
