//! From arguments to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use super::args::{Args, Verb};
use super::context::Context;
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::host::Host;

/// Runs the program. The arguments are those of the process, its own name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>, host: &dyn Host) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => return explained(&error),
    };
    let context = Context::of_process(args.global);
    ExitCode::from(run(&context, args.verb, host).code())
}

/// Help and version go to standard output and are no mistake; anything else is one.
fn explained(error: &clap::Error) -> ExitCode {
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
    // A closed pipe is the reader's choice.
    let _ = error.print();
    ExitCode::from(exit.code())
}

/// Runs one command and says what went wrong, if anything did.
#[must_use]
pub fn run(context: &Context, verb: Verb, host: &dyn Host) -> Exit {
    match runtime(context, &verb).and_then(|runtime| runtime.block_on(perform(context, verb, host))) {
        Ok(()) => Exit::Done,
        Err(failure) => {
            context.printer.failure(&failure);
            failure.exit()
        }
    }
}

/// A node gets the threads its settings ask for; a client's few calls need one.
fn runtime(context: &Context, verb: &Verb) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = match verb {
        Verb::Serve(_) => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let workers = usize::try_from(context.settings()?.runtime.workers).unwrap_or(0);
            if workers > 0 {
                builder.worker_threads(workers);
            }
            builder
        }
        #[cfg(feature = "demo")]
        Verb::Demo(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("cannot start the runtime: {error}")))
}

async fn perform(context: &Context, verb: Verb, host: &dyn Host) -> Result<(), Failure> {
    match verb {
        Verb::Serve(serve) => serve.run(context, host).await,
        #[cfg(feature = "demo")]
        Verb::Demo(demo) => Box::pin(demo.run(context, host)).await,
        Verb::Cluster(cluster) => cluster.run(context, host).await,
        Verb::Apply(apply) => apply.run(context).await,
        Verb::Revoke(revoke) => revoke.run(context).await,
        Verb::Send(send) => Box::pin(send.run(context)).await,
        Verb::Tail(tail) => tail.run(context).await,
        Verb::Inspect(inspect) => inspect.run(context).await,
        Verb::Audit(audit) => Box::pin(audit.run(context)).await,
        Verb::Release(release) => release.run(context).await,
        Verb::Rebind(rebind) => rebind.run(context).await,
        Verb::Campaign(campaign) => campaign.run(context).await,
        Verb::Failures(failures) => failures.run(context).await,
        Verb::Contact(contact) => Box::pin(contact.run(context)).await,
        Verb::Usage(usage) => usage.run(context).await,
        Verb::Suspend(suspend) => suspend.run(context).await,
        Verb::Resume(resume) => resume.run(context).await,
        Verb::Drain(drain) => drain.run(context).await,
        Verb::Gates(gates) => gates.run(context).await,
        Verb::Status(status) => status.run(context).await,
        Verb::CheckConfig(check) => check.run(context),
        Verb::ExitCodes => context.printer.line(EXIT_CODES),
    }
}
