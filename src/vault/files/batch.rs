//! One batch of the writer: what is asked is decided in order, collected as records, and answered after one sync.
//!
//! All decisions are made here, on one thread, against what is durable and what the batch already holds: two calls for
//! the same new name meet in the same batch or in two, and get the same key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::format::{self, Entry};
use super::index::Found;
use super::shared::{Shared, Traces};
use super::wrapping::{self, TenantKeys};
use crate::domain::id::{KeyId, Tag, TenantId, with_partition};
use crate::domain::routing::contact_partition;
use crate::vault::cipher::Key;
use crate::vault::error::VaultError;
use crate::vault::secret::SecretBytes;
use crate::vault::{Alias, sealing};

/// Names of an erased contact that still lead somewhere: of 18 bytes each, in a record of 66 KiB at most. People have a few.
const MOST_TAGS: usize = 1_024;

/// What a call wants kept.
pub enum Want {
    /// A tenant's keys.
    Tenant(TenantId),
    /// A contact of this name.
    Contact(TenantId, Alias),
    /// One more name of a contact.
    Alias(TenantId, KeyId, Alias),
    /// A contact's end, with or without somebody in its place.
    Destroy(TenantId, KeyId, bool),
    /// A secret.
    Secret(Option<TenantId>, String, SecretBytes),
}

/// What a call is answered: the contact, where it asked for one.
pub type Answer = Result<Option<KeyId>, VaultError>;

/// A call that waits for its answer, and holds its place in the queue until then.
pub struct Ask {
    /// What it wants.
    pub want: Want,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
    /// Given back with the answer.
    pub permit: OwnedSemaphorePermit,
}

/// Records not yet written, and what they will mean once they are durable.
pub struct Batch<'a> {
    shared: &'a Shared,
    start: u64,
    /// The records' bytes, for `start`.
    pub bytes: Vec<u8>,
    entries: Vec<(u64, Entry)>,
    named: HashMap<Tag, KeyId>,
    tenants: HashMap<TenantId, Arc<TenantKeys>>,
    keys: Vec<(TenantId, KeyId, Arc<Key>)>,
    erased: HashSet<(TenantId, KeyId)>,
    /// Offsets of records to be wiped once the batch is durable.
    pub wipes: Vec<u64>,
}

impl<'a> Batch<'a> {
    /// An empty batch whose first record will stand at `start`.
    pub fn new(shared: &'a Shared, start: u64) -> Self {
        Self {
            shared,
            start,
            bytes: Vec::new(),
            entries: Vec::new(),
            named: HashMap::new(),
            tenants: HashMap::new(),
            keys: Vec::new(),
            erased: HashSet::new(),
            wipes: Vec::new(),
        }
    }

    /// Decides one call; the answer holds once the batch is durable.
    ///
    /// # Errors
    /// What the call is answered, durable or not.
    pub fn decide(&mut self, want: &Want) -> Answer {
        match want {
            Want::Tenant(tenant) => {
                self.tenant(*tenant);
                Ok(None)
            }
            Want::Contact(tenant, alias) => Ok(Some(self.contact(*tenant, alias))),
            Want::Alias(tenant, contact, alias) => self.alias(*tenant, *contact, alias).map(|()| None),
            Want::Destroy(tenant, contact, mark) => self.destroy(*tenant, *contact, *mark),
            Want::Secret(tenant, name, value) => {
                let under = tenant.map(|tenant| self.tenant(tenant));
                let under = under.as_ref().map_or(&self.shared.instance, |keys| &keys.wrap);
                let entry = wrapping::seal_secret(under, &*self.shared.entropy, *tenant, name, value);
                self.push(entry);
                Ok(None)
            }
        }
    }

