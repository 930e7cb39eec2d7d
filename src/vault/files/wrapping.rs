//! Which key seals which, and with what associated data, so that no sealed thing can be put in another's place.
//!
//! | sealed | under | associated data |
//! | --- | --- | --- |
//! | check value (nothing) | instance key | `waybill check` ‖ installation |
//! | callback key | instance key | `waybill callback key` ‖ installation |
//! | tenant's wrapping key | instance key | `waybill tenant key` ‖ tenant |
//! | tenant's index key | instance key | `waybill index key` ‖ tenant |
//! | contact key | tenant's wrapping key | `waybill contact key` ‖ tenant ‖ key id |
//! | alias (kind byte ‖ text) | contact key | tenant ‖ key id ‖ `waybill alias` ‖ tag |
//! | secret | tenant's wrapping key, or instance key | `waybill secret` ‖ tenant (or nothing) ‖ `:` ‖ name |

use std::sync::Arc;

use super::format::{self, Entry, Head, VERSION};
use crate::domain::id::{InstallationId, KeyId, Tag, TenantId};
use crate::runtime::Entropy;
use crate::vault::Alias;
use crate::vault::cipher::{Key, NotOpened};
use crate::vault::sealing::{ALIAS, place};
use crate::vault::secret::SecretBytes;

/// A tenant's two keys, unwrapped. Kept for the life of the process: two for each tenant, not for each person.
#[derive(Debug)]
pub struct TenantKeys {
    /// Wraps contact keys, seals the tenant's secrets.
    pub wrap: Key,
    /// Makes tags.
    pub index: Key,
}

/// Opens a key that was sealed under another one.
///
/// # Errors
/// [`NotOpened`] when it was changed.
pub fn unwrap(under: &Key, aad: &[u8], bytes: &[u8]) -> Result<Key, NotOpened> {
    Key::from_slice(&under.open(aad, bytes)?).ok_or(NotOpened)
}

/// The head of a new file, with a new callback key.
pub fn head(instance: &Key, entropy: &dyn Entropy, installation: InstallationId, count: u16) -> Entry {
    let check = instance.seal(entropy, &aad("waybill check", &[&installation.0]), &[]);
    let callback = Key::draw(entropy);
    let mac = instance.seal(entropy, &aad("waybill callback key", &[&installation.0]), &[callback.expose()]);
    Entry::Head(Head { version: VERSION, installation, count, check, mac })
}

/// The callback key of a head.
///
/// # Errors
/// [`NotOpened`] when this is not the instance key the head was made with.
pub fn open_head(instance: &Key, head: &Head) -> Result<Key, NotOpened> {
    instance.open(&aad("waybill check", &[&head.installation.0]), &head.check)?;
    unwrap(instance, &aad("waybill callback key", &[&head.installation.0]), &head.mac)
}

/// A new tenant's keys and their record.
pub fn tenant(instance: &Key, entropy: &dyn Entropy, tenant: TenantId) -> (Arc<TenantKeys>, Entry) {
    let keys = TenantKeys { wrap: Key::draw(entropy), index: Key::draw(entropy) };
    let wrap = instance.seal(entropy, &aad("waybill tenant key", &[&tenant.0]), &[keys.wrap.expose()]);
    let index = instance.seal(entropy, &aad("waybill index key", &[&tenant.0]), &[keys.index.expose()]);
    (Arc::new(keys), Entry::Tenant(format::Tenant { tenant, wrap, index }))
}

/// Reads a tenant's keys back.
///
/// # Errors
/// [`NotOpened`] when the record was changed.
pub fn open_tenant(instance: &Key, record: &format::Tenant) -> Result<Arc<TenantKeys>, NotOpened> {
    let wrap = unwrap(instance, &aad("waybill tenant key", &[&record.tenant.0]), &record.wrap)?;
    let index = unwrap(instance, &aad("waybill index key", &[&record.tenant.0]), &record.index)?;
    Ok(Arc::new(TenantKeys { wrap, index }))
}

