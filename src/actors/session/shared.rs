//! What a session shares with others, and what it tells and hears of it.
//!
//! Meta counts the calls of an app, and those on a business account, over all their numbers: whoever of them is refused for
//! that tells the others of this process, and each holds itself, with an event of its own where the hold is worth one. It
//! saves them the wall, and no more is at stake: a session of another process, or one that begins later, meets it once.
//! What a portfolio is refused for is an event in the portfolio's mailbox, and read at the gate before each call.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::RwLock;

use super::actor::State;
use super::mail::{SessionBox, SessionMail};
use crate::actors::append::{self, Persist};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, PortfolioHeldV1};
use crate::domain::failure::Bucket;
use crate::domain::id::{BudgetId, EventId, SessionId};
use crate::domain::record::{Micros, Principal};
use crate::domain::retry::Hold;
use crate::domain::routing;
use crate::domain::row::SessionRow;

/// A hold of a portfolio that ends so much later is worth an event; each answer of a window brings one of its own.
const WORTH: Micros = 60_000_000;

/// After so long a hold of a portfolio is said again, whatever was said before.
const AGAIN: Duration = Duration::from_secs(60);

/// What several sessions share, by the provider's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Share {
    /// A business account.
    Waba(String),
    /// An app.
    App(String),
}

impl Share {
    /// What a session shares. A test shares nothing.
    fn of(row: &SessionRow) -> Vec<Self> {
        let waba = row.waba.clone().map(Self::Waba);
        let all = waba.into_iter().chain(row.app.clone().map(Self::App));
        all.filter(|_| !row.test).collect()
    }

    fn is_of(&self, bucket: Bucket) -> bool {
        matches!((self, bucket), (Self::Waba(_), Bucket::Waba) | (Self::App(_), Bucket::App))
    }
}

#[derive(Debug, Default)]
struct Members {
    boxes: HashMap<SessionId, Weak<SessionBox>>,
    /// With so many it is looked who is gone: idle sessions say nothing when their boxes are put away.
    look_at: usize,
    hold: Option<Hold>,
}

impl Members {
    fn join(&mut self, session: SessionId, mailbox: &Arc<SessionBox>) {
        if self.boxes.len() >= self.look_at {
            self.boxes.retain(|_, mailbox| mailbox.strong_count() > 0);
            self.look_at = (2 * self.boxes.len()).max(LOOK_AT);
        }
        self.boxes.insert(session, Arc::downgrade(mailbox));
    }
}

/// Fewer than this are kept without a look: 40 bytes each.
const LOOK_AT: usize = 64;

/// Who shares what in this process.
#[derive(Debug, Default)]
pub struct Shares {
    members: RwLock<HashMap<Share, Members>>,
}

impl Shares {
    /// A session shares this, and hears of it from now on: of a hold that lasts at once.
    fn join(&self, share: &Share, session: SessionId, mailbox: &Arc<SessionBox>) {
        let mut members = self.members.write();
        let members = members.entry(share.clone()).or_default();
        members.join(session, mailbox);
        if let Some(hold) = members.hold {
            mailbox.inbox.push(SessionMail::Shared(hold));
        }
    }

    fn leave(&self, share: &Share, session: SessionId) {
        let mut members = self.members.write();
        if let Some(all) = members.get_mut(share) {
            all.boxes.remove(&session);
            if all.boxes.is_empty() {
                members.remove(share);
            }
        }
    }

    /// One of them was refused: the others hear of it.
    fn hold(&self, share: &Share, by: SessionId, hold: Hold) {
        let mut members = self.members.write();
        let Some(members) = members.get_mut(share) else {
            return;
        };
        members.hold = Some(hold);
        members.boxes.retain(|session, mailbox| match mailbox.upgrade() {
            Some(mailbox) => {
                if *session != by {
                    mailbox.inbox.push(SessionMail::Shared(hold));
                }
                true
            }
            None => false,
        });
    }
}

