//! Events in the mailbox of a budget that several senders share: a business portfolio's people.

use minicbor::{Decode, Encode};

use super::super::id::{BudgetId, KeyId, SessionId, TenantId};
use super::super::record::Micros;

/// A business portfolio exists, with this limit. A later declaration replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PortfolioDeclaredV1 {
    /// Derived from the name.
    #[n(0)]
    pub portfolio: BudgetId,
    /// Slug, unique in the installation.
    #[n(1)]
    pub name: String,
    /// Unique people it may begin a conversation with in 24 hours; absent: as many as it likes.
    #[n(2)]
    pub people_per_day: Option<u32>,
}

/// Somebody wants to write to people outside of their service windows. Who of them is admitted follows from the events up
/// to this one, so it is asked and answered at once; asked again, those who are admitted are it still.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PeopleAskedV1 {
    /// Which portfolio.
    #[n(0)]
    pub portfolio: BudgetId,
    /// For whom, at most 256.
    #[n(1)]
    pub people: Vec<KeyId>,
}

/// The provider refused a sender for its portfolio's sake: nobody of it begins a conversation for a while.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PortfolioHeldV1 {
    /// Which portfolio.
    #[n(0)]
    pub portfolio: BudgetId,
    /// Not before this.
    #[n(1)]
    pub until: Micros,
    /// The provider's code.
    #[n(2)]
    pub code: i32,
}

/// An operator lifts a portfolio's hold before its time. If the provider still refuses, its next answer brings it back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PortfolioReleasedV1 {
    /// Which portfolio.
    #[n(0)]
    pub portfolio: BudgetId,
    /// Why, in the words of whoever lifted it.
    #[n(1)]
    pub reason: String,
}

/// A session asks its tenant's budget for a lease, in the tenant's mailbox: asked so when the two live on different nodes.
/// Only who owns that mailbox acts on it, and what comes of it is a grant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseAskedV1 {
    /// Whose budget.
    #[n(0)]
    pub tenant: TenantId,
    /// Who asks.
    #[n(1)]
    pub session: SessionId,
    /// How many it would like, at most.
    #[n(2)]
    pub wanted: u32,
}

/// A tenant's budget lends so many to a session, in the session's mailbox. Its id derives from the question's, so that a
/// second copy is the same grant; unspent, it ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseGrantedV1 {
    /// To whom.
    #[n(0)]
    pub session: SessionId,
    /// How many.
    #[n(1)]
    pub amount: u32,
    /// Until when, by the clock that the event's own time is of: what counts is how long after that.
    #[n(2)]
    pub until: Micros,
}
