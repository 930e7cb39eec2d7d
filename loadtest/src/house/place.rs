//! Where a target stands: a free port, a folder that is gone afterwards, the secrets it shares with its street.

use super::error::HouseError;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// Signs callbacks.
pub(crate) const APP_SECRET: &str = "5ec2e70f5ec2e70f5ec2e70f5ec2e70f";
/// Signs notifications.
pub(crate) const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Where a target takes callbacks.
pub(crate) const CALLBACKS: &str = "/callback";

/// A port nothing listens on, below the range from which the system takes ports for outgoing connections.
pub(crate) fn free_addr() -> Result<SocketAddr, HouseError> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 10_000).unwrap_or(0);
    (0..10_000)
        .map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, 20_000 + (begin + NEXT.fetch_add(1, Relaxed)) % 10_000)))
        .find(|addr| TcpListener::bind(addr).is_ok())
        .ok_or(HouseError::NoPort)
}

/// A folder that is removed when dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes one below `below`; no other process and no other port has its name.
    pub(crate) fn make(below: &Path, port: u16) -> Result<Self, HouseError> {
        let path = below.join(format!("loadtest-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(HouseError::Folder)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays where it is seen; a measurement is not spoilt by it.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
