//! The bytes of a row: one version byte, then `bincode` 2 (serde, varint, little-endian).
//!
//! Rebuildable bytes only: a row that does not decode is rebuilt from the journal. The encoding does not describe
//! itself, so row types keep to plain fields and enums: serde's `skip_serializing_if`, `flatten`, `untagged` and `tag`
//! read back as something else. A row type that changes raises the store's format (`fjall/open.rs`).

use bincode::config::{Configuration, Limit};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::table::RowKey;

use super::error::StoreError;
use super::key::limit;
use super::seam::MAX_VALUE;

/// Version of this encoding, the first byte of every row.
pub const VERSION: u8 = 1;

/// The limit also bounds what a damaged length can make the decoder allocate.
const CONFIG: Configuration<bincode::config::LittleEndian, bincode::config::Varint, Limit<MAX_VALUE>> =
    bincode::config::standard().with_limit::<MAX_VALUE>();

/// A row's bytes.
///
/// # Errors
/// [`StoreError::Limit`] above [`MAX_VALUE`]; [`StoreError::Row`] when the type cannot be written this way.
pub fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreError> {
    // 128 bytes hold a usual row; a larger one grows the buffer twice or so.
    let mut bytes = Vec::with_capacity(128);
    bytes.push(VERSION);
    bincode::serde::encode_into_std_write(row, &mut bytes, CONFIG).map_err(|why| bad(why.to_string()))?;
    limit(|| format!("a row ({}) in bytes", std::any::type_name::<T>()), bytes.len(), MAX_VALUE)?;
    Ok(bytes)
}

/// The row in these bytes: all of them.
///
/// # Errors
/// [`StoreError::Row`] for another version, damage, or bytes left over. [`decode_row`] also says which row.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    let (version, rest) = bytes.split_first().ok_or_else(|| bad("it is empty".to_owned()))?;
    if *version != VERSION {
        return Err(bad(format!("encoding version {version} is not {VERSION}")));
    }
    let (row, used) = bincode::serde::decode_from_slice(rest, CONFIG).map_err(|why| bad(why.to_string()))?;
    if used != rest.len() {
        return Err(bad(format!("{} bytes are left over after {}", rest.len() - used, std::any::type_name::<T>())));
    }
    Ok(row)
}

/// The row in these bytes; an error says which row it was.
///
/// # Errors
/// As [`decode`].
pub fn decode_row<T: DeserializeOwned>(key: &RowKey, bytes: &[u8]) -> Result<T, StoreError> {
    decode(bytes).map_err(|error| error.in_row(key))
}

fn bad(why: String) -> StoreError {
    StoreError::Row { key: None, why }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::domain::id::MessageId;
    use crate::domain::table::Table;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        id: MessageId,
        at: Option<i64>,
        names: Vec<String>,
    }

    fn sample() -> Sample {
        Sample { id: MessageId([9; 16]), at: Some(-5), names: vec!["a".into(), "bc".into()] }
    }

    #[test]
    fn a_row_reads_back_what_was_written() {
        let bytes = encode(&sample()).expect("encodes");
        assert_eq!(bytes[0], VERSION);
        assert_eq!(decode::<Sample>(&bytes).expect("decodes"), sample());
    }

    #[test]
    fn no_shortened_lengthened_or_other_bytes_are_taken() {
        let bytes = encode(&sample()).expect("encodes");
        for len in 0..bytes.len() {
            assert!(decode::<Sample>(&bytes[..len]).is_err(), "cut at {len}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(decode::<Sample>(&longer).expect_err("longer").to_string().contains("1 bytes are left over"));
        let other = [&[VERSION + 1], &bytes[1..]].concat();
        assert!(decode::<Sample>(&other).expect_err("version").to_string().contains("version 2"));
    }

    #[test]
    fn a_damaged_length_allocates_nothing_and_a_large_row_is_refused() {
        // Varint 253 announces eight bytes of length: 2^56 elements.
        let huge = [VERSION, 253, 0, 0, 0, 0, 0, 0, 0, 1];
        assert!(decode::<Vec<u64>>(&huge).is_err());
        assert!(matches!(encode(&vec![7u8; MAX_VALUE]), Err(StoreError::Limit { .. })));
    }

    #[test]
    fn the_error_names_the_row() {
        let key = RowKey::single(Table::Message, [1; 16]);
        let error = decode_row::<Sample>(&key, &[]).expect_err("empty").to_string();
        assert!(error.contains("row message/0101010101010101…(16)/"), "{error}");
    }
}
