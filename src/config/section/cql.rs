//! `[store.cql]`, `[vault.cql]`: a keyspace of a cluster.

use std::path::PathBuf;
use std::time::Duration;

use super::s;
use crate::config::check::{each, keyspace, node, within};
use crate::config::secret::SecretRef;
use crate::config::table::keys;

keys! {
    /// A keyspace in a CQL cluster.
    pub struct Cql {
        /// Some nodes, `host:port`; they name the others.
        nodes: Vec<String> => each(0..=32, node);
        /// The keyspace.
        keyspace: String => keyspace;
        /// The datacenter that is asked; empty: the only one.
        datacenter: String;
        /// Copies of each row in that datacenter.
        replicas: u16 => within(1..=9);
        /// Whether to speak TLS to the nodes.
        tls: bool;
        /// Authorities that may have signed the nodes' certificates; None: the system's.
        tls_ca: Option<PathBuf>;
        /// The user; empty: none.
        user: String;
        /// The user's password.
        password: Option<SecretRef>;
        /// Time for one connection.
        connect_timeout: Duration => within(s(1)..=s(60));
        /// Time for one request.
        request_timeout: Duration => within(s(1)..=s(60));
        /// How long an answer is tried for before who asks is told that there is none.
        patience: Duration => within(s(1)..=s(60));
        // 1,024 are some hundred for each core of a node of eight: beyond that they wait there instead of here.
        /// Requests that write and are on their way at once.
        writes: u32 => within(1..=1_024);
    }
}
