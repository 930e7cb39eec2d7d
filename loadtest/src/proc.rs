//! What the system knows of a process (Linux): CPU time, memory, bytes written; and of a folder: bytes on disk.

use serde::{Deserialize, Serialize};
use std::fs::read_to_string;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

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

/// A closer look at a process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Look {
    /// CPU seconds since its start.
    pub cpu_s: f64,
    /// Memory it holds now (VmRSS), bytes.
    pub rss_bytes: u64,
    /// The most it ever held (VmHWM), bytes.
    pub peak_rss_bytes: u64,
    /// Bytes it had written to disk, deleted files included.
    pub written_bytes: u64,
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

/// Looks closer at process `pid`, which must be of the same user.
///
/// # Errors
/// When there is no such process, or `/proc` looks different than expected.
pub fn look(pid: u32) -> Result<Look> {
    let read = |name: &str| read_to_string(format!("/proc/{pid}/{name}"));
    let (stat, status, io) = (read("stat")?, read("status")?, read("io")?);
    let kib = |name: &str| number(&status, name, " kB").ok_or_else(|| odd("status without memory"));
    Ok(Look {
        cpu_s: cpu_seconds(&stat).ok_or_else(|| odd("stat without CPU times"))?,
        rss_bytes: kib("VmRSS:")? * 1024,
        peak_rss_bytes: kib("VmHWM:")? * 1024,
        written_bytes: number(&io, "write_bytes:", "").ok_or_else(|| odd("io without write_bytes"))?,
    })
}

/// The number of the line that begins with `name`.
fn number(lines: &str, name: &str, unit: &str) -> Option<u64> {
    let line = lines.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(unit)?.trim().parse().ok()
}

/// Bytes that `path` and everything below it take on disk: blocks, so that what is set aside counts and holes do not.
///
/// # Errors
/// When something below it cannot be read; what disappears meanwhile is no error.
pub fn disk_bytes(path: &Path) -> Result<u64> {
    let gone = |why: &Error| why.kind() == ErrorKind::NotFound;
    let about = match std::fs::symlink_metadata(path) {
        Err(why) if gone(&why) => return Ok(0),
        about => about?,
    };
    let own = about.blocks() * 512;
    if !about.is_dir() {
        return Ok(own);
    }
    let entries = match std::fs::read_dir(path) {
        Err(why) if gone(&why) => return Ok(0),
        entries => entries?,
    };
    entries.into_iter().try_fold(own, |sum, entry| Ok(sum + disk_bytes(&entry?.path())?))
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
    use super::{cpu_seconds, disk_bytes, look, number, peak_mib, usage};

    #[test]
    fn a_process_is_read() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(peak_mib("VmPeak:\t  9 kB\nVmHWM:\t    2048 kB\n"), Some(2.0));
        let own = usage(std::process::id()).expect("this process");
        assert!(own.peak_rss_mib > 0.5);
        assert!(usage(u32::MAX).is_err());
        assert_eq!(number("VmRSS:\t  12 kB\nx: 1", "VmRSS:", " kB"), Some(12));
        let own = look(std::process::id()).expect("this process");
        assert!(own.rss_bytes > 500_000 && own.peak_rss_bytes >= own.rss_bytes, "{own:?}");
        assert!(look(u32::MAX).is_err());
    }

    #[test]
    fn a_folder_takes_the_blocks_of_all_below_it() {
        let folder = std::env::temp_dir().join(format!("loadtest-proc-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a")).expect("folder");
        let before = disk_bytes(&folder).expect("bytes");
        std::fs::write(folder.join("a/b"), vec![1; 100_000]).expect("write");
        std::fs::File::create(folder.join("hole")).and_then(|file| file.set_len(1 << 30)).expect("a hole");
        let more = disk_bytes(&folder).expect("bytes") - before;
        assert!((100_000..200_000).contains(&more), "{more}");
        assert_eq!(disk_bytes(&folder.join("gone")).expect("nothing there"), 0);
        std::fs::remove_dir_all(&folder).expect("remove");
    }
}
