//! Where the journal is: in the data folder, or in a topic of a Kafka cluster. Nothing above knows which.

use std::sync::Arc;
use std::time::Duration;

use super::error::StartError;
use super::folder::{Folder, Found};
use super::vaults;
use crate::config::{JournalKind, Settings, VaultKind, Verify};
use crate::domain::id::InstallationId;
use crate::journal::kafka::{Login, Security, Tls};
use crate::journal::{EmbeddedJournal, FolderLock, Genesis, Journal, KafkaJournal, KafkaOptions, Options, segments};
use crate::runtime::{Clock, Entropy};
use crate::telemetry;

/// A journal, and the hold on the data folder when the journal does not have it itself.
pub struct Column {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// Kept until the node has stopped.
    pub lock: Option<FolderLock>,
}

/// Opens the journal that the settings name; founds a new installation in an empty folder, where it is embedded.
///
/// # Errors
/// When it is not there, damaged, somebody else's, or does not go together with what the folder holds.
pub async fn open(
    settings: &Settings,
    folder: &Folder,
    clock: &Arc<dyn Clock>,
    entropy: &dyn Entropy,
) -> Result<Column, StartError> {
    match settings.journal.kind {
        JournalKind::Embedded => embedded(settings, folder, clock, entropy),
        JournalKind::Kafka => kafka(settings, folder, clock).await,
    }
}

fn embedded(
    settings: &Settings,
    folder: &Folder,
    clock: &Arc<dyn Clock>,
    entropy: &dyn Entropy,
) -> Result<Column, StartError> {
    let options = embedded_options(settings);
    match folder.found() {
        Found::Nothing => folder.found_new(settings, clock.as_ref(), entropy, &options)?,
        Found::Installation => {}
        Found::VaultAlone => {
            return Err(wrong(
                folder,
                "it has a vault but no journal. Restore the journal; or, if the installation's journal is in Kafka, set \
                 `journal.kind = \"kafka\"`; or, if this installation was never used, remove the folder and start again",
            ));
        }
    }
    // It takes the folder's lock itself.
    let (journal, report) = EmbeddedJournal::open(&folder.dir, options, Arc::clone(clock))?;
    if let Some(cut) = &report.cut {
        tracing::warn!(?cut, "the journal's torn end was cut; nothing in it was ever acknowledged");
    }
    Ok(Column { journal: Arc::new(journal), lock: None })
}

async fn kafka(settings: &Settings, folder: &Folder, clock: &Arc<dyn Clock>) -> Result<Column, StartError> {
    match folder.found() {
        Found::VaultAlone => one_vault(settings, folder)?,
        Found::Nothing if settings.vault.kind == VaultKind::Cql => {}
        Found::Nothing => {
            return Err(wrong(
                folder,
                "it is empty. Found the installation with `waybill cluster init`; or, if it was founded elsewhere, put its \
                 vault here",
            ));
        }
        Found::Installation => return Err(two_journals(folder)),
    }
    let lock = FolderLock::take(&folder.dir)?;
    let journal = KafkaJournal::open(kafka_options(settings)?, Arc::clone(clock)).await?;
    Ok(Column { journal: Arc::new(journal), lock: Some(lock) })
}

