//! What we claim to speak, judged by programs that others wrote: `tests/foreign/README.md` says which, and how they are
//! installed.
//!
//! Each test needs that installation and is ignored without it; a missing interpreter or library fails it loudly.
//!
//! To add a program: its folder in `tests/foreign/` with its lock file, and a file here.

mod audit;
mod graph_clients;
mod notified;
mod signatures;
mod sink;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `tests/run foreign` (or `tests/foreign/install.sh`) puts what a suite needs.
fn installed(suite: &str) -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = scratch.parent().expect("the target folder").join("foreign").join(suite);
    assert!(place.is_dir(), "{} is missing: run `tests/run foreign` first", place.display());
    place
}

fn source(suite: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(suite).join(file)
}

/// A Python program of a suite, with its libraries.
fn python(suite: &str, file: &str) -> Command {
    let mut command = Command::new(installed(suite).join("venv/bin/python"));
    command.arg(source(suite, file));
    command
}

/// A JavaScript program of a suite, with its libraries.
fn node(suite: &str, file: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(source(suite, file)).env("NODE_PATH", installed(suite).join("node_modules"));
    command
}
