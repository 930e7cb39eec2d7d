//! The contacts of a person: found by any of the names Meta gave, made when a person writes for the first time.
//!
//! One person may be two contacts until they are merged: one we wrote to by number, one that wrote by business-scoped
//! id. A callback that gives both names says that they are one, so what concerns the person is told to both.

use super::compose::Trouble;
use super::seal::is_of_one_person;
use crate::domain::callback::Person;
use crate::domain::event::AliasKind;
use crate::domain::id::{KeyId, TenantId};
use crate::vault::{Alias, Vault, VaultError};

/// A name and the contact it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) contact: KeyId,
    pub(super) kind: AliasKind,
}

/// The names of a person, business-scoped id first: Meta keeps it when it hides the number. What the vault takes for no
/// name is left out.
fn names(phone: Option<&str>, bsuid: Option<&str>) -> Vec<Alias> {
    let bsuid = bsuid.and_then(|text| Alias::bsuid(text).ok());
    let phone = phone.and_then(|text| Alias::phone(text).ok());
    bsuid.into_iter().chain(phone).collect()
}

/// The names that part and vault agree on.
pub(super) fn names_of(person: &Person) -> Vec<Alias> {
    names(person.phone.as_deref(), person.bsuid.as_deref())
}

/// The names after a change.
pub(super) fn names_in(names_now: &crate::domain::callback::Names) -> Vec<Alias> {
    names(names_now.phone.as_deref(), names_now.bsuid.as_deref())
}

/// The contact that one of these names leads to. Makes nobody.
pub(super) async fn find(vault: &dyn Vault, tenant: TenantId, names: &[Alias]) -> Result<Option<KeyId>, Trouble> {
    for name in names {
        if let Some(contact) = vault.find(tenant, name).await? {
            return Ok(Some(contact));
        }
    }
    Ok(None)
}

/// Every contact that one of these names leads to, each once. Makes nobody.
pub(super) async fn find_all(vault: &dyn Vault, tenant: TenantId, names: &[Alias]) -> Result<Vec<KeyId>, Trouble> {
    let mut found = Vec::new();
    for name in names {
        let contact = vault.find(tenant, name).await?;
        found.extend(contact.filter(|contact| !found.contains(contact)));
    }
    Ok(found)
}

/// The contact of each name, in their order; a person nobody knows is made. No names: nobody.
pub(super) async fn meet(vault: &dyn Vault, tenant: TenantId, names: &[Alias]) -> Result<Vec<Bound>, Trouble> {
    let Some(first) = names.first() else {
        return Ok(Vec::new());
    };
    let contact = match find(vault, tenant, names).await? {
        Some(known) => known,
        None => vault.contact(tenant, first).await?,
    };
    bind(vault, tenant, contact, names).await
}

/// Gives the contact these names. A name that is another contact's stays with that one.
pub(super) async fn bind(
    vault: &dyn Vault,
    tenant: TenantId,
    contact: KeyId,
    names: &[Alias],
) -> Result<Vec<Bound>, Trouble> {
    let mut bound = Vec::with_capacity(names.len());
    for name in names {
        let kind = name.kind;
        if let Some(contact) = vault.find(tenant, name).await? {
            bound.push(Bound { contact, kind });
            continue;
        }
        match vault.add_alias(tenant, contact, name).await {
            Ok(()) => bound.push(Bound { contact, kind }),
            Err(VaultError::Taken { contact }) => bound.push(Bound { contact, kind }),
            Err(error) if is_of_one_person(&error) => {
                tracing::warn!(%contact, "a name could not be added to a contact");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bound)
}

/// The contacts of these names, each once, in their order.
pub(super) fn contacts(bound: &[Bound]) -> Vec<KeyId> {
    let mut contacts: Vec<KeyId> = Vec::new();
    for Bound { contact, .. } in bound {
        if !contacts.contains(contact) {
            contacts.push(*contact);
        }
    }
    contacts
}
