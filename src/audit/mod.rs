//! Audit: the hand that signs, and that writes and reads the folders auditors are given.
//!
//! Trees, proofs and texts are arithmetic and live in `domain/audit`; this room knows Ed25519 and files. It must never know
//! where records come from, nor a key that opens one. The format, with test vectors for a stranger's verifier: `README.md`.
//!
//! | file | holds |
//! | --- | --- |
//! | [`sign`] | Ed25519: signing checkpoints, and judging signatures |
//! | [`layout`] | what an export consists of |
//! | [`folder`] | its files, as they are written |
//! | [`export`] | the log and the trees of an export, checked while they are written |
//! | [`verify`] | whether an export proves what it says |
//!
//! To add a file to an export: its name in `layout.rs`, who writes it in `export/`, who checks it in `verify/` (a file that
//! nobody checks proves nothing), a line in `README.md`.

pub mod export;
pub mod folder;
pub mod layout;
pub mod sign;
pub mod verify;

pub use sign::Signer;
