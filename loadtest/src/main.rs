//! `loadtest`: simulator, sink, forwarder, and a load run, each as a program.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports to its caller's terminal")]

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::main(cli::Args::parse())
}
