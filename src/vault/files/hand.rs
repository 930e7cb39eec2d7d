//! The vault that callers hold: reads on the caller's own thread, everything to be kept through the writer's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use super::batch::{Ask, Want};
use super::disk::Disk;
use super::open::{self, OpenReport, Opening};
use super::shared::Shared;
use super::wrapping::TenantKeys;
use super::writer::{Mail, Writer};
use crate::domain::id::{InstallationId, KeyId, Tag, TenantId};
use crate::domain::record::Position;
use crate::runtime::Entropy;
use crate::vault::alias::MAX_ALIAS;
use crate::vault::cipher::first;
use crate::vault::error::{VaultError, io_error};
use crate::vault::sealing::{self, MAX_NAME, Sealed, limit};
use crate::vault::seam::{Kept, Vault};
use crate::vault::secret::{MAX_SECRET, SecretBytes};
use crate::vault::{Alias, files::init};

/// Calls that may wait for the writer; further ones wait for a place. A contact waits with some 300 bytes, so 300 KB;
/// were all of them the largest secrets, 64 MB.
const QUEUE: usize = 1024;

/// The vault in `<data>/vault/`. Dropping it without [`Vault::close`] is a crash that loses marks of the last second
/// and nothing else.
pub struct FileVault {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    /// None once dropped: the writer ends when it is gone.
    mail: Option<SyncSender<Mail>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Whose turn it is to keep a secret once.
    once: tokio::sync::Mutex<()>,
}

impl FileVault {
    /// Makes a new vault in a folder that does not exist or is empty; its instance key in `key_file`, if one is named.
    ///
    /// # Errors
    /// `Exists`, `Exposed`, `BadKey`, `Io`.
    pub fn init(
        dir: &Path,
        key_file: Option<&Path>,
        installation: InstallationId,
        count: u16,
        entropy: &dyn Entropy,
    ) -> Result<(), VaultError> {
        init::init(dir, key_file, installation, count, entropy)
    }

    /// Opens a vault. The data folder's lock must be held: two writers would tear each other's records.
    ///
    /// # Errors
    /// `Missing`, `Exposed`, `BadKey`, `WrongKey`, `Corrupt`, `Newer`, `Foreign`, `Io`.
    pub fn open(opening: Opening) -> Result<(Self, OpenReport), VaultError> {
        let (shared, file, report) = open::open(opening)?;
        Ok((Self::start(shared, Box::new(file))?, report))
    }

    /// Starts the writer's thread; [`FileVault`]'s `Drop` joins it.
    pub(super) fn start(shared: Shared, disk: Box<dyn Disk>) -> Result<Self, VaultError> {
        let shared = Arc::new(shared);
        // One place more than there are permits, for the close.
        let (mail, inbox) = sync_channel(QUEUE + 1);
        let writer = Writer::new(shared.clone(), inbox, disk);
        let thread = std::thread::Builder::new().name("vault-writer".to_owned());
        let handle = thread.spawn(|| writer.run()).map_err(io_error("start the writer of", &shared.path))?;
        let places = Arc::new(Semaphore::new(QUEUE));
        Ok(Self {
            shared,
            places,
            mail: Some(mail),
            writer: Mutex::new(Some(handle)),
            once: tokio::sync::Mutex::default(),
        })
    }

