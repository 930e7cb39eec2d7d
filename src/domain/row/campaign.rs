//! Rows of campaigns: what was declared, where it is, and how far its messages are.

use serde::{Deserialize, Serialize};

use super::super::campaign::CampaignState;
use super::super::event::{CampaignDeclaredV1, CampaignMovedV1, CampaignStep, Category, Priority};
use super::super::gate::{Gate, MAX_CAMPAIGNS_OF_TENANT};
use super::super::id::{CampaignId, SessionId, TenantId};
use super::super::message::State;
use super::super::record::{Micros, Position, Principal};
use super::{Asked, Controls, MessageRow};

/// The last step of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Where it stands.
    pub position: Position,
    /// When.
    pub at: Micros,
    /// By whom.
    pub by: Principal,
    /// In their words.
    pub reason: String,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignRow {
    /// Whose.
    pub tenant: TenantId,
    /// Slug.
    pub name: String,
    /// Its sender.
    pub session: SessionId,
    /// The sender's name as written.
    pub from: String,
    /// Name of the template.
    pub template: String,
    /// Its language.
    pub language: String,
    /// What its messages are for.
    pub category: Category,
    /// Who goes first.
    pub priority: Priority,
    /// Nothing is sent after this.
    pub expires_at: Option<Micros>,
    /// It starts by itself then.
    pub start_at: Option<Micros>,
    /// When it was declared.
    pub declared_at: Micros,
    /// Where it is.
    pub state: CampaignState,
    /// When it was started.
    pub started_at: Option<Micros>,
    /// Its last step; none while it is a draft.
    pub moved: Option<Moved>,
    /// Control events taken.
    pub controls: Controls,
}

impl CampaignRow {
    /// The row of a declaration.
    #[must_use]
    pub fn declared(facts: &CampaignDeclaredV1, tenant: TenantId, at: Micros) -> Self {
        Self {
            tenant,
            name: facts.name.clone(),
            session: facts.session,
            from: facts.from.clone(),
            template: facts.template.clone(),
            language: facts.language.clone(),
            category: facts.category,
            priority: facts.priority,
            expires_at: facts.expires_at,
            start_at: facts.start_at,
            declared_at: at,
            state: CampaignState::Draft,
            started_at: None,
            moved: None,
            controls: Controls::default(),
        }
    }

    /// The event that would declare the same.
    #[must_use]
    pub fn declaration(&self, campaign: CampaignId) -> CampaignDeclaredV1 {
        CampaignDeclaredV1 {
            campaign,
            name: self.name.clone(),
            session: self.session,
            from: self.from.clone(),
            template: self.template.clone(),
            language: self.language.clone(),
            category: self.category,
            priority: self.priority,
            expires_at: self.expires_at,
            start_at: self.start_at,
        }
    }

    /// Its gate.
    #[must_use]
    pub fn gate(&self, campaign: CampaignId) -> Gate {
        Gate::Campaign { tenant: self.tenant, campaign, session: self.session }
    }

    /// Takes a step, if it leads somewhere from here and nothing came between it and what it follows: what it asks of the
    /// gate is `asked`, but for what only this knows.
    pub fn step(&mut self, facts: &CampaignMovedV1, asked: Asked) -> Option<Asked> {
        let last = self.moved.as_ref().map(|moved| moved.position);
        if facts.follows.is_some_and(|follows| Some(follows) != last) {
            return None;
        }
        self.state = self.state.after(facts.step)?;
        if facts.step == CampaignStep::Start {
            self.started_at = Some(asked.at);
        }
        self.moved = Some(Moved { position: asked.position, at: asked.at, by: asked.by, reason: facts.reason.clone() });
        // One that is finished stays open: what failed in it may be queued again.
        let open = matches!(self.state, CampaignState::Running | CampaignState::Finished);
        Some(Asked { closed: !open, over: self.state.is_over(), ..asked })
    }
}

/// A campaign that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCampaign {
    /// Which.
    pub campaign: CampaignId,
    /// Its gate, which says where its messages stand.
    pub gate: Gate,
    /// Where it is.
    pub state: CampaignState,
    /// It starts by itself then.
    pub start_at: Option<Micros>,
    /// When its last step was taken, or it was declared.
    pub since: Micros,
    /// Where its last step stands; none while it is a draft.
    pub moved: Option<Position>,
}

/// The campaigns of a tenant that are not over: what its actor looks after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignsRow {
    /// In the order of their declaration.
    pub live: Vec<LiveCampaign>,
}

impl CampaignsRow {
    /// Whether one more may be declared.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.live.len() < MAX_CAMPAIGNS_OF_TENANT
    }

    /// A campaign is here now.
    pub fn follow(&mut self, campaign: CampaignId, row: &CampaignRow) {
        let at = self.live.iter().position(|live| live.campaign == campaign);
        let since = row.moved.as_ref().map_or(row.declared_at, |moved| moved.at);
        let (gate, moved) = (row.gate(campaign), row.moved.as_ref().map(|moved| moved.position));
        let now = LiveCampaign { campaign, gate, state: row.state, start_at: row.start_at, since, moved };
        match at {
            Some(at) if row.state.is_over() => drop(self.live.remove(at)),
            Some(at) => self.live[at] = now,
            None => self.live.push(now),
        }
    }
}

/// What becomes of a campaign's messages, in the order of [`ProgressRow::counts`]. `waiting` is what has not left: also
/// what is on its way this moment, for an intent settles nothing.
pub const PROGRESS: [&str; 8] = ["waiting", "unknown", "sent", "delivered", "read", "failed", "expired", "cancelled"];

