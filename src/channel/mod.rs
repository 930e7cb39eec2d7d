//! Channel: the hand that sends one message to a provider and says which of three answers came, and reads what the
//! provider calls back.
//!
//! It must never know what a session is, what is due, whether a message may be sent or tried again: it is given one
//! attempt with a deadline and gives one answer. It keeps no state between attempts, writes nothing, and never retries.
//! Graph JSON is spoken here and nowhere else.
//!
//! | file | holds |
//! | --- | --- |
//! | [`seam`] | commands and capabilities as data, the trait of channels in this process |
//! | [`whatsapp`] | the Cloud API: sending, its code table, our callback token, its callbacks |
//! | [`scripted`] | the double: answers from a script |
//! | [`error`] | what keeps a channel from being built |
//!
//! To add a channel: a folder with an implementation of [`Channel`], its capabilities, a stage in `contract.rs`; callers
//! branch on capabilities, never on the channel's name.

pub mod error;
pub mod null;
pub mod scripted;
pub mod seam;
pub mod whatsapp;

#[cfg(test)]
mod contract;

pub use error::ChannelError;
pub use scripted::{Line, Scripted};
pub use seam::{Capabilities, Channel, Command, Credential, Leave, SendCommand};
