//! A pool: several sessions that answer to one sender's name. Which of them a message goes to, and when people change theirs.
//!
//! A person keeps their session while that one can send. Who has none yet is given one that can, each member its share by
//! weight. A member that cannot send keeps its people for a while, and whoever is new goes to others; after that while it is
//! left: its people's messages that still wait are fetched back, what is new for them waits until that is done, and only then
//! they are given another session. So what is to one person keeps its order, whichever number it comes from. If no member can
//! send, everybody stays: there is nowhere to go. One that the provider held can send again once an attempt is through: when
//! the hold is over, one message shows it. One that is taken out of the pool is left at once, and for good.

mod taking;
mod watch;

use std::collections::HashMap;

use super::id::SessionId;
pub use taking::{Taking, batches};
pub use watch::{Now, QUIET, SHOWS, Said, Watch, unable_since};

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

/// Whether a member that is left may be given one message, to show whether it can send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// It may not.
    No,
    /// The next one to somebody who has no other number.
    Open,
    /// It was given one.
    UnderWay,
}

/// A member as the choice sees it.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Which.
    pub session: SessionId,
    /// Its share; 0 for one that was taken out of the pool.
    pub weight: u32,
    /// Whether it sends.
    pub ability: Ability,
    /// Whether what waits there is fetched back.
    pub leaves: bool,
    /// Whether one message may show what it can.
    pub probe: Probe,
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
    if let Some(member) = members.iter().find(|member| member.probe == Probe::Open) {
        let free = own.is_none_or(|own| own.session == member.session);
        if free {
            return Some(member.session);
        }
    }
    let of = |ability| members.iter().copied().filter(move |member| member.weight > 0 && member.ability == ability);
    turns.take(of(Ability::Able)).or_else(|| turns.take(of(Ability::Unable)))
}

#[cfg(test)]
mod tests;
