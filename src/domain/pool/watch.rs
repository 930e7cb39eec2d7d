//! Which of a pool's members can send, and which are left: what is remembered of them between two looks.

use std::collections::HashMap;

use super::super::id::SessionId;
use super::super::record::Micros;
use super::super::row::{MemberRow, SessionRow};
use super::{Ability, Member, Probe};

/// So long nothing must be left to fetch back from a member before its people are given another, beside all that is known to
/// be on its way.
pub const QUIET: Micros = 2_000_000;

/// So long a message that is to show whether a member can send again is left to it.
pub const SHOWS: Micros = 30_000_000;

/// What the rows say of a member.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    /// Nothing that counts: its partition is not applied as far as it was when the pool began to look.
    Behind,
    /// This; nothing if it is not declared.
    Row(Option<&'a SessionRow>),
}

/// The time by both clocks: rows say wall time, waits go by the one that nobody sets.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Wall time.
    pub wall: Micros,
    /// Steady time.
    pub steady: Micros,
}

/// Since when a session cannot send, as its row says; `None` when it can. A draining one, and one that is not there, do not
/// say since when. What the provider held is held until an attempt is through, however long it was to last.
#[must_use]
pub fn unable_since(row: Option<&SessionRow>) -> Option<Option<Micros>> {
    let Some(row) = row else {
        return Some(None);
    };
    if let Some(suspended) = &row.suspended {
        return Some(Some(suspended.since));
    }
    if let Some(held) = &row.held {
        return Some(Some(held.since));
    }
    row.draining.as_ref().map(|_| None)
}

/// Whether an attempt may show that it can send again: its hold is over, and nobody stopped it.
fn may_show(row: Option<&SessionRow>, wall: Micros) -> bool {
    row.is_some_and(|row| {
        let held = row.held.as_ref().is_some_and(|held| !held.holds(wall));
        held && row.suspended.is_none() && row.draining.is_none()
    })
}

/// Since when it cannot send.
#[derive(Debug, Clone, Copy)]
struct Since {
    /// As its row says.
    said: Option<Micros>,
    /// Steady time.
    at: Micros,
}

impl Since {
    /// What was seen before stands while the row says the same, whatever the wall clock shows by now.
    fn after(before: Option<Self>, said: Option<Micros>, now: Now) -> Self {
        let ago = said.map_or(0, |said| now.wall.saturating_sub(said).max(0));
        let new = Self { said, at: now.steady.saturating_sub(ago) };
        before.filter(|before| before.said == said).unwrap_or(new)
    }
}

#[derive(Debug, Default)]
struct Seen {
    since: Option<Since>,
    /// Since when nothing was left to fetch back.
    quiet: Option<Micros>,
    /// It was left when it was looked at last.
    left: bool,
    /// Something of it is on its way back.
    returning: bool,
    /// When it was given a message to show whether it can send.
    probed: Option<Micros>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Can,
    /// It cannot; for long enough to be left?
    Cannot(bool),
    Unsure,
}

/// Who of the members can send, and who is being left.
#[derive(Debug, Default)]
pub struct Watch(HashMap<SessionId, Seen>);

impl Watch {
    /// Looks at the members: `said` is of each, in their order.
    pub fn look(&mut self, members: &[MemberRow], said: &[Said<'_>], now: Now, failover_after: Micros) -> Vec<Member> {
        self.0.retain(|session, _| members.iter().any(|member| member.session == *session));
        let standings: Vec<Standing> = members
            .iter()
            .zip(said)
            .map(|(member, said)| self.0.entry(member.session).or_default().stands(*said, now, failover_after))
            .collect();
        let can = |(member, standing): (&MemberRow, &Standing)| member.weight > 0 && *standing == Standing::Can;
        let somebody = members.iter().zip(&standings).any(can);
        let each = members.iter().zip(said).zip(standings);
        each.map(|((member, said), standing)| {
            let seen = self.0.entry(member.session).or_default();
            // It was taken out of the pool.
            let out = member.weight == 0;
            let leaves = out || (standing == Standing::Cannot(true) && somebody);
            let ability = seen.ability(standing, leaves, now.steady);
            let probe = match said {
                Said::Row(row) if !out && ability == Ability::Left && may_show(*row, now.wall) => {
                    seen.probe(now.steady)
                }
                _ => Probe::No,
            };
            Member { session: member.session, weight: member.weight, ability, leaves, probe }
        })
        .collect()
    }

    /// A member's messages were gone through: whether something was left to fetch back, or may be in a moment. One that is
    /// left stays so: only who has something there waits.
    pub fn fetched(&mut self, session: SessionId, nothing_left: bool, steady: Micros) {
        let seen = self.0.entry(session).or_default();
        if nothing_left {
            seen.quiet = seen.quiet.or(Some(steady));
        } else if !seen.left {
            seen.quiet = None;
        }
    }

    /// Whether something is on its way back from a member: until it is here, nobody is given that one.
    pub fn returns(&mut self, session: SessionId, returning: bool) {
        self.0.entry(session).or_default().returning = returning;
    }

    /// A member was given a message that is to show whether it can send.
    pub fn probed(&mut self, session: SessionId, steady: Micros) {
        self.0.entry(session).or_default().probed = Some(steady);
    }
}

impl Seen {
    fn stands(&mut self, said: Said<'_>, now: Now, failover_after: Micros) -> Standing {
        let unable = match said {
            Said::Behind => {
                self.since = None;
                return Standing::Unsure;
            }
            Said::Row(row) => unable_since(row),
        };
        self.since = unable.map(|said| Since::after(self.since, said, now));
        self.since
            .map_or(Standing::Can, |since| Standing::Cannot(now.steady.saturating_sub(since.at) >= failover_after))
    }

    fn ability(&mut self, standing: Standing, leaves: bool, steady: Micros) -> Ability {
        if !leaves {
            (self.quiet, self.probed) = (None, None);
        }
        self.left = leaves && self.quiet.is_some_and(|quiet| steady.saturating_sub(quiet) >= QUIET);
        match standing {
            _ if self.left => Ability::Left,
            _ if leaves || self.returning => Ability::Leaving,
            Standing::Can => Ability::Able,
            _ => Ability::Unable,
        }
    }

    fn probe(&self, steady: Micros) -> Probe {
        let under_way = self.probed.is_some_and(|probed| steady.saturating_sub(probed) < SHOWS);
        if under_way { Probe::UnderWay } else { Probe::Open }
    }
}
