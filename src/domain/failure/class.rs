//! Failure classes and the buckets that a provider throttles. Their words stand in events and configuration for ever.

use std::fmt;
use std::str::FromStr;

/// What to do about a refusal. Closed: retry and alerts are decided by class alone, never by code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Token or permission of the connection: pause the connection, alert.
    Auth,
    /// Too fast for this bucket: the message stays queued, the bucket waits.
    Throttle(Bucket),
    /// The provider says that it was not processed: back off, with jitter.
    Retry,
    /// It may have been processed: an unknown outcome, never a blind resend.
    Ambiguous,
    /// This recipient, now or ever: the message fails.
    Recipient,
    /// The sender or its account is barred: pause that sender, the message stays queued.
    Sender,
    /// The request itself is wrong: the message fails, a copy of it would too.
    Request,
}

/// Whose rate was exceeded. Scopes are Meta's (Cloud API, "Rate limits", "Messaging limits", "Error codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// All calls of one app.
    App,
    /// Calls of one app on one WhatsApp business account.
    Waba,
    /// Throughput of one phone number id, both directions.
    Number,
    /// One phone number id with one person.
    Pair,
    /// Unique people in 24 h, shared by all numbers of a business portfolio.
    Portfolio,
    /// One template.
    Template,
    /// Marketing messages to one person, whoever sends; set by Meta.
    UserMarketing,
    /// One endpoint of the API.
    Endpoint,
    /// One Flow.
    Flow,
}

/// A word that names no class or bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}; expected {expected}")]
pub struct WordError {
    text: String,
    kind: &'static str,
    expected: &'static str,
}

impl WordError {
    fn new(text: &str, kind: &'static str, expected: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), kind, expected }
    }
}

impl Bucket {
    /// Every bucket, in the order of its declaration.
    pub const ALL: [Self; 9] = [
        Self::App,
        Self::Waba,
        Self::Number,
        Self::Pair,
        Self::Portfolio,
        Self::Template,
        Self::UserMarketing,
        Self::Endpoint,
        Self::Flow,
    ];

    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Waba => "waba",
            Self::Number => "number",
            Self::Pair => "pair",
            Self::Portfolio => "portfolio",
            Self::Template => "template",
            Self::UserMarketing => "user_marketing",
            Self::Endpoint => "endpoint",
            Self::Flow => "flow",
        }
    }
}

/// A template that is disabled for good: a message of it fails like one whose request is wrong, and so would every other.
const TEMPLATE_DISABLED: i32 = 132_016;

impl FailureClass {
    /// The stable word, without the bucket: `throttle` for every throttle.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Throttle(_) => "throttle",
            Self::Retry => "retry",
            Self::Ambiguous => "ambiguous",
            Self::Recipient => "recipient",
            Self::Sender => "sender",
            Self::Request => "request",
        }
    }

    /// What is throttled, if it is a throttle.
    #[must_use]
    pub fn bucket(self) -> Option<Bucket> {
        match self {
            Self::Throttle(bucket) => Some(bucket),
            _ => None,
        }
    }

    /// Whether no message of the same template can be sent: it is paused, or, a mistake of the request by its class, disabled.
    #[must_use]
    pub fn stops_template(self, code: i32) -> bool {
        self == Self::Throttle(Bucket::Template) || (self == Self::Request && code == TEMPLATE_DISABLED)
    }

    /// Whether the message itself is refused for good. The other classes leave it queued (or, if ambiguous, unknown).
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Recipient | Self::Request)
    }
}

/// `throttle:pair`, otherwise the word alone. Reads back with [`FromStr`].
impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bucket() {
            Some(bucket) => write!(f, "throttle:{}", bucket.word()),
            None => f.write_str(self.word()),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Bucket {
    type Err = WordError;

    /// Reads the word; a hyphen stands for the underscore too.
    fn from_str(text: &str) -> Result<Self, WordError> {
        let word = text.replace('-', "_");
        Self::ALL.into_iter().find(|bucket| bucket.word() == word).ok_or_else(|| {
            WordError::new(
                text,
                "bucket",
                "app, waba, number, pair, portfolio, template, user_marketing, endpoint or flow",
            )
        })
    }
}

impl FromStr for FailureClass {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        if let Some(bucket) = text.strip_prefix("throttle:") {
            return bucket.parse().map(Self::Throttle);
        }
        Ok(match text {
            "auth" => Self::Auth,
            "retry" => Self::Retry,
            "ambiguous" => Self::Ambiguous,
            "recipient" => Self::Recipient,
            "sender" => Self::Sender,
            "request" => Self::Request,
            _ => {
                return Err(WordError::new(
                    text,
                    "failure class",
                    "auth, throttle:<bucket>, retry, ambiguous, recipient, sender or request",
                ));
            }
        })
    }
}

impl serde::Serialize for FailureClass {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for FailureClass {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_reads_back_what_it_prints() {
        let plain = [
            FailureClass::Auth,
            FailureClass::Retry,
            FailureClass::Ambiguous,
            FailureClass::Recipient,
            FailureClass::Sender,
            FailureClass::Request,
        ];
        for class in plain.into_iter().chain(Bucket::ALL.map(FailureClass::Throttle)) {
            assert_eq!(class.to_string().parse(), Ok(class));
        }
        assert_eq!("user-marketing".parse(), Ok(Bucket::UserMarketing));
    }

    #[test]
    fn a_word_of_neither_kind_is_refused_with_what_was_expected() {
        let error = "throttle".parse::<FailureClass>().expect_err("a throttle needs its bucket");
        assert!(error.to_string().contains("throttle:<bucket>"), "{error}");
        assert!("throttle:nobody".parse::<FailureClass>().is_err());
    }
}
