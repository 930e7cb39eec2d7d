//! Rows at hand, and events applied to them as a partition does it: what to read, apply, what to write. Not a bench
//! itself.

use waybill::domain::address::Address;
use waybill::domain::draft::Draft;
use waybill::domain::event::{ClaimedV1, Event, GenesisV1, SessionDeclaredV1, SessionStartedV1};
use waybill::domain::id::{EventId, InstallationId, NodeId};
use waybill::domain::projection::{Append, Applied, At, Note, apply, needs};
use waybill::domain::record::{Position, Principal, Record};
use waybill::domain::row::{RowId, Rows};
use waybill::store::{Put, rows};

use crate::sample::{AT, EPOCH, INCARNATION, SESSION, TENANT};

/// The partition all of it stands in.
pub const PARTITION: u16 = 0;

/// Rows, and the position that comes next.
pub struct Ledger {
    rows: Rows,
    next: Position,
}

impl Ledger {
    /// A partition that is claimed, with one session that lives.
    pub fn new() -> Self {
        let mut ledger = Self { rows: Rows::default(), next: Position(0) };
        for event in beginning() {
            let by = Principal::Node(NodeId([7; 16]));
            let draft = Draft::new(EventId([ledger.next.0 as u8; 16]), Address::from(SESSION), &event, by, AT);
            let record = draft.tenant(TENANT).epoch(EPOCH).record().expect("a small record");
            ledger.apply(&record, &event);
        }
        ledger.rows.take_changed();
        ledger
    }

    /// Applies one event at the next position. Rows that are not at hand are absent in the store too.
    pub fn apply(&mut self, record: &Record, event: &Event) -> (Position, Applied) {
        let position = self.next;
        let at = At { partition: PARTITION, position, header: &record.header };
        loop {
            let missing = needs(at, event, &self.rows);
            if missing.is_empty() {
                break;
            }
            missing.into_iter().for_each(|id| self.rows.load(id, None));
        }
        let applied = apply(at, event, &mut self.rows).expect("a kind of this version");
        self.next = position.next();
        assert!(position <= INCARNATION || acts(&applied), "the event at {position:?} changed nothing: {event:?}");
        (position, applied)
    }

    /// Forgets all rows but those that every event needs, as a partition does when it has too many.
    pub fn trim(&mut self) {
        self.rows.retain(|id, _| matches!(id, RowId::Partition(_) | RowId::Session(_)));
        self.rows.take_changed();
    }

    /// The upserts that an event asks for, beside those of changed rows.
    pub fn appended(&self, (at, applied): (Position, Applied), puts: &mut Vec<Put>) {
        for (number, append) in applied.appends.into_iter().enumerate() {
            puts.push(match append {
                Append::Feed { tenant, row } => {
                    rows::put_feed(tenant, PARTITION, number as u16, &row, at).expect("a small row")
                }
                Append::Failing { tenant, row } => {
                    rows::put_failing(tenant, PARTITION, number as u16, &row, at).expect("a small row")
                }
                Append::Outbox { session, priority, message } => rows::put_outbox((session, priority), message, at),
                other => unreachable!("no message asks for {other:?}"),
            });
        }
    }

    /// The upserts of the rows that changed since the last call, and the position they reach.
    pub fn changed(&mut self, puts: &mut Vec<Put>) -> Position {
        let through = Position(self.next.0 - 1);
        for id in self.rows.take_changed() {
            if let Some(row) = self.rows.get(&id) {
                puts.push(rows::put(&id, row, through).expect("a small row"));
            }
        }
        through
    }
}

/// Whether somebody is told of it, and no intent in it is void: else the bench would measure how nothing is done.
fn acts(applied: &Applied) -> bool {
    let void = |note: &Note| matches!(note, Note::Intents { judged, .. } if judged.iter().any(|(_, it)| it.is_err()));
    !applied.notes.is_empty() && !applied.notes.iter().any(void)
}

fn beginning() -> [Event; 4] {
    let genesis = GenesisV1 { installation: InstallationId([1; 16]), partition: PARTITION, count: 64, routing: 1 };
    let session = SessionDeclaredV1 {
        session: SESSION,
        tenant: TENANT,
        name: "orders".to_owned(),
        channel: "whatsapp".to_owned(),
        account: "106540352242922".to_owned(),
        waba: None,
        app: None,
        portfolio: None,
        per_second: 80,
        burst: 8,
        test: false,
    };
    [
        genesis.into(),
        ClaimedV1 { node: NodeId([7; 16]), supersedes: None }.into(),
        session.into(),
        SessionStartedV1 { session: SESSION }.into(),
    ]
}
