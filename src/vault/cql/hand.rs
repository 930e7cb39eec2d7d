//! The vault that callers hold: the seam, over one keyspace.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::open::{self, Standing};
use super::shared::Shared;
use super::{Options, marks, names};
use crate::cql::CqlError;
use crate::cql::Owner;
use crate::domain::id::{InstallationId, KeyId, Tag, TenantId, with_partition};
use crate::domain::record::Position;
use crate::domain::routing::contact_partition;
use crate::runtime::{Clock, Entropy};
use crate::vault::Alias;
use crate::vault::alias::MAX_ALIAS;
use crate::vault::cipher::first;
use crate::vault::error::VaultError;
use crate::vault::sealing::{self, MAX_NAME, Sealed, limit};
use crate::vault::seam::{Kept, Vault};
use crate::vault::secret::{MAX_SECRET, SecretBytes};

/// The vault in a keyspace of a CQL cluster.
pub struct CqlVault {
    shared: Arc<Shared>,
    marks: JoinHandle<()>,
}

impl Drop for CqlVault {
    fn drop(&mut self) {
        self.marks.abort();
    }
}

impl CqlVault {
    /// Whose keyspace it is, and how far it has seen the journal; `None` when it is nobody's.
    ///
    /// # Errors
    /// [`VaultError::Cql`].
    pub async fn standing(options: &Options) -> Result<Option<Standing>, VaultError> {
        open::standing(options).await
    }

    /// Makes the keyspace and its tables if they are not there, and the instance key of a new one. May be cut short and run again.
    ///
    /// # Errors
    /// [`VaultError::Cql`], [`VaultError::OtherKey`]; those of the key file.
    pub async fn found(options: &Options, owner: Owner, entropy: &dyn Entropy) -> Result<(), VaultError> {
        open::found(options, owner, entropy).await
    }

    /// Opens the vault, after checking that it is this installation's, and that this node has its instance key.
    ///
    /// # Errors
    /// [`VaultError::Cql`], [`VaultError::OtherKey`]; those of the key file.
    pub async fn open(
        options: &Options,
        owner: Owner,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let shared = Arc::new(open::open(options, owner, clock, entropy).await?);
        let marks = crate::runtime::spawn("vault-marks", marks::keep(Arc::downgrade(&shared)));
        Ok(Self { shared, marks })
    }

    /// Nothing new is kept from now on.
    #[cfg(test)]
    pub(super) fn latch(&self, why: &str) {
        self.shared.latch(why);
    }

    async fn make(&self, tenant: TenantId, tag: Tag, alias: &Alias) -> Result<KeyId, VaultError> {
        let _turn = self.shared.turns.take(tag).await;
        if let Some(known) = self.shared.named(tenant, tag).await? {
            return Ok(known);
        }
        self.shared.is_whole()?;
        let partition = contact_partition(&tag, self.shared.owner.partitions);
        let contact = KeyId(with_partition(self.shared.entropy.id(), partition));
        self.shared.write_contact((tenant, contact), tag, alias).await?;
        let decided = names::decide(&self.shared, (tenant, tag), contact).await?;
        if decided != contact {
            tracing::debug!(made = %contact, %decided, "another node met the same person at the same moment");
        }
        Ok(decided)
    }

    async fn give(&self, at: (TenantId, KeyId), alias: &Alias) -> Result<(), VaultError> {
        let (shared, contact) = (&self.shared, at.1);
        shared.key(at).await?;
        let tag = shared.tag(at.0, alias);
        let _turn = shared.turns.take(tag).await;
        match shared.named(at.0, tag).await? {
            Some(named) if named == contact => return Ok(()),
            Some(contact) => return Err(VaultError::Taken { contact }),
            None => shared.is_whole()?,
        }
        let made = shared.write_alias(at, tag, alias).await?;
        let decided = names::decide(shared, (at.0, tag), contact).await?;
        if decided == contact {
            return Ok(());
        }
        shared.take_back(at, tag, made).await?;
        Err(VaultError::Taken { contact: decided })
    }
}

/// What a secret that is kept once is decided under, beside the names of people.
const ONCE: &str = "waybill secret kept once";

