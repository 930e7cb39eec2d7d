//! Retry: what an answer means for the attempt, and when the next one may start.

use super::consent::Bar;
use super::failure::{Answer, Bucket, FailureClass};
use super::quiet::QUIET_HOURS;
use super::record::Micros;

/// The settings that bound retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryLimits {
    /// Attempts of one message before it fails.
    pub max_attempts: u16,
    /// Wait after the first failure.
    pub base: Micros,
    /// Longest wait.
    pub cap: Micros,
}

/// The class of waits that the provider asks for one person's sake, with marketing only.
const USER_MARKETING: &str = "throttle_user_marketing";

/// The class of waits for a place among the people of a portfolio's day.
pub const PORTFOLIO: &str = "portfolio";

/// How an attempt ended, before the provider's id is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The provider took it under this id.
    Sent {
        /// The provider's message id.
        provider_id: String,
    },
    /// Tried again.
    Retry {
        /// Why, as a word.
        class: &'static str,
        /// The provider's code, or 0.
        code: i32,
        /// Not before this.
        not_before: Micros,
        /// It was the message's fault, and is one of its tries.
        counts: bool,
    },
    /// Refused for good.
    Failed {
        /// Why, as a word.
        class: &'static str,
        /// The provider's code, or 0.
        code: i32,
    },
    /// May have been sent.
    Unknown {
        /// Why nobody knows.
        why: &'static str,
    },
    /// A gate barred it; nothing left.
    Withdrawn {
        /// Which gate.
        why: &'static str,
    },
}

impl Verdict {
    /// Until when the message keeps its place before the next one to the same person. Marketing that has to wait for a
    /// day keeps none: what follows may be a code that is asked for now. Nor does what waits for its portfolio: the person
    /// may have written meanwhile, and what answers them waits for nobody.
    #[must_use]
    pub fn keeps_place_until(&self) -> Option<Micros> {
        match self {
            Self::Retry { class, not_before, .. } if keeps_place(class) => Some(*not_before),
            _ => None,
        }
    }
}

/// Whether what is tried again for this reason keeps its place: see [`Verdict::keeps_place_until`].
#[must_use]
pub fn keeps_place(class: &str) -> bool {
    ![USER_MARKETING, PORTFOLIO].contains(&class)
}

/// What else an answer says: the whole sender waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Why, as a word.
    pub class: &'static str,
    /// Whose rate was exceeded, if one was.
    pub bucket: Option<Bucket>,
    /// The provider's code.
    pub code: i32,
    /// No attempt of this sender before this; now: one more like it, and it waits.
    pub until: Micros,
}

/// Nobody was reached: the class of a hold that no provider asked for.
pub const UNREACHED: &str = "unreached";

/// A provider that asks for a longer wait means more than a rate that was exceeded a moment ago.
const MOMENT: Micros = 60 * SECOND;

impl Hold {
    /// Whether it was the number's rate that was exceeded.
    #[must_use]
    pub fn is_of_rate(&self, now: Micros) -> bool {
        self.bucket == Some(Bucket::Number) && self.until - now <= MOMENT
    }
}

const SECOND: Micros = 1_000_000;
const HOUR: Micros = 3_600 * SECOND;

/// How often a message was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// The number of the attempt that was answered.
    pub attempt: u16,
    /// Attempts before it that count.
    pub counted: u16,
}

/// Decides one answer. `drawn` is a random number for the jitter.
#[must_use]
pub fn judge(
    answer: &Answer,
    tries: Tries,
    expires_at: Micros,
    now: Micros,
    drawn: u64,
    limits: &RetryLimits,
) -> (Verdict, Option<Hold>) {
    let again = |class, code, wait: Micros| retry(class, code, now + wait, tries.counted, expires_at, limits);
    // What was the message's fault grows with its tries, what was not with its attempts.
    let [fault, other] = [tries.counted.saturating_add(1), tries.attempt].map(|n| backoff(n, drawn, limits));
    match answer {
        Answer::Sent { provider_id } => (Verdict::Sent { provider_id: provider_id.clone() }, None),
        Answer::Unknown { why } => (Verdict::Unknown { why }, None),
        // Not a byte left: no fault of the message, and as often as its expiry allows. Where nobody was reached, the
        // sender may have met a wall.
        Answer::NotSent { why } => {
            let hold = Hold { class: UNREACHED, bucket: None, code: 0, until: now };
            (later(why, 0, now + other), (*why == "connect").then_some(hold))
        }
        Answer::Rejected { code, class, retry_after_ms, .. } => {
            let asked = retry_after_ms.map(|ms| Micros::try_from(ms).unwrap_or(Micros::MAX / 2_000) * 1_000);
            rejected(*code, *class, asked, fault, tries.attempt, now, again)
        }
    }
}

