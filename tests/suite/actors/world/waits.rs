//! Waiting for what a house does, and what is said when it does not.

use std::collections::HashMap;
use std::time::Duration;

use waybill::domain::address::Address;
use waybill::domain::id::{MessageId, TenantId};
use waybill::domain::message::State;
use waybill::domain::routing;
use waybill::domain::row::{Row, RowId};
use waybill::journal::Journal;
use waybill::store::{applied, rows};

use super::{PARTITIONS, World};

impl World {
    /// Waits until everything that this mailbox's journal holds now is in the rows.
    pub async fn applied(&self, address: impl Into<Address>) {
        self.caught_up(routing::partition(&address.into(), PARTITIONS)).await;
    }

    /// The same for a partition.
    pub async fn caught_up(&self, partition: u16) {
        let (store, end) = (self.hands.store.as_ref(), self.journal.end(partition));
        let seen = applied::caught_up(store, partition, end, Duration::from_secs(20)).await;
        assert!(seen.expect("readable"), "partition {partition} is not applied");
    }

    /// Waits until every message is in one of these states.
    pub async fn until(&self, messages: &[MessageId], within: Duration, wanted: &[State]) -> HashMap<State, usize> {
        let start = std::time::Instant::now();
        loop {
            let mut states: HashMap<State, usize> = HashMap::new();
            for message in messages {
                let state = self.leg(*message).await.map_or(State::Withdrawn, |row| row.state());
                *states.entry(state).or_default() += 1;
            }
            if states.keys().all(|state| wanted.contains(state)) {
                return states;
            }
            if start.elapsed() >= within {
                panic!("still {states:?} after {within:?}\n{}", self.why(messages, wanted).await);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the rows say of partitions, and of the first messages that are in none of these states.
    async fn why(&self, messages: &[MessageId], wanted: &[State]) -> String {
        let (store, mut said) = (self.hands.store.as_ref(), String::new());
        for partition in 0..PARTITIONS {
            let (applied, end) = (store.applied(partition).await, self.journal.end(partition));
            let (owned, open) =
                (self.hands.registry.owns(partition), rows::open_sessions(store, partition).await.unwrap());
            said += &format!("partition {partition}: owned {owned}, applied {applied:?} of {end:?}, open {open:?}\n");
        }
        for message in messages {
            let leg = self.leg(*message).await;
            if said.len() < 8_000 && leg.as_ref().is_none_or(|row| !wanted.contains(&row.state())) {
                said += &format!("{message}: {:?}\nits leg: {leg:?}\n", self.row(*message).await);
            }
        }
        said
    }

    /// Waits until every word on the tenant's gates is recorded as effective.
    pub async fn until_effective(&self, tenant: TenantId) {
        let start = std::time::Instant::now();
        loop {
            let found = rows::get(self.hands.store.as_ref(), &RowId::Asks(tenant)).await.unwrap();
            let Some(Row::Asks(row)) = found else { panic!("nothing was asked for") };
            if row.pending().count() == 0 {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "not effective: {row:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
