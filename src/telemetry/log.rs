//! The log: levels and shape from the settings, ractor's spans off, no message content, no numbers of people.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

/// Installs the process-wide subscriber, writing to standard error, with escape codes only if asked for: files and
/// collectors keep them for ever. A second call in one process is an error that tests
/// may ignore.
///
/// # Errors
/// When one is installed already.
pub fn init(filter: &str, json: bool, color: bool) -> Result<(), TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt;
    // ractor opens a span per actor; the actors' own names are in our fields.
    let filter =
        EnvFilter::try_new(format!("{filter},ractor=warn")).unwrap_or_else(|_| EnvFilter::new("info,ractor=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(color).with_writer(std::io::stderr);
    if json { builder.json().finish().try_init() } else { builder.finish().try_init() }
}
