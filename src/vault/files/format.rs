//! The bytes of `keys.wbv`, version 1: a magic of eight bytes, then records, each after the other, only ever appended.
//!
//! | record | bytes | meaning |
//! | --- | --: | --- |
//! | length | 4 | of the payload, big-endian |
//! | head CRC | 4 | CRC-32C over length ‖ the record's offset in the file (8 bytes big-endian) |
//! | payload CRC | 4 | CRC-32C over the payload |
//! | payload | n | CBOR (RFC 8949): `[kind, [map]]`, the map with the integer keys below |
//!
//! | kind | map |
//! | --- | --- |
//! | 0 head, once and first | 0 version, 1 installation, 2 partitions, 3 check value, 4 callback key |
//! | 1 tenant | 0 tenant, 1 wrapping key, 2 index key |
//! | 2 contact | 0 tenant, 1 key id, 2 contact key, 3 tag of its first alias, 4 that alias |
//! | 3 alias | 0 tenant, 1 key id, 2 tag, 3 alias |
//! | 4 secret | 0 tenant (absent: the installation's), 1 name, 2 secret; the last of a name holds |
//! | 5 erased | 0 tenant, 1 key id, 2 when (µs since 1970 UTC), 3 offsets of its records, which are wiped (kind 7) after this one is durable |
//! | 6 successor | 0 tenant, 1 key id, 2 contact key, 3 tags that lead to it from here on; it has no alias |
//! | 7 wiped | 0 zeros: what stood here is gone, and as long as it was |
//!
//! Ids and tags are byte strings of 16. Keys, aliases, secrets and the check value are sealed (`0x01 ‖ nonce 12 ‖
//! AES-256-GCM ‖ tag 16`), see `wrapping.rs` for under which key and with what associated data. Several contacts may
//! bear one tag (two nodes met a person at once); the first that is not erased is the one that is used.
//! A record is wiped in its place: the bytes from its payload CRC on are written over. A crash in the middle of that leaves a
//! payload whose CRC is wrong, at an offset that an `erased` record names: it is wiped again at the next start.
//! The offset in the head's CRC makes a record that was moved or repeated as wrong as one that was changed.

use minicbor::{Decode, Encode};

use crate::domain::id::{InstallationId, KeyId, Tag, TenantId};
use crate::domain::record::Micros;

/// What the file begins with.
pub const MAGIC: [u8; 8] = *b"WBVKEYS\x01";
/// The version in the head record.
pub const VERSION: u16 = 1;
/// Bytes in front of a payload.
pub const FRAME: usize = 12;
/// The largest payload: a secret of 64 KiB with its name and seal. A larger length is damage, not a record.
pub const MAX_PAYLOAD: usize = 66 * 1024;

