//! Events in a tenant's mailbox about its campaigns.

use minicbor::{Decode, Encode};

use super::super::id::{CampaignId, SessionId};
use super::super::record::{Micros, Position};
use super::{Category, Priority};

/// A campaign exists. It never changes: what was loaded into it was judged by this.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CampaignDeclaredV1 {
    /// Derived from tenant and name.
    #[n(0)]
    pub campaign: CampaignId,
    /// Slug, unique in the tenant.
    #[n(1)]
    pub name: String,
    /// Its sender.
    #[n(2)]
    pub session: SessionId,
    /// The sender's name, as it was written: part of the scope of its lines' idempotency.
    #[n(3)]
    pub from: String,
    /// Name of the template.
    #[n(4)]
    pub template: String,
    /// Its language.
    #[n(5)]
    pub language: String,
    /// What its messages are for.
    #[n(6)]
    pub category: Category,
    /// Who goes first.
    #[n(7)]
    pub priority: Priority,
    /// Nothing of it is sent after this; absent: 30 days after a line was loaded.
    #[n(8)]
    pub expires_at: Option<Micros>,
    /// It starts by itself then, if there is something in it; absent: when somebody says so.
    #[n(9)]
    pub start_at: Option<Micros>,
}

/// What may be done with a campaign. The numbers are stored for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum CampaignStep {
    /// Its messages may leave.
    #[n(0)]
    Start,
    /// None leaves until it is resumed.
    #[n(1)]
    Pause,
    /// They may leave again.
    #[n(2)]
    Resume,
    /// It is over: what has not left is called off.
    #[n(3)]
    Cancel,
    /// It is over, because nothing is left.
    #[n(4)]
    Finish,
}

/// A campaign moves, if it is where this step begins; its gate moves with it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CampaignMovedV1 {
    /// Which.
    #[n(0)]
    pub campaign: CampaignId,
    /// Where to.
    #[n(1)]
    pub step: CampaignStep,
    /// In the words of whoever asked for it.
    #[n(2)]
    pub reason: String,
    /// Where the step stands after which this one was judged; void after any other. Absent: after whichever is the last.
    #[n(3)]
    pub follows: Option<Position>,
}