/// A new contact's key and its record.
pub fn contact(
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    (tenant, contact): (TenantId, KeyId),
    tag: Tag,
    alias: &Alias,
) -> (Arc<Key>, Entry) {
    let key = Arc::new(Key::draw(entropy));
    let wrapped = keys.wrap.seal(entropy, &contact_place((tenant, contact)), &[key.expose()]);
    let alias = seal_alias(&key, entropy, (tenant, contact), tag, alias);
    (key, Entry::Contact(format::Contact { tenant, key: contact, wrapped, tag, alias }))
}

/// The key and the record of who takes an erased contact's place.
pub fn successor(
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    (tenant, contact): (TenantId, KeyId),
    tags: Vec<Tag>,
) -> (Arc<Key>, Entry) {
    let key = Arc::new(Key::draw(entropy));
    let wrapped = keys.wrap.seal(entropy, &contact_place((tenant, contact)), &[key.expose()]);
    (key, Entry::Successor(format::Successor { tenant, key: contact, wrapped, tags }))
}

/// Reads a contact's key back.
///
/// # Errors
/// [`NotOpened`] when the record was changed.
pub fn open_contact(keys: &TenantKeys, at: (TenantId, KeyId), wrapped: &[u8]) -> Result<Arc<Key>, NotOpened> {
    unwrap(&keys.wrap, &contact_place(at), wrapped).map(Arc::new)
}

/// Seals an alias under its contact's key, so that it goes when the key goes.
pub fn seal_alias(key: &Key, entropy: &dyn Entropy, at: (TenantId, KeyId), tag: Tag, alias: &Alias) -> Vec<u8> {
    key.seal(entropy, &alias_place(at, tag), &[&alias.to_bytes()])
}

/// Opens a sealed alias.
///
/// # Errors
/// [`NotOpened`] when the record was changed.
pub fn open_alias(key: &Key, at: (TenantId, KeyId), tag: Tag, bytes: &[u8]) -> Result<Alias, NotOpened> {
    Alias::from_bytes(&key.open(&alias_place(at, tag), bytes)?).ok_or(NotOpened)
}

/// Seals a secret under the tenant's wrapping key, or the instance key.
pub fn seal_secret(
    under: &Key,
    entropy: &dyn Entropy,
    tenant: Option<TenantId>,
    name: &str,
    value: &SecretBytes,
) -> Entry {
    let sealed = under.seal(entropy, &secret_place(tenant, name), &[value.expose()]);
    Entry::Secret(format::Secret { tenant, name: name.to_owned(), sealed })
}

/// Opens a secret.
///
/// # Errors
/// [`NotOpened`] when the record was changed.
pub fn open_secret(under: &Key, record: &format::Secret) -> Result<SecretBytes, NotOpened> {
    under.open(&secret_place(record.tenant, &record.name), &record.sealed).map(SecretBytes::from)
}

fn alias_place((tenant, contact): (TenantId, KeyId), tag: Tag) -> Vec<u8> {
    place(tenant, contact, &aad(ALIAS, &[&tag.0]))
}

/// The associated data of a wrapped contact key.
#[must_use]
pub fn contact_place((tenant, contact): (TenantId, KeyId)) -> Vec<u8> {
    aad("waybill contact key", &[&tenant.0, &contact.0])
}

/// The associated data of a secret.
#[must_use]
pub fn secret_place(tenant: Option<TenantId>, name: &str) -> Vec<u8> {
    let tenant = tenant.map(|tenant| tenant.0);
    aad("waybill secret", &[tenant.as_ref().map_or(&[][..], |id| &id[..]), b":", name.as_bytes()])
}

fn aad(purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut aad = purpose.as_bytes().to_vec();
    parts.iter().for_each(|part| aad.extend_from_slice(part));
    aad
}