/// One record's payload.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Entry {
    /// What the file is.
    #[n(0)]
    Head(#[n(0)] Head),
    /// A tenant's two keys.
    #[n(1)]
    Tenant(#[n(0)] Tenant),
    /// A contact's key and first alias.
    #[n(2)]
    Contact(#[n(0)] Contact),
    /// One more alias.
    #[n(3)]
    Alias(#[n(0)] Alias),
    /// A secret.
    #[n(4)]
    Secret(#[n(0)] Secret),
    /// A contact whose keys are no longer to be used.
    #[n(5)]
    Erased(#[n(0)] Erased),
    /// Who takes the place of an erased contact.
    #[n(6)]
    Successor(#[n(0)] Successor),
    /// What was here is gone.
    #[n(7)]
    Wiped(#[n(0)] Wiped),
}

/// Kind 0.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Head {
    /// [`VERSION`] of the writer.
    #[n(0)]
    pub version: u16,
    /// Whose vault this is.
    #[n(1)]
    pub installation: InstallationId,
    /// Partitions that new contacts are spread over.
    #[n(2)]
    pub count: u16,
    /// Nothing, sealed under the instance key: opens only under the right one.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub check: Vec<u8>,
    /// The key of [`Vault::mac`](crate::vault::Vault::mac), wrapped.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub mac: Vec<u8>,
}

/// Kind 1.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Tenant {
    /// Which tenant.
    #[n(0)]
    pub tenant: TenantId,
    /// Wraps its contacts' keys and seals its secrets; wrapped under the instance key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub wrap: Vec<u8>,
    /// Makes its tags; wrapped under the instance key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub index: Vec<u8>,
}

/// Kind 2.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Contact {
    /// Whose contact.
    #[n(0)]
    pub tenant: TenantId,
    /// The contact.
    #[n(1)]
    pub key: KeyId,
    /// Its key, wrapped under the tenant's.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
    /// Tag of its first alias.
    #[n(3)]
    pub tag: Tag,
    /// That alias, sealed under the contact's key.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub alias: Vec<u8>,
}

/// Kind 3.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Alias {
    /// Whose contact.
    #[n(0)]
    pub tenant: TenantId,
    /// The contact.
    #[n(1)]
    pub key: KeyId,
    /// Tag of the alias.
    #[n(2)]
    pub tag: Tag,
    /// The alias, sealed under the contact's key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub alias: Vec<u8>,
}

/// Kind 4.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Secret {
    /// Whose secret; none is the installation's.
    #[n(0)]
    pub tenant: Option<TenantId>,
    /// Its name, in the clear.
    #[n(1)]
    pub name: String,
    /// The secret, sealed under the tenant's or the instance key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Kind 5.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Erased {
    /// Whose contact.
    #[n(0)]
    pub tenant: TenantId,
    /// The contact.
    #[n(1)]
    pub key: KeyId,
    /// When.
    #[n(2)]
    pub at: Micros,
    /// Where its records stand, to be wiped.
    #[n(3)]
    pub wiped: Option<Vec<u64>>,
}

/// Kind 6.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Successor {
    /// Whose contact.
    #[n(0)]
    pub tenant: TenantId,
    /// The contact.
    #[n(1)]
    pub key: KeyId,
    /// Its key, wrapped under the tenant's.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
    /// What leads to it.
    #[n(3)]
    pub tags: Vec<Tag>,
}

/// Kind 7.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wiped {
    /// Zeros.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub zeros: Vec<u8>,
}

/// Appends the record of an entry that will stand at `offset`.
pub fn append(bytes: &mut Vec<u8>, offset: u64, entry: &Entry) {
    let payload = minicbor::to_vec(entry).expect("writing to a Vec cannot fail");
    let len = u32::try_from(payload.len()).expect("the limits on names, aliases and secrets keep payloads small");
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(&head_crc(len, offset).to_be_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&payload).to_be_bytes());
    bytes.extend_from_slice(&payload);
}

/// Reads the bytes in front of a payload: its length and its CRC.
///
/// # Errors
/// What is wrong with them.
pub fn frame(bytes: &[u8; FRAME], offset: u64) -> Result<(usize, u32), String> {
    let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let len = number(0);
    if number(4) != head_crc(len, offset) {
        return Err("the checksum of a record's length does not match".to_owned());
    }
    if len as usize > MAX_PAYLOAD {
        return Err(format!("a record of {len} bytes; none is longer than {MAX_PAYLOAD}"));
    }
    Ok((len as usize, number(8)))
}

/// Reads a payload.
///
/// # Errors
/// What is wrong with it.
pub fn payload(bytes: &[u8], crc: u32) -> Result<Entry, String> {
    if crc32c::crc32c(bytes) != crc {
        return Err("the checksum of a record does not match".to_owned());
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let entry = decoder.decode().map_err(|e| format!("a record does not decode ({e}); a newer version may know it"))?;
    if decoder.position() == bytes.len() { Ok(entry) } else { Err("a record has bytes left over".to_owned()) }
}

fn head_crc(len: u32, offset: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len.to_be_bytes()), &offset.to_be_bytes())
}
