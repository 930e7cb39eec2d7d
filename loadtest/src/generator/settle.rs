//! After the last answer: waiting (bounded) until everything has arrived, and reading what simulator and sink wrote down.

use super::config::{RunConfig, Until};
use crate::client::{Address, ClientError, Connection};
use crate::graph::{Recorded, Stats};
use crate::ledger::Ack;
use crate::sink::{Notified, SinkStats};
use serde::Deserialize;
use std::collections::HashSet;
use std::time::{Duration, Instant};

const PAGE: u64 = 10_000;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The counterpart's side of the story.
pub(super) struct Evidence {
    simulator: Option<Connection>,
    sink: Option<Connection>,
    requests_seen: u64,
    notices_seen: u64,
    accepted_before: u64,
    pub requests: Vec<Recorded>,
    pub notices: Vec<Notified>,
}

#[derive(Deserialize)]
struct RequestsPage {
    next: u64,
    requests: Vec<Recorded>,
}

#[derive(Deserialize)]
struct EventsPage {
    next: u64,
    events: Vec<Notified>,
}

fn connection(address: Option<&String>) -> Result<Option<Connection>, ClientError> {
    address.map(|address| Ok(Connection::new(Address::parse(address)?, Duration::from_secs(30)))).transpose()
}

impl Evidence {
    /// Notes where the journals stand before the run.
    pub(super) async fn open(config: &RunConfig) -> Result<Self, ClientError> {
        let mut simulator = connection(config.simulator.as_ref())?;
        let mut sink = connection(config.sink.as_ref())?;
        let (mut requests_seen, mut notices_seen, mut accepted_before) = (0, 0, 0);
        if let Some(simulator) = &mut simulator {
            let stats: Stats = simulator.get_json("/_sim/stats").await?;
            (requests_seen, accepted_before) = (stats.recorded, stats.accepted);
        }
        if let Some(sink) = &mut sink {
            notices_seen = sink.get_json::<SinkStats>("/_sink/stats").await?.events;
        }
        let (requests, notices) = (Vec::new(), Vec::new());
        Ok(Self { simulator, sink, requests_seen, notices_seen, accepted_before, requests, notices })
    }

    /// Waits for what the settings ask for; says whether it came.
    ///
    /// Counts are looked at while waiting, journals are read once the counts say that it may be over.
    pub(super) async fn settle(&mut self, config: &RunConfig, acks: &[Ack]) -> Result<bool, ClientError> {
        if config.until == Until::Answered {
            return Ok(true);
        }
        let patience = Instant::now() + Duration::from_secs(config.settle_s);
        loop {
            if self.may_be_over(config.until, acks.len() as u64).await? {
                self.collect().await?;
                if self.is_over(config.until, acks) {
                    return Ok(true);
                }
            }
            if Instant::now() >= patience {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn may_be_over(&mut self, until: Until, promised: u64) -> Result<bool, ClientError> {
        let Some(simulator) = &mut self.simulator else {
            return Ok(true);
        };
        let stats: Stats = simulator.get_json("/_sim/stats").await?;
        let quiet = until == Until::Arrived || stats.callbacks.pending == 0;
        // With a sink a message may also end as failed, without an arrival: then only the journals can tell.
        let arrived = stats.accepted.saturating_sub(self.accepted_before) >= promised || self.sink.is_some();
        Ok(quiet && arrived)
    }

    fn is_over(&self, until: Until, acks: &[Ack]) -> bool {
        let accepted = self.requests.iter().filter(|request| request.wamid.is_some());
        let arrived: HashSet<&str> = accepted.filter_map(|request| request.marker.as_deref()).collect();
        let ended = |kinds: &[&str]| -> HashSet<&str> {
            let last = |kind: &str| kind.rsplit('.').next().is_some_and(|last| kinds.contains(&last));
            self.notices.iter().filter(|notice| last(&notice.kind)).map(|notice| &*notice.message_id).collect()
        };
        let failed = ended(&["failed", "expired", "cancelled"]);
        let delivered = ended(&["delivered", "read"]);
        acks.iter().all(|ack| {
            let (id, marker) = (&*ack.id, &*ack.marker);
            failed.contains(id) || (arrived.contains(marker) && (until != Until::Notified || delivered.contains(id)))
        })
    }

    /// Reads on in the journals.
    pub(super) async fn collect(&mut self) -> Result<(), ClientError> {
        while let Some(simulator) = &mut self.simulator {
            let path = format!("/_sim/requests?after={}&limit={PAGE}", self.requests_seen);
            let page: RequestsPage = simulator.get_json(&path).await?;
            self.requests_seen = page.next;
            if page.requests.is_empty() {
                break;
            }
            self.requests.extend(page.requests);
        }
        while let Some(sink) = &mut self.sink {
            let path = format!("/_sink/events?after={}&limit={PAGE}", self.notices_seen);
            let page: EventsPage = sink.get_json(&path).await?;
            self.notices_seen = page.next;
            if page.events.is_empty() {
                break;
            }
            self.notices.extend(page.events);
        }
        Ok(())
    }
}
