//! The synced file: one writer thread, group commit.
//!
//! Record: length (4 bytes, little endian), body. What comes in while a group is being synced is the next group.

use super::config::Synced;
use bytes::Bytes;
use std::fs::File;
use std::io::{Result, Seek as _, SeekFrom, Write as _};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Records of one group at most.
const GROUP: usize = 256;
/// Records waiting for the writer at most; beyond it callers wait.
const WAITING: usize = 4096;
/// Zeros are written in pages: larger writes would stay in the page cache as large folios, and each sync would write the whole folio.
const PAGE: [u8; 4096] = [0; 4096];

struct Record {
    body: Bytes,
    synced: oneshot::Sender<()>,
}

/// A handle to the writer; it ends when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Wal {
    writer: mpsc::Sender<Record>,
}

impl Wal {
    pub(super) fn open(settings: &Synced) -> Result<Self> {
        let mut file = File::create(&settings.path)?;
        for _ in 0..settings.prefill_mib * 256 {
            file.write_all(&PAGE)?;
        }
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let (writer, records) = mpsc::channel(WAITING);
        let linger = Duration::from_micros(settings.linger_us);
        std::thread::Builder::new().name("wal".into()).spawn(move || write(file, records, linger))?;
        Ok(Self { writer })
    }

    /// Returns once `body` is on disk; `false` when it never will be: the writer has failed.
    pub(super) async fn append(&self, body: Bytes) -> bool {
        let (synced, done) = oneshot::channel();
        self.writer.send(Record { body, synced }).await.is_ok() && done.await.is_ok()
    }
}

/// Ends at the first failure: a file whose sync failed holds nobody knows what, so nothing more is promised.
fn write(mut file: File, mut records: mpsc::Receiver<Record>, linger: Duration) {
    let (mut group, mut out) = (Vec::with_capacity(GROUP), Vec::with_capacity(256 * 1024));
    while records.blocking_recv_many(&mut group, GROUP) > 0 {
        if !linger.is_zero() {
            std::thread::sleep(linger);
            while group.len() < GROUP
                && let Ok(record) = records.try_recv()
            {
                group.push(record);
            }
        }
        out.clear();
        for record in &group {
            out.extend_from_slice(&u32::try_from(record.body.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&record.body);
        }
        if file.write_all(&out).and_then(|()| file.sync_data()).is_err() {
            return;
        }
        for record in group.drain(..) {
            // A caller that went away needs no answer.
            let _gone = record.synced.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Synced, Wal};
    use bytes::Bytes;

    #[tokio::test]
    async fn what_was_promised_is_in_the_file() {
        let path = std::env::temp_dir().join(format!("loadtest-wal-{}", std::process::id()));
        let wal = Wal::open(&Synced { path: path.clone(), linger_us: 500, prefill_mib: 1 }).expect("open");
        let both = tokio::join!(wal.append(Bytes::from_static(b"one")), wal.append(Bytes::from_static(b"two!")));
        assert_eq!(both, (true, true));
        let bytes = std::fs::read(&path).expect("read");
        assert_eq!(bytes.len(), 1024 * 1024);
        assert!(bytes.starts_with(b"\x03\0\0\0one\x04\0\0\0two!\0"), "{:?}", &bytes[..20]);
        std::fs::remove_file(&path).expect("remove");
    }
}
