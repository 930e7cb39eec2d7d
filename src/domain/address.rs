//! Addresses: the name of a mailbox, and so of the one actor that must act on what arrives in it.

use std::fmt;

use super::id::{BudgetId, EndpointId, InstallationId, KeyId, SessionId, TenantId};

/// What kind of actor (or bare mailbox) an address belongs to. The numbers are stored for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum AddressKind {
    /// The partition itself: genesis, claims, feature level, quarantine. Its id holds the number.
    Partition,
    /// One sending identity: its messages, attempts, callbacks.
    Session,
    /// One webhook address of a customer.
    Endpoint,
    /// A tenant: its declaration, keys, policy, suspension.
    Tenant,
    /// A budget that several senders share: portfolio, WABA, app.
    Budget,
    /// A person in a tenant. A mailbox without an actor.
    Contact,
    /// Several sessions that answer to one sender name.
    Pool,
    /// The instance's audit tree.
    Audit,
    /// What a newer version has; carried, so that its records still verify and may be skipped.
    Other(u8),
}

impl AddressKind {
    /// The stored number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Partition => 0,
            Self::Session => 1,
            Self::Endpoint => 2,
            Self::Tenant => 3,
            Self::Budget => 4,
            Self::Contact => 5,
            Self::Pool => 6,
            Self::Audit => 7,
            Self::Other(number) => number,
        }
    }

    /// The kind with this stored number.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Partition,
            1 => Self::Session,
            2 => Self::Endpoint,
            3 => Self::Tenant,
            4 => Self::Budget,
            5 => Self::Contact,
            6 => Self::Pool,
            7 => Self::Audit,
            other => Self::Other(other),
        }
    }
}

/// A mailbox: kind and sixteen bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// What lives there.
    pub kind: AddressKind,
    /// Which one.
    pub id: [u8; 16],
}

impl Address {
    /// The mailbox of a partition itself.
    #[must_use]
    pub fn partition(number: u16) -> Self {
        Self { kind: AddressKind::Partition, id: super::id::with_partition([0; 16], number) }
    }
}

impl Address {
    /// The mailbox of an installation's audit.
    #[must_use]
    pub fn audit(installation: InstallationId) -> Self {
        Self { kind: AddressKind::Audit, id: installation.0 }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}", self.kind, hex::encode(self.id))
    }
}

impl From<SessionId> for Address {
    fn from(id: SessionId) -> Self {
        Self { kind: AddressKind::Session, id: id.0 }
    }
}

impl From<EndpointId> for Address {
    fn from(id: EndpointId) -> Self {
        Self { kind: AddressKind::Endpoint, id: id.0 }
    }
}

impl From<TenantId> for Address {
    fn from(id: TenantId) -> Self {
        Self { kind: AddressKind::Tenant, id: id.0 }
    }
}

impl From<BudgetId> for Address {
    fn from(id: BudgetId) -> Self {
        Self { kind: AddressKind::Budget, id: id.0 }
    }
}

impl From<KeyId> for Address {
    fn from(id: KeyId) -> Self {
        Self { kind: AddressKind::Contact, id: id.0 }
    }
}

impl<C> minicbor::Encode<C> for Address {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u8(self.kind.number())?.bytes(&self.id)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Address {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        super::record::pair(d)?;
        let kind = AddressKind::from_number(d.u8()?);
        Ok(Self { kind, id: super::record::fixed(d)? })
    }
}