impl CqlVault {
    /// Each process writes its own beside the name, and one of them is decided, as names of people are: there is no other way
    /// to put something only if it is absent without a transaction.
    async fn once(&self, tenant: Option<TenantId>, name: &str, value: &SecretBytes) -> Result<SecretBytes, VaultError> {
        let shared = &self.shared;
        if let Some(there) = shared.secret((tenant, name)).await? {
            return Ok(there);
        }
        let wish = KeyId(shared.entropy.id());
        let beside = |id: KeyId| format!("{name}/{id}");
        self.put_secret(tenant, &beside(wish), value).await?;
        let scope = tenant.unwrap_or_default();
        let tag = Tag(first(&shared.keys.tenant(scope).index.mac(ONCE, &[name.as_bytes()])));
        let _turn = shared.turns.take(tag).await;
        let decided = names::decide(shared, (scope, tag), wish).await?;
        let Some(chosen) = shared.secret((tenant, &beside(decided))).await? else {
            let why = format!("the secret {name:?} was decided and is not there");
            return Err(CqlError::Refused { doing: "keep a secret once".to_owned(), why }.into());
        };
        // Whoever was told so writes the same.
        self.put_secret(tenant, name, &chosen).await?;
        Ok(chosen)
    }
}

impl Vault for CqlVault {
    fn installation(&self) -> InstallationId {
        self.shared.owner.installation
    }

    fn contact<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, KeyId> {
        Box::pin(async move {
            limit("the alias", alias.value.len(), MAX_ALIAS)?;
            let tag = self.shared.tag(tenant, alias);
            match self.shared.named(tenant, tag).await? {
                Some(known) => Ok(known),
                None => self.make(tenant, tag, alias).await,
            }
        })
    }

    fn find<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, Option<KeyId>> {
        Box::pin(async move { self.shared.named(tenant, self.shared.tag(tenant, alias)).await })
    }

    fn add_alias<'a>(&'a self, tenant: TenantId, contact: KeyId, alias: &'a Alias) -> Kept<'a, ()> {
        Box::pin(async move {
            limit("the alias", alias.value.len(), MAX_ALIAS)?;
            self.give((tenant, contact), alias).await
        })
    }

    fn aliases(&self, tenant: TenantId, contact: KeyId) -> Kept<'_, Vec<Alias>> {
        Box::pin(self.shared.aliases((tenant, contact)))
    }

    fn seal<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], text: &'a [u8]) -> Kept<'a, Sealed> {
        Box::pin(async move {
            let key = self.shared.key((tenant, contact)).await?;
            sealing::seal(&key, self.shared.entropy.as_ref(), (tenant, contact), context, text)
        })
    }

    fn open<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], bytes: &'a [u8]) -> Kept<'a, Vec<u8>> {
        Box::pin(async move {
            let key = self.shared.key((tenant, contact)).await?;
            sealing::open(&key, (tenant, contact), context, bytes).map_err(|_| sealing::damaged_content(contact))
        })
    }

    fn destroy(&self, tenant: TenantId, contact: KeyId, mark: bool) -> Kept<'_, Option<KeyId>> {
        Box::pin(self.shared.destroy((tenant, contact), mark))
    }

    fn tag<'a>(&'a self, tenant: TenantId, purpose: &'a str, parts: &'a [&'a [u8]]) -> Kept<'a, Tag> {
        Box::pin(async move { Ok(Tag(first(&self.shared.keys.tenant(tenant).index.mac(purpose, parts)))) })
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 8] {
        first(&self.shared.keys.callback.mac(purpose, parts))
    }

    fn put_secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str, value: &'a SecretBytes) -> Kept<'a, ()> {
        Box::pin(async move {
            limit("the secret's name", name.len(), MAX_NAME)?;
            limit("the secret", value.expose().len(), MAX_SECRET)?;
            self.shared.is_whole()?;
            self.shared.write_secret((tenant, name), value).await
        })
    }

    fn put_secret_once<'a>(
        &'a self,
        tenant: Option<TenantId>,
        name: &'a str,
        value: &'a SecretBytes,
    ) -> Kept<'a, SecretBytes> {
        Box::pin(self.once(tenant, name, value))
    }

    fn secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str) -> Kept<'a, Option<SecretBytes>> {
        Box::pin(self.shared.secret((tenant, name)))
    }

    fn marks(&self) -> Vec<(u16, Position)> {
        self.shared.marks.lock().all()
    }

    fn raise_marks(&self, marks: &[(u16, Position)]) {
        self.shared.marks.lock().raise(marks);
    }

    fn failed(&self) -> Option<String> {
        self.shared.failed()
    }

    fn close(&self) -> Kept<'_, ()> {
        Box::pin(async move {
            self.marks.abort();
            let written = match self.shared.is_whole() {
                Ok(()) => self.shared.write_marks().await,
                // Closed before, or nothing may be kept.
                Err(_) => Ok(()),
            };
            self.shared.close();
            written
        })
    }
}
