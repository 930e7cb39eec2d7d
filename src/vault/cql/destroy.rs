//! The end of a contact: its names lead elsewhere or nowhere, then its key goes.
//!
//! In this order, so that whoever is cut short can begin again: as long as the key is there its names are known. Names are
//! written above all that was written of them. Deleting takes the bytes out of what is read at once, and out of the files of the
//! database when it compacts them; snapshots have an end of their own (`../README.md`).

use std::sync::Arc;

use super::shared::{Shared, bytes, key_id};
use super::statements::{ERASED, MARKED, WRITTEN};
use crate::domain::id::{KeyId, Tag, TenantId};
use crate::vault::cipher::Key;
use crate::vault::error::VaultError;
use crate::vault::sealing;

impl Shared {
    /// Destroys a contact's key and names, as [`Vault::destroy`](crate::vault::Vault::destroy) says.
    pub async fn destroy(&self, at: (TenantId, KeyId), mark: bool) -> Result<Option<KeyId>, VaultError> {
        self.is_whole()?;
        let (tenant, contact) = at;
        let heir = sealing::successor(&self.keys.tenant(tenant).index, contact);
        match self.wrapped(at).await {
            Err(VaultError::Erased { .. }) => {
                let there = mark && self.has_key((tenant, heir)).await?;
                return Ok(there.then_some(heir));
            }
            other => drop(other?),
        }
        let tags: Vec<Tag> = self.sealed_aliases(at).await?.into_iter().map(|(tag, _)| tag).collect();
        let lead = mark.then_some(heir);
        if mark {
            self.write_heir((tenant, heir), &tags).await?;
        }
        for tag in &tags {
            self.lead_elsewhere((tenant, *tag), contact, lead).await?;
        }
        let (tenant_bytes, contact_bytes, _) = bytes(at, Tag([0; 16]));
        self.tell("delete a contact", |all| &all.drop_contact, (ERASED, &tenant_bytes, &contact_bytes)).await?;
        self.tell("delete a contact", |all| &all.put_erased, (&tenant_bytes, &contact_bytes, MARKED)).await?;
        self.unwrapped.lock().forget(&at);
        self.named.lock().forget_value(&contact);
        Ok(lead)
    }

    async fn has_key(&self, at: (TenantId, KeyId)) -> Result<bool, VaultError> {
        match self.wrapped(at).await {
            Ok(_) => Ok(true),
            Err(VaultError::Unknown { .. } | VaultError::Erased { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A key that is there stays: something may be sealed under it. Rows are numbered, so that a second time writes the same.
    async fn write_heir(&self, at: (TenantId, KeyId), tags: &[Tag]) -> Result<(), VaultError> {
        if !self.has_key(at).await? {
            let key = Arc::new(Key::draw(self.entropy.as_ref()));
            let wrapped = self.keys.tenant(at.0).wrap(self.entropy.as_ref(), at, &key);
            let first = tags.first().copied().unwrap_or(Tag([0; 16]));
            let (tenant, contact, tag) = bytes(at, first);
            let values = (&tenant, &contact, 0_i64, &tag, wrapped, Vec::<u8>::new(), WRITTEN);
            self.tell("write a contact's key", |all| &all.put_contact, values).await?;
        }
        for (number, tag) in (0_i64..).zip(tags) {
            let (tenant, contact, tag) = bytes(at, *tag);
            let values = (&tenant, &contact, number, &tag, Vec::<u8>::new(), WRITTEN);
            self.tell("write a name", |all| &all.put_alias, values).await?;
        }
        Ok(())
    }

    /// A name that means this contact means another one from here on, or nobody.
    async fn lead_elsewhere(&self, at: (TenantId, Tag), contact: KeyId, lead: Option<KeyId>) -> Result<(), VaultError> {
        let (tenant, tag) = (at.0.0.to_vec(), at.1.0.to_vec());
        let rows: Vec<(Option<Vec<u8>>, Option<i64>)> =
            self.ask("look a name up", |all| &all.get_stamp, (&tenant, &tag)).await?;
        let decided = rows.into_iter().next().and_then(|(decided, stamp)| Some((decided?, stamp.unwrap_or(0))));
        let Some((decided, stamp)) = decided else { return Ok(()) };
        if key_id(decided)? != contact {
            return Ok(());
        }
        let above = self.name(at).await?.stamp(self.clock.wall()).max(stamp.saturating_add(1));
        match lead {
            Some(heir) => {
                let values = (&tenant, &tag, heir.0.to_vec(), above);
                self.tell("write a name", |all| &all.put_decided, values).await
            }
            None => self.tell("delete a name", |all| &all.drop_name, (above, &tenant, &tag)).await,
        }
    }
}