fn rejected(
    code: i32,
    class: FailureClass,
    asked: Option<Micros>,
    backoff: Micros,
    attempt: u16,
    now: Micros,
    again: impl Fn(&'static str, i32, Micros) -> Verdict,
) -> (Verdict, Option<Hold>) {
    let hold = |wait: Micros| Some(Hold { class: class.word(), bucket: class.bucket(), code, until: now + wait });
    match class {
        FailureClass::Recipient => (Verdict::Failed { class: "recipient", code }, None),
        FailureClass::Request => (Verdict::Failed { class: "request", code }, None),
        FailureClass::Ambiguous => (Verdict::Unknown { why: "ambiguous" }, None),
        FailureClass::Retry => (again("retry", code, asked.unwrap_or(backoff).max(backoff)), None),
        // The token or the number itself is at fault: nothing is retried into a wall. A minute, then one probe.
        FailureClass::Auth => (later("auth", code, now + 60 * SECOND), hold(60 * SECOND)),
        FailureClass::Sender => (later("sender", code, now + 60 * SECOND), hold(60 * SECOND)),
        FailureClass::Throttle(Bucket::Pair) => {
            // Meta: wait 4^X seconds, X = 0, 1, 2, … (cloud-api, code 131056). Others are not affected.
            let wait = SECOND << (2 * u32::from(attempt.clamp(1, 7) - 1));
            (later("throttle_pair", code, now + asked.unwrap_or(wait).max(wait)), None)
        }
        FailureClass::Throttle(Bucket::UserMarketing) => {
            (again(USER_MARKETING, code, asked.unwrap_or(24 * HOUR).max(24 * HOUR)), None)
        }
        FailureClass::Throttle(Bucket::Template) => (again("throttle_template", code, asked.unwrap_or(3 * HOUR)), None),
        FailureClass::Throttle(_) => {
            let wait = asked.unwrap_or(SECOND).max(SECOND);
            (later("throttle", code, now + wait), hold(wait))
        }
    }
}

/// What a gate's bar means for the attempt. A wait that outlasts the message is no wait.
#[must_use]
pub fn barred(bar: Bar, expires_at: Micros) -> Verdict {
    match bar {
        Bar::Never(why) => Verdict::Withdrawn { why },
        Bar::Until(until, code) if until >= expires_at => Verdict::Failed { class: USER_MARKETING, code },
        Bar::Until(until, code) => later(USER_MARKETING, code, until),
        Bar::Quiet(until) if until >= expires_at => Verdict::Failed { class: QUIET_HOURS, code: 0 },
        Bar::Quiet(until) => later(QUIET_HOURS, 0, until),
        // Whether there is a place for it before it expires nobody knows yet.
        Bar::Portfolio(until, code) => later(PORTFOLIO, code, until),
    }
}

/// A throttled or held attempt is no fault of the message: it does not count against its attempts, only its expiry.
fn later(class: &'static str, code: i32, not_before: Micros) -> Verdict {
    Verdict::Retry { class, code, not_before, counts: false }
}

fn retry(
    class: &'static str,
    code: i32,
    not_before: Micros,
    counted: u16,
    expires_at: Micros,
    limits: &RetryLimits,
) -> Verdict {
    if counted.saturating_add(1) >= limits.max_attempts || not_before >= expires_at {
        return Verdict::Failed { class, code };
    }
    Verdict::Retry { class, code, not_before, counts: true }
}

/// Exponential, full jitter in its upper half: `base·2^(n-1)` capped, times 0.5 to 1.
fn backoff(attempt: u16, drawn: u64, limits: &RetryLimits) -> Micros {
    let doubled = limits.base.saturating_mul(1 << u32::from(attempt.clamp(1, 20) - 1));
    let full = doubled.min(limits.cap).max(1);
    let jitter = Micros::try_from(drawn % (u64::try_from(full).unwrap_or(1) / 2 + 1)).unwrap_or(0);
    full - jitter
}
