//! `[data]`, `[journal]`, `[store]`, `[vault]`: what is kept on disk.

use std::path::PathBuf;
use std::time::Duration;

use super::cql::Cql;
use super::kafka::Kafka;
use super::{ms, s};
use crate::config::check::within;
use crate::config::choice::choice;
use crate::config::size::Size;
use crate::config::table::keys;

keys! {
    /// The data folder.
    pub struct Data {
        /// The folder that holds journal, store and vault.
        dir: PathBuf;
    }
}

choice! {
    /// How much of the journal is verified at start.
    pub enum Verify {
        /// Every record of every segment.
        All = "all",
        /// The last segment of each partition.
        Tail = "tail",
    }
}

choice! {
    /// Where the journal is.
    pub enum JournalKind {
        /// In the data folder of the one node.
        Embedded = "embedded",
        /// In a topic of a Kafka cluster.
        Kafka = "kafka",
    }
}

keys! {
    /// The journal.
    pub struct Journal {
        /// Where it is.
        kind: JournalKind;
        /// Number of partitions; fixed when the installation is founded.
        partitions: u16 => within(1..=1024);
        /// Size of a segment file.
        segment_size: Size => within(Size::mib(4)..=Size::gib(1));
        /// Events in one group commit.
        batch_events: u32 => within(1..=4096);
        // At least 2 MiB, so that the largest record (1 MiB) fits a batch with its frame.
        /// Bytes in one group commit.
        batch_bytes: Size => within(Size::mib(2)..=Size::mib(16));
        /// How long a group commit waits for company.
        linger: Duration => within(ms(0)..=ms(10));
        /// How much is verified at start.
        verify: Verify;
        /// Memory for the newest records, which readers are served from.
        tail_memory: Size => within(Size::mib(4)..=Size::gib(4));
        /// The topic, where the journal is in Kafka.
        kafka: Kafka;
    }
}

choice! {
    /// Where the rows are.
    pub enum StoreKind {
        /// In the data folder of the one node.
        Embedded = "embedded",
        /// In a keyspace of a CQL cluster.
        Cql = "cql",
    }
}

keys! {
    /// The store.
    pub struct Store {
        /// Where it is.
        kind: StoreKind;
        /// Memory for blocks read from disk.
        cache: Size => within(Size::mib(8)..=Size::gib(64));
        /// Memory for rows not yet written to tables.
        memtable: Size => within(Size::mib(1)..=Size::gib(1));
        /// The keyspace, where the rows are in a cluster.
        cql: Cql;
    }
}

choice! {
    /// Where the vault is.
    pub enum VaultKind {
        /// In files in the data folder of the one node.
        Files = "files",
        /// In a keyspace of a CQL cluster.
        Cql = "cql",
    }
}

keys! {
    /// The vault of keys and secrets.
    pub struct Vault {
        /// Where it is.
        kind: VaultKind;
        /// The instance key; None: `<data.dir>/vault/instance.key`.
        key_file: Option<PathBuf>;
        // At most 60 s: so long may an erased key still be used.
        /// How long an unwrapped contact key stays in memory.
        key_cache: Duration => within(s(0)..=s(60));
        // About 200 bytes an entry: 100,000 are 20 MB, the limit of 10 million is 2 GB.
        /// How many unwrapped contact keys stay in memory.
        key_cache_entries: u32 => within(100..=10_000_000);
        /// The keyspace, where the vault is in a cluster.
        cql: Cql;
    }
}
