//! What can be stopped, and which messages it concerns.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::super::id::{CampaignId, SessionId, TenantId};
use super::super::routing;
use super::super::row::Accepted;

/// What can be stopped. The numbers are stored for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum Gate {
    /// Everything of a tenant.
    #[n(0)]
    Tenant {
        /// Whose.
        #[n(0)]
        tenant: TenantId,
    },
    /// A tenant's messages of one template, in any language.
    #[n(1)]
    Template {
        /// Whose.
        #[n(0)]
        tenant: TenantId,
        /// Its name.
        #[n(1)]
        name: String,
    },
    /// A tenant's messages to one country's phone numbers.
    #[n(2)]
    Country {
        /// Whose.
        #[n(0)]
        tenant: TenantId,
        /// Calling code.
        #[n(1)]
        code: u16,
    },
    /// The messages of a campaign.
    #[n(3)]
    Campaign {
        /// Whose.
        #[n(0)]
        tenant: TenantId,
        /// Which.
        #[n(1)]
        campaign: CampaignId,
        /// Its sender, in whose partition all of them stand.
        #[n(2)]
        session: SessionId,
    },
}

impl Gate {
    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Tenant { tenant }
            | Self::Template { tenant, .. }
            | Self::Country { tenant, .. }
            | Self::Campaign { tenant, .. } => *tenant,
        }
    }

    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tenant { .. } => "tenant",
            Self::Template { .. } => "template",
            Self::Country { .. } => "country",
            Self::Campaign { .. } => "campaign",
        }
    }

    /// What it is called beside its kind: nothing for a tenant's own.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Tenant { .. } => None,
            Self::Template { name, .. } => Some(name.clone()),
            Self::Country { code, .. } => Some(format!("+{code}")),
            Self::Campaign { campaign, .. } => Some(campaign.to_string()),
        }
    }

    /// Which campaign's it is, if it is one's.
    #[must_use]
    pub fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::Campaign { campaign, .. } => Some(*campaign),
            _ => None,
        }
    }

    /// The partitions, of so many, in which a message may stand that it stops.
    #[must_use]
    pub fn partitions(&self, count: u16) -> Vec<u16> {
        match self {
            Self::Campaign { session, .. } => vec![routing::partition(&(*session).into(), count)],
            _ => (0..count).collect(),
        }
    }

    /// Whether a message is one of those that it stops.
    #[must_use]
    pub fn concerns(&self, accepted: &Accepted) -> bool {
        self.stops(Marks::of(accepted))
    }

    /// The same of one that is marked so.
    #[must_use]
    pub fn stops(&self, marks: Marks<'_>) -> bool {
        self.tenant() == marks.tenant
            && match self {
                Self::Tenant { .. } => true,
                Self::Template { name, .. } => marks.template == Some(name),
                Self::Country { code, .. } => marks.country == Some(*code),
                Self::Campaign { campaign, .. } => marks.campaign == Some(*campaign),
            }
    }
}

/// What of a message gates go by.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'a> {
    /// Whose it is.
    pub tenant: TenantId,
    /// Name of its template, if it is one.
    pub template: Option<&'a str>,
    /// Calling code of the recipient's phone number, if there is one.
    pub country: Option<u16>,
    /// The campaign behind whose gate it stands.
    pub campaign: Option<CampaignId>,
}

impl<'a> Marks<'a> {
    /// Those of an accepted message.
    #[must_use]
    pub fn of(accepted: &'a Accepted) -> Self {
        let (tenant, template, country) = (accepted.tenant, accepted.template.as_deref(), accepted.country);
        Self { tenant, template, country, campaign: accepted.gate_of_campaign() }
    }
}
