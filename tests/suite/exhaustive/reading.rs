//! A second reading of the rules, written from the plan and not from the code: plain facts folded over names.
//!
//! It knows no positions and no rows. Whatever the real functions judge is compared with it at every prefix, and the
//! invariants of the wire ask it what was known when an attempt left.

use waybill::domain::event::Status;
use waybill::domain::message::State;
use waybill::domain::row::How;

use super::symbol::{Alphabet, MESSAGES, Of, Sym, SymId};

/// Where the last attempt of a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Last {
    /// There is none.
    #[default]
    None,
    /// On its way.
    Open,
    /// May be followed by another.
    Again,
    /// May have been sent.
    Unknown,
    /// Decided for good.
    Over,
}

/// What is known of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Story {
    /// Acceptances, by nonce, one bit each.
    accepted: u8,
    withdrawn: u8,
    /// Withdrawn when it was too late.
    stands: bool,
    cancelled: bool,
    expired: bool,
    /// It ran out of time while an attempt was known to be unknown, and so was given up with it.
    expired_unknown: bool,
    /// The round it is in, and the last one that was asked for.
    pub round: u8,
    asked: u8,
    /// Attempts of earlier rounds.
    past: u8,
    /// Of those, the ones that the provider is known to have taken.
    gone: u8,
    /// Somebody has it.
    arrived: bool,
    opened: u8,
    last: Last,
    refused: bool,
    /// The provider says that it took these attempts, one bit each.
    pub confirmed: u8,
    /// The provider says that it could not deliver one.
    pub undelivered: bool,
    /// Which ones those are.
    returned: u8,
    /// An unknown attempt of it was given up for another.
    resent: bool,
    /// The last move that was asked for, and whether one was made.
    moves: u8,
    moved: bool,
}

/// What is known after a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reading {
    claim: Option<SymId>,
    life: Option<SymId>,
    suspended: bool,
    /// The last word on the gate: its place, and whether it was to close it.
    gate: Option<(u8, bool)>,
    /// Each message.
    pub messages: [Story; MESSAGES],
}

impl Reading {
    /// Takes the next event. `new` says whether it is its first copy: further ones change nothing. For intents the
    /// messages that may be written come back, one bit each.
    pub fn take(&mut self, number: SymId, alphabet: &Alphabet, new: bool) -> u8 {
        if !new {
            return 0;
        }
        match alphabet.name(number) {
            Sym::Claimed { over, .. } if over == self.claim => self.claim = Some(number),
            Sym::Started { claim, .. } if self.claim == Some(claim) => self.life = Some(number),
            Sym::Suspended => self.suspended = true,
            Sym::Resumed { .. } => self.suspended = false,
            Sym::Gate { nth, closed } if self.gate.is_none_or(|(last, _)| last < nth) => {
                self.gate = Some((nth, closed));
            }
            Sym::Intent { life, batch, .. } => {
                let stands = self.claim == Some(alphabet.claim_of(life)) && self.life == Some(life);
                if stands && !self.suspended && !self.is_gated() {
                    return self.open(batch);
                }
            }
            Sym::Accepted { message, nonce } => self.story(message).accept(nonce),
            Sym::Withdrawn { message, nonce } => self.story(message).withdraw(nonce),
            Sym::Cancelled { message } => {
                let story = self.story(message);
                story.cancelled |= story.may_be_called_off(0);
            }
            Sym::Expired { message, round } => self.story(message).expire(round),
            Sym::Requeued { message, round } => self.story(message).requeue(round),
            Sym::Closed { of, how, .. } => self.story(of.message).close(of, how),
            Sym::Resent { of } => self.story(of.message).resend(of),
            Sym::MovedOut { message, nth } => self.story(message).move_out(nth),
            Sym::MovedIn { message } => self.story(message + 1).accept(0),
            Sym::MovedHome { message, nth } => self.story(message).move_out(nth),
            Sym::MovedBack { message } => self.story(message).moved = false,
            Sym::Status { of, status } => self.story(of.message).report(of, status),
            _ => {}
        }
        0
    }

    fn is_gated(&self) -> bool {
        self.gate.is_some_and(|(_, closed)| closed)
    }

    fn story(&mut self, message: u8) -> &mut Story {
        &mut self.messages[usize::from(message)]
    }

    fn open(&mut self, batch: [u8; MESSAGES]) -> u8 {
        let mut valid = 0;
        for (at, (story, attempt)) in self.messages.iter_mut().zip(batch).enumerate() {
            if attempt > 0 && attempt == story.opened + 1 && story.may_leave() {
                story.opened = attempt;
                story.last = Last::Open;
                valid |= 1 << at;
            }
        }
        valid
    }

    /// What forbids this message to leave, as people know it: not who claims or lives, but what became of the message.
    pub fn forbids(&self, message: u8) -> Option<&'static str> {
        let story = &self.messages[usize::from(message)];
        match () {
            () if story.confirmed != 0 => Some("it was confirmed as sent"),
            () if story.undelivered || story.refused => Some("it had failed"),
            () if story.cancelled => Some("it was called off"),
            () if story.expired => Some("it had run out of time"),
            () if !story.is_accepted() => Some("its acceptance was void"),
            () if story.moved => Some("it had moved"),
            () if self.suspended => Some("the session was stopped"),
            () if self.is_gated() => Some("its gate was closed"),
            () => None,
        }
    }
}

