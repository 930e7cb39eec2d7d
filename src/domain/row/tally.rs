//! What became of a tenant's messages, by the UTC day of their acceptance: counted as their rows change.
//!
//! A count is a sum over rows: each message adds what its row says, and takes away what it said before. So it is right
//! after any order of events, after a rebuild, and when an event is applied twice. Messages of test keys are not counted.

use serde::{Deserialize, Serialize};

use super::super::event::Category;
use super::super::id::TenantId;
use super::super::message::State;
use super::super::record::Micros;
use super::MessageRow;

const DAY: Micros = 86_400_000_000;

/// Prices told apart on one day in one partition: Meta has some twenty. What comes beyond is counted as one without words.
pub const MAX_PRICES: usize = 64;

/// What can become of a message, in the order of [`TallyRow::counts`].
pub const OUTCOMES: [&str; 8] =
    ["accepted", "sent", "delivered", "read", "failed", "expired", "cancelled", "duplicated"];

/// Categories, in the order of [`TallyRow::counts`].
pub const CATEGORIES: [Category; 4] =
    [Category::Authentication, Category::Utility, Category::Marketing, Category::Service];

/// One count: the messages that a tenant gave to a partition on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TallyId {
    /// Whose.
    pub tenant: TenantId,
    /// Where.
    pub partition: u16,
    /// Days since 1970-01-01 UTC.
    pub day: u32,
}

impl TallyId {
    /// The count of what was accepted at this time.
    #[must_use]
    pub fn at(tenant: TenantId, partition: u16, at: Micros) -> Self {
        Self { tenant, partition, day: u32::try_from(at.div_euclid(DAY)).unwrap_or(0) }
    }
}

/// What a provider charges for a message, in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Price {
    /// The price category.
    pub category: Option<String>,
    /// Whether it is charged.
    pub billable: Option<bool>,
    /// The pricing model.
    pub model: Option<String>,
    /// The pricing type.
    pub kind: Option<String>,
}

/// Messages of one category at one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priced {
    /// What they were for, to us.
    pub category: Category,
    /// The price.
    pub price: Price,
    /// How many.
    pub messages: u64,
}

/// The counts of one tenant, partition and day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyRow {
    /// By category and outcome.
    pub counts: [[u64; 8]; 4],
    /// By category and price, at most [`MAX_PRICES`] and one.
    pub priced: Vec<Priced>,
}

/// What one message's row says, as a count: `None` for one that does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share<'a> {
    pub(super) id: TallyId,
    category: Category,
    counts: [u16; 8],
    price: Option<&'a Price>,
}

impl<'a> Share<'a> {
    pub(super) fn of(row: &'a MessageRow, partition: u16) -> Option<Self> {
        let accepted = row.accepted.as_ref().filter(|accepted| !accepted.test)?;
        let state = row.state();
        // It counts where it is.
        if state == State::Moved {
            return None;
        }
        let is = |yes: bool| u16::from(yes);
        Some(Self {
            id: TallyId::at(accepted.tenant, partition, accepted.fact.at),
            category: accepted.category,
            counts: [
                1,
                is(row.sent.is_some()),
                is(row.delivered.is_some()),
                is(row.read.is_some() || row.played.is_some()),
                is(state == State::Failed),
                is(state == State::Expired),
                is(state == State::Cancelled),
                row.duplicates,
            ],
            price: row.price.as_ref(),
        })
    }
}

impl TallyRow {
    /// A message says this from now on.
    pub(super) fn add(&mut self, share: &Share<'_>) {
        for (count, more) in self.counts[share.category as usize].iter_mut().zip(share.counts) {
            *count += u64::from(more);
        }
        let Some(price) = share.price else { return };
        let place = self.place(share.category, price).or_else(|| {
            let other = Price::default();
            let full = self.priced.len() >= MAX_PRICES;
            full.then(|| self.place(share.category, &other)).flatten()
        });
        match place {
            Some(at) => self.priced[at].messages += 1,
            None => {
                let price = if self.priced.len() < MAX_PRICES { price.clone() } else { Price::default() };
                self.priced.push(Priced { category: share.category, price, messages: 1 });
            }
        }
    }

    /// It said this before.
    pub(super) fn take(&mut self, share: &Share<'_>) {
        for (count, less) in self.counts[share.category as usize].iter_mut().zip(share.counts) {
            *count = count.saturating_sub(u64::from(less));
        }
        let Some(price) = share.price else { return };
        let place = self.place(share.category, price).or_else(|| self.place(share.category, &Price::default()));
        if let Some(at) = place {
            self.priced[at].messages = self.priced[at].messages.saturating_sub(1);
            if self.priced[at].messages == 0 {
                self.priced.remove(at);
            }
        }
    }

    fn place(&self, category: Category, price: &Price) -> Option<usize> {
        self.priced.iter().position(|one| one.category == category && one.price == *price)
    }

    /// What two partitions have together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (own, more) in self.counts.iter_mut().flatten().zip(other.counts.iter().flatten()) {
            *own += more;
        }
        for more in &other.priced {
            match self.place(more.category, &more.price) {
                Some(at) => self.priced[at].messages += more.messages,
                None => self.priced.push(more.clone()),
            }
        }
        self
    }
}
