//! Why a message that was accepted has not left yet, and until when: from its row and its session's, and nothing else.
//!
//! Said only where there is something to say. A message that waits for nothing but its turn waits for no reason, and
//! whether somebody else's strict message stands before it no row of its own knows.

use super::message::State;
use super::record::Micros;
use super::retry::PORTFOLIO;
use super::row::{Ended, How, MessageRow, SessionRow};

/// What a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The time it is to leave at.
    Scheduled,
    /// Its next attempt, after one that failed.
    Retry,
    /// The provider holds its session.
    Held,
    /// The provider was asked too fast: for this person, or by this session.
    Throttled,
    /// Somebody stopped its session.
    Suspended,
    /// Somebody closed a gate that it stands behind: of its tenant, its template or a country.
    Gated,
    /// A place among the people whom its portfolio may begin to write to in a day.
    Portfolio,
    /// Word of an attempt that may have been sent.
    Unknown,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Scheduled,
        Self::Retry,
        Self::Held,
        Self::Throttled,
        Self::Suspended,
        Self::Gated,
        Self::Portfolio,
        Self::Unknown,
    ];

    /// The word for it, as the API writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Retry => "retry",
            Self::Held => "held",
            Self::Throttled => "throttled",
            Self::Suspended => "suspended",
            Self::Gated => "gated",
            Self::Portfolio => "portfolio",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a message waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub why: Why,
    /// Not before this, if that is known.
    pub until: Option<Micros>,
    /// The provider's code that is the cause, if there is one.
    pub code: Option<i32>,
    /// The cause as a word, or in the words of whoever stopped it.
    pub reason: Option<String>,
}

/// Why this message waits; `None` once it ended, while an attempt is open, and when it simply has not had its turn.
#[must_use]
pub fn waiting(row: &MessageRow, session: Option<&SessionRow>, now: Micros) -> Option<Waiting> {
    let ended = row.attempts.last().and_then(|attempt| attempt.ended.as_ref());
    match row.state() {
        State::Scheduled => {
            let until = row.accepted.as_ref().and_then(|accepted| accepted.send_at);
            Some(Waiting { why: Why::Scheduled, until, code: None, reason: None })
        }
        State::Unknown => {
            let ended = ended.filter(|ended| ended.how == How::Unknown);
            Some(Waiting { why: Why::Unknown, until: None, code: None, reason: ended.and_then(word) })
        }
        State::Queued if row.waits_since().is_some() => {
            Some(Waiting { why: Why::Gated, until: None, code: None, reason: None })
        }
        State::Queued => {
            let own = row.not_before.filter(|not_before| *not_before > now);
            stopped(session, own, now).or_else(|| own.map(|until| again(ended, until))).or_else(|| slowed(session, now))
        }
        _ => None,
    }
}

/// Whether its last attempt was put off because its portfolio was full: whatever time it was told, it may ask again before.
#[must_use]
pub fn waits_for_portfolio(row: &MessageRow) -> bool {
    let ended = row.attempts.last().and_then(|attempt| attempt.ended.as_ref());
    ended.is_some_and(|ended| ended.how == How::Retry && &*ended.class == PORTFOLIO && ended.code == 0)
}

/// The state as people see it: one that is queued is held while its session may not send, or a gate is closed.
#[must_use]
pub fn state_word(row: &MessageRow, waiting: Option<&Waiting>) -> &'static str {
    match (row.state(), waiting.map(|waiting| waiting.why)) {
        (State::Queued, Some(Why::Held | Why::Suspended | Why::Gated)) => HELD,
        // On its way to the session that sends it.
        (State::Moved, _) => State::Queued.word(),
        (state, _) => state.word(),
    }
}

/// The state of a message that is kept from leaving.
pub const HELD: &str = "held";

