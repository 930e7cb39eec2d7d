//! How content is sealed under a contact's key, and the salted commitment that stands in the event's header.
//!
//! `bytes = 0x01 ‖ nonce 12 ‖ AES-256-GCM(salt 32 ‖ plaintext) ‖ tag 16`, associated data `tenant 16 ‖ key id 16 ‖
//! context`, `commitment = SHA-256(salt ‖ plaintext)`. The salt lies inside the sealed bytes: the commitment binds the
//! writer to the text (GCM alone does not bind to a key), and says nothing about it once the key is destroyed.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::cipher::{Key, NotOpened, first};
use super::error::VaultError;
use crate::domain::id::{KeyId, TenantId, partition_of, with_partition};
use crate::domain::record::MAX_RECORD;
use crate::runtime::Entropy;

const SALT: usize = 32;

/// Bytes the name of a secret may have: `kind:tenant/name` with names of at most 64.
pub const MAX_NAME: usize = 256;

/// The purpose under which aliases are tagged, and the beginning of the context they are sealed in.
pub(super) const ALIAS: &str = "waybill alias";

/// Who takes the place of an erased contact: the same one however often it is asked, in the same partition, and known to
/// nobody who has not the tenant's index key.
pub(super) fn successor(index: &Key, contact: KeyId) -> KeyId {
    let id = first(&index.mac("waybill successor", &[&contact.0]));
    KeyId(with_partition(id, partition_of(&contact.0)))
}

/// Content under a contact's key: what an event's body and header take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Under which key; the same as the contact's id.
    pub key: KeyId,
    /// The sealed bytes, layout above.
    pub bytes: Vec<u8>,
    /// SHA-256(salt ‖ plaintext).
    pub commitment: [u8; 32],
}

/// Seals content with a fresh salt and nonce.
pub(super) fn seal(
    key: &Key,
    entropy: &dyn Entropy,
    (tenant, contact): (TenantId, KeyId),
    context: &[u8],
    text: &[u8],
) -> Result<Sealed, VaultError> {
    limit("content to seal", text.len(), MAX_RECORD)?;
    let mut salt = Zeroizing::new([0; SALT]);
    entropy.fill(salt.as_mut());
    let commitment = Sha256::new().chain_update(salt.as_slice()).chain_update(text).finalize().into();
    let bytes = key.seal(entropy, &place(tenant, contact, context), &[salt.as_slice(), text]);
    Ok(Sealed { key: contact, bytes, commitment })
}

/// Opens sealed content; the salt is dropped.
pub(super) fn open(
    key: &Key,
    (tenant, contact): (TenantId, KeyId),
    context: &[u8],
    bytes: &[u8],
) -> Result<Vec<u8>, NotOpened> {
    let salted = key.open(&place(tenant, contact, context), bytes)?;
    salted.get(SALT..).map(<[u8]>::to_vec).ok_or(NotOpened)
}

/// The associated data of everything under a contact's key. The first two parts have fixed lengths, so no context can
/// be taken for another contact.
pub(super) fn place(tenant: TenantId, contact: KeyId, context: &[u8]) -> Vec<u8> {
    [&tenant.0, &contact.0, context].concat()
}

/// Refuses what is larger than the limit.
pub(super) fn limit(what: &'static str, len: usize, max: usize) -> Result<(), VaultError> {
    if len > max { Err(VaultError::TooLarge { what, len, max }) } else { Ok(()) }
}

/// What is said when a contact's content does not open.
pub(super) fn damaged_content(contact: KeyId) -> VaultError {
    VaultError::Damaged { what: format!("content sealed for contact {contact}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::SeededEntropy;

    const AT: (TenantId, KeyId) = (TenantId([1; 16]), KeyId([2; 16]));

    #[test]
    fn sealed_bytes_are_bound_to_tenant_contact_and_context_even_under_one_key() {
        let entropy = SeededEntropy::new(1);
        let key = Key::draw(&entropy);
        let sealed = seal(&key, &entropy, AT, b"event", b"hello").expect("sealed");
        assert_eq!(open(&key, AT, b"event", &sealed.bytes), Ok(b"hello".to_vec()));
        assert_eq!(open(&key, (TenantId([9; 16]), AT.1), b"event", &sealed.bytes), Err(NotOpened));
        assert_eq!(open(&key, (AT.0, KeyId([9; 16])), b"event", &sealed.bytes), Err(NotOpened));
        assert_eq!(open(&key, AT, b"other", &sealed.bytes), Err(NotOpened));
    }

    #[test]
    fn the_layout_and_the_commitment_are_as_documented() {
        let entropy = SeededEntropy::new(1);
        let key = Key::draw(&entropy);
        let sealed = seal(&key, &entropy, AT, b"event", b"hello").expect("sealed");
        let aad = [&[1; 16][..], &[2; 16], b"event"].concat();
        let salted = key.open(&aad, &sealed.bytes).expect("opens with the documented associated data");
        assert_eq!(&salted[32..], b"hello");
        assert_eq!(sealed.commitment, <[u8; 32]>::from(Sha256::digest(&*salted)));
        let unsalted = key.seal(&entropy, &aad, &[b"short"]);
        assert_eq!(open(&key, AT, b"event", &unsalted), Err(NotOpened), "shorter than its salt");
    }
}
