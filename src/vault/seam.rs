//! The seam: all that the floors above see of a vault.

use super::alias::Alias;
use super::error::VaultError;
use super::sealing::Sealed;
use super::secret::SecretBytes;
use crate::domain::id::{InstallationId, KeyId, Tag, TenantId};
use crate::domain::record::Position;
use crate::runtime::BoxFuture;

/// What a call answers that may have to wait for the disk, or the network.
pub type Kept<'a, T> = BoxFuture<'a, Result<T, VaultError>>;

/// Keys and secrets. Everything that returns `Ok` from a call that keeps something is durable by then.
///
/// Every call may answer [`VaultError::Failed`] once the latch has fallen or [`VaultError::Closed`] after
/// [`Vault::close`]; calls that only read go on as long as they can. Where the vault is in a cluster every call may also answer
/// [`VaultError::Cql`] while that does not: whoever asks tries again, or says that it cannot be known now.
pub trait Vault: Send + Sync + 'static {
    /// Which installation these keys belong to.
    fn installation(&self) -> InstallationId;

    /// The contact with this name in this tenant; the first call makes it. Its key is durable before the call returns,
    /// so an event sealed under it may follow at once. Calls at the same time for one name get one key.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] for an alias above [`MAX_ALIAS`](super::alias::MAX_ALIAS) bytes.
    fn contact<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, KeyId>;

    /// The contact with this name, if there is one. Makes nothing.
    fn find<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, Option<KeyId>>;

    /// Gives a contact one more name. Adding a name it already has does nothing.
    ///
    /// # Errors
    /// [`VaultError::Taken`] when it names another contact; `Unknown`, `Erased`, `TooLarge`.
    fn add_alias<'a>(&'a self, tenant: TenantId, contact: KeyId, alias: &'a Alias) -> Kept<'a, ()>;

    /// Every name of a contact, oldest first.
    ///
    /// # Errors
    /// `Unknown`, `Erased`, `Damaged`.
    fn aliases(&self, tenant: TenantId, contact: KeyId) -> Kept<'_, Vec<Alias>>;

    /// Seals content under the contact's key for one context (an event id): it opens in no other.
    ///
    /// # Errors
    /// `Unknown`, `Erased`; `TooLarge` above the size of a record.
    fn seal<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], plaintext: &'a [u8])
    -> Kept<'a, Sealed>;

    /// Opens what [`Vault::seal`] made for this contact and context.
    ///
    /// # Errors
    /// `Unknown`, `Erased`, `Damaged`.
    fn open<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], bytes: &'a [u8]) -> Kept<'a, Vec<u8>>;

    /// Destroys a contact's key and its names, for good: what was sealed under it opens nowhere any more, in this process at
    /// once and in others within the minute for which they hold keys. With `mark`, a contact takes its place that has a key
    /// and no name, and to which those who know a name of the erased one are led: what is said of it (an opt-out) counts
    /// when the person is met again. Says who that is. A second call changes nothing and says the same.
    ///
    /// # Errors
    /// `Unknown`.
    fn destroy(&self, tenant: TenantId, contact: KeyId, mark: bool) -> Kept<'_, Option<KeyId>>;

    /// HMAC-SHA256 over purpose and parts under the tenant's index key, cut to 16 bytes: finds something again
    /// (a message of an idempotency key, a person's rows) and says nothing to whoever has not the vault.
    fn tag<'a>(&'a self, tenant: TenantId, purpose: &'a str, parts: &'a [&'a [u8]]) -> Kept<'a, Tag>;

    /// HMAC-SHA256 under the instance's own key, cut to 8 bytes: for tokens that come back in callbacks.
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 8];

    /// Keeps a secret of a tenant, or of the installation (`None`); a later one of the same name takes its place.
    ///
    /// # Errors
    /// `TooLarge` above 64 KiB, or for a name above 256 bytes.
    fn put_secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str, value: &'a SecretBytes) -> Kept<'a, ()>;

    /// Keeps a secret unless there is one of this name, and says which one there is: of any number of nodes that draw one at
    /// the same time, all are told the same. What was kept before stays.
    ///
    /// # Errors
    /// As [`Vault::put_secret`] and [`Vault::secret`].
    fn put_secret_once<'a>(
        &'a self,
        tenant: Option<TenantId>,
        name: &'a str,
        value: &'a SecretBytes,
    ) -> Kept<'a, SecretBytes>;

    /// The secret of this name, if there is one, as whichever node kept it last.
    ///
    /// # Errors
    /// `Damaged`, `Io`.
    fn secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str) -> Kept<'a, Option<SecretBytes>>;

    /// For each partition the highest position this vault had seen when it was opened, or since from here, in order of partition. A journal that ends before
    /// its mark is older than the vault: a restored backup.
    fn marks(&self) -> Vec<(u16, Position)>;

    /// Raises marks; lower ones than the present are ignored. Durable within about a second and on close: a mark that
    /// lags makes the detection of a restore coarser by a second, never wrong.
    fn raise_marks(&self, marks: &[(u16, Position)]);

    /// What is wrong, if anything: a failed write, after which nothing new is kept until a restart; marks that could not be
    /// written the last time; a database that does not answer. Feeds the health latch.
    fn failed(&self) -> Option<String>;

    /// Writes what is waiting, then keeps nothing new. A second call does nothing.
    ///
    /// # Errors
    /// When the last write failed.
    fn close(&self) -> Kept<'_, ()>;
}
