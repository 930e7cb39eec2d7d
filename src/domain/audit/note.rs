//! Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature. Who signed is a key's name and
//! four bytes of its hash; whether a signature holds is asked of whoever knows Ed25519.
//!
//! A witness signs more than the text: that it saw it, and when (C2SP tlog-cosignature). Its time is the only one in a
//! checkpoint that is not the log's own claim.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Bytes a note may have: that of a checkpoint with a hundred signatures is a tenth of it.
pub const MAX_NOTE: usize = 64 * 1024;

/// Signatures a note may have.
pub const MAX_SIGNATURES: usize = 100;

const DASH: &str = "— ";

/// What a key's signature covers. The number stands in front of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The text, by Ed25519.
    Ed25519,
    /// The text with the time at which a witness saw it, by Ed25519.
    Cosignature,
}

impl KeyKind {
    fn number(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }
}

/// The public key of whoever signs notes: `name+hash+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    /// Its name; that of a log is its origin.
    pub name: String,
    /// What its signatures cover.
    pub kind: KeyKind,
    /// The Ed25519 key.
    pub public: [u8; 32],
}

/// Text that is no note, or no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Too long, or not of text.
    #[error("a note is at most {MAX_NOTE} bytes of text, without control characters")]
    Text,
    /// No empty line between the text and its signatures.
    #[error("a note is a text, an empty line, and at least one line with a signature")]
    Shape,
    /// A line that should be a signature.
    #[error("line {0} after the text is no signature: it should be a dash, a name, and base64")]
    Signature(usize),
    /// Text that should be a key.
    #[error("a key is its name, eight hex digits and base64, with `+` between them: {0}")]
    Key(&'static str),
}

/// One line below a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The first four bytes of its hash.
    pub hash: [u8; 4],
    /// What it made.
    pub bytes: Vec<u8>,
}

/// A text and those who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed, with the end of its last line.
    pub text: String,
    /// By whom.
    pub signatures: Vec<Signature>,
}

impl NoteKey {
    /// The key of a log.
    #[must_use]
    pub fn of_log(name: &str, public: [u8; 32]) -> Self {
        Self { name: name.to_owned(), kind: KeyKind::Ed25519, public }
    }

    /// The four bytes by which its signatures are found.
    #[must_use]
    pub fn hash(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(&self.name).chain_update([b'\n', self.kind.number()]);
        let digest = hash.chain_update(self.public).finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// Reads `name+hash+key`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let mut next = |what| parts.next().ok_or(NoteError::Key(what));
        let (name, hash, key) = (next("no name")?, next("no hash")?, next("no key")?);
        if !is_name(name) {
            return Err(NoteError::Key("a name has no spaces"));
        }
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key("the key is not base64"))?;
        let (kind, public) = bytes.split_first().ok_or(NoteError::Key("the key is empty"))?;
        let kind = match kind {
            1 => KeyKind::Ed25519,
            4 => KeyKind::Cosignature,
            _ => return Err(NoteError::Key("not of a kind this version knows: Ed25519 is 1, its cosignature 4")),
        };
        let public = public.try_into().map_err(|_| NoteError::Key("an Ed25519 key has 32 bytes"))?;
        let key = Self { name: name.to_owned(), kind, public };
        match hex::encode(key.hash()) == hash {
            true => Ok(key),
            false => Err(NoteError::Key("the hash is not the one of name and key")),
        }
    }

    /// Whether a note is signed with this key, as `holds` (key, message, signature) judges; of a witness also when it saw
    /// it, in seconds since 1970. Unknown signatures are passed over; one of this key that does not hold speaks against
    /// the note.
    pub fn signed(&self, note: &Note, holds: impl Fn(&[u8; 32], &[u8], &[u8]) -> bool) -> Option<u64> {
        let mut ours = note.signatures.iter().filter(|line| line.name == self.name && line.hash == self.hash());
        let first = self.holds_in(note, ours.next()?, &holds)?;
        ours.try_fold(first, |first, line| self.holds_in(note, line, &holds).map(|_| first))
    }

    fn holds_in(&self, note: &Note, line: &Signature, holds: impl Fn(&[u8; 32], &[u8], &[u8]) -> bool) -> Option<u64> {
        match self.kind {
            KeyKind::Ed25519 => holds(&self.public, note.text.as_bytes(), &line.bytes).then_some(0),
            KeyKind::Cosignature => {
                let (time, signature) = line.bytes.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                holds(&self.public, cosigned(&note.text, time).as_bytes(), signature).then_some(time)
            }
        }
    }

    /// The line of a signature made with this key.
    #[must_use]
    pub fn line(&self, signature: &[u8]) -> Signature {
        Signature { name: self.name.clone(), hash: self.hash(), bytes: signature.to_vec() }
    }
}

