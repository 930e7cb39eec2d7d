//! What callers and the writer's thread share, and every read that needs no thread.
//!
//! Reads go to the file by position, on the caller's thread: a record of some 200 bytes of a file that is written and
//! read all the time and so lies in the page cache (about a microsecond); the cache of keys keeps most calls from it.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::{Mutex, RwLock};

use super::format::{Contact, Entry, Successor};
use super::index::{Found, Index, Place};
use super::marks::Marks;
use super::scan::{corrupt, record_at};
use super::wrapping::{self, TenantKeys};
use crate::domain::id::{InstallationId, KeyId, Tag, TenantId};
use crate::runtime::{Clock, Entropy};
use crate::vault::cache::Cache;
use crate::vault::cipher::{Key, first};
use crate::vault::error::VaultError;
use crate::vault::secret::SecretBytes;
use crate::vault::{Alias, sealing};

/// A record that holds a contact's key.
struct Keyed {
    tenant: TenantId,
    key: KeyId,
    wrapped: Vec<u8>,
    tags: Vec<Tag>,
}

/// What there is of a contact.
pub struct Traces {
    /// Offsets of its records.
    pub places: Vec<u64>,
    /// What leads to it.
    pub tags: Vec<Tag>,
}

/// The state of an open vault.
pub struct Shared {
    /// The vault's folder.
    pub dir: PathBuf,
    /// `keys.wbv`.
    pub path: PathBuf,
    /// The same, open for reading.
    pub file: File,
    /// Whose vault it is.
    pub installation: InstallationId,
    /// Partitions for new contacts.
    pub count: u16,
    /// The instance key.
    pub instance: Key,
    /// The callback key.
    pub mac: Key,
    /// Wall time for when somebody was erased; steady time for the life of cached keys and the pace of marks.
    pub clock: Arc<dyn Clock>,
    /// Keys, nonces, salts.
    pub entropy: Arc<dyn Entropy>,
    /// Everything durable.
    pub index: RwLock<Index>,
    /// Keys unwrapped lately.
    pub cache: Mutex<Cache<(TenantId, KeyId), Arc<Key>>>,
    /// High-water marks.
    pub marks: Mutex<Marks>,
    /// Bytes of `keys.wbv` that are durable.
    pub durable: AtomicU64,
    /// Why nothing new is kept any more: a failed write or sync of `keys.wbv`. Never cleared.
    pub failure: Mutex<Option<String>>,
    /// Why the marks could not be written the last time. Cleared by the next success.
    pub marks_failure: Mutex<Option<String>>,
    /// Closing has begun.
    pub closed: AtomicBool,
}

impl Shared {
    /// The tag of an alias under a tenant's index key.
    #[must_use]
    pub fn alias_tag(keys: &TenantKeys, alias: &Alias) -> Tag {
        Tag(first(&keys.index.mac(sealing::ALIAS, &[&alias.to_bytes()])))
    }

    /// The latch: what every call that keeps something asks first.
    ///
    /// # Errors
    /// `Failed` once a write failed.
    pub fn check(&self) -> Result<(), VaultError> {
        self.failure.lock().as_ref().map_or(Ok(()), |why| Err(VaultError::Failed(why.clone())))
    }

    /// Lets the latch fall; the first reason stays.
    pub fn fail(&self, why: String) -> VaultError {
        let mut failure = self.failure.lock();
        VaultError::Failed(failure.get_or_insert(why).clone())
    }

    /// A contact's key, from the cache or unwrapped from its record.
    ///
    /// # Errors
    /// `Unknown` (also for another tenant's contact), `Erased`, `Damaged`, `Corrupt`, `Io`.
    pub fn key(&self, tenant: TenantId, contact: KeyId) -> Result<Arc<Key>, VaultError> {
        let now = self.clock.steady();
        if let Some(key) = self.cache.lock().get((tenant, contact), now) {
            return Ok(key);
        }
        let (place, keys) = self.place(tenant, contact)?;
        let record = self.contact_record(place).map_err(|error| self.unless_erased(contact, error))?;
        if (record.tenant, record.key) != (tenant, contact) {
            return Err(VaultError::Unknown { contact });
        }
        let key = wrapping::open_contact(&keys, (tenant, contact), &record.wrapped)
            .map_err(|_| VaultError::Damaged { what: format!("the key of contact {contact}") })?;
        self.cache.lock().put((tenant, contact), key.clone(), now);
        // Erased while its record was read: the cache was cleared of it before it was put there.
        if self.index.read().contact(contact) == Found::Erased {
            self.cache.lock().forget(&(tenant, contact));
            return Err(VaultError::Erased { contact });
        }
        Ok(key)
    }