    /// Calls that wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        QUEUE - self.places.available_permits()
    }

    /// Hands something to the writer and waits until it is durable.
    async fn keep(&self, want: Want) -> Result<Option<KeyId>, VaultError> {
        self.shared.check()?;
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(VaultError::Closed);
        }
        let permit = self.places.clone().acquire_owned().await.map_err(|_| VaultError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let ask = Mail::Ask(Box::new(Ask { want, reply, permit }));
        let sent = self.mail.as_ref().is_some_and(|mail| mail.try_send(ask).is_ok());
        if !sent {
            return Err(self.gone());
        }
        answer.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// Why the writer does not answer: it was closed, or its thread has died, which lets the latch fall.
    fn gone(&self) -> VaultError {
        match (self.shared.check(), self.shared.closed.load(Ordering::Acquire)) {
            (Err(error), _) => error,
            (Ok(()), true) => VaultError::Closed,
            (Ok(()), false) => self.shared.fail("its writer has stopped".to_owned()),
        }
    }

    /// A tenant's keys, made by the first call.
    async fn tenant(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, VaultError> {
        if let Some(keys) = self.known(tenant) {
            return Ok(keys);
        }
        self.keep(Want::Tenant(tenant)).await?;
        self.known(tenant).ok_or_else(|| self.shared.fail("a tenant's keys are not where they were put".to_owned()))
    }

    fn known(&self, tenant: TenantId) -> Option<Arc<TenantKeys>> {
        self.shared.index.read().tenant(tenant)
    }

    fn named(&self, tenant: TenantId, alias: &Alias) -> Option<KeyId> {
        let keys = self.known(tenant)?;
        self.shared.index.read().named(&Shared::alias_tag(&keys, alias))
    }
}

impl Vault for FileVault {
    fn installation(&self) -> InstallationId {
        self.shared.installation
    }

    fn contact<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, KeyId> {
        Box::pin(async move {
            limit("the alias", alias.value.len(), MAX_ALIAS)?;
            if let Some(known) = self.named(tenant, alias) {
                return Ok(known);
            }
            let made = self.keep(Want::Contact(tenant, alias.clone())).await?;
            made.ok_or_else(|| self.shared.fail("the writer answered without a contact".to_owned()))
        })
    }

    fn find<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, Option<KeyId>> {
        Box::pin(async move { Ok(self.named(tenant, alias)) })
    }

    fn add_alias<'a>(&'a self, tenant: TenantId, contact: KeyId, alias: &'a Alias) -> Kept<'a, ()> {
        Box::pin(async move {
            limit("the alias", alias.value.len(), MAX_ALIAS)?;
            self.keep(Want::Alias(tenant, contact, alias.clone())).await.map(|_| ())
        })
    }

    fn aliases(&self, tenant: TenantId, contact: KeyId) -> Kept<'_, Vec<Alias>> {
        Box::pin(async move { self.shared.aliases(tenant, contact) })
    }

    fn seal<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], text: &'a [u8]) -> Kept<'a, Sealed> {
        Box::pin(async move {
            let key = self.shared.key(tenant, contact)?;
            sealing::seal(&key, &*self.shared.entropy, (tenant, contact), context, text)
        })
    }

    fn open<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], bytes: &'a [u8]) -> Kept<'a, Vec<u8>> {
        Box::pin(async move {
            let key = self.shared.key(tenant, contact)?;
            sealing::open(&key, (tenant, contact), context, bytes).map_err(|_| sealing::damaged_content(contact))
        })
    }

    fn destroy(&self, tenant: TenantId, contact: KeyId, mark: bool) -> Kept<'_, Option<KeyId>> {
        Box::pin(self.keep(Want::Destroy(tenant, contact, mark)))
    }

    fn tag<'a>(&'a self, tenant: TenantId, purpose: &'a str, parts: &'a [&'a [u8]]) -> Kept<'a, Tag> {
        Box::pin(async move { Ok(Tag(first(&self.tenant(tenant).await?.index.mac(purpose, parts)))) })
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 8] {
        first(&self.shared.mac.mac(purpose, parts))
    }

    fn put_secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str, value: &'a SecretBytes) -> Kept<'a, ()> {
        Box::pin(async move {
            limit("the secret's name", name.len(), MAX_NAME)?;
            limit("the secret", value.expose().len(), MAX_SECRET)?;
            self.keep(Want::Secret(tenant, name.to_owned(), value.clone())).await.map(|_| ())
        })
    }

    fn put_secret_once<'a>(
        &'a self,
        tenant: Option<TenantId>,
        name: &'a str,
        value: &'a SecretBytes,
    ) -> Kept<'a, SecretBytes> {
        Box::pin(async move {
            // One process has these files, so one turn at a time is enough.
            let _turn = self.once.lock().await;
            if let Some(there) = self.shared.secret(tenant, name)? {
                return Ok(there);
            }
            self.put_secret(tenant, name, value).await?;
            let kept = self.shared.secret(tenant, name)?;
            kept.ok_or_else(|| self.shared.fail("a secret is not where it was put".to_owned()))
        })
    }

    fn secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str) -> Kept<'a, Option<SecretBytes>> {
        // One small read from a file that lies in memory.
        Box::pin(async move { self.shared.secret(tenant, name) })
    }

    fn marks(&self) -> Vec<(u16, Position)> {
        self.shared.marks.lock().all()
    }

    fn raise_marks(&self, marks: &[(u16, Position)]) {
        self.shared.marks.lock().raise(marks);
    }

    fn failed(&self) -> Option<String> {
        let failure = self.shared.failure.lock().clone();
        failure.or_else(|| self.shared.marks_failure.lock().clone())
    }

    fn close(&self) -> Kept<'_, ()> {
        Box::pin(async move {
            if self.shared.closed.swap(true, Ordering::AcqRel) {
                return Ok(());
            }
            let (reply, answer) = oneshot::channel();
            let sent = self.mail.as_ref().is_some_and(|mail| mail.try_send(Mail::Close(reply)).is_ok());
            if !sent {
                return Err(self.shared.fail("its writer has stopped".to_owned()));
            }
            answer.await.unwrap_or_else(|_| Err(self.shared.fail("its writer has stopped".to_owned())))
        })
    }
}

impl Drop for FileVault {
    fn drop(&mut self) {
        self.mail = None;
        if let Some(handle) = self.writer.lock().take() {
            // Ends after the batch in hand, one sync at most. A panic of the thread has let the latch fall long ago.
            drop(handle.join());
        }
    }
}
