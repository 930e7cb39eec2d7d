//! A full disk is refused, not suffered: intake stops before the last byte, what was accepted stays, and it goes on by
//! itself when there is room again. And a disk that may only be read.
//!
//! A small disk of its own is mounted for each test, which takes root: `tests/run` asks for it as root, everywhere else
//! these tests are left out by their `#[ignore]`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::statvfs;
use waybill_loadtest::ledger::Ack;

use super::accounts::{Accounts, PATIENCE};
use super::house::{House, Plan};

/// A file system in memory. Unmounted when dropped.
struct Disk {
    at: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    fn mount(mib: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().join("disk");
        fs::create_dir(&at).expect("a mount point");
        run("mount", &["-t", "tmpfs", "-o", &format!("size={mib}m"), "waybill-test", path(&at)]);
        Self { at, _folder: folder }
    }

    fn read_only(&self) {
        run("mount", &["-o", "remount,ro", path(&self.at)]);
    }

    fn free(&self) -> u64 {
        let stat = statvfs(&self.at).expect("it is mounted");
        stat.f_bavail * stat.f_frsize
    }

    /// Leaves so many bytes free.
    fn fill_up_to(&self, free: u64) {
        let mut file = fs::File::create(self.filler()).expect("a file");
        let block = vec![0xA5; 64 * 1024];
        while self.free() > free + block.len() as u64 {
            file.write_all(&block).expect("there is room for it");
        }
    }

    fn clear(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the node's last handle may still be closing.
        run("umount", &["-l", path(&self.at)]);
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).output().expect("mount and umount exist");
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

const MIB: u64 = 1024 * 1024;

fn small(disk: &Disk) -> Plan {
    Plan::new()
        .set("data.dir", disk.at.join("data").display().to_string())
        .set("journal.segment_size", "5MiB")
        .set("journal.batch_bytes", "2MiB")
        .set("store.memtable", "1MiB")
        // More than the next segment and what is written between two looks at the disk.
        .set("health.disk_free_min", "14MiB")
}

/// Hands in messages until one is refused; what was accepted, and the refusal.
async fn until_refused(house: &House, name: &str, patience: Duration) -> (Vec<Ack>, u16, String, bool) {
    let (mut acks, until) = (Vec::new(), Instant::now() + patience);
    for n in 0.. {
        assert!(Instant::now() < until, "{} messages, and none was refused", acks.len());
        let marker = format!("wbm-{name}-{n}");
        let to = format!("+49155500{:05}", n % 1000);
        let reply = house.hand_in("s0", &to, &format!("{} {marker}", "x".repeat(3_000))).await.expect("an answer");
        if reply.status != 202 {
            return (acks, reply.status, reply.code(), reply.headers.contains_key("retry-after"));
        }
        let id = reply.json()["id"].as_str().expect("an id").to_owned();
        acks.push(Ack { marker, id, from: "s0".to_owned(), to, ..Ack::default() });
    }
    unreachable!("the loop has no end of its own")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "mounts a small disk, which takes root: tests/run"]
async fn a_full_disk_is_refused_and_nothing_accepted_is_lost() {
    let disk = Disk::mount(64);
    let mut house = House::open(small(&disk)).await;
    // From outside, at once: below the floor before the node has looked again.
    disk.fill_up_to(4 * MIB);
    let (mut acks, status, code, again) = until_refused(&house, "a", Duration::from_secs(60)).await;
    assert_eq!((status, &*code, again), (503, "unhealthy", true));
    let reply = house.http.get("/readyz", "").await.expect("an answer");
    assert_eq!(reply.status, 503, "{reply}");
    assert!(house.node().ended().is_none(), "refusing is not dying");
    disk.clear();
    house.ready().await;
    // And from inside: the node's own records use the disk up.
    disk.fill_up_to(28 * MIB);
    let (more, status, code, _) = until_refused(&house, "b", Duration::from_secs(60)).await;
    assert_eq!((status, &*code), (503, "unhealthy"));
    assert!(!more.is_empty() && disk.free() > MIB, "{} bytes were left", disk.free());
    acks.extend(more);
    // A kill while it is full: what it has written is enough to begin again.
    house.kill();
    disk.clear();
    house.start().await;
    let accounts = Accounts::settle(&house, &acks, PATIENCE).await;
    println!("acknowledged {}\n{accounts}", acks.len());
    assert!(accounts.is_clean(), "{accounts}");
    let id = house.accept("s0", "+4915550009999", "room again").await;
    house.until(&id, &["delivered"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "mounts a small disk, which takes root: tests/run"]
async fn a_disk_that_may_only_be_read_is_refused() {
    let disk = Disk::mount(64);
    let mut house = House::open(small(&disk)).await;
    let id = house.accept("s0", "+4915550000001", "before").await;
    house.until(&id, &["delivered"]).await;
    house.stop().await;
    disk.read_only();
    let (code, said) = house.refused().await;
    assert_eq!(code, 5, "{said}");
    let plain: Vec<&str> = said.split_whitespace().collect();
    assert!(plain.join(" ").contains("cannot be written"), "{said}");
}
