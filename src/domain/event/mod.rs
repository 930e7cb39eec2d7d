//! Events: every kind that may stand in a journal, by number.
//!
//! A stored kind never changes. A new field is an optional field with the next free number, which older readers ignore;
//! anything else is a new kind. `must` means that a reader which does not know the kind may apply nothing beyond it
//! (see [`super::projection`]); such kinds are written only after the installation's feature level was raised.
//!
//! To add an event: a struct here, a line in the table, a case in `projection/`, a golden file.

pub mod account;
pub mod audit;
pub mod budget;
pub mod campaign;
pub mod contact;
pub mod endpoint;
pub mod message;
pub mod moved;
pub mod partition;
pub mod privacy;
pub mod report;
pub mod session;

#[cfg(test)]
mod golden;

pub use account::*;
pub use audit::*;
pub use budget::*;
pub use campaign::*;
pub use contact::*;
pub use endpoint::*;
pub use message::*;
pub use moved::*;
pub use partition::*;
pub use privacy::*;
pub use report::*;
pub use session::*;

use super::record::RecordError;

/// The feature level of this version: the newest kind it writes belongs to it.
pub const FEATURE_LEVEL: u16 = 1;

macro_rules! events {
    ($($number:literal $name:ident $facts:ident $skip:ident),* $(,)?) => {
        /// What happened: one variant for each stored kind, and one for what a newer version wrote.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $(
                #[doc = concat!("Kind ", stringify!($number), ".")]
                $name($facts),
            )*
            /// A kind this version does not know, carried as it is.
            Opaque {
                /// Its number.
                kind: u16,
                /// Its facts, undecoded.
                facts: Vec<u8>,
            },
        }

        impl Event {
            /// Every kind this version knows: number, name, and whether an older reader may skip it.
            pub const KINDS: &'static [(u16, &'static str, bool)] = &[$(($number, stringify!($name), $skip!())),*];

            /// The stored number of this kind.
            #[must_use]
            pub fn kind(&self) -> u16 {
                match self {
                    $(Self::$name(_) => $number,)*
                    Self::Opaque { kind, .. } => *kind,
                }
            }

            /// The kind's name, as documentation and people call it.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                    Self::Opaque { .. } => "Opaque",
                }
            }

            /// The facts as CBOR.
            #[must_use]
            pub fn facts(&self) -> Vec<u8> {
                match self {
                    $(Self::$name(facts) => minicbor::to_vec(facts).expect("writing to a Vec cannot fail"),)*
                    Self::Opaque { facts, .. } => facts.clone(),
                }
            }

            /// Reads facts of a kind. Unknown kinds are carried, never refused.
            ///
            /// # Errors
            /// When the facts of a known kind do not decode.
            pub fn decode(kind: u16, facts: &[u8]) -> Result<Self, RecordError> {
                match kind {
                    $($number => minicbor::decode(facts).map(Self::$name)
                        .map_err(|e| RecordError::Facts { kind, why: e.to_string() }),)*
                    _ => Ok(Self::Opaque { kind, facts: facts.to_vec() }),
                }
            }
        }

        $(
            impl From<$facts> for Event {
                fn from(facts: $facts) -> Self {
                    Self::$name(facts)
                }
            }
        )*
    };
}

macro_rules! must {
    () => {
        false
    };
}
macro_rules! skip {
    () => {
        true
    };
}

events! {
    1 Genesis GenesisV1 must,
    2 Claimed ClaimedV1 must,
    3 FeatureLevelRaised FeatureLevelRaisedV1 must,
    4 Quarantined QuarantinedV1 must,
    5 Requeued RequeuedV1 must,
    6 GateSet GateSetV1 must,

    16 TenantDeclared TenantDeclaredV1 must,
    17 ApiKeyIssued ApiKeyIssuedV1 must,
    18 ApiKeyRevoked ApiKeyRevokedV1 must,
    21 GateAsked GateAskedV1 must,
    22 GateEffective GateEffectiveV1 must,

    32 SessionDeclared SessionDeclaredV1 must,
    33 SessionStarted SessionStartedV1 must,
    34 SessionSuspended SessionSuspendedV1 must,
    35 SessionResumed SessionResumedV1 must,
    36 SessionHeld SessionHeldV1 must,
    37 SessionPaced SessionPacedV1 skip,
    38 SessionReleased SessionReleasedV1 must,
    39 SessionDraining SessionDrainingV1 must,

    48 MessageAccepted MessageAcceptedV1 must,
    49 MessageWithdrawn MessageWithdrawnV1 must,
    50 AttemptsStarted AttemptsStartedV1 must,
    51 AttemptsClosed AttemptsClosedV1 must,
    52 MessageCancelled MessageCancelledV1 must,
    53 MessageExpired MessageExpiredV1 must,
    54 StatusReported StatusReportedV1 must,
    55 UnknownResolved UnknownResolvedV1 must,
    56 InboundReceived InboundReceivedV1 must,
    57 CallbackCarried CallbackCarriedV1 skip,
    58 MessageReleased MessageReleasedV1 must,
    59 MessageRequeued MessageRequeuedV1 must,
    60 MessagesGated MessagesGatedV1 must,
    61 MessageMovedOut MessageMovedOutV1 must,
    62 MessageMovedIn MessageMovedInV1 must,
    63 MessageMovedBack MessageMovedBackV1 must,

    64 ConsentChanged ConsentChangedV1 must,
    65 WindowOpened WindowOpenedV1 must,
    66 AliasAdded AliasAddedV1 must,
    67 ContactHeld ContactHeldV1 must,
    68 ErasureAsked ErasureAskedV1 must,
    69 ContactErased ContactErasedV1 must,
    70 LegalHoldSet LegalHoldSetV1 must,
    71 AccessGiven AccessGivenV1 skip,

    80 EndpointDeclared EndpointDeclaredV1 must,
    81 DeliveriesSettled DeliveriesSettledV1 must,
    82 EndpointDisabled EndpointDisabledV1 must,
    83 EndpointEnabled EndpointEnabledV1 must,

    96 PortfolioDeclared PortfolioDeclaredV1 must,
    97 PeopleAsked PeopleAskedV1 must,
    98 PortfolioHeld PortfolioHeldV1 must,
    99 PortfolioReleased PortfolioReleasedV1 must,
    100 LeaseAsked LeaseAskedV1 skip,
    101 LeaseGranted LeaseGrantedV1 skip,

    112 HeadsReported HeadsReportedV1 skip,
    113 CheckpointSealed CheckpointSealedV1 skip,
    114 CheckpointSigned CheckpointSignedV1 skip,
    115 CheckpointPublished CheckpointPublishedV1 skip,
    116 LogBegun LogBegunV1 skip,
    117 HeadsLost HeadsLostV1 skip,

    128 CampaignDeclared CampaignDeclaredV1 must,
    129 CampaignMoved CampaignMovedV1 must,
}

impl Event {
    /// Whether an older reader that does not know this kind may go on after it.
    #[must_use]
    pub fn may_skip(&self) -> bool {
        Self::KINDS.iter().find(|(number, ..)| *number == self.kind()).is_some_and(|(.., skip)| *skip)
    }
}
