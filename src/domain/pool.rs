//! A pool: several sessions that answer to one sender's name. Which of them a message goes to, and when people change theirs.
//!
//! A person keeps their session while that one can send. Who has none yet is given one that can, each member its share by
//! weight. A member that cannot send keeps its people for a while, and whoever is new goes to others; after that while it is
//! left: its people's messages that still wait are fetched back, what is new for them waits until that is done, and only then
//! they are given another session. So what is to one person keeps its order, whichever number it comes from. If no member can
//! send, everybody stays: there is nowhere to go.

use std::collections::{HashMap, HashSet};

use super::id::{KeyId, SessionId};
use super::message::State;
use super::record::{Micros, Position};
use super::row::{MemberRow, MessageRow, SessionRow};

/// So long nothing must be left to fetch back from a member before its people are given another: what was on its way to it
/// has come by then.
pub const QUIET: Micros = 2_000_000;

/// Sessions of one pool.
pub const MAX_MEMBERS: usize = 64;

/// The largest weight.
pub const MAX_WEIGHT: u32 = 1_000;

/// Whether a member sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// It does.
    Able,
    /// It does not, and not for long, or nobody does: its people stay.
    Unable,
    /// It is being left: its people's messages are fetched back.
    Leaving,
    /// It is left: its people are given another.
    Left,
}

/// A member as the choice sees it.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Which.
    pub session: SessionId,
    /// Its share.
    pub weight: u32,
    /// Whether it sends.
    pub ability: Ability,
}

/// Since when a session cannot send, as its row says; `None` when it can. A draining one, and one that is not there, do not
/// say since when.
#[must_use]
pub fn unable_since(row: Option<&SessionRow>, now: Micros) -> Option<Option<Micros>> {
    let Some(row) = row else {
        return Some(None);
    };
    if let Some(suspended) = &row.suspended {
        return Some(Some(suspended.since));
    }
    if let Some(held) = row.held.as_ref().filter(|held| held.holds(now)) {
        return Some(Some(held.since));
    }
    row.draining.as_ref().map(|_| None)
}

/// Deficits: who is chosen pays what all who might have been are given, each by weight.
#[derive(Debug, Default)]
pub struct Turns(HashMap<SessionId, i64>);

impl Turns {
    fn take(&mut self, among: impl Iterator<Item = Member> + Clone) -> Option<SessionId> {
        let all: i64 = among.clone().map(|member| i64::from(member.weight)).sum();
        for member in among.clone() {
            *self.0.entry(member.session).or_default() += i64::from(member.weight);
        }
        let mut best: Option<(i64, SessionId)> = None;
        // The first of those with the most, so that the same history makes the same choice.
        for member in among {
            let credit = self.0.get(&member.session).copied().unwrap_or_default();
            if best.is_none_or(|(most, _)| credit > most) {
                best = Some((credit, member.session));
            }
        }
        let (_, chosen) = best?;
        *self.0.entry(chosen).or_default() -= all;
        Some(chosen)
    }
}

/// The session for a message to somebody who was written to from `sticky` last; `None`: it waits, for what comes before it
/// is fetched back.
#[must_use]
pub fn choose(members: &[Member], turns: &mut Turns, sticky: Option<SessionId>) -> Option<SessionId> {
    let own = members.iter().find(|member| Some(member.session) == sticky);
    match own.map(|member| member.ability) {
        Some(Ability::Able | Ability::Unable) => return sticky,
        Some(Ability::Leaving) => return None,
        Some(Ability::Left) | None => {}
    }
    let of = |ability| members.iter().copied().filter(move |member| member.ability == ability);
    turns.take(of(Ability::Able)).or_else(|| turns.take(of(Ability::Unable)))
}

/// Who of the members can send, and who is being left: what is remembered of them between two looks.
#[derive(Debug, Default)]
pub struct Watch(HashMap<SessionId, Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Since when it cannot send.
    since: Option<Micros>,
    /// Since when nothing was left to fetch back.
    quiet: Option<Micros>,
}

impl Watch {
    /// Looks at the members: `rows` are theirs, in their order.
    pub fn look(
        &mut self,
        members: &[MemberRow],
        rows: &[Option<SessionRow>],
        now: Micros,
        failover_after: Micros,
    ) -> Vec<Member> {
        self.0.retain(|session, _| members.iter().any(|member| member.session == *session));
        let mut failed = Vec::with_capacity(members.len());
        for (member, row) in members.iter().zip(rows) {
            let seen = self.0.entry(member.session).or_default();
            seen.since = unable_since(row.as_ref(), now).map(|said| said.or(seen.since).unwrap_or(now));
            failed.push(seen.since.map(|since| now.saturating_sub(since) >= failover_after));
        }
        let somebody = failed.iter().any(Option::is_none);
        let mut found = Vec::with_capacity(members.len());
        for (member, failed) in members.iter().zip(failed) {
            let seen = self.0.entry(member.session).or_default();
            let fails = failed == Some(true) && somebody;
            let ability = match failed {
                _ if fails && seen.quiet.is_some_and(|quiet| now.saturating_sub(quiet) >= QUIET) => Ability::Left,
                _ if fails => Ability::Leaving,
                None => Ability::Able,
                Some(_) => Ability::Unable,
            };
            if !fails {
                seen.quiet = None;
            }
            found.push(Member { session: member.session, weight: member.weight, ability });
        }
        found
    }

    /// A member's messages were gone through: whether something was left to fetch back, or may be in a moment.
    pub fn fetched(&mut self, session: SessionId, nothing_left: bool, now: Micros) {
        let seen = self.0.entry(session).or_default();
        seen.quiet = nothing_left.then(|| seen.quiet.unwrap_or(now));
    }
}

/// One way through a mailbox, in its order, from which messages are taken. What is to the same person keeps its order: it
/// stays behind one whose attempt is open, and behind a strict one that may have been sent.
#[derive(Debug, Default)]
pub struct Taking {
    behind: HashSet<KeyId>,
    /// Whether an attempt is open: what comes of it may be taken later.
    pub under_way: bool,
}

impl Taking {
    /// Whether the message that entered the outbox at this place may go.
    pub fn may_go(&mut self, row: &MessageRow, at: Position) -> bool {
        let Some(accepted) = &row.accepted else {
            return false;
        };
        let (contact, state) = (accepted.contact, row.state());
        self.under_way |= state == State::Sending;
        if state == State::Sending || (accepted.ordered && state == State::Unknown) {
            self.behind.insert(contact);
        }
        !self.behind.contains(&contact) && row.may_move() && row.entered() == Some(at)
    }
}

#[cfg(test)]
mod tests;
