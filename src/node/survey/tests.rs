//! The survey over doubles.

use super::*;
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{EndpointDeclaredV1, Event, RequeuedV1, SessionDeclaredV1};
use crate::domain::id::{EventId, InstallationId, TenantId};
use crate::domain::notification::NotificationKind;
use crate::domain::projection::FeedRow;
use crate::domain::record::{Position, Principal};
use crate::domain::row::{HeldRow, PacedRow, PrivacyRow, Suspended};
use crate::journal::{Genesis, Unruly};
use crate::store::rows::Named;
use crate::store::{Commit, MemoryStore, Put};

const NOW: Micros = 1_795_000_000_000_000;
const SECOND: Micros = 1_000_000;
const TENANT: TenantId = TenantId([1; 16]);
const AT: Position = Position(1);

fn session(n: u8, change: impl FnOnce(&mut SessionRow)) -> [Put; 2] {
    let (session, name) = (SessionId([n; 16]), format!("s{n}"));
    let facts = SessionDeclaredV1 {
        session,
        tenant: TENANT,
        name: name.clone(),
        channel: "whatsapp".to_owned(),
        account: n.to_string(),
        waba: None,
        app: None,
        portfolio: None,
        per_second: 1,
        burst: 1,
        test: false,
        members: None,
    };
    let mut row = SessionRow::declared(&facts, AT, None);
    change(&mut row);
    let named = Named { scope: TENANT.0, name, id: session.0 };
    [
        rows::put_name("session", 0, &named, AT),
        rows::put(&RowId::Session(session), &Row::Session(row), AT).expect("small"),
    ]
}

fn endpoint(n: u8, change: impl FnOnce(&mut EndpointRow)) -> [Put; 2] {
    let (endpoint, name) = (EndpointId([n; 16]), format!("e{n}"));
    let facts = EndpointDeclaredV1 {
        endpoint,
        tenant: TENANT,
        name: name.clone(),
        url: "https://hooks.example/".to_owned(),
        events: Vec::new(),
        since: None,
    };
    let mut row = EndpointRow::declared(&facts, AT, None);
    change(&mut row);
    let named = Named { scope: TENANT.0, name, id: endpoint.0 };
    [
        rows::put_name("endpoint", 0, &named, AT),
        rows::put(&RowId::Endpoint(endpoint), &Row::Endpoint(row), AT).expect("small"),
    ]
}

fn held(class: &str, until: Micros) -> HeldRow {
    HeldRow { since: 1, until, code: 131_031, class: class.to_owned(), bucket: None }
}

fn told(kind: NotificationKind, number: u16, at: Micros) -> Put {
    let id = EventId([number.to_be_bytes()[1]; 16]);
    let row = FeedRow { id, kind, message: None, session: None, at, code: 0, class: String::new() };
    rows::put_feed(TENANT, 0, number, &row, AT).expect("small")
}

async fn journal() -> Unruly {
    let journal = Unruly::new(Genesis::new(InstallationId([5; 16]), 1));
    for ago in [60, 30, 20] {
        let event = Event::from(RequeuedV1 { position: Position(0) });
        let (id, at) = (EventId([ago as u8; 16]), NOW - ago * SECOND);
        let draft = Draft::new(id, Address::partition(0), &event, Principal::Operator, at);
        let _ = journal.append(0, vec![draft.record().expect("small")]).await;
    }
    journal
}

#[tokio::test]
async fn what_waits_and_who_is_stopped_is_added_up() {
    let (store, journal) = (MemoryStore::new(), journal().await);
    let waiting = Waiting { queued: 3, sending: 2, unknown: 1, held: 4 };
    let row = PartitionRow { waiting, ..PartitionRow::default() };
    let mut puts = vec![
        rows::put(&RowId::Partition(0), &Row::Partition(row), AT).expect("small"),
        rows::put_open_session(0, SessionId([1; 16]), Some(AT), AT),
        rows::put_quarantine(0, Position(0), "it panics", AT),
        told(NotificationKind::Accepted, 0, NOW - 50 * SECOND),
        told(NotificationKind::Sent, 1, NOW - 40 * SECOND),
    ];
    puts.extend(session(1, |_| {}));
    puts.extend(session(2, |row| row.held = Some(held("sender", NOW + 1))));
    puts.extend(session(3, |row| row.held = Some(held("sender", NOW - 1))));
    puts.extend(session(4, |row| {
        row.suspended = Some(Suspended { since: NOW, reason: "maintenance".to_owned() });
        row.paced =
            Some(PacedRow { since: 1, until: NOW + 1, per_second: 1, code: 130_429, bucket: "number".to_owned() });
    }));
    puts.extend(endpoint(5, |_| {}));
    puts.extend(endpoint(6, |row| row.disabled = Some("410".to_owned())));
    puts.extend(endpoint(7, |row| row.failing_since = Some(NOW)));
    let erasure = |n: u8, due_at, held| OpenErasure {
        asked: EventId([n; 16]),
        tenant: TENANT,
        contact: crate::domain::id::KeyId([n; 16]),
        asked_at: NOW - SECOND,
        due_at,
        reason: "by letter".to_owned(),
        by: Principal::Operator,
        held,
    };
    let open = PrivacyRow { erasures: vec![erasure(1, NOW + 1, false), erasure(2, NOW, true)] };
    puts.push(rows::put(&RowId::Privacy(0), &Row::Privacy(open), AT).expect("small"));
    store.commit(Commit { partition: 0, through: AT, puts, drops: Vec::new() }).await.expect("it takes it");
    let part = part(&store, &journal, 0, NOW).await.expect("readable");
    let end = journal.end(0).0;
    let at = journal.read(0, AT).await.expect("an entry").record.header.at;
    let expected = Survey {
        waiting,
        oldest: Duration::from_micros(u64::try_from(NOW - at).expect("earlier")),
        behind: end - 2,
        set_aside: 1,
        sessions: [2, 1, 1],
        held: [0, 1, 0, 0, 1, 0],
        endpoints: [1, 1, 1],
        lag: Duration::from_secs(40),
        failing: 0,
        erasures: [1, 1, 1],
    };
    assert!(expected.behind > 0 && expected.oldest > Duration::ZERO);
    assert_eq!(sum(std::slice::from_ref(&part), NOW), expected);
    let both = sum(&[part.clone(), part], NOW);
    assert_eq!((both.waiting.all(), both.sessions, both.oldest), (20, [4, 2, 2], expected.oldest));
}

#[tokio::test]
async fn an_empty_partition_has_nothing_that_waits() {
    let (store, journal) = (MemoryStore::new(), journal().await);
    let part = part(&store, &journal, 0, NOW).await.expect("readable");
    assert_eq!(sum(&[part], NOW), Survey { behind: journal.end(0).0, ..Survey::default() });
}
