//! The channel of test keys and test sessions: it takes everything and reaches nobody.

use std::sync::Arc;

use super::seam::{Capabilities, Channel, Credential, SendCommand};
use super::whatsapp;
use crate::domain::failure::Answer;
use crate::runtime::BoxFuture;

/// Answers `Sent` with an id that says it is a test. No status ever follows.
pub struct NullChannel(Capabilities);

impl Default for NullChannel {
    fn default() -> Self {
        Self(whatsapp::capabilities())
    }
}

impl Channel for NullChannel {
    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        let provider_id = format!("test.{}.{}", command.message, command.attempt);
        Box::pin(async move { Answer::Sent { provider_id } })
    }
}