impl Story {
    fn accept(&mut self, nonce: u8) {
        self.accepted |= 1 << nonce;
    }

    fn withdraw(&mut self, nonce: u8) {
        self.stands |= self.is_accepted() && (self.opened > 0 || self.confirmed != 0);
        self.withdrawn |= 1 << nonce;
    }

    fn may_leave(&self) -> bool {
        let settled = self.cancelled || self.expired || self.refused || self.undelivered || self.confirmed != 0;
        self.is_accepted() && !settled && !self.moved && matches!(self.last, Last::None | Last::Again)
    }

    fn close(&mut self, of: Of, how: How) {
        if how == How::Sent {
            return self.confirm(of);
        }
        let firmer = match self.last {
            Last::Open => true,
            Last::Unknown => how != How::Unknown,
            _ => false,
        };
        if of.attempt != self.opened || !firmer {
            return;
        }
        self.last = match how {
            How::Retry => Last::Again,
            How::Unknown => Last::Unknown,
            How::Failed | How::Withdrawn | How::Sent => Last::Over,
        };
        self.refused |= self.last == Last::Over;
    }

    /// Only what waits is called off, once, and by whoever knows which round it is.
    fn may_be_called_off(&self, round: u8) -> bool {
        let settled = self.cancelled || self.expired || self.refused || self.undelivered || self.confirmed != 0;
        round == self.round && self.is_accepted() && !settled
    }

    fn expire(&mut self, round: u8) {
        if self.may_be_called_off(round) {
            self.expired = true;
            self.expired_unknown = self.last == Last::Unknown;
        }
    }

    /// What failed or ran out of time begins anew, unless somebody has it, called it off, or an attempt is under way.
    fn requeue(&mut self, round: u8) {
        let out_of_time = self.expired && (self.last != Last::Unknown || self.expired_unknown);
        let failed = self.undelivered || (self.confirmed == 0 && (self.refused || out_of_time));
        let under_way = self.last == Last::Open;
        let fresh = round > self.asked;
        self.asked = self.asked.max(round);
        if !fresh || !failed || under_way || self.arrived || self.cancelled || !self.is_accepted() {
            return;
        }
        self.round = round;
        self.past = self.opened;
        self.gone |= self.confirmed | self.returned;
        (self.confirmed, self.returned) = (0, 0);
        (self.undelivered, self.refused, self.expired) = (false, false, false);
        if self.last != Last::None {
            self.last = Last::Again;
        }
    }

    fn is_past(&self, of: Of) -> bool {
        of.attempt <= self.past
    }

    fn confirm(&mut self, of: Of) {
        if self.is_past(of) && self.gone & (1 << of.attempt) != 0 {
            return;
        }
        self.confirmed |= 1 << of.attempt;
        self.decide(of);
    }

    fn decide(&mut self, of: Of) {
        if of.attempt == self.opened {
            self.last = Last::Over;
        }
    }

    fn resend(&mut self, of: Of) {
        if of.attempt == self.opened && self.last == Last::Unknown {
            self.last = Last::Again;
            self.resent = true;
        }
    }

    /// It leaves if it waits and nothing of it may have been sent; a move that finds it otherwise is used up by that.
    fn move_out(&mut self, nth: u8) {
        self.moved |= nth > self.moves && self.may_leave() && !self.resent;
        self.moves = self.moves.max(nth);
    }

    fn report(&mut self, of: Of, status: Status) {
        match status {
            Status::Failed if self.is_past(of) => self.gone |= 1 << of.attempt,
            Status::Failed => {
                self.undelivered = true;
                self.returned |= 1 << of.attempt;
                self.decide(of);
            }
            Status::Other => {}
            Status::Sent => self.confirm(of),
            _ => {
                self.arrived = true;
                self.confirm(of);
                self.confirmed |= 1 << of.attempt;
            }
        }
    }

    /// Whether the state of the row may be called that.
    pub fn agrees(&self, state: State) -> bool {
        use State::{Cancelled, Delivered, Expired, Failed, Moved, Queued, Read, Sending, Sent, Unknown, Withdrawn};
        let fits: &[State] = match () {
            () if !self.is_accepted() => &[Withdrawn],
            () if self.undelivered => &[Failed, Delivered, Read],
            () if self.confirmed != 0 => &[Sent, Delivered, Read],
            () if self.moved => &[Moved],
            () if self.refused && self.cancelled => &[Failed, Cancelled],
            () if self.refused && self.expired => &[Failed, Expired],
            () if self.refused => &[Failed],
            () if self.last == Last::Open => &[Sending],
            () if self.last == Last::Unknown && self.cancelled => &[Unknown, Cancelled],
            () if self.last == Last::Unknown && self.expired => &[Unknown, Expired],
            () if self.last == Last::Unknown => &[Unknown],
            () if self.cancelled => &[Cancelled],
            () if self.expired => &[Expired],
            () => &[Queued],
        };
        fits.contains(&state)
    }

    /// Whether somebody was told that it is taken.
    pub fn is_accepted(&self) -> bool {
        self.stands || self.accepted & !self.withdrawn != 0
    }
}
