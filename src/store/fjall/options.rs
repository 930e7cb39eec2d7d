//! What may be set for the embedded store.

/// Sizes in bytes. All may change from start to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Rows kept in memory before they are written out. At most four such tables exist at once (one filling, three
    /// being written), so 8 MiB make 32 MiB at worst and 16 MiB as a rule; 4 MiB cost 15 % more CPU and half again the
    /// disk writes, 16 MiB save next to nothing.
    pub memtable: u64,
    /// Cache of blocks read from disk.
    pub cache: u64,
    /// Log files on disk before the oldest is freed; also what a start has to read. At least [`Options::MIN_LOG`].
    pub log: u64,
}

impl Options {
    /// The engine writes its log in files of this size.
    pub const MIN_LOG: u64 = 64 * 1024 * 1024;
}

impl Default for Options {
    fn default() -> Self {
        Self { memtable: 8 * 1024 * 1024, cache: 16 * 1024 * 1024, log: 2 * Self::MIN_LOG }
    }
}