    /// Every alias of a contact, oldest first.
    ///
    /// # Errors
    /// As [`Shared::key`].
    pub fn aliases(&self, tenant: TenantId, contact: KeyId) -> Result<Vec<Alias>, VaultError> {
        let key = self.key(tenant, contact)?;
        let (place, _) = self.place(tenant, contact)?;
        let further = self.index.read().further(contact);
        let mut aliases = Vec::with_capacity(1 + further.len());
        for place in std::iter::once(place).chain(further) {
            let (tag, sealed) = match self.entry(place).map_err(|error| self.unless_erased(contact, error))? {
                Entry::Contact(record) => (record.tag, record.alias),
                Entry::Alias(record) => (record.tag, record.alias),
                Entry::Successor(_) => continue,
                Entry::Wiped(_) => return Err(VaultError::Erased { contact }),
                _ => return Err(self.other(place)),
            };
            let alias = wrapping::open_alias(&key, (tenant, contact), tag, &sealed)
                .map_err(|_| VaultError::Damaged { what: format!("an alias of contact {contact}") })?;
            aliases.push(alias);
        }
        Ok(aliases)
    }

    /// What destroying a contact takes: its records, and what leads to it.
    ///
    /// # Errors
    /// `Unknown` (also for another tenant's contact), `Erased`, `Corrupt`, `Io`.
    pub fn traces(&self, tenant: TenantId, contact: KeyId) -> Result<Traces, VaultError> {
        let (place, _) = self.place(tenant, contact)?;
        let record = self.contact_record(place)?;
        if (record.tenant, record.key) != (tenant, contact) {
            return Err(VaultError::Unknown { contact });
        }
        let mut traces = Traces { places: vec![place.offset()], tags: record.tags };
        for place in self.index.read().further(contact) {
            traces.places.push(place.offset());
            if let Entry::Alias(record) = self.entry(place)? {
                traces.tags.push(record.tag);
            }
        }
        Ok(traces)
    }

    /// A secret, opened.
    ///
    /// # Errors
    /// `Damaged`, `Corrupt`, `Io`.
    pub fn secret(&self, tenant: Option<TenantId>, name: &str) -> Result<Option<SecretBytes>, VaultError> {
        let Some(place) = self.index.read().secret(tenant, name) else { return Ok(None) };
        let Entry::Secret(record) = self.entry(place)? else { return Err(self.other(place)) };
        let damaged = || VaultError::Damaged { what: format!("the secret `{name}`") };
        let opened = match tenant {
            None => wrapping::open_secret(&self.instance, &record),
            Some(tenant) => {
                let keys = self.index.read().tenant(tenant).ok_or_else(damaged)?;
                wrapping::open_secret(&keys.wrap, &record)
            }
        };
        opened.map(Some).map_err(|_| damaged())
    }

    fn place(&self, tenant: TenantId, contact: KeyId) -> Result<(Place, Arc<TenantKeys>), VaultError> {
        let index = self.index.read();
        match (index.contact(contact), index.tenant(tenant)) {
            (Found::At(place), Some(keys)) => Ok((place, keys)),
            (Found::Erased, Some(_)) => Err(VaultError::Erased { contact }),
            _ => Err(VaultError::Unknown { contact }),
        }
    }

    fn contact_record(&self, place: Place) -> Result<Keyed, VaultError> {
        match self.entry(place)? {
            Entry::Contact(Contact { tenant, key, wrapped, tag, .. }) => {
                Ok(Keyed { tenant, key, wrapped, tags: vec![tag] })
            }
            Entry::Successor(Successor { tenant, key, wrapped, tags }) => Ok(Keyed { tenant, key, wrapped, tags }),
            _ => Err(self.other(place)),
        }
    }

    /// A record that was wiped while it was read does not verify: that is no damage.
    fn unless_erased(&self, contact: KeyId, error: VaultError) -> VaultError {
        let erased = self.index.read().contact(contact) == Found::Erased;
        if erased { VaultError::Erased { contact } } else { error }
    }

    fn entry(&self, place: Place) -> Result<Entry, VaultError> {
        record_at(&self.path, &self.file, place.offset())
    }

    fn other(&self, place: Place) -> VaultError {
        corrupt(&self.path, place.offset(), "another kind of record than the one that was written here")
    }
}
