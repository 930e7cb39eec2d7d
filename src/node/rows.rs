//! Where the rows are: in the data folder, or in a keyspace of a CQL cluster. Nothing above knows which.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::error::StartError;
use super::folder::Folder;
use crate::config::{Cql, Settings, StoreKind};
use crate::cql::{CqlOptions, Login, Owner, Tls};
use crate::domain::id::NodeId;
use crate::journal::Genesis;
use crate::runtime::Clock;
use crate::store::Store;
use crate::store::cql::{CqlStore, Options as ClusterOptions};
use crate::store::fjall::{FjallStore, Options};

/// Opens the rows of a journal.
///
/// # Errors
/// When they are not there, damaged, somebody else's, or of another journal.
pub async fn open(
    settings: &Settings,
    folder: &Folder,
    genesis: Genesis,
    node: NodeId,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Store>, StartError> {
    match settings.store.kind {
        StoreKind::Embedded => {
            let options = Options {
                memtable: settings.store.memtable.bytes(),
                cache: settings.store.cache.bytes(),
                ..Options::default()
            };
            Ok(Arc::new(FjallStore::open(&folder.store(), genesis.installation, &options)?))
        }
        StoreKind::Cql => {
            let opened = CqlStore::open(&options(settings)?, owner(genesis), node, Arc::clone(clock)).await?;
            Ok(Arc::new(opened))
        }
    }
}

/// Founds the keyspace of a journal's rows, where they are in a cluster.
///
/// # Errors
/// When the cluster cannot be used, or the keyspace is somebody else's.
pub async fn found(settings: &Settings, genesis: Genesis) -> Result<(), StartError> {
    match settings.store.kind {
        StoreKind::Embedded => Ok(()),
        StoreKind::Cql => Ok(CqlStore::found(&options(settings)?, owner(genesis)).await?),
    }
}

/// Whose keyspaces they are.
pub fn owner(genesis: Genesis) -> Owner {
    Owner { installation: genesis.installation, partitions: genesis.count }
}

fn options(settings: &Settings) -> Result<ClusterOptions, StartError> {
    let cql = &settings.store.cql;
    Ok(ClusterOptions {
        cluster: cluster(cql)?,
        writes: usize::try_from(cql.writes).unwrap_or(128),
        patience: cql.patience,
    })
}

/// How the nodes of a keyspace are spoken to.
///
/// # Errors
/// When its password cannot be read.
pub fn cluster(cql: &Cql) -> Result<CqlOptions, StartError> {
    let login = match &cql.password {
        Some(password) => {
            let password = Zeroizing::new(password.resolve()?.expose().to_owned());
            Some(Login { user: cql.user.clone(), password })
        }
        None => None,
    };
    Ok(CqlOptions {
        nodes: cql.nodes.clone(),
        keyspace: cql.keyspace.clone(),
        datacenter: Some(cql.datacenter.clone()).filter(|datacenter| !datacenter.is_empty()),
        replicas: cql.replicas,
        tls: cql.tls.then(|| Tls { ca: cql.tls_ca.clone() }),
        login,
        connect: cql.connect_timeout,
        request: cql.request_timeout,
    })
}
