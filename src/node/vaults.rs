//! Where keys and secrets are: in the data folder, or in a keyspace of a CQL cluster. Nothing above knows which.

use std::sync::Arc;

use super::error::StartError;
use super::folder::{Folder, Found};
use super::rows::{cluster, owner};
use super::watch;
use crate::config::{Settings, VaultKind};
use crate::domain::id::InstallationId;
use crate::journal::Genesis;
use crate::runtime::{Clock, Entropy};
use crate::vault::cql::Options;
use crate::vault::{CacheBounds, CqlVault, FileVault, Opening, Vault};

/// A vault, and why the node starts held, if it does.
pub type Opened = (Arc<dyn Vault>, Option<String>);

/// A vault that was found before the journal was.
pub struct Standing {
    /// Whose it is.
    pub installation: InstallationId,
    /// Whether it has seen a journal of that installation.
    pub used: bool,
}

/// Opens the vault of a journal.
///
/// # Errors
/// When it is not there, damaged, somebody else's, or does not open under this node's key.
pub async fn open(
    settings: &Settings,
    folder: &Folder,
    genesis: Genesis,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Opened, StartError> {
    match settings.vault.kind {
        VaultKind::Files => {
            let (vault, report) = FileVault::open(opening(settings, folder, genesis.count, clock, entropy))?;
            belongs(folder, vault.installation(), genesis)?;
            Ok((Arc::new(vault), watch::put_together(&report)))
        }
        VaultKind::Cql => {
            let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
            let vault = CqlVault::open(&options(settings, folder)?, owner(genesis), clock, entropy).await?;
            Ok((Arc::new(vault), None))
        }
    }
}

/// The vault that is there before an installation's journal is founded.
///
/// # Errors
/// When it cannot be read.
pub async fn standing(
    settings: &Settings,
    folder: &Folder,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Option<Standing>, StartError> {
    match settings.vault.kind {
        VaultKind::Files if folder.found() == Found::Nothing => Ok(None),
        VaultKind::Files => {
            let count = settings.journal.partitions;
            let vault = FileVault::open(opening(settings, folder, count, clock, entropy))?.0;
            let standing = Standing { installation: vault.installation(), used: !vault.marks().is_empty() };
            vault.close().await?;
            Ok(Some(standing))
        }
        VaultKind::Cql => {
            let found = CqlVault::standing(&options(settings, folder)?).await?;
            let standing = |it: crate::vault::cql::Standing| Standing {
                installation: it.owner.installation,
                used: !it.marks.is_empty(),
            };
            Ok(found.map(standing))
        }
    }
}

/// Founds the vault, or finishes what a founding that was cut short has left of it.
///
/// # Errors
/// When it cannot be written, or is somebody else's.
pub async fn found(
    settings: &Settings,
    folder: &Folder,
    genesis: Genesis,
    entropy: &dyn Entropy,
) -> Result<(), StartError> {
    match settings.vault.kind {
        VaultKind::Files if folder.found() != Found::Nothing => Ok(()),
        VaultKind::Files => {
            let (key_file, vault) = (settings.vault.key_file.as_deref(), folder.vault());
            Ok(FileVault::init(&vault, key_file, genesis.installation, genesis.count, entropy)?)
        }
        VaultKind::Cql => Ok(CqlVault::found(&options(settings, folder)?, owner(genesis), entropy).await?),
    }
}

fn belongs(folder: &Folder, found: InstallationId, genesis: Genesis) -> Result<(), StartError> {
    if found == genesis.installation {
        return Ok(());
    }
    let why = format!(
        "its vault is of installation {found}, its journal of {}; put back the vault that belongs to the journal",
        genesis.installation
    );
    Err(StartError::Folder { path: folder.vault(), why })
}

fn bounds(settings: &Settings) -> CacheBounds {
    let most = usize::try_from(settings.vault.key_cache_entries).unwrap_or(50_000);
    CacheBounds { life: settings.vault.key_cache, most }
}

fn opening(
    settings: &Settings,
    folder: &Folder,
    count: u16,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Opening {
    Opening {
        dir: folder.vault(),
        key_file: settings.vault.key_file.clone(),
        cache: bounds(settings),
        count,
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
    }
}

fn options(settings: &Settings, folder: &Folder) -> Result<Options, StartError> {
    let cql = &settings.vault.cql;
    // The settings' own rules ask for the file; in the folder it would be this node's alone.
    let key_file = settings.vault.key_file.clone().unwrap_or_else(|| folder.vault().join("instance.key"));
    Ok(Options {
        cluster: cluster(cql)?,
        writes: usize::try_from(cql.writes).unwrap_or(128),
        patience: cql.patience,
        key_file,
        cache: bounds(settings),
    })
}