    /// The batch is durable: makes it visible to all callers at once.
    pub fn publish(self) {
        let now = self.shared.clock.steady();
        let mut index = self.shared.index.write();
        self.tenants.into_iter().for_each(|(tenant, keys)| index.admit_tenant(tenant, keys));
        self.entries.iter().for_each(|(offset, entry)| index.admit(*offset, entry));
        drop(index);
        let mut cache = self.shared.cache.lock();
        self.erased.iter().for_each(|erased| cache.forget(erased));
        self.keys.into_iter().for_each(|(tenant, contact, key)| cache.put((tenant, contact), key, now));
    }

    fn tenant(&mut self, tenant: TenantId) -> Arc<TenantKeys> {
        let known = self.shared.index.read().tenant(tenant).or_else(|| self.tenants.get(&tenant).cloned());
        known.unwrap_or_else(|| {
            let (keys, entry) = wrapping::tenant(&self.shared.instance, &*self.shared.entropy, tenant);
            self.tenants.insert(tenant, keys.clone());
            self.push(entry);
            keys
        })
    }

    fn named(&self, tag: &Tag) -> Option<KeyId> {
        self.shared.index.read().named(tag).or_else(|| self.named.get(tag).copied())
    }

    fn contact(&mut self, tenant: TenantId, alias: &Alias) -> KeyId {
        let keys = self.tenant(tenant);
        let tag = Shared::alias_tag(&keys, alias);
        if let Some(known) = self.named(&tag) {
            return known;
        }
        let entropy = &*self.shared.entropy;
        let contact = KeyId(with_partition(entropy.id(), contact_partition(&tag, self.shared.count)));
        let (key, entry) = wrapping::contact(&keys, entropy, (tenant, contact), tag, alias);
        self.push(entry);
        self.named.insert(tag, contact);
        self.keys.push((tenant, contact, key));
        contact
    }

    fn alias(&mut self, tenant: TenantId, contact: KeyId, alias: &Alias) -> Result<(), VaultError> {
        if self.erased.contains(&(tenant, contact)) {
            return Err(VaultError::Erased { contact });
        }
        let key = self.shared.key(tenant, contact)?;
        let keys = self.tenant(tenant);
        let tag = Shared::alias_tag(&keys, alias);
        match self.named(&tag) {
            Some(named) if named == contact => return Ok(()),
            Some(other) => return Err(VaultError::Taken { contact: other }),
            None => {}
        }
        let alias = wrapping::seal_alias(&key, &*self.shared.entropy, (tenant, contact), tag, alias);
        self.push(Entry::Alias(format::Alias { tenant, key: contact, tag, alias }));
        self.named.insert(tag, contact);
        Ok(())
    }

    /// Whoever takes the place stands in front of the end: of an unfinished write a beginning may be left, and then nobody
    /// is erased whose mark is lost.
    fn destroy(&mut self, tenant: TenantId, contact: KeyId, mark: bool) -> Answer {
        let keys = self.tenant(tenant);
        let heir = sealing::successor(&keys.index, contact);
        let is_there = matches!(self.shared.index.read().contact(heir), Found::At(_));
        if self.erased.contains(&(tenant, contact)) {
            return Ok(mark.then_some(heir));
        }
        let Traces { places, mut tags } = match self.shared.traces(tenant, contact) {
            Err(VaultError::Erased { .. }) => return Ok(Some(heir).filter(|_| mark && is_there)),
            other => other?,
        };
        if mark && !is_there {
            tags.truncate(MOST_TAGS);
            let (key, entry) = wrapping::successor(&keys, &*self.shared.entropy, (tenant, heir), tags);
            self.push(entry);
            self.keys.push((tenant, heir, key));
        }
        let at = self.shared.clock.wall();
        self.push(Entry::Erased(format::Erased { tenant, key: contact, at, wiped: Some(places.clone()) }));
        self.wipes.extend(places);
        self.erased.insert((tenant, contact));
        Ok(mark.then_some(heir))
    }

    fn push(&mut self, entry: Entry) {
        let offset = self.start + self.bytes.len() as u64;
        format::append(&mut self.bytes, offset, &entry);
        self.entries.push((offset, entry));
    }
}