/// The session may not send at all.
fn stopped(session: Option<&SessionRow>, own: Option<Micros>, now: Micros) -> Option<Waiting> {
    let session = session?;
    if let Some(suspended) = &session.suspended {
        let reason = Some(suspended.reason.clone());
        return Some(Waiting { why: Why::Suspended, until: None, code: None, reason });
    }
    let held = session.held.as_ref().filter(|held| held.holds(now))?;
    // Its own wait may last longer.
    let ends = held.ends(now);
    let until = own.map_or(ends, |own| own.max(ends));
    Some(Waiting { why: Why::Held, until: Some(until), code: some(held.code), reason: Some(held.word()) })
}

/// An attempt was refused, or did not reach anybody; the next one has its time.
fn again(ended: Option<&Ended>, until: Micros) -> Waiting {
    let reason = ended.and_then(word);
    let why = match reason.as_deref() {
        Some(PORTFOLIO) => Why::Portfolio,
        Some(word) if word.starts_with("throttle") => Why::Throttled,
        _ => Why::Retry,
    };
    Waiting { why, until: Some(until), code: ended.and_then(|ended| some(ended.code)), reason }
}

/// The session sends, but slower than it would.
fn slowed(session: Option<&SessionRow>, now: Micros) -> Option<Waiting> {
    let paced = session?.paced.as_ref().filter(|paced| paced.slows(now))?;
    Some(Waiting { why: Why::Throttled, until: None, code: some(paced.code), reason: Some(paced.word()) })
}

fn some(code: i32) -> Option<i32> {
    (code != 0).then_some(code)
}

