//! One prefix of the log: its rows, what a node sees in them, and their digest.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use waybill::domain::id::EventId;
use waybill::domain::message::State;
use waybill::domain::record::Position;
use waybill::domain::row::{Attempt, MessageRow, Row, RowId};

use super::reading::Reading;
use super::symbol::{MESSAGES, SESSION, SymId, message_id, message_number};

/// What a node sees in the rows of one message.
#[derive(Debug, Clone, Copy)]
pub struct MessageView {
    /// Where it stands.
    pub state: State,
    /// Whether it waits for the gate outside of the outbox: since which closing.
    pub gated: Option<EventId>,
    /// The number of its next attempt.
    pub next: u8,
    /// The last attempt: number, claim, life, whether it is open.
    pub last: Option<(u8, SymId, SymId, bool)>,
    /// Told as unknown or as sent more than once.
    pub listed: bool,
}

/// What a node sees in the rows.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The last valid claim.
    pub claim: Option<SymId>,
    /// The living actor.
    pub life: Option<SymId>,
    /// Whether the session is stopped.
    pub suspended: bool,
    /// The last word on the gate: its place, and since which closing it is closed.
    pub gate: Option<(u8, Option<EventId>)>,
    /// Each message, if its row exists.
    pub messages: [Option<MessageView>; MESSAGES],
}

/// One row.
#[derive(Debug, Clone)]
pub struct Kept {
    id: RowId,
    row: Arc<Row>,
    /// Digest of the row with positions written as names.
    pub digest: [u8; 16],
}

/// One prefix.
#[derive(Debug)]
pub struct Prefix {
    /// An example of the log.
    pub log: Vec<SymId>,
    /// Its rows, by id.
    pub rows: Vec<Kept>,
    /// Where claims and lives that count stand.
    pub places: Vec<(SymId, Position)>,
    /// Notifications told, by id.
    pub told: Vec<EventId>,
    /// What the rows say.
    pub view: View,
    /// What the second reading says.
    pub reading: Reading,
}

impl Prefix {
    /// The empty log.
    pub fn empty() -> Self {
        Self {
            log: Vec::new(),
            rows: Vec::new(),
            places: Vec::new(),
            told: Vec::new(),
            view: view(&[], &|_| SymId::MAX, [false; MESSAGES]),
            reading: Reading::default(),
        }
    }

    /// Whether an event stands in it.
    pub fn holds(&self, number: SymId) -> bool {
        self.log.contains(&number)
    }

    /// Where a claim or a life stands.
    pub fn place(&self, number: SymId) -> Position {
        let found = self.places.iter().find(|(name, _)| *name == number);
        found.map_or(Position(u64::MAX), |(_, position)| *position)
    }

    /// A row.
    pub fn row(&self, id: &RowId) -> Option<&Row> {
        let kept = self.rows.iter().find(|kept| kept.id == *id);
        kept.map(|kept| kept.row.as_ref())
    }

    /// The row of a message.
    pub fn message(&self, message: u8) -> Option<&MessageRow> {
        match self.row(&RowId::Message(message_id(message))) {
            Some(Row::Message(row)) => Some(row),
            _ => None,
        }
    }

    /// What stands there.
    pub fn name_at(&self, position: Position) -> SymId {
        let at = usize::try_from(position.0).unwrap_or(usize::MAX);
        self.log.get(at).copied().unwrap_or(SymId::MAX)
    }
}

/// The first half of a SHA-256: two of 2^32 things share one with a chance of 2^-65.
pub fn short(hash: Sha256) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}

/// Writes a row.
pub fn put(prefix: &mut Prefix, id: RowId, row: &Row) {
    let name = |position: &mut Position| position.0 = u64::from(prefix.name_at(*position));
    let mut named = row.clone();
    name_positions(&mut named, name);
    // The order of positions is lost with them; where it matters, it shows in the state.
    let state = match row {
        Row::Message(row) => Some(row.state()),
        _ => None,
    };
    let named = (format!("{id:?}"), named, state);
    let text = serde_json::to_vec(&named).expect("rows are plain data");
    let kept = Kept { id, row: Arc::new(row.clone()), digest: short(Sha256::new_with_prefix(text)) };
    match prefix.rows.binary_search_by_key(&id, |kept| kept.id) {
        Ok(at) => prefix.rows[at] = kept,
        Err(at) => prefix.rows.insert(at, kept),
    }
}

