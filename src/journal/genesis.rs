//! The genesis: what an installation's journal is, and the first record of each of its partitions.

use std::fmt;

use bytes::Bytes;

use crate::domain::address::Address;
use crate::domain::event::{Event, FEATURE_LEVEL, GenesisV1};
use crate::domain::id::{EventId, InstallationId};
use crate::domain::record::{Header, Micros, Principal, Record, RecordError};
use crate::domain::routing::ROUTING_VERSION;

/// What is fixed for ever when a journal is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Genesis {
    /// Whose journal.
    pub installation: InstallationId,
    /// How many partitions.
    pub count: u16,
    /// Routing version: which function maps addresses to partitions.
    pub routing: u16,
}

impl fmt::Display for Genesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} partitions, routing version {}", self.installation, self.count, self.routing)
    }
}

impl Genesis {
    /// The genesis of a new installation, with the routing of this version.
    #[must_use]
    pub fn new(installation: InstallationId, count: u16) -> Self {
        Self { installation, count, routing: ROUTING_VERSION }
    }

    /// The first record of `partition`. Written twice, it is the same event.
    ///
    /// # Errors
    /// Only if the header could not be encoded, which no input brings about.
    pub fn record(&self, partition: u16, at: Micros) -> Result<Record, RecordError> {
        let event = Event::from(GenesisV1 {
            installation: self.installation,
            partition,
            count: self.count,
            routing: self.routing,
        });
        let header = Header {
            kind: event.kind(),
            id: EventId::caused_by(EventId(self.installation.0), &format!("genesis {partition}")),
            cause: None,
            may_skip: event.may_skip(),
            address: Address::partition(partition),
            tenant: None,
            by: Principal::Operator,
            at,
            feature: FEATURE_LEVEL,
            epoch: None,
            key: None,
            body: None,
            commitment: None,
            subject: None,
            attempt: None,
            facts: event.facts(),
        };
        Record::new(header, Bytes::new())
    }

    /// What the first record of `partition` says, if it is a genesis of that partition.
    #[must_use]
    pub fn read(record: &Record, partition: u16) -> Option<Self> {
        match record.event() {
            Ok(Event::Genesis(it)) if it.partition == partition => {
                Some(Self { installation: it.installation, count: it.count, routing: it.routing })
            }
            _ => None,
        }
    }
}