/// Founds an installation whose journal is in Kafka: the vault first, because what it holds cannot be made again, then the
/// topic. Cut short, it is finished by doing it again. Says what was founded.
///
/// # Errors
/// When brokers or folder cannot be used, or belong to another installation.
pub async fn found(
    settings: &Settings,
    folder: &Folder,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Genesis, StartError> {
    let options = kafka_options(settings)?;
    if folder.found() == Found::Installation {
        return Err(two_journals(folder));
    }
    one_vault(settings, folder)?;
    let _lock = FolderLock::take(&folder.dir)?;
    let partitions = settings.journal.partitions;
    // Before anything is made: a broker that is not there, a topic that is somebody's.
    let standing = KafkaJournal::founded(options.clone(), Arc::clone(&clock)).await?;
    let vault = vaults::standing(settings, folder, &clock, &entropy).await?;
    let installation = match (vault, standing) {
        (Some(vault), None) if vault.used => return Err(lost(folder, vault.installation, &options.topic)),
        (Some(vault), _) => vault.installation,
        (None, Some(standing)) => {
            let why = format!(
                "the topic {:?} is the journal of {standing}, and there is no vault of it here. Put that installation's vault \
                 here (or name its keyspace), or name another topic",
                options.topic
            );
            return Err(wrong(folder, &why));
        }
        (None, None) => InstallationId(entropy.id()),
    };
    let genesis = Genesis::new(installation, partitions);
    vaults::found(settings, folder, genesis, entropy.as_ref()).await?;
    let at = clock.wall();
    KafkaJournal::init(options, genesis, at, clock).await?;
    Ok(genesis)
}

fn wrong(folder: &Folder, why: &str) -> StartError {
    StartError::Folder { path: folder.dir.clone(), why: why.to_owned() }
}

/// A vault that has seen a journal, and no such journal: what is in it can be opened by nobody who founds another one.
fn lost(folder: &Folder, installation: InstallationId, topic: &str) -> StartError {
    wrong(
        folder,
        &format!(
            "the vault has seen a journal of installation {installation}, and the topic {topic:?} is not it: a new one would \
             begin before what the vault knows was sent. Name the topic that is the journal, or restore it; for a new \
             installation, name a new vault"
        ),
    )
}

/// Whoever goes on with another vault than the folder has can open nothing of what was sealed under that one.
fn one_vault(settings: &Settings, folder: &Folder) -> Result<(), StartError> {
    if settings.vault.kind == VaultKind::Files || !folder.vault().join("keys.wbv").exists() {
        return Ok(());
    }
    Err(wrong(
        folder,
        "it holds a vault in files, and the settings name one in a keyspace; what was sealed under the keys in the folder could \
         not be opened. Set `vault.kind = \"files\"`, or choose another `data.dir`",
    ))
}

fn two_journals(folder: &Folder) -> StartError {
    wrong(
        folder,
        "it holds an embedded journal, and the settings name one in Kafka; what stands in the folder would be left behind. \
         Set `journal.kind = \"embedded\"`, or choose another `data.dir`",
    )
}

/// How the brokers are spoken to.
///
/// # Errors
/// When the password cannot be read.
pub fn kafka_options(settings: &Settings) -> Result<KafkaOptions, StartError> {
    let (journal, kafka) = (&settings.journal, &settings.journal.kafka);
    let login = match &kafka.password {
        Some(password) => Some(Login {
            mechanism: kafka.mechanism.word().to_owned(),
            user: kafka.user.clone(),
            password: password.resolve()?,
        }),
        None => None,
    };
    let tls = kafka.tls.then(|| Tls { ca: kafka.tls_ca.clone() });
    Ok(KafkaOptions {
        expect: None,
        brokers: kafka.brokers.clone(),
        topic: kafka.topic.clone(),
        security: Security { tls, login },
        replicas: kafka.replicas,
        min_insync: kafka.min_insync,
        connect: kafka.connect_timeout,
        delivery: kafka.delivery_timeout,
        request: kafka.request_timeout,
        linger: kafka.linger,
        queue_records: usize::try_from(kafka.queue_events).unwrap_or(65_536),
        queue_bytes: kafka.queue_bytes.as_usize(),
        tail_memory: journal.tail_memory.as_usize(),
    })
}

fn embedded_options(settings: &Settings) -> Options {
    let journal = &settings.journal;
    Options {
        segment_bytes: journal.segment_size.bytes(),
        batch_events: usize::try_from(journal.batch_events).unwrap_or(256),
        batch_bytes: journal.batch_bytes.as_usize(),
        linger: journal.linger,
        tail_memory: journal.tail_memory.as_usize(),
        verify: match journal.verify {
            Verify::All => segments::Verify::All,
            Verify::Tail => segments::Verify::Tail,
        },
        observer: Some(Arc::new(|batch| {
            telemetry::committed(batch.records as u64, batch.bytes as u64, Duration::from_micros(batch.sync_micros));
        })),
        #[cfg(feature = "mutants")]
        durability: mutant(),
        ..Options::default()
    }
}

/// A defect for the kill harness: acknowledges a tenth of a second before it writes.
#[cfg(feature = "mutants")]
fn mutant() -> crate::journal::segments::Durability {
    use crate::journal::segments::Durability;
    match crate::runtime::mutant::is("ack_before_sync") {
        true => Durability::AckBeforeSync(Duration::from_millis(100)),
        false => Durability::Synced,
    }
}
