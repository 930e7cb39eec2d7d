//! What must be true at the end: everything acknowledged is known, settled, and with the counterpart once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use waybill_loadtest::ledger::{Ack, Ledger, join};

use super::house::House;

/// How long everything may take to settle once the load has ended: the deadline of an intent (3 s) and the longest wait of
/// the simulator's callbacks, many times over.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Questions under way at once.
const ASKERS: usize = 12;

/// What the API says of one message.
#[derive(Debug, Clone, Default)]
struct Said {
    state: String,
    /// An attempt of it ended unknown, or it is unknown now.
    unknown: bool,
    attempts: u64,
}

impl Said {
    fn of(message: &Value) -> Self {
        let state = message["state"].as_str().unwrap_or_default().to_owned();
        let ended = message["timeline"].as_array().into_iter().flatten();
        let unknown = state == "unknown" || ended.into_iter().any(|step| step["outcome"] == "unknown");
        Self { state, unknown, attempts: message["attempts"].as_u64().unwrap_or_default() }
    }

    /// Nothing more will happen to it. The simulator reports everything it took as delivered, so `sent` is not the end; an
    /// unknown is, if it never arrived.
    fn is_settled(&self, arrived: bool) -> bool {
        match &*self.state {
            "delivered" | "read" | "failed" | "expired" | "cancelled" | "forgotten" => true,
            "unknown" => !arrived,
            _ => false,
        }
    }
}

/// The end of a run.
#[derive(Debug)]
pub struct Accounts {
    pub ledger: Ledger,
    /// Messages that overtook an earlier one of their lane, where neither had to be tried again nor was in doubt. One whose attempt
    /// was open when its partition changed hands is passed, whatever became of it.
    pub inversions: u64,
    /// Acknowledged, and not known to the API.
    pub forgotten: u64,
    /// Messages of which people see that an attempt ended unknown.
    pub unknown: u64,
    /// Of these, still unknown: held for an operator, and never arrived.
    pub held: u64,
    /// Neither settled nor held when patience ended, by state.
    pub unsettled: HashMap<String, u64>,
    /// Attempts of all messages.
    pub attempts: u64,
}

impl Accounts {
    /// Waits until everything acknowledged has settled and was told of, and joins.
    pub async fn settle(house: &House, acks: &[Ack], patience: Duration) -> Self {
        let markers: HashMap<&str, &str> = acks.iter().map(|ack| (&*ack.id, &*ack.marker)).collect();
        let mut said: HashMap<String, Said> = HashMap::new();
        let until = Instant::now() + patience;
        // Until then nobody asks: of 600,000 messages one round of questions takes longer than they take to end.
        while !is_told(house, &markers) && Instant::now() < until {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let mut last_round = false;
        loop {
            let arrived = arrived(house);
            let open: Vec<String> = markers
                .iter()
                .filter(|(id, marker)| said.get(**id).is_none_or(|said| !said.is_settled(arrived.contains(**marker))))
                .map(|(id, _)| (*id).to_owned())
                .collect();
            let over = open.is_empty() && is_told(house, &markers);
            if over || last_round {
                return Self::of(house, acks, &said, &open);
            }
            // What was said before the time was up may have changed since: one more round, whatever it takes.
            last_round = Instant::now() > until;
            said.extend(ask(house, open).await);
            // Rows of another process cannot be awaited; the first round alone usually takes longer than all waits.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn of(house: &House, acks: &[Ack], said: &HashMap<String, Said>, open: &[String]) -> Self {
        let listed: HashSet<String> = said.iter().filter(|(_, said)| said.unknown).map(|(id, _)| id.clone()).collect();
        let (requests, notices) = (house.simulator.requests(0, usize::MAX), house.sink.events(0, usize::MAX));
        let in_state = |state: &str| said.values().filter(|said| said.state == state).count() as u64;
        let smooth = |ack: &&Ack| said.get(&ack.id).is_some_and(|said| said.attempts <= 1 && !said.unknown);
        let smooth: Vec<Ack> = acks.iter().filter(smooth).cloned().collect();
        let mut unsettled = HashMap::new();
        for id in open {
            let state = said.get(id).map_or("never answered", |said| &said.state);
            *unsettled.entry(state.to_owned()).or_default() += 1;
        }
        Self {
            ledger: join(acks, &requests, &notices, &listed),
            inversions: join(&smooth, &requests, &notices, &listed).reordered,
            forgotten: in_state("forgotten"),
            unknown: listed.len() as u64,
            held: in_state("unknown"),
            unsettled,
            attempts: said.values().map(|said| said.attempts).sum(),
        }
    }

    /// Everything acknowledged is accounted for, and nothing was doubled, explained or not.
    pub fn is_clean(&self) -> bool {
        self.ledger.is_clean() && self.ledger.duplicated_listed == 0 && self.forgotten == 0 && self.unsettled.is_empty()
    }
}

impl std::fmt::Display for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { inversions, forgotten, unknown, held, unsettled, attempts, .. } = self;
        writeln!(f, "{}", self.ledger)?;
        write!(
            f,
            "           inversions {inversions}, unknown attempts seen {unknown}, still held {held}, forgotten {forgotten}, unsettled {unsettled:?}, \
             attempts {attempts}"
        )
    }
}

/// Markers that the counterpart has accepted.
fn arrived(house: &House) -> HashSet<String> {
    let requests = house.simulator.requests(0, usize::MAX);
    requests.into_iter().filter(|request| request.wamid.is_some()).filter_map(|request| request.marker).collect()
}

/// Whether each of these messages was notified as delivered, failed or unknown.
fn is_told(house: &House, markers: &HashMap<&str, &str>) -> bool {
    let last = ["message.delivered", "message.read", "message.failed", "message.unknown"];
    let events = house.sink.events(0, usize::MAX);
    let told = events.into_iter().filter(|event| last.contains(&&*event.kind)).map(|event| event.message_id);
    let told: HashSet<String> = told.collect();
    markers.keys().all(|id| told.contains(*id))
}

/// Asks the API for each message once.
async fn ask(house: &House, ids: Vec<String>) -> HashMap<String, Said> {
    let ids = Arc::new(Mutex::new(ids));
    let mut askers = JoinSet::new();
    for _ in 0..ASKERS {
        let (ids, http, key) = (Arc::clone(&ids), house.http.clone(), house.key.clone());
        askers.spawn(async move {
            let mut said = Vec::new();
            loop {
                let Some(id) = ids.lock().await.pop() else {
                    return said;
                };
                let reply = http.get(&format!("/v1/messages/{id}"), &key).await.expect("the node answers");
                match reply.status {
                    200 => said.push((id, Said::of(&reply.json()))),
                    404 => said.push((id, Said { state: "forgotten".to_owned(), ..Said::default() })),
                    // Too busy for the moment: asked again in the next round.
                    429 | 503 => {}
                    _ => panic!("{reply}"),
                }
            }
        });
    }
    askers.join_all().await.into_iter().flatten().collect()
}

/// The value below which so many of a hundred lie.
pub fn percentile(values: &[Duration], percent: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(at).copied().unwrap_or_default()
}