fn word(ended: &Ended) -> Option<String> {
    (!ended.class.is_empty()).then(|| ended.class.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::event::{Category, Priority, SessionDeclaredV1, UnknownPolicy};
    use super::super::id::{EventId, KeyId, SessionId, TenantId};
    use super::super::record::{Position, Principal};
    use super::super::row::{Accepted, Attempt, Fact, HeldRow, PacedRow, Suspended};
    use super::*;

    const NOW: Micros = 1_000;

    fn fact() -> Fact {
        Fact { at: 1, position: Position(1) }
    }

    fn message(change: impl FnOnce(&mut MessageRow)) -> MessageRow {
        let accepted = Accepted {
            fact: fact(),
            event: EventId([1; 16]),
            by: Principal::Operator,
            tenant: TenantId([2; 16]),
            session: SessionId([3; 16]),
            contact: KeyId([4; 16]),
            category: Category::Utility,
            priority: Priority::Normal,
            unknown: UnknownPolicy::Hold,
            expires_at: Micros::MAX,
            nonce: 1,
            test: false,
            ordered: false,
            template: None,
            send_at: None,
            country: None,
            campaign: None,
            leg: None,
            past_campaign: false,
        };
        let mut row = MessageRow { accepted: Some(accepted), ..MessageRow::default() };
        change(&mut row);
        row
    }

    fn attempted(how: How, code: i32, class: &str, not_before: Option<Micros>) -> MessageRow {
        message(|row| {
            let ended = Some(Ended { fact: fact(), how, code, class: class.into() });
            let (epoch, incarnation) = (Position(0), Position(0));
            row.attempts.push(Attempt { number: 1, started: fact(), epoch, incarnation, deadline_ms: 1, ended });
            row.not_before = not_before;
        })
    }

    fn session(change: impl FnOnce(&mut SessionRow)) -> SessionRow {
        let facts = SessionDeclaredV1 {
            session: SessionId([3; 16]),
            tenant: TenantId([2; 16]),
            name: "s".to_owned(),
            channel: "whatsapp".to_owned(),
            account: "1".to_owned(),
            waba: None,
            app: None,
            portfolio: None,
            per_second: 80,
            burst: 80,
            test: false,
            members: None,
        };
        let mut row = SessionRow::declared(&facts, Position(1), None);
        change(&mut row);
        row
    }

    fn held(until: Micros) -> SessionRow {
        let class = "auth".to_owned();
        session(|row| row.held = Some(HeldRow { since: 1, until, code: 190, class, bucket: None }))
    }

    fn paced(until: Micros) -> SessionRow {
        let bucket = "number".to_owned();
        session(|row| row.paced = Some(PacedRow { since: 1, until, per_second: 20, code: 130_429, bucket }))
    }

    fn suspended() -> SessionRow {
        session(|row| row.suspended = Some(Suspended { since: 1, reason: "complaints".to_owned() }))
    }

    /// Why, until when, code and reason, and the word for the state.
    fn said(row: &MessageRow, session: &SessionRow) -> (Option<(Why, Option<Micros>, i32, String)>, &'static str) {
        let waiting = waiting(row, Some(session), NOW);
        let word = state_word(row, waiting.as_ref());
        let plain = |it: Waiting| (it.why, it.until, it.code.unwrap_or(0), it.reason.unwrap_or_default());
        (waiting.map(plain), word)
    }

    #[test]
    fn each_reason_has_its_word() {
        let (queued, free) = (message(|_| {}), session(|_| {}));
        let retry = attempted(How::Retry, 131_016, "retry", Some(NOW + 5));
        let pair = attempted(How::Retry, 131_056, "throttle_pair", Some(NOW + 5));
        let full = attempted(How::Retry, 0, "portfolio", Some(NOW + 5));
        let early = message(|row| {
            if let Some(accepted) = &mut row.accepted {
                accepted.send_at = Some(NOW + 9);
            }
        });
        let gated = message(|row| row.gated = Some(EventId([9; 16])));
        let some = |why, until, code, reason: &str| Some((why, until, code, reason.to_owned()));
        let cases = [
            (&early, suspended(), some(Why::Scheduled, Some(NOW + 9), 0, ""), "scheduled"),
            (&gated, held(NOW + 7), some(Why::Gated, None, 0, ""), "held"),
            (&queued, suspended(), some(Why::Suspended, None, 0, "complaints"), "held"),
            (&queued, held(NOW + 7), some(Why::Held, Some(NOW + 7), 190, "auth"), "held"),
            (&pair, held(NOW + 2), some(Why::Held, Some(NOW + 5), 190, "auth"), "held"),
            (&retry, free.clone(), some(Why::Retry, Some(NOW + 5), 131_016, "retry"), "queued"),
            (&pair, free.clone(), some(Why::Throttled, Some(NOW + 5), 131_056, "throttle_pair"), "queued"),
            (&full, free.clone(), some(Why::Portfolio, Some(NOW + 5), 0, "portfolio"), "queued"),
            (&queued, paced(NOW + 7), some(Why::Throttled, None, 130_429, "throttle:number"), "queued"),
            (
                &attempted(How::Unknown, 0, "timeout", None),
                held(NOW + 7),
                some(Why::Unknown, None, 0, "timeout"),
                "unknown",
            ),
        ];
        for (row, session, expected, word) in cases {
            assert_eq!(said(row, &session), (expected, word));
        }
    }

    #[test]
    fn only_who_waits_for_a_portfolio_may_ask_before_its_time() {
        let cases = [("portfolio", 0, true), ("portfolio", 131_064, false), ("retry", 0, false)];
        for (class, code, early) in cases {
            let mut row = attempted(How::Retry, code, class, Some(NOW + 5));
            row.parked = true;
            assert_eq!(waits_for_portfolio(&row), early, "{class} {code}");
            assert!(row.release(None, fact()));
            assert_eq!(row.not_before.is_none(), early, "{class} {code}");
        }
    }

    #[test]
    fn what_waits_for_its_turn_or_is_over_waits_for_no_reason() {
        let (queued, free) = (message(|_| {}), session(|_| {}));
        assert_eq!(said(&queued, &free), (None, "queued"));
        // The time of each is over.
        for session in [held(NOW), paced(NOW)] {
            assert_eq!(said(&queued, &session), (None, "queued"));
        }
        assert_eq!(said(&attempted(How::Retry, 1, "retry", Some(NOW)), &free), (None, "queued"));
        let sending = message(|row| {
            row.attempts = attempted(How::Retry, 0, "", None).attempts;
            row.attempts[0].ended = None;
        });
        assert_eq!(said(&sending, &held(NOW + 7)), (None, "sending"));
        let sent = message(|row| row.sent = Some(fact()));
        assert_eq!(said(&sent, &suspended()), (None, "sent"));
        assert_eq!(waiting(&queued, None, NOW), None);
    }
}
