//! What keeps a cluster or a keyspace from being used: each case with where, why, and what to do.

use std::path::PathBuf;

use crate::domain::id::InstallationId;

/// Why a keyspace cannot be opened, founded or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CqlError {
    /// No node could be reached.
    #[error(
        "no CQL node of {nodes} can be reached: {why}. Check the addresses, the network, and that the nodes run; nodes that \
         ask for TLS close connections that speak none"
    )]
    Unreachable {
        /// The addresses that were tried.
        nodes: String,
        /// What the client saw.
        why: String,
    },
    /// The nodes refuse user or password, or ask for one.
    #[error("the CQL nodes {nodes} refuse user {user:?}: {why}. Check user and password")]
    Credentials {
        /// The addresses.
        nodes: String,
        /// Who asked; empty: nobody.
        user: String,
        /// What the node said.
        why: String,
    },
    /// The nodes' certificate is not trusted, or they speak no TLS.
    #[error(
        "the TLS connection to the CQL nodes {nodes} failed: {why}. Check that the CA file holds the authority that signed \
         their certificates, that a certificate names its node's IP address, and that the nodes speak TLS on this port"
    )]
    Untrusted {
        /// The addresses.
        nodes: String,
        /// What the client saw.
        why: String,
    },
    /// The file with authorities cannot be used.
    #[error("the CA file {} for the CQL nodes cannot be used: {why}. It must hold certificates in PEM form", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The cluster has no such datacenter.
    #[error("the CQL cluster {nodes} has no datacenter {wanted:?}; it has {known}. Correct `datacenter`")]
    NoDatacenter {
        /// The addresses.
        nodes: String,
        /// What the settings say.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// Several datacenters, and nobody said which is ours.
    #[error(
        "the CQL cluster {nodes} has the datacenters {known}: name the one that is near as `datacenter`. Reads see what was \
         written only within one of them"
    )]
    ManyDatacenters {
        /// The addresses.
        nodes: String,
        /// What there is.
        known: String,
    },
    /// There is no such keyspace.
    #[error("the CQL cluster {nodes} has no keyspace {keyspace:?}; `waybill cluster init` makes it")]
    NoKeyspace {
        /// The addresses.
        nodes: String,
        /// The keyspace.
        keyspace: String,
    },
    /// Founding was cut short.
    #[error("keyspace {keyspace:?} is not founded: `waybill cluster init` was cut short, or never run; run it")]
    Unfounded {
        /// The keyspace.
        keyspace: String,
    },
    /// It holds tables that are not ours.
    #[error("keyspace {keyspace:?} holds tables of something else ({table}, …). Name another keyspace")]
    Strange {
        /// The keyspace.
        keyspace: String,
        /// One of the tables.
        table: String,
    },
    /// It is another installation's.
    #[error(
        "keyspace {keyspace:?} belongs to installation {found} with {partitions} partitions, not to {expected} with {count}. \
         Name another keyspace"
    )]
    Foreign {
        /// The keyspace.
        keyspace: String,
        /// Whose it is.
        found: InstallationId,
        /// Of how many partitions.
        partitions: u16,
        /// Who asked.
        expected: InstallationId,
        /// With how many partitions.
        count: u16,
    },
    /// Fewer copies than are asked for.
    #[error(
        "keyspace {keyspace:?} has {found} replicas in datacenter {datacenter:?}, {wanted} are asked for. Raise the keyspace's \
         replication factor there and repair it, or lower `replicas`"
    )]
    TooFewReplicas {
        /// The keyspace.
        keyspace: String,
        /// Where.
        datacenter: String,
        /// Copies there.
        found: u16,
        /// How many there should be.
        wanted: u16,
    },
    /// A keyspace that loses what its nodes had in memory.
    #[error(
        "keyspace {keyspace:?} has durable_writes = false: a node that ends loses what it had acknowledged. Set it to true"
    )]
    NotDurable {
        /// The keyspace.
        keyspace: String,
    },
    /// The schema was made by a later version.
    #[error(
        "keyspace {keyspace:?} has schema version {found}, and this version of waybill knows only up to {known}; run the \
         newer version"
    )]
    NewerSchema {
        /// The keyspace.
        keyspace: String,
        /// Version found.
        found: u32,
        /// Highest version known.
        known: u32,
    },
    /// The schema was made by an earlier version.
    #[error(
        "keyspace {keyspace:?} has schema version {found}, and this version of waybill needs {known}; `waybill cluster init` \
         brings it there"
    )]
    OlderSchema {
        /// The keyspace.
        keyspace: String,
        /// Version found.
        found: u32,
        /// Version needed.
        known: u32,
    },
    /// What stands in it has a format of a later version.
    #[error(
        "keyspace {keyspace:?} holds format {found}, and this version of waybill knows only up to {known}; run the newer version"
    )]
    NewerFormat {
        /// The keyspace.
        keyspace: String,
        /// Format found.
        found: u16,
        /// Format known.
        known: u16,
    },
    /// What stands in it has a format that this version does not read.
    #[error("keyspace {keyspace:?} holds the old format {found}, and this version of waybill needs {known}; {remedy}")]
    OlderFormat {
        /// The keyspace.
        keyspace: String,
        /// Format found.
        found: u16,
        /// Format needed.
        known: u16,
        /// What to do.
        remedy: &'static str,
    },
    /// The user may not do this.
    #[error("the CQL cluster does not let this user {doing}: {why}. Grant it that right on keyspace {keyspace:?}")]
    NotAllowed {
        /// What was tried.
        doing: String,
        /// The keyspace.
        keyspace: String,
        /// What the node said.
        why: String,
    },
    /// Fewer nodes are alive than have to answer.
    #[error(
        "the CQL cluster could not {doing}: {why}. Check that all its nodes run; a cluster with fewer nodes than `replicas` \
         never has enough"
    )]
    Unavailable {
        /// What was tried.
        doing: String,
        /// What the node said.
        why: String,
    },
    /// No answer in time.
    #[error("the CQL cluster {nodes} did not {doing} in time: {why}. Check that its nodes run; then try again")]
    Silent {
        /// The addresses.
        nodes: String,
        /// What was tried.
        doing: String,
        /// What the client saw last.
        why: String,
    },
    /// A request that no repetition will make good.
    #[error("the CQL cluster refused to {doing}: {why}")]
    Refused {
        /// What was tried.
        doing: String,
        /// What the node said.
        why: String,
    },
}