impl State {
    /// Joins those who share what its row says, and leaves those with whom it shares no more.
    pub(super) fn share(&mut self) {
        let (now, before) = (Share::of(&self.args.row), std::mem::take(&mut self.shares));
        let shares = &self.args.hands.registry.shares;
        before.iter().filter(|share| !now.contains(share)).for_each(|share| shares.leave(share, self.args.session));
        for share in now.iter().filter(|share| !before.contains(share)) {
            shares.join(share, self.args.session, &self.args.mailbox);
        }
        self.shares = now;
        self.machine.belongs(super::sender::portfolio(&self.args).is_some());
    }

    /// It was refused for something that it shares.
    pub(super) fn tell_others(&mut self, hold: Hold) {
        let shares = &self.args.hands.registry.shares;
        for share in self.shares.iter().filter(|share| hold.bucket.is_some_and(|bucket| share.is_of(bucket))) {
            shares.hold(share, self.args.session, hold);
        }
        let (said, said_at) = self.portfolio_held;
        let steady = self.args.hands.clock.steady();
        // One that was lifted, or said by a clock that was ahead, may be shorter than what was said before.
        let is_news = hold.until >= said.saturating_add(WORTH) || steady.saturating_sub(said_at) >= AGAIN;
        if hold.bucket == Some(Bucket::Portfolio) && is_news {
            self.portfolio_held = (hold.until, steady);
            if let Some(portfolio) = super::sender::portfolio(&self.args) {
                self.hold_portfolio(portfolio, hold);
            }
        }
    }

    fn hold_portfolio(&self, portfolio: BudgetId, Hold { until, code, .. }: Hold) {
        let hands = &self.args.hands;
        let event = Event::from(PortfolioHeldV1 { portfolio, until, code });
        let (id, by) = (EventId(hands.entropy.id()), Principal::Node(hands.node));
        let draft = Draft::new(id, portfolio, &event, by, hands.clock.wall());
        let partition = routing::partition(&portfolio.into(), hands.journal.genesis().count);
        append::persist(hands, Persist { partition, draft });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Hold = Hold { class: "throttle", bucket: Some(Bucket::Waba), code: 80_007, until: 60_000_000 };

    fn heard(mailbox: &SessionBox) -> usize {
        mailbox.inbox.take().iter().filter(|mail| matches!(mail, SessionMail::Shared(HOLD))).count()
    }

    #[test]
    fn the_others_of_the_same_account_hear_of_a_hold_and_who_comes_later_too() {
        let (shares, boxes) = (Shares::default(), [(); 4].map(|()| Arc::new(SessionBox::default())));
        let session = |n: usize| SessionId([u8::try_from(n).unwrap_or(0); 16]);
        let [one, other] = ["1", "2"].map(|id| Share::Waba(id.to_owned()));
        for (n, share) in [(0, &one), (1, &one), (2, &other)] {
            shares.join(share, session(n), &boxes[n]);
        }
        shares.hold(&one, session(0), HOLD);
        shares.join(&one, session(3), &boxes[3]);
        assert_eq!([0, 1, 2, 3].map(|n| heard(&boxes[n])), [0, 1, 0, 1]);
        shares.leave(&one, session(1));
        shares.hold(&one, session(0), HOLD);
        assert_eq!([0, 1, 2, 3].map(|n| heard(&boxes[n])), [0, 0, 0, 1]);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let (shares, share) = (Shares::default(), Share::App("1".to_owned()));
        shares.join(&share, SessionId([1; 16]), &Arc::default());
        shares.hold(&share, SessionId([2; 16]), HOLD);
        assert!(shares.members.read()[&share].boxes.is_empty());
        for n in 0..10_000_u128 {
            shares.join(&share, SessionId(n.to_be_bytes()), &Arc::default());
        }
        assert!(shares.members.read()[&share].boxes.len() <= LOOK_AT, "who is idle is forgotten too");
    }
}
