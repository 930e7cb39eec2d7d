//! The process: the built binary as a child of the test. It is killed when dropped, by its own handle and nothing else.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The binary that cargo built for this test.
pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_waybill"))
}

/// A running `waybill`.
#[derive(Debug)]
pub struct Node {
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Node {
    /// Starts the binary; what it says goes to `log`, which begins anew.
    pub fn spawn(binary: &Path, arguments: &[&str], environment: &[(String, String)], log: &Path) -> Self {
        let said = File::create(log).expect("a log file");
        let mut command = Command::new(binary);
        command.args(arguments).stdin(Stdio::null()).stdout(said.try_clone().expect("a second handle")).stderr(said);
        // Settings of whoever runs the tests must not reach the node.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WAYBILL_") {
                command.env_remove(name);
            }
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let child = command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", binary.display()));
        Self { child, log: log.to_owned(), ended: None }
    }

    /// SIGKILL, and the end of it.
    pub fn kill(&mut self) {
        if self.ended.is_none() {
            self.child.kill().expect("our own child");
            self.ended = Some(self.child.wait().expect("our own child"));
        }
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("our own child");
    }

    /// SIGSTOP: it does nothing any more, and its connections stay.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).expect("our own child");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("our own child");
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("our own child");
        }
        self.ended
    }

    /// Waits for its end and gives the exit code. A process that stays is killed, and the test fails.
    pub async fn exit_code(&mut self, patience: Duration) -> i32 {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended() {
                return status.code().unwrap_or_else(|| panic!("ended by a signal: {status}\n{}", self.said()));
            }
            assert!(Instant::now() < until, "still running after {patience:?}:\n{}", self.said());
            // The end of a process has no event to await without a signal handler of our own.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it has written so far: the last 16 KiB.
    pub fn said(&self) -> String {
        let mut bytes = Vec::new();
        File::open(&self.log).and_then(|mut file| file.read_to_end(&mut bytes)).expect("its log");
        let tail = bytes.len().saturating_sub(16 * 1024);
        String::from_utf8_lossy(&bytes[tail..]).into_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("---- the node said:\n{}", self.said());
        }
        self.kill();
    }
}