/// Positions that matter become names; those that only say when a row was last touched are levelled.
fn name_positions(row: &mut Row, name: impl Fn(&mut Position)) {
    match row {
        Row::Partition(row) => row.claim.iter_mut().for_each(name),
        Row::Session(row) => {
            if let Some(life) = &mut row.incarnation {
                name(&mut life.started);
                name(&mut life.epoch);
            }
        }
        Row::Idempotency(row) => name(&mut row.position),
        Row::Message(row) => name_in_message(row, name),
        _ => {}
    }
}

/// Each field is named here, so that a new one does not compile before somebody has asked whether it has a position: one
/// that keeps its number tells apart what has the same future, and a minute's search takes a quarter of an hour.
fn name_in_message(row: &mut MessageRow, name: impl Fn(&mut Position)) {
    let MessageRow {
        through,
        accepted,
        spare,
        withdrawn: _,
        released,
        entered,
        parked: _,
        gated: _,
        attempts,
        counted: _,
        not_before: _,
        provider: _,
        sent,
        delivered,
        read,
        played,
        failed,
        cancelled,
        expired,
        duplicates: _,
        price: _,
        round: _,
        asked: _,
        past: _,
        moved,
        moves: _,
        legs: _,
    } = row;
    *through = Position(0);
    moved.iter_mut().for_each(|moved| name(&mut moved.fact.position));
    entered.iter_mut().for_each(&name);
    let facts = [released, sent, delivered, read, played, cancelled, expired].into_iter().flatten();
    let facts = facts.chain(failed.iter_mut().map(|failure| &mut failure.fact));
    for fact in facts.chain(accepted.iter_mut().chain(spare).map(|accepted| &mut accepted.fact)) {
        name(&mut fact.position);
    }
    for Attempt { number: _, started, epoch, incarnation, deadline_ms: _, ended } in attempts {
        [&mut started.position, epoch, incarnation].into_iter().for_each(&name);
        ended.iter_mut().for_each(|ended| name(&mut ended.fact.position));
    }
}

/// What the rows say.
pub fn view(rows: &[Kept], name: &dyn Fn(Position) -> SymId, listed: [bool; MESSAGES]) -> View {
    let mut view = View { claim: None, life: None, suspended: false, gate: None, messages: [None; MESSAGES] };
    for kept in rows {
        match (&kept.id, kept.row.as_ref()) {
            (_, Row::Partition(row)) => view.claim = row.claim.map(name),
            (_, Row::Gates(row)) => {
                let known = row.gates.first();
                let word = |asked: Position| u8::try_from(asked.0).expect("few words");
                view.gate = known.map(|known| (word(known.asked), known.closed.as_ref().map(|it| it.closing)));
            }
            (RowId::Session(id), Row::Session(row)) if *id == SESSION => {
                view.life = row.incarnation.map(|life| name(life.started));
                view.suspended = row.suspended.is_some();
            }
            (RowId::Message(id), Row::Message(row)) => {
                let message = message_number(*id);
                let last = row.attempts.last().map(|attempt| {
                    let number = u8::try_from(attempt.number).expect("few attempts");
                    let open = attempt.ended.is_none();
                    (number, name(attempt.epoch), name(attempt.incarnation), open)
                });
                view.messages[message] = Some(MessageView {
                    state: row.state(),
                    gated: row.waits_since(),
                    next: u8::try_from(row.next_attempt()).expect("few attempts"),
                    last,
                    listed: listed[message] || row.duplicates > 0,
                });
            }
            _ => {}
        }
    }
    view
}
