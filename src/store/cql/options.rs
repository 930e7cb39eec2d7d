//! What may be set for the store in a cluster.

use std::time::Duration;

use crate::cql::CqlOptions;

/// Settings. All but the keyspace may change from start to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The cluster and the keyspace.
    pub cluster: CqlOptions,
    /// Requests that write rows and are on their way at once, all partitions together: some nodes' worth. More only makes
    /// each of them slower.
    pub writes: usize,
    /// How long a read is tried before it fails.
    pub patience: Duration,
}

impl Options {
    /// Everything but the cluster as it is by default.
    #[must_use]
    pub fn of(cluster: CqlOptions) -> Self {
        Self { cluster, writes: 128, patience: Duration::from_secs(10) }
    }
}
