//! What is asked for: a message with its settings, however it came in.

use super::super::codes::Code;
use super::super::problem::Problem;
use crate::domain::admission::Expiry;
use crate::domain::content::Content;
use crate::domain::event::{Category, Priority, UnknownPolicy};
use crate::domain::id::CampaignId;
use crate::domain::record::Micros;

/// Longest idempotency key, characters.
pub const KEY_MAX: usize = 255;

/// Who is to send, as the request wrote it: part of an idempotency key's scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A session's name.
    Name(String),
    /// The provider's id of the sender: a phone number id, in the Graph drop-in.
    Account(String),
}

impl Sender {
    /// The text that scopes idempotency keys. No name holds a colon, so the two kinds never meet.
    #[must_use]
    pub fn as_written(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Account(account) => format!("account:{account}"),
        }
    }
}

/// A checked idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Takes a key of 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// `invalid_header`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let visible = text.bytes().all(|b| b.is_ascii_graphic());
        if (1..=KEY_MAX).contains(&text.len()) && visible {
            return Ok(Self(text.to_owned()));
        }
        Err(Problem::new(Code::InvalidHeader, "the idempotency key is not one")
            .remedy("write 1 to 255 visible ASCII characters without spaces"))
    }

    /// The key of a campaign's line: by the caller's reference, or by the recipient. No caller's key holds a space, so the
    /// two never meet.
    #[must_use]
    pub fn of_line(campaign: CampaignId, reference: Option<&str>, to: &str) -> Self {
        match reference {
            Some(reference) => Self(format!("{campaign} reference {reference}")),
            None => Self(format!("{campaign} to {to}")),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// One message to accept.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who is to send.
    pub from: Sender,
    /// The checked message.
    pub content: Content,
    /// What it is for.
    pub category: Option<Category>,
    /// Who goes first.
    pub priority: Option<Priority>,
    /// What about an unknown outcome.
    pub unknown: Option<UnknownPolicy>,
    /// When it is given up.
    pub expiry: Option<Expiry>,
    /// When it is to leave.
    pub send_at: Option<Micros>,
    /// Blocks its recipient's lane until settled.
    pub ordered: bool,
    /// The campaign it is a line of: it waits for its start, whatever the hour.
    pub campaign: Option<CampaignId>,
    /// The caller's key, if it gave one.
    pub idempotency: Option<IdempotencyKey>,
    /// [`super::fingerprint()`] of the body, without sender and idempotency key.
    pub fingerprint: [u8; 32],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_and_bounded() {
        for good in ["a", "order-7:1", &"x".repeat(255)] {
            assert!(IdempotencyKey::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\u{e9}", "a\n", &"x".repeat(256)] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