/// What a witness signs that saw a checkpoint at that time.
#[must_use]
pub fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// `name+hash+key`, as people hand keys on.
impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[self.kind.number()][..], &self.public].concat());
        write!(f, "{}+{}+{key}", self.name, hex::encode(self.hash()))
    }
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let text = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if text.len() > MAX_NOTE || text.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::Text);
        }
        let split = text.rfind("\n\n").ok_or(NoteError::Shape)?;
        let (text, below) = (&text[..=split], &text[split + 2..]);
        let below = below.strip_suffix('\n').ok_or(NoteError::Shape)?;
        let lines: Vec<&str> = below.split('\n').collect();
        if text == "\n" || lines.len() > MAX_SIGNATURES {
            return Err(NoteError::Shape);
        }
        let read = lines.iter().enumerate().map(|(at, line)| signature(line).ok_or(NoteError::Signature(at + 1)));
        Ok(Self { text: text.to_owned(), signatures: read.collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let bytes = STANDARD.encode([&line.hash[..], &line.bytes].concat());
            writeln!(f, "{DASH}{} {bytes}", line.name)?;
        }
        Ok(())
    }
}

fn signature(line: &str) -> Option<Signature> {
    let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (hash, bytes) = bytes.split_first_chunk::<4>()?;
    let good = is_name(name) && !bytes.is_empty();
    good.then(|| Signature { name: name.to_owned(), hash: *hash, bytes: bytes.to_vec() })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn the_example_of_the_go_package_is_read_and_written() {
        let key = NoteKey::parse(KEY).expect("a key");
        let note = Note::parse(NOTE.as_bytes()).expect("a note");
        assert_eq!((key.to_string(), note.to_string()), (KEY.to_owned(), NOTE.to_owned()));
        assert_eq!(note.signatures[0].hash, key.hash());
        let asked = |key_bytes: &[u8; 32], text: &[u8], signature: &[u8]| {
            *key_bytes == key.public && text.ends_with(b"is.\n") && signature.len() == 64
        };
        assert_eq!(key.signed(&note, asked), Some(0));
        assert_eq!(key.signed(&note, |_, _, _| false), None);
        let witness = NoteKey { kind: KeyKind::Cosignature, ..key };
        assert_eq!(witness.signed(&note, |_, _, _| true), None, "another kind is another key");
    }

    #[test]
    fn a_witness_signs_the_time_with_the_text() {
        let key = NoteKey { name: "w.example/1".to_owned(), kind: KeyKind::Cosignature, public: [7; 32] };
        let line = key.line(&[&1_700_000_000u64.to_be_bytes()[..], &[1; 64]].concat());
        let note = Note { text: "a\n1\nb\n".to_owned(), signatures: vec![line] };
        let asked = |_: &[u8; 32], text: &[u8], signature: &[u8]| {
            text == b"cosignature/v1\ntime 1700000000\na\n1\nb\n" && signature == [1; 64]
        };
        assert_eq!(key.signed(&note, asked), Some(1_700_000_000));
        assert_eq!(NoteKey::parse(&key.to_string()), Ok(key));
    }

    #[test]
    fn what_is_no_note_or_key_is_refused_with_its_reason() {
        let note = |from: &str, to: &str| Note::parse(NOTE.replace(from, to).as_bytes()).expect_err(to);
        assert_eq!(Note::parse(&[0xff]), Err(NoteError::Text));
        assert_eq!(note("answer", "an\tswer"), NoteError::Text);
        assert_eq!(note("\n\n", "\n"), NoteError::Shape);
        assert_eq!(note("— ", "- "), NoteError::Signature(1));
        assert_eq!(note("PeterNeumann", "Peter+Neumann"), NoteError::Signature(1));
        assert_eq!(Note::parse(NOTE.trim_end().as_bytes()), Err(NoteError::Shape));
        assert_eq!(Note::parse(b"\n\n\n"), Err(NoteError::Shape));
        let many = format!("{}{}", NOTE, &NOTE[NOTE.find('—').expect("a dash")..].repeat(MAX_SIGNATURES));
        assert_eq!(Note::parse(many.as_bytes()), Err(NoteError::Shape));
        for bad in
            ["", "a", "a+b", "a b+c74f20a3+AQ==", "PeterNeumann+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"]
        {
            assert!(matches!(NoteKey::parse(bad), Err(NoteError::Key(_))), "{bad}");
        }
        assert!(matches!(NoteKey::parse(&KEY.replace("ARpc", "CRpc")), Err(NoteError::Key(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_parser_panic_and_what_is_read_is_written_the_same(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), at: prop::sample::Index, byte: u8
        ) {
            let mut edited = NOTE.as_bytes().to_vec();
            let at = at.index(edited.len());
            edited[at] = byte;
            for bytes in [&bytes, &edited] {
                if let Ok(note) = Note::parse(bytes) {
                    prop_assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
                }
                let text = String::from_utf8_lossy(bytes);
                let _ = (NoteKey::parse(&text), super::super::Checkpoint::parse(&text));
                let _ = super::super::tile::leaves(bytes, 3);
            }
        }
    }
}
