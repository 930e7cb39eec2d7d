//! Notifications: what a customer's endpoint is told, and which of it one endpoint wants.

use serde::{Deserialize, Serialize};

/// What a notification is about. The number is stored in rebuildable rows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NotificationKind {
    /// Waybill owes an outcome. Kept in the feed for lists; told only to endpoints that name it.
    Accepted,
    /// The provider took it.
    Sent,
    /// On the device.
    Delivered,
    /// Seen.
    Read,
    /// Not delivered, for good.
    Failed,
    /// May have been sent.
    Unknown,
    /// Ran out of time.
    Expired,
    /// Called off.
    Cancelled,
    /// The provider confirmed a second attempt: the person may have it twice.
    Duplicated,
    /// Somebody wrote to a session.
    Received,
    /// The provider holds a session, or slows it down.
    SessionHeld,
    /// It does no more.
    SessionReleased,
    /// The audit's log was signed.
    Checkpoint,
}

impl NotificationKind {
    /// Every kind there is.
    pub const ALL: &'static [Self] = &[
        Self::Accepted,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Unknown,
        Self::Expired,
        Self::Cancelled,
        Self::Duplicated,
        Self::Received,
        Self::SessionHeld,
        Self::SessionReleased,
        Self::Checkpoint,
    ];

    /// The `type` in the notification's body.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "message.accepted",
            Self::Sent => "message.sent",
            Self::Delivered => "message.delivered",
            Self::Read => "message.read",
            Self::Failed => "message.failed",
            Self::Unknown => "message.unknown",
            Self::Expired => "message.expired",
            Self::Cancelled => "message.cancelled",
            Self::Duplicated => "message.duplicated",
            Self::Received => "message.received",
            Self::SessionHeld => "session.held",
            Self::SessionReleased => "session.released",
            Self::Checkpoint => "audit.checkpoint",
        }
    }

    /// Whether it is about a session, and no message.
    #[must_use]
    pub fn is_of_session(self) -> bool {
        matches!(self, Self::SessionHeld | Self::SessionReleased)
    }

    /// Whether it says what became of a message, or came from a person.
    #[must_use]
    pub fn is_outcome(self) -> bool {
        !self.is_of_session() && self != Self::Checkpoint
    }

    /// Whether an endpoint with this subscription wants it. An empty subscription wants all but `message.accepted`,
    /// which the caller of the API already knows, and `audit.checkpoint`, which is for whoever keeps such.
    #[must_use]
    pub fn wanted(self, subscription: &[String]) -> bool {
        if subscription.is_empty() {
            return !matches!(self, Self::Accepted | Self::Checkpoint);
        }
        subscription.iter().any(|pattern| {
            pattern == self.word() || pattern.strip_suffix('*').is_some_and(|prefix| self.is_meant_by(prefix))
        })
    }
}

impl NotificationKind {
    fn is_meant_by(self, prefix: &str) -> bool {
        let apart = self == Self::Accepted || (self == Self::Checkpoint && prefix.is_empty());
        !apart && self.word().starts_with(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_match_by_type_and_by_prefix() {
        let wants = |patterns: &[&str], kind: NotificationKind| {
            kind.wanted(&patterns.iter().map(|&p| p.to_owned()).collect::<Vec<_>>())
        };
        assert!(wants(&[], NotificationKind::Read));
        assert!(!wants(&[], NotificationKind::Accepted));
        assert!(wants(&["message.*"], NotificationKind::Failed));
        assert!(!wants(&["message.*"], NotificationKind::Accepted));
        assert!(wants(&["message.accepted"], NotificationKind::Accepted));
        assert!(!wants(&["message.read"], NotificationKind::Failed));
        assert!(wants(&[], NotificationKind::SessionHeld) && wants(&["session.*"], NotificationKind::SessionReleased));
        assert!(!wants(&["message.*"], NotificationKind::SessionHeld));
        assert!(!wants(&[], NotificationKind::Checkpoint) && !wants(&["*"], NotificationKind::Checkpoint));
        assert!(wants(&["audit.*"], NotificationKind::Checkpoint));
    }

    #[test]
    fn the_list_of_all_is_whole() {
        // The derived order is that of declaration, so a kind that is missing leaves a gap.
        for (at, kind) in NotificationKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, at, "{kind:?}");
        }
        assert_eq!(NotificationKind::Checkpoint as usize + 1, NotificationKind::ALL.len());
    }
}