/// Time over which the rate is counted in one piece.
pub const PIECE: Micros = 10_000_000;

/// Pieces that are kept: a minute of whole ones, and the one that runs.
const PIECES: usize = 7;

/// How far a campaign is: kept in its sender's partition, each message where its row says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressRow {
    /// By [`PROGRESS`]: each message once.
    pub counts: [u64; 8],
    /// When the first of its messages was accepted.
    pub first_accepted: Option<Micros>,
    /// When the first was sent.
    pub first_sent: Option<Micros>,
    /// When the last was sent.
    pub last_sent: Option<Micros>,
    /// Sent of late: the number of the piece, and how many in it.
    pieces: Vec<(i64, u32)>,
}

/// What one message's row says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) campaign: CampaignId,
    place: usize,
    accepted: Micros,
    sent: Option<Micros>,
}

impl Part {
    pub(super) fn of(row: &MessageRow) -> Option<Self> {
        let accepted = row.accepted.as_ref()?;
        let (campaign, accepted) = (accepted.campaign?, accepted.fact.at);
        let place = match row.state() {
            State::Withdrawn => return None,
            State::Scheduled | State::Queued | State::Sending => 0,
            State::Unknown => 1,
            State::Sent => 2,
            State::Delivered => 3,
            State::Read => 4,
            State::Failed => 5,
            State::Expired => 6,
            State::Cancelled => 7,
        };
        Some(Self { campaign, place, accepted, sent: row.sent.map(|fact| fact.at) })
    }
}

impl ProgressRow {
    /// A message says this now, and said that before.
    pub(super) fn moved(&mut self, was: Option<&Part>, is: Option<&Part>) {
        if let Some(was) = was {
            self.counts[was.place] = self.counts[was.place].saturating_sub(1);
        }
        if let Some(is) = is {
            self.counts[is.place] += 1;
            self.first_accepted = Some(self.first_accepted.map_or(is.accepted, |first| first.min(is.accepted)));
        }
        let sent = is.and_then(|is| is.sent).filter(|_| was.is_none_or(|was| was.sent.is_none()));
        if let Some(at) = sent {
            self.sent(at);
        }
    }

    fn sent(&mut self, at: Micros) {
        self.first_sent = Some(self.first_sent.map_or(at, |first| first.min(at)));
        self.last_sent = Some(self.last_sent.map_or(at, |last| last.max(at)));
        let piece = at.div_euclid(PIECE);
        match self.pieces.iter_mut().find(|(known, _)| *known == piece) {
            Some((_, count)) => *count += 1,
            None => {
                self.pieces.push((piece, 1));
                self.pieces.sort_unstable();
                let old = self.pieces.len().saturating_sub(PIECES);
                self.pieces.drain(..old);
            }
        }
    }

    /// Whether something was in it at this time.
    #[must_use]
    pub fn was_loaded(&self, at: Micros) -> bool {
        self.all() > 0 && self.first_accepted.is_some_and(|first| first <= at)
    }

    /// How many messages there are.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many may still be sent.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.counts[0] + self.counts[1]
    }

    /// Messages a second over the last minute, as far as it was on its way for so long; `None` if none was sent in it.
    #[must_use]
    pub fn per_second(&self, now: Micros) -> Option<f64> {
        let since = (now.div_euclid(PIECE) - 6) * PIECE;
        let begin = self.first_sent?.max(since);
        let sent: u32 = self.pieces.iter().filter(|(piece, _)| *piece * PIECE >= since).map(|(_, count)| count).sum();
        let span = (now - begin).max(1_000_000);
        (sent > 0).then(|| f64::from(sent) * 1e6 / span as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(place: usize, sent: Option<Micros>) -> Part {
        Part { campaign: CampaignId([1; 16]), place, accepted: 7, sent }
    }

    #[test]
    fn each_message_is_counted_once_wherever_it_is() {
        let mut row = ProgressRow::default();
        let (waiting, sent, read) = (part(0, None), part(2, Some(5_000_000)), part(4, Some(5_000_000)));
        row.moved(None, Some(&waiting));
        row.moved(None, Some(&waiting));
        row.moved(Some(&waiting), Some(&sent));
        assert_eq!((row.counts[0], row.counts[2], row.all(), row.left()), (1, 1, 2, 1));
        row.moved(Some(&sent), Some(&read));
        assert_eq!((row.counts[2], row.counts[4], row.all()), (0, 1, 2));
        assert_eq!((row.first_sent, row.last_sent), (Some(5_000_000), Some(5_000_000)));
        assert!(row.was_loaded(7) && !row.was_loaded(6));
        row.moved(Some(&waiting), None);
        assert_eq!((row.all(), row.left()), (1, 0), "withdrawn");
    }

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let mut row = ProgressRow::default();
        assert_eq!(row.per_second(0), None);
        for n in 0..6_000 {
            row.sent(n * 50_000);
        }
        let rate = row.per_second(300_000_000).expect("it runs");
        assert!((19.0..=21.0).contains(&rate), "{rate}");
        assert_eq!(row.per_second(500_000_000), None, "it rests");
        let mut young = ProgressRow::default();
        (0..40).for_each(|n| young.sent(1_000_000 + n * 50_000));
        let rate = young.per_second(3_000_000).expect("it runs");
        assert!((19.0..=21.0).contains(&rate), "{rate}");
    }
}
