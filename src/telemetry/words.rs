//! The words that labels may have. Closed sets: what is in none of them is `other`, and every counter of theirs is there
//! from the start, because `rate()` misses the first event of a series that begins with it.

use std::str::FromStr;

use metrics::counter;

use super::names;
use crate::domain::consent::{NO_OPT_IN, OPTED_OUT, WINDOW_CLOSED};
use crate::domain::event::Event;
use crate::domain::failure::FailureClass;
use crate::domain::notification::NotificationKind;

/// Words that failures and unknown outcomes have beside those of [`FailureClass`].
const REASONS: [&str; 16] = [
    "",
    "idempotency_conflict",
    "unknown_given_up",
    "erased",
    OPTED_OUT,
    NO_OPT_IN,
    WINDOW_CLOSED,
    "timeout",
    "reset",
    "body",
    "malformed",
    "crashed",
    "server_error",
    "unknown_code",
    "ambiguous_code",
    "task_died",
];

/// Classes of [`FailureClass`] that end a message.
const FINAL: [&str; 2] = ["recipient", "request"];

/// The codes that the drop-in answers with.
const META_CODES: [(i32, &str); 10] = [
    (10, "10"),
    (100, "100"),
    (190, "190"),
    (130_429, "130429"),
    (131_000, "131000"),
    (131_008, "131008"),
    (131_009, "131009"),
    (131_016, "131016"),
    (131_050, "131050"),
    (131_051, "131051"),
];

/// The label for a failure's class or an unknown outcome's reason.
pub(super) fn class(word: &str) -> &'static str {
    if let Some(known) = REASONS.into_iter().find(|known| *known == word) {
        return known;
    }
    FailureClass::from_str(word).map_or("other", FailureClass::word)
}

/// Why the provider holds a session, or slows it down (`paced`).
pub const HELD: [&str; 6] = ["auth", "sender", "throttle", "unreached", "paced", "other"];

/// The place in [`HELD`] of a hold of this class.
#[must_use]
pub fn held(class: &str) -> usize {
    HELD.iter().position(|known| *known == class).unwrap_or(HELD.len() - 1)
}

/// The label for what became of a message.
pub(super) fn outcome(kind: NotificationKind) -> &'static str {
    kind.word().strip_prefix("message.").unwrap_or("other")
}

/// The label for one of Meta's codes.
pub(super) fn meta_code(code: i32) -> &'static str {
    META_CODES.into_iter().find(|(known, _)| *known == code).map_or("other", |(_, word)| word)
}

/// The label for an event that a callback became.
pub(super) fn callback(kind: u16) -> &'static str {
    match Event::KINDS.iter().find(|(number, ..)| *number == kind).map(|(_, name, _)| *name) {
        Some("StatusReported") => "status",
        Some("InboundReceived") => "inbound",
        Some("CallbackCarried") => "carried",
        _ => "other",
    }
}

/// Counters that begin at 0.
pub(super) fn touch() {
    for kind in NotificationKind::ALL.iter().filter(|kind| kind.is_outcome()) {
        counter!(names::OUTCOMES, "outcome" => outcome(*kind), "class" => "").increment(0);
    }
    for class in FINAL.into_iter().chain(REASONS) {
        counter!(names::OUTCOMES, "outcome" => "failed", "class" => class).increment(0);
        counter!(names::OUTCOMES, "outcome" => "unknown", "class" => class).increment(0);
    }
    counter!(names::ATTEMPTS, "outcome" => "sent", "class" => "").increment(0);
    for class in ["auth", "throttle", "retry", "recipient", "sender", "request"] {
        counter!(names::ATTEMPTS, "outcome" => "rejected", "class" => class).increment(0);
    }
    for actor in ["partition", "session", "endpoint", "tenant", "audit", "other"] {
        counter!(names::RESTARTS, "actor" => actor).increment(0);
    }
    for outcome in ["delivered", "failed"] {
        counter!(names::NOTIFICATIONS, "outcome" => outcome).increment(0);
    }
    for (_, code) in META_CODES {
        counter!(names::DROPIN_REFUSED, "code" => code).increment(0);
    }
    for outcome in ["taken", "unauthorized", "refused"] {
        counter!(names::CALLBACKS, "outcome" => outcome).increment(0);
    }
    for kind in ["status", "inbound", "carried", "other"] {
        counter!(names::CALLBACK_EVENTS, "kind" => kind).increment(0);
    }
    for answer in ["admitted", "full"] {
        counter!(names::PEOPLE, "answer" => answer).increment(0);
    }
    counter!(names::JOURNAL_RECORDS).increment(0);
    counter!(names::JOURNAL_BYTES).increment(0);
}

/// Refusals begin at 0 too; whoever answers requests knows their codes.
pub fn touch_codes(codes: impl Iterator<Item = &'static str>) {
    for code in codes {
        counter!(names::REFUSED, "code" => code).increment(0);
    }
}
