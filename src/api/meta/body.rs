//! The text under the seal of a callback's event: one JSON object around Meta's own words.
//!
//! `{"entry": …, "account": …, "field": …, "part": …, "contact": …}`: `part` is the message, status, preference or other
//! element exactly as Meta wrote it, `contact` the callback's own contact object of that person; what is not there is
//! left out. A part that is too large for one event has an event without a body, and after it events of kind
//! `CallbackCarried` caused by it, in order, whose bodies are `{"piece": n, "of": m, "base64": …}`: the pieces put
//! together are the object above. A body that was signed and is no JSON stands as `{"field": "unreadable", "base64": …}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::callback::Part;
use crate::domain::record::MAX_RECORD;

/// Largest text of one event. Salt, nonce, tag and header are below 64 KiB: the rest of a record has room for them.
pub(super) const WHOLE: usize = MAX_RECORD - 128 * 1024;

/// Bytes of one piece. Base64 makes 4 of 3, so a piece's text is 683 KiB, below [`WHOLE`].
const PIECE: usize = 512 * 1024;

/// The field name of what is no JSON.
pub(super) const UNREADABLE: &str = "unreadable";

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    field: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[derive(Serialize)]
struct Piece {
    piece: usize,
    of: usize,
    base64: String,
}

/// The text of a part.
pub(super) fn of(part: &Part) -> Vec<u8> {
    let raw = |text| serde_json::from_str::<&RawValue>(text).ok();
    let said = part.body.raw();
    let read = raw(said);
    to_json(&Body {
        entry: part.entry.as_deref(),
        account: part.account.as_deref(),
        field: &part.field,
        base64: read.is_none().then(|| STANDARD.encode(said)),
        part: read,
        contact: part.person.as_ref().and_then(|person| raw(person.raw.as_deref()?)),
    })
}

/// The text of a body that is no JSON.
pub(super) fn unreadable(bytes: &[u8]) -> Vec<u8> {
    to_json(&Body {
        entry: None,
        account: None,
        field: UNREADABLE,
        part: None,
        contact: None,
        base64: Some(STANDARD.encode(bytes)),
    })
}

/// The text in pieces.
pub(super) fn pieces(text: &[u8]) -> Vec<Vec<u8>> {
    let of = text.len().div_ceil(PIECE);
    text.chunks(PIECE)
        .enumerate()
        .map(|(piece, bytes)| to_json(&Piece { piece, of, base64: STANDARD.encode(bytes) }))
        .collect()
}

fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("text, numbers and JSON are written as JSON")
}
