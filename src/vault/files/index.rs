//! What is held in memory of `keys.wbv`: where each contact's key stands, and which tag leads to which contact. Keys of
//! contacts are not held here.
//!
//! Bytes for each contact with one alias, in B-trees whose nodes of 11 slots are about 69 % full after random inserts:
//! tag → key id 32 bytes of data, about 51 with the tree; key id → offset 22 bytes, about 36. Together about 87
//! (90 measured by resident memory with 200,000 contacts), with no table that doubles (and stalls) while it grows. Each further alias: 51 for its tag and 36 for its place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::format::Entry;
use super::wrapping::TenantKeys;
use crate::domain::id::{KeyId, Tag, TenantId};

/// An offset in `keys.wbv`, in six bytes: files up to 256 TiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place([u8; 6]);

impl Place {
    /// This offset.
    #[must_use]
    pub fn at(offset: u64) -> Self {
        let [high, low, rest @ ..] = offset.to_be_bytes();
        debug_assert_eq!([high, low], [0, 0], "a file of 256 TiB");
        Self(rest)
    }

    /// The offset.
    #[must_use]
    pub fn offset(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

/// What a contact's id leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Its record stands there.
    At(Place),
    /// It was erased.
    Erased,
    /// Never heard of.
    Unknown,
}

/// Everything durable, by what it is asked for.
#[derive(Debug, Default)]
pub struct Index {
    tags: BTreeMap<Tag, KeyId>,
    contacts: BTreeMap<KeyId, Place>,
    /// Aliases after the first, in the order they were added.
    further: BTreeSet<(KeyId, Place)>,
    erased: BTreeSet<KeyId>,
    tenants: HashMap<TenantId, Arc<TenantKeys>>,
    /// Secrets are few (a handful for each session), so a plain map.
    secrets: HashMap<(Option<TenantId>, String), Place>,
}

impl Index {
    /// Takes a durable record in. A tenant's record says nothing here; its keys come by [`Index::admit_tenant`].
    pub fn admit(&mut self, offset: u64, entry: &Entry) {
        let place = Place::at(offset);
        match entry {
            Entry::Head(_) | Entry::Tenant(_) | Entry::Wiped(_) => {}
            Entry::Contact(contact) => {
                self.contacts.entry(contact.key).or_insert(place);
                self.name(contact.tag, contact.key);
            }
            Entry::Alias(alias) => {
                self.further.insert((alias.key, place));
                self.name(alias.tag, alias.key);
            }
            Entry::Secret(secret) => {
                self.secrets.insert((secret.tenant, secret.name.clone()), place);
            }
            Entry::Erased(erased) => self.erase(erased.key),
            Entry::Successor(successor) => {
                self.contacts.entry(successor.key).or_insert(place);
                self.tags.extend(successor.tags.iter().map(|tag| (*tag, successor.key)));
            }
        }
    }

    /// Takes a tenant's keys in; the first ones hold.
    pub fn admit_tenant(&mut self, tenant: TenantId, keys: Arc<TenantKeys>) {
        self.tenants.entry(tenant).or_insert(keys);
    }

    /// The first contact of a tag holds, unless it was erased.
    fn name(&mut self, tag: Tag, contact: KeyId) {
        if self.named(&tag).is_none() {
            self.tags.insert(tag, contact);
        }
    }

    /// Tags of the erased stay in the map until the next start, and lead nowhere; those of whom a mark remains lead there.
    fn erase(&mut self, contact: KeyId) {
        self.erased.insert(contact);
        self.contacts.remove(&contact);
        for place in self.further(contact) {
            self.further.remove(&(contact, place));
        }
    }

    /// The contact that bears this tag.
    #[must_use]
    pub fn named(&self, tag: &Tag) -> Option<KeyId> {
        self.tags.get(tag).copied().filter(|contact| !self.erased.contains(contact))
    }

    /// Where this contact's record stands.
    #[must_use]
    pub fn contact(&self, contact: KeyId) -> Found {
        match self.contacts.get(&contact) {
            Some(place) => Found::At(*place),
            None if self.erased.contains(&contact) => Found::Erased,
            None => Found::Unknown,
        }
    }

    /// Where the contact's aliases after the first stand, oldest first.
    #[must_use]
    pub fn further(&self, contact: KeyId) -> Vec<Place> {
        let range = (contact, Place([0; 6]))..=(contact, Place([u8::MAX; 6]));
        self.further.range(range).map(|(_, place)| *place).collect()
    }

    /// A tenant's keys.
    #[must_use]
    pub fn tenant(&self, tenant: TenantId) -> Option<Arc<TenantKeys>> {
        self.tenants.get(&tenant).cloned()
    }

    /// Where the newest secret of this name stands.
    #[must_use]
    pub fn secret(&self, tenant: Option<TenantId>, name: &str) -> Option<Place> {
        self.secrets.get(&(tenant, name.to_owned())).copied()
    }

    /// Tenants, contacts, further aliases, secrets, erased contacts.
    #[must_use]
    pub fn counts(&self) -> [usize; 5] {
        [self.tenants.len(), self.contacts.len(), self.further.len(), self.secrets.len(), self.erased.len()]
    }
}
