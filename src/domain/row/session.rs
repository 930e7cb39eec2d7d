//! Rows of sessions.

use governor::Quota;
use serde::{Deserialize, Serialize};

use super::super::event::{SessionDeclaredV1, SessionHeldV1, SessionPacedV1};
use super::super::hold;
use super::super::id::TenantId;
use super::super::pacing::learned::Paced;
use super::super::pacing::{quota, with_margin};
use super::super::pool::MAX_MEMBERS;
use super::super::record::{Micros, Position};
use super::{Controls, MemberRow};

/// A session: declaration and standing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Position of the declaration in force.
    pub declared_at: Position,
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug.
    pub name: String,
    /// Which channel speaks for it.
    pub channel: String,
    /// The provider's id of the sender.
    pub account: String,
    /// The provider's business account, if it is known.
    pub waba: Option<String>,
    /// The provider's app, if it is known.
    pub app: Option<String>,
    /// Its portfolio's name, if it has one.
    pub portfolio: Option<String>,
    /// Messages a second.
    pub per_second: u32,
    /// At once after a rest.
    pub burst: u32,
    /// Never reaches the provider.
    pub test: bool,
    /// The living actor: position of its [`super::event::SessionStartedV1`], under the claim beside it.
    pub incarnation: Option<Incarnation>,
    /// Stopped by somebody, if it is.
    pub suspended: Option<Suspended>,
    /// Why an operator empties it, if one does: it takes no messages.
    pub draining: Option<String>,
    /// Held by the provider, if it is; until an attempt is through, or somebody lifts it.
    pub held: Option<HeldRow>,
    /// Slowed down by the provider, if it is.
    pub paced: Option<PacedRow>,
    /// Control events taken.
    pub controls: Controls,
    /// The sessions that send for it, if it is a pool.
    pub members: Vec<MemberRow>,
}

impl SessionRow {
    /// Whether others send for it.
    #[must_use]
    pub fn is_pool(&self) -> bool {
        !self.members.is_empty()
    }

    /// The sender's own rate, as it can be kept.
    #[must_use]
    pub fn quota(&self) -> Quota {
        with_margin(quota(self.per_second, self.burst))
    }

    /// The row of a declaration, keeping what is not declared.
    #[must_use]
    pub fn declared(facts: &SessionDeclaredV1, at: Position, before: Option<&Self>) -> Self {
        Self {
            declared_at: at,
            tenant: facts.tenant,
            name: facts.name.clone(),
            channel: facts.channel.clone(),
            account: facts.account.clone(),
            waba: facts.waba.clone(),
            app: facts.app.clone(),
            portfolio: facts.portfolio.clone(),
            per_second: facts.per_second,
            burst: facts.burst,
            test: facts.test,
            incarnation: before.and_then(|row| row.incarnation),
            suspended: before.and_then(|row| row.suspended.clone()),
            draining: before.and_then(|row| row.draining.clone()),
            held: before.and_then(|row| row.held.clone()),
            paced: before.and_then(|row| row.paced.clone()),
            controls: before.map(|row| row.controls.clone()).unwrap_or_default(),
            members: members(facts, before),
        }
    }
}

/// The members of a declaration, with their people; and those that it took out, by a weight of 0.
fn members(facts: &SessionDeclaredV1, before: Option<&SessionRow>) -> Vec<MemberRow> {
    let known = |session| before.into_iter().flat_map(|row| &row.members).find(move |known| known.session == session);
    let declared = facts.members.iter().flatten();
    let row = declared.map(|member| MemberRow {
        session: member.session,
        weight: member.weight,
        people: known(member.session).map_or(0, |known| known.people),
    });
    // Who was taken out is left, and may still have messages of the pool.
    let is_in = |known: &&MemberRow| facts.members.iter().flatten().any(|member| member.session == known.session);
    let known = before.into_iter().flat_map(|row| &row.members);
    let out = known.filter(|known| !is_in(known)).map(|known| MemberRow { weight: 0, ..known.clone() });
    row.chain(out.take(MAX_MEMBERS)).collect()
}

/// Somebody stopped a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    /// Since when.
    pub since: Micros,
    /// In the words of whoever did.
    pub reason: String,
}

/// The provider holds a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRow {
    /// Since when, for this class.
    pub since: Micros,
    /// No attempt before this.
    pub until: Micros,
    /// The provider's code, or 0.
    pub code: i32,
    /// Failure class as a word, or `unreached`; empty if an older version did not say.
    pub class: String,
    /// Whose rate was exceeded, if it was one.
    pub bucket: Option<String>,
}

impl HeldRow {
    /// The row after a hold, and whether it is news: the same class again goes on with the one before.
    #[must_use]
    pub fn after(facts: &SessionHeldV1, at: Micros, before: Option<&Self>) -> (Self, bool) {
        let class = facts.class.clone().unwrap_or_default();
        let same = before.filter(|held| held.class == class && held.bucket == facts.bucket);
        // A clock that was ahead said when it began.
        let since = same.map_or(at, |held| held.since.min(at));
        let row = Self { since, until: facts.until, code: facts.code, class, bucket: facts.bucket.clone() };
        (row, same.is_none())
    }

    /// Until when nothing may leave for its sake, as far as that is believed.
    #[must_use]
    pub fn ends(&self, now: Micros) -> Micros {
        hold::ends(self.since, self.until, now)
    }

    /// Whether nothing may leave for its sake.
    #[must_use]
    pub fn holds(&self, now: Micros) -> bool {
        self.ends(now) > now
    }

    /// Class and bucket as one word, as notifications keep it: `throttle:number`.
    #[must_use]
    pub fn word(&self) -> String {
        self.bucket.as_ref().map_or_else(|| self.class.clone(), |bucket| format!("{}:{bucket}", self.class))
    }

    /// Whether a new token, or another number, may be what it waits for.
    #[must_use]
    pub fn is_of_declaration(&self) -> bool {
        matches!(self.class.as_str(), "auth" | "sender")
    }
}

/// The provider slows a session down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacedRow {
    /// Since when it is slower than declared.
    pub since: Micros,
    /// When it is no more, unless more is refused.
    pub until: Micros,
    /// Messages a second.
    pub per_second: u32,
    /// The provider's code.
    pub code: i32,
    /// Which rate.
    pub bucket: String,
}

impl PacedRow {
    /// The row after a change of the rate.
    #[must_use]
    pub fn after(facts: &SessionPacedV1, at: Micros, before: Option<&Self>) -> Self {
        Self {
            since: before.map_or(at, |paced| paced.since),
            until: facts.until,
            per_second: facts.per_second,
            code: facts.code,
            bucket: facts.bucket.clone(),
        }
    }

    /// Whether it is slower still. One that nobody sent from is not, once nothing speaks for it.
    #[must_use]
    pub fn slows(&self, now: Micros) -> bool {
        self.until > now
    }

    /// As the pacer takes it.
    #[must_use]
    pub fn paced(&self) -> Paced {
        Paced { per_second: self.per_second, until: self.until, code: self.code }
    }

    /// As in [`HeldRow::word`].
    #[must_use]
    pub fn word(&self) -> String {
        format!("throttle:{}", self.bucket)
    }
}

/// Which life of a session's actor may propose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incarnation {
    /// Position of its start.
    pub started: Position,
    /// The claim it started under.
    pub epoch: Position,
}
