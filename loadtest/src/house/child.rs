//! A target's process: started with nothing of our own environment that could change it, asked until it answers, ended in order; killed when
//! dropped, by its own handle and nothing else.

use super::error::HouseError;
use crate::client::{Address, Connection};
use http::{Request, StatusCode};
use http_body_util::Full;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a target may take until it answers, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running target.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    log: PathBuf,
}

impl Child {
    /// Starts `program`; what it says is appended to `log`.
    pub(super) fn start(program: &Path, arguments: &[String], log: &Path) -> Result<Self, HouseError> {
        let failed = |source| HouseError::Start { program: program.to_owned(), source };
        let said = File::options().create(true).append(true).open(log).map_err(failed)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(said.try_clone().map_err(failed)?).stderr(said);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WAYBILL_") {
                command.env_remove(name);
            }
        }
        Ok(Self { process: command.spawn().map_err(failed)?, log: log.to_owned() })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until `path` at `addr` is answered with 200.
    pub(super) async fn answers(&mut self, addr: SocketAddr, path: &str) -> Result<(), HouseError> {
        let mut connection = Connection::new(Address::parse(&format!("http://{addr}"))?, Duration::from_secs(5));
        let until = Instant::now() + PATIENCE;
        loop {
            let request = Request::get(path).body(Full::default()).map_err(crate::client::ClientError::from)?;
            if matches!(connection.send(request).await, Ok((StatusCode::OK, _))) {
                return Ok(());
            }
            if !self.is_alive() || Instant::now() >= until {
                return Err(self.trouble("does not answer"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether it has not ended by itself.
    pub(super) fn is_alive(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// Asks it to end, and waits for that.
    pub(super) async fn end(&mut self) -> Result<(), HouseError> {
        kill_process(Pid::from_child(&self.process), Signal::TERM)
            .map_err(|_| self.trouble("cannot be asked to end"))?;
        let until = Instant::now() + PATIENCE;
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(self.trouble(&format!("ended with {status}"))),
                Ok(None) if Instant::now() < until => tokio::time::sleep(LOOK_EVERY).await,
                Ok(None) | Err(_) => return Err(self.trouble("does not end")),
            }
        }
    }

    /// SIGKILL, and gone.
    pub(super) fn kill(&mut self) -> Result<(), HouseError> {
        let killed = self.process.kill().and_then(|()| self.process.wait());
        killed.map(drop).map_err(|_| self.trouble("cannot be killed"))
    }

    /// What went wrong, with the last it said.
    pub(super) fn trouble(&self, what: &str) -> HouseError {
        let said = std::fs::read_to_string(&self.log).unwrap_or_else(|why| format!("its log cannot be read: {why}"));
        // The end of a log says why; a log of an hour is no message.
        let from = said.ceil_char_boundary(said.len().saturating_sub(4096));
        HouseError::Target { what: what.to_owned(), said: said[from..].to_owned() }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has ended already, or it is our own child: there is nobody else to be told of a failure.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
