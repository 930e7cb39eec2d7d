//! Rows: what is known of a thing after the events applied so far. Rebuilt by replay, never the truth.
//!
//! A row that folds carries the position it has reached (`through`), so that applying the same position again changes
//! nothing. Facts are fields with a time (`delivered`), state is computed from them ([`super::message`]), so a late or
//! doubled status never moves it back.

mod account;
mod audit;
mod backlog;
mod campaign;
mod contact;
mod endpoint;
mod failing;
mod gates;
mod message;
mod overlay;
mod pool;
mod portfolio;
mod privacy;
mod session;
mod tally;
mod waiting;

use serde::{Deserialize, Serialize};

pub use account::*;
pub use audit::*;
pub use backlog::*;
pub use campaign::*;
pub use contact::*;
pub use endpoint::*;
pub use failing::*;
pub use gates::*;
pub use message::*;
pub use overlay::Rows;
pub use pool::*;
pub use portfolio::*;
pub use privacy::*;
pub use session::*;
pub use tally::*;
pub use waiting::*;

use super::gate::GatesRow;
use super::id::{ApiKeyId, BudgetId, CampaignId, EndpointId, KeyId, MessageId, SessionId, Tag, TenantId};

/// The name of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowId {
    /// The partition itself.
    Partition(u16),
    /// A tenant.
    Tenant(TenantId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// A session.
    Session(SessionId),
    /// An endpoint.
    Endpoint(EndpointId),
    /// A message.
    Message(MessageId),
    /// A contact.
    Contact(KeyId),
    /// The winner of an idempotency key.
    Idempotency(Tag),
    /// What a provider's message id stands for.
    Provider(Tag),
    /// What became of a tenant's messages of a day.
    Tally(TallyId),
    /// The gates that a partition knows.
    Gates(u16),
    /// What was asked for of a tenant's gates.
    Asks(TenantId),
    /// A portfolio.
    Portfolio(BudgetId),
    /// A person whom a portfolio admitted.
    Person(PersonId),
    /// A campaign.
    Campaign(CampaignId),
    /// A tenant's campaigns that are not over.
    Campaigns(TenantId),
    /// How far a campaign is, as far as it is in this partition.
    Progress(CampaignId, u16),
    /// Which of a pool's sessions a person is written to from.
    Sticky(StickyId),
    /// How many of a tenant's messages wait.
    Backlog(BacklogId),
    /// A tree of the audit.
    Tree(TreeId),
    /// The instance's log.
    Instance(()),
    /// What a partition said last of its trees.
    Reported(u16),
    /// What is open in a partition of what people asked for by right.
    Privacy(u16),
}

/// One row's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// See [`PartitionRow`].
    Partition(PartitionRow),
    /// See [`TenantRow`].
    Tenant(TenantRow),
    /// See [`ApiKeyRow`].
    ApiKey(ApiKeyRow),
    /// See [`SessionRow`].
    Session(SessionRow),
    /// See [`EndpointRow`].
    Endpoint(EndpointRow),
    /// See [`MessageRow`].
    Message(Box<MessageRow>),
    /// See [`ContactRow`].
    Contact(ContactRow),
    /// See [`IdempotencyRow`].
    Idempotency(IdempotencyRow),
    /// See [`ProviderRow`].
    Provider(ProviderRow),
    /// See [`TallyRow`].
    Tally(Box<TallyRow>),
    /// See [`GatesRow`].
    Gates(Box<GatesRow>),
    /// See [`AsksRow`].
    Asks(Box<AsksRow>),
    /// See [`PortfolioRow`].
    Portfolio(Box<PortfolioRow>),
    /// See [`PersonRow`].
    Person(PersonRow),
    /// See [`CampaignRow`].
    Campaign(Box<CampaignRow>),
    /// See [`CampaignsRow`].
    Campaigns(Box<CampaignsRow>),
    /// See [`ProgressRow`].
    Progress(Box<ProgressRow>),
    /// See [`StickyRow`].
    Sticky(StickyRow),
    /// See [`BacklogRow`].
    Backlog(BacklogRow),
    /// See [`TreeRow`].
    Tree(Box<TreeRow>),
    /// See [`InstanceRow`].
    Instance(Box<InstanceRow>),
    /// See [`ReportedRow`].
    Reported(ReportedRow),
    /// See [`PrivacyRow`].
    Privacy(PrivacyRow),
}
