//! Rows of the list of failures: which messages failed, ran out of time, or may have been sent.
//!
//! A row is appended when a message comes to stand so, and never changed: whether it still stands so is asked of the
//! message's own row ([`FailingRow::holds`]). Taking rows out of a list as they are dealt with is what CQL does worst.

use serde::{Deserialize, Serialize};

use super::super::event::Category;
use super::super::id::{MessageId, SessionId};
use super::super::message::State;
use super::super::record::{Micros, Position};
use super::{Fact, How, MessageRow};

/// Why a message needs somebody's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble<'a> {
    /// `failed`, `expired` or `unknown`.
    pub state: State,
    /// Since when, and the fact that made it so.
    pub fact: Fact,
    /// Failure class or reason as a word, empty if nothing was said.
    pub class: &'a str,
    /// The provider's code, or 0.
    pub code: i32,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingRow {
    /// The message.
    pub message: MessageId,
    /// Its sender.
    pub session: SessionId,
    /// What it is for.
    pub category: Category,
    /// Name of the template, if it is one.
    pub template: Option<String>,
    /// `failed`, `expired` or `unknown`.
    pub state: State,
    /// When that was known here.
    pub at: Micros,
    /// The fact that made it so.
    pub since: Position,
    /// Failure class or reason as a word, empty if nothing was said.
    pub class: String,
    /// The provider's code, or 0.
    pub code: i32,
}

impl FailingRow {
    /// The row of a message in trouble; none while its acceptance is not known.
    #[must_use]
    pub fn of(message: MessageId, row: &MessageRow, trouble: &Trouble<'_>) -> Option<Self> {
        let accepted = row.accepted.as_ref()?;
        Some(Self {
            message,
            session: accepted.session,
            category: accepted.category,
            template: accepted.template.clone(),
            state: trouble.state,
            at: trouble.fact.at,
            since: trouble.fact.position,
            class: trouble.class.to_owned(),
            code: trouble.code,
        })
    }

    /// Whether the message still stands as this row says. One that was settled since, was sent again, or failed anew
    /// (which is another row) does not.
    #[must_use]
    pub fn holds(&self, row: &MessageRow) -> bool {
        row.trouble().is_some_and(|now| {
            let same = (now.state, now.fact.position, now.code) == (self.state, self.since, self.code);
            same && now.class == self.class
        })
    }
}

impl MessageRow {
    /// Why it needs somebody's look, if it does.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble<'_>> {
        let ended = self.attempts.last().and_then(|attempt| attempt.ended.as_ref());
        match self.state() {
            State::Failed => {
                let failure = self.failed.as_ref()?;
                let (class, code) = (failure.class.as_str(), failure.code);
                Some(Trouble { state: State::Failed, fact: failure.fact, class, code })
            }
            // What the last attempt said is why there was no time left: a throttled sender, or nobody knows.
            State::Expired => Some(Trouble {
                state: State::Expired,
                fact: self.expired?,
                class: ended.map_or("", |ended| ended.class.as_ref()),
                code: ended.map_or(0, |ended| ended.code),
            }),
            State::Unknown => ended.filter(|ended| ended.how == How::Unknown).map(|ended| Trouble {
                state: State::Unknown,
                fact: ended.fact,
                class: ended.class.as_ref(),
                code: ended.code,
            }),
            _ => None,
        }
    }
}
