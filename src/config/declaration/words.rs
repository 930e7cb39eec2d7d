//! The words of a declaration: names, channels, roles, patterns of events.

use std::fmt;

use crate::config::choice::choice;
use crate::config::setting::text_setting;
use crate::config::unknown::nearest;
use crate::domain::notification::NotificationKind;
use crate::domain::quiet::QuietHours;

/// The name of a tenant, session, endpoint or key: 1 to 63 of `a-z`, `0-9` and `-`, not beginning with `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Takes a name if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let good = (1..=63).contains(&text.len())
            && letter(text.as_bytes()[0])
            && text.bytes().all(|b| letter(b) || b == b'-');
        good.then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_setting!(
    Name,
    expected: "a name such as \"acme-shop\"",
    remedy: "Use 1 to 63 lower-case letters, digits and hyphens, a letter or digit first",
    parse: Name::parse,
    spell: Name::to_string,
);

text_setting!(
    QuietHours,
    expected: "quiet hours such as \"21:00-08:00 Europe/Berlin\"",
    remedy: "Write from and until by the clock, at most 12 hours apart, and a time zone of the IANA database",
    parse: |text| text.parse().ok(),
    spell: QuietHours::to_string,
);

choice! {
    /// The service a session sends through.
    pub enum Channel {
        /// Meta's WhatsApp Cloud API.
        Whatsapp = "whatsapp",
    }
}

choice! {
    /// What an API key may do within its tenant.
    pub enum Role {
        /// Sends messages and reads what became of them.
        Sender = "sender",
        /// Reads records and proofs.
        Auditor = "auditor",
        /// Everything, keys included.
        Admin = "admin",
    }
}

/// Which events an endpoint is told: a type (`message.sent`), all below a prefix (`message.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventPattern(String);

impl EventPattern {
    /// Takes a pattern if it is one: words of lower-case letters and `_`, joined by dots; `*` only as the last.
    pub fn parse(text: &str) -> Option<Self> {
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let (head, last) = text.rsplit_once('.').map_or((None, text), |(head, last)| (Some(head), last));
        let good =
            text.len() <= 128 && (last == "*" || word(last)) && head.is_none_or(|head| head.split('.').all(word));
        good.then(|| Self(text.to_owned()))
    }

    /// The pattern that means every event.
    pub fn all() -> Self {
        Self("*".into())
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is an event that it means. One that means none is a slip: its owner would never be told.
    pub fn means_something(&self) -> bool {
        self.0 == "*" || NotificationKind::ALL.iter().any(|kind| self.matches(kind.word()))
    }

    /// The pattern that was probably meant.
    pub fn nearest(&self) -> Option<&'static str> {
        let types = NotificationKind::ALL.iter().map(|kind| kind.word());
        nearest(&self.0, types.chain(["message.*"]))
    }

    /// Whether an event of this type is meant: `message.*` means `message.sent` and `message.sent.late`, not `message`.
    pub fn matches(&self, event_type: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => event_type.len() > prefix.len() && event_type.starts_with(prefix),
            None => event_type == self.0,
        }
    }
}

text_setting!(
    EventPattern,
    expected: "a pattern of event types such as \"message.*\"",
    remedy: "Write a type (\"message.delivered\"), all below a prefix (\"message.*\") or all (\"*\")",
    parse: EventPattern::parse,
    spell: |pattern| pattern.0.clone(),
);
