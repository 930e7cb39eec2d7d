//! Our callback token: what Meta gives back with each status (`biz_opaque_callback_data`), and so the only handle on a send
//! whose answer was lost.
//!
//! `wb1.<message, 32 hex digits>.<attempt>.<mac, 16 hex digits>`, at most 59 bytes of the 512 that Meta carries. The mac is
//! made elsewhere (its key is in the vault) over everything before the last dot. It keeps a callback of another system on
//! the same app from moving our messages; 64 bits are enough where every guess needs Meta's own signature around it.

use subtle::ConstantTimeEq;

use crate::domain::event::AttemptRef;
use crate::domain::id::MessageId;

/// Version mark: another system's data does not begin like this.
const MARK: &str = "wb1";

/// What the mac is made over.
#[must_use]
pub fn signed(of: AttemptRef) -> String {
    format!("{MARK}.{}.{}", hex::encode(of.message.0), of.attempt)
}

/// The token of an attempt; `mac` is asked for the first eight bytes of a keyed hash over what it is given.
#[must_use]
pub fn write(of: AttemptRef, mac: impl FnOnce(&[u8]) -> [u8; 8]) -> String {
    let signed = signed(of);
    let mac = mac(signed.as_bytes());
    format!("{signed}.{}", hex::encode(mac))
}

/// The attempt of a token, if it is one of ours and its mac is right.
#[must_use]
pub fn read(token: &str, mac: impl FnOnce(&[u8]) -> [u8; 8]) -> Option<AttemptRef> {
    let (signed_part, given) = token.rsplit_once('.')?;
    let mut parts = signed_part.split('.');
    let (Some(MARK), Some(message), Some(attempt), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let of = AttemptRef { message: MessageId(bytes(message)?), attempt: attempt.parse().ok()? };
    // One attempt has one spelling: no capitals, signs or leading zeros.
    if signed(of) != signed_part {
        return None;
    }
    let right = mac(signed_part.as_bytes()).ct_eq(&bytes::<8>(given)?);
    bool::from(right).then_some(of)
}

fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: AttemptRef = AttemptRef { message: MessageId([0xab; 16]), attempt: 3 };

    /// Not a mac: it only has to depend on every byte.
    fn mac(bytes: &[u8]) -> [u8; 8] {
        bytes.iter().fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(*b))).to_be_bytes()
    }

    #[test]
    fn a_token_reads_back_and_stays_within_metas_limit() {
        let token = write(OF, mac);
        assert!(token.starts_with("wb1.abababababababababababababababab.3."), "{token}");
        assert_eq!(read(&token, mac), Some(OF));
        let longest = write(AttemptRef { attempt: u16::MAX, ..OF }, mac);
        assert_eq!(longest.len(), 59);
    }

    #[test]
    fn no_changed_byte_passes() {
        let token = write(OF, mac);
        for at in 0..token.len() {
            for with in *b"0+.Az" {
                let mut changed = token.clone().into_bytes();
                if changed[at] == with {
                    continue;
                }
                changed[at] = with;
                let changed = String::from_utf8(changed).expect("ASCII");
                // Capital digits of the mac say the same number.
                if changed.to_lowercase() != token {
                    assert_eq!(read(&changed, mac), None, "{changed}");
                }
            }
        }
        assert_eq!(read(&token, |_| [0; 8]), None);
    }

    #[test]
    fn other_peoples_data_is_not_ours() {
        for text in ["", "wb1", "wb1...", "wb:01JD0000000000000000000001", "order-1042", "wb1.ab.1.00", "é.é.é.é"] {
            assert_eq!(read(text, mac), None, "{text}");
        }
        let zeros = "wb1.abababababababababababababababab.03";
        assert_eq!(read(&format!("{zeros}.{}", hex::encode(mac(zeros.as_bytes()))), mac), None);
    }
}
