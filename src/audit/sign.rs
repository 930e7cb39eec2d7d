//! Ed25519. Its signatures are deterministic: the same text has the same signature, whoever makes it again.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::domain::audit::note::{Note, NoteKey};
use crate::domain::audit::{Checkpoint, Hash};

/// A log's key.
pub struct Signer(Ed25519KeyPair);

/// A seed that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seed of a signing key has 32 bytes")]
pub struct NoSeed;

impl Signer {
    /// The key of this seed.
    ///
    /// # Errors
    /// When it has not 32 bytes.
    pub fn of_seed(seed: &[u8]) -> Result<Self, NoSeed> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| NoSeed)
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> Hash {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }

    /// Signs a checkpoint.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(checkpoint.to_string().as_bytes()).as_ref());
        signature
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(hidden)")
    }
}

/// Whether this is the key's signature of the message.
#[must_use]
pub fn holds(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

/// The note of a checkpoint that was signed.
#[must_use]
pub fn note(checkpoint: &Checkpoint, public: [u8; 32], signature: &[u8]) -> Note {
    let key = NoteKey::of_log(&checkpoint.origin, public);
    Note { text: checkpoint.to_string(), signatures: vec![key.line(signature)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_verifies_and_nothing_else_does() {
        let signer = Signer::of_seed(&[7; 32]).expect("32 bytes");
        let checkpoint = Checkpoint { origin: "waybill/ins".to_owned(), size: 3, root: [9; 32] };
        let signature = signer.sign(&checkpoint);
        assert_eq!(signature, signer.sign(&checkpoint), "deterministic");
        let key = NoteKey::of_log("waybill/ins", signer.public());
        let good = note(&checkpoint, signer.public(), &signature);
        let read = Note::parse(good.to_string().as_bytes()).expect("a note");
        assert_eq!(key.signed(&read, holds), Some(0));
        let other = Checkpoint { size: 4, ..checkpoint.clone() };
        assert_eq!(key.signed(&note(&other, signer.public(), &signature), holds), None);
        let stranger = NoteKey::of_log("waybill/ins", Signer::of_seed(&[8; 32]).expect("32 bytes").public());
        assert_eq!(stranger.signed(&read, holds), None);
        assert!(Signer::of_seed(&[7; 31]).is_err());
    }

    #[test]
    fn the_example_of_the_go_package_verifies() {
        let key = NoteKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").expect("a key");
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(key.signed(&Note::parse(text.as_bytes()).expect("a note"), holds), Some(0));
    }
}
