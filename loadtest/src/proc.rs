//! What the system knows of a process (Linux): CPU time and peak memory.

use serde::{Deserialize, Serialize};
use std::fs::read_to_string;
use std::io::{Error, ErrorKind, Result};

/// Ticks per second in `/proc/<pid>/stat`. The kernel shows 100 to user space on every architecture we run on.
const TICKS: f64 = 100.0;

/// One look at a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU seconds since its start, in user and kernel together, all threads.
    pub cpu_s: f64,
    /// The most memory it ever held (VmHWM), MiB.
    pub peak_rss_mib: f64,
}

fn odd(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

/// Looks at process `pid`.
///
/// # Errors
/// When there is no such process, or `/proc` looks different than expected.
pub fn usage(pid: u32) -> Result<Usage> {
    let cpu_s =
        cpu_seconds(&read_to_string(format!("/proc/{pid}/stat"))?).ok_or_else(|| odd("stat without CPU times"))?;
    let peak_rss_mib =
        peak_mib(&read_to_string(format!("/proc/{pid}/status"))?).ok_or_else(|| odd("status without VmHWM"))?;
    Ok(Usage { cpu_s, peak_rss_mib })
}

/// Fields 14 and 15 of `stat`; the name in field 2 may hold spaces, so counting starts behind its bracket.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

fn peak_mib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, peak_mib, usage};

    #[test]
    fn a_process_is_read() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(peak_mib("VmPeak:\t  9 kB\nVmHWM:\t    2048 kB\n"), Some(2.0));
        let own = usage(std::process::id()).expect("this process");
        assert!(own.peak_rss_mib > 0.5);
        assert!(usage(u32::MAX).is_err());
    }
}
