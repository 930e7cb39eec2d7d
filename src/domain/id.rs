//! Identifiers: sixteen bytes each, typed, printed as `prefix_hex`.
//!
//! An id never carries meaning and never sorts by time. Two kinds carry a partition number in their first two bytes
//! (big-endian): [`MessageId`] and [`KeyId`], so that a cancel, a callback or a contact event finds its mailbox without
//! a look-up. Ids of declared things (tenant, session, endpoint) derive from their names, so that declaring twice, also
//! on two nodes at once, is declaring once.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind} id; expected `{prefix}_` followed by 32 lowercase hex digits")]
pub struct IdError {
    text: String,
    kind: &'static str,
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// What this id's text begins with.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix).map(Self).ok_or_else(|| IdError {
                    text: text.chars().take(64).collect(),
                    kind: stringify!($name),
                    prefix: $prefix,
                })
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self, e: &mut minicbor::Encoder<W>, _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                super::record::fixed(d).map(Self)
            }
        }
    };
}

id!(
    /// One installation: written into every genesis and every segment, checked on open.
    InstallationId, "ins"
);
id!(
    /// A customer of this installation. Derived from its name.
    TenantId, "ten"
);
id!(
    /// One sending identity (a phone number id, later a linked device, a page, an account). Derived from tenant and name.
    SessionId, "ses"
);
id!(
    /// A customer's webhook address. Derived from tenant and name.
    EndpointId, "ep"
);
id!(
    /// What several senders share: a business portfolio. Derived from its name.
    BudgetId, "bud"
);
id!(
    /// One message on its way to one person. First two bytes: the partition of its session.
    MessageId, "msg"
);
id!(
    /// A named batch of messages. Derived from tenant and name.
    CampaignId, "cmp"
);
id!(
    /// The key a contact's data is sealed under, and so the contact's address. First two bytes: the contact's partition.
    KeyId, "ctk"
);
id!(
    /// One event. Derived from its cause where it has one, so that a repeated effect is the same event.
    EventId, "evt"
);
id!(
    /// One process of an installation, drawn anew at each start.
    NodeId, "nod"
);
id!(
    /// The public half of an API key: stands in the key's text, in events and in logs.
    ApiKeyId, "key"
);
id!(
    /// A keyed hash (HMAC under a key in the vault) that finds something again without saying what it is.
    Tag, "tag"
);

fn parse(text: &str, prefix: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 16];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

/// The first sixteen bytes of SHA-256 over length-prefixed parts, the first of which names the purpose.
#[must_use]
pub fn derive(purpose: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

/// Puts a partition number into the first two bytes.
#[must_use]
pub fn with_partition(mut bytes: [u8; 16], partition: u16) -> [u8; 16] {
    bytes[..2].copy_from_slice(&partition.to_be_bytes());
    bytes
}

/// Reads the partition number of an id that carries one.
#[must_use]
pub fn partition_of(bytes: &[u8; 16]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

impl TenantId {
    /// The id of the tenant called `name` in this installation.
    #[must_use]
    pub fn named(installation: InstallationId, name: &str) -> Self {
        Self(derive("waybill tenant", &[&installation.0, name.as_bytes()]))
    }
}

impl SessionId {
    /// The id of the tenant's session called `name`.
    #[must_use]
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(derive("waybill session", &[&tenant.0, name.as_bytes()]))
    }
}

impl EndpointId {
    /// The id of the tenant's endpoint called `name`.
    #[must_use]
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(derive("waybill endpoint", &[&tenant.0, name.as_bytes()]))
    }
}

impl BudgetId {
    /// The id of the portfolio called `name` in this installation.
    #[must_use]
    pub fn portfolio(installation: InstallationId, name: &str) -> Self {
        Self(derive("waybill portfolio", &[&installation.0, name.as_bytes()]))
    }
}

impl CampaignId {
    /// The id of the tenant's campaign called `name`.
    #[must_use]
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(derive("waybill campaign", &[&tenant.0, name.as_bytes()]))
    }

    /// The closing that its messages wait for until it is started.
    #[must_use]
    pub fn first_closing(self) -> EventId {
        EventId(self.0)
    }
}

impl MessageId {
    /// Where this message's mailbox is.
    #[must_use]
    pub fn partition(&self) -> u16 {
        partition_of(&self.0)
    }

    /// What a message is called in the mailbox of another sender, which is in this partition, after its move from its own.
    #[must_use]
    pub fn leg(self, number: u16, to: SessionId, partition: u16) -> Self {
        Self(with_partition(derive("waybill leg", &[&self.0, &number.to_be_bytes(), &to.0]), partition))
    }
}

impl EventId {
    /// The id of the event that `cause` brings about as its step `name`: repeated, it is the same event.
    #[must_use]
    pub fn caused_by(cause: EventId, name: &str) -> Self {
        Self(derive("waybill event", &[&cause.0, name.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints_and_refuses_its_neighbours() {
        let id = MessageId(with_partition([7; 16], 513));
        assert_eq!(id.to_string().parse::<MessageId>(), Ok(id));
        assert_eq!(id.partition(), 513);
        for wrong in
            ["", "msg_", "msg_00", "ten_07070707070707070707070707070707", "msg_0707070707070707070707070707070G"]
        {
            assert!(wrong.parse::<MessageId>().is_err(), "{wrong}");
        }
        assert!(id.to_string().to_uppercase().parse::<MessageId>().is_err());
    }

    #[test]
    fn derived_ids_do_not_run_their_parts_together() {
        assert_ne!(derive("p", &[b"ab", b"c"]), derive("p", &[b"a", b"bc"]));
        assert_ne!(derive("p", &[b"ab"]), derive("q", &[b"ab"]));
    }
}
