//! Our message id in the dress of Meta's: clients of the drop-in keep it as an opaque text, and some look for the prefix.
//! They are told of their message under it, and may ask for it by it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::id::MessageId;

const PREFIX: &str = "wamid.";

/// What an id of ours begins with under the base64; Meta's begin with other bytes (`HBgL…`).
const MARK: &[u8; 8] = b"waybill1";

/// `wamid.` and 32 characters of base64: the mark and the id.
#[must_use]
pub fn write(message: MessageId) -> String {
    format!("{PREFIX}{}", STANDARD.encode([MARK.as_slice(), &message.0].concat()))
}

/// The message of an id that [`write`] made; `None` for Meta's own.
#[must_use]
pub fn read(text: &str) -> Option<MessageId> {
    let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
    Some(MessageId(bytes.strip_prefix(MARK)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_ids_read_back_and_metas_are_not_ours() {
        let message = MessageId([0xab; 16]);
        let text = write(message);
        assert_eq!(text, "wamid.d2F5YmlsbDGrq6urq6urq6urq6urq6ur");
        assert_eq!(read(&text), Some(message));
        for other in [
            "",
            "wamid.",
            "d2F5YmlsbDGrq6urq6urq6urq6urq6ur",
            "wamid.d2F5YmlsbDGrq6urq6urq6urq6urq6uq6w==",
            "wamid.HBgLMTIwMjU1NTAxMjMVAgARGBJGOTg2NkE3RjRDODdCRDdCNDkA",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
