//! What holds a session and slows it down: told when it begins and when it ends, and nothing in between.

use super::super::super::draft::Draft;
use super::super::super::event::{InboundReceivedV1, SessionHeldV1, SessionPacedV1, SessionReleasedV1};
use super::super::super::id::{KeyId, Tag};
use super::super::super::record::{Micros, Position, Principal};
use super::*;

const SESSION: SessionId = SessionId([4; 16]);
const TENANT: TenantId = TenantId([5; 16]);

/// A partition in which one session is declared.
struct Stage {
    rows: Rows,
    /// Every event so far, by its id.
    events: Vec<(EventId, Event)>,
    position: u64,
}

impl Stage {
    fn new() -> Self {
        let mut stage = Self { rows: Rows::default(), events: Vec::new(), position: 0 };
        stage.happens(declared(80));
        stage
    }

    /// What is told of an event: kinds and classes, and whether the session's actor hears that it was released.
    fn happens(&mut self, event: impl Into<Event>) -> (Vec<(NotificationKind, String)>, bool) {
        let id = EventId([u8::try_from(self.events.len()).expect("few"); 16]);
        self.events.push((id, event.into()));
        self.apply(self.events.len() - 1)
    }

    fn apply(&mut self, number: usize) -> (Vec<(NotificationKind, String)>, bool) {
        let (id, event) = self.events[number].clone();
        let at = Micros::try_from(number).expect("few");
        let draft = Draft::new(id, SESSION, &event, Principal::Operator, at).tenant(TENANT);
        let record = draft.record().expect("small");
        let at = At { partition: 0, position: Position(self.position), header: &record.header };
        self.position += 1;
        loop {
            let wanted = super::super::needs(at, &event, &self.rows);
            if wanted.is_empty() {
                break;
            }
            wanted.into_iter().for_each(|id| self.rows.load(id, None));
        }
        let applied = super::super::apply(at, &event, &mut self.rows).expect("known");
        let told = applied.appends.into_iter().filter_map(|append| match append {
            Append::Feed { row, .. } => Some((row.kind, row.class)),
            _ => None,
        });
        (told.collect(), applied.notes.contains(&Note::SessionReleased(SESSION)))
    }

    fn row(&self) -> &SessionRow {
        self.rows.session(SESSION).expect("declared")
    }
}

fn declared(per_second: u32) -> SessionDeclaredV1 {
    SessionDeclaredV1 {
        session: SESSION,
        tenant: TENANT,
        name: "s".to_owned(),
        channel: "whatsapp".to_owned(),
        account: "1".to_owned(),
        waba: None,
        app: None,
        portfolio: None,
        per_second,
        burst: 1,
        test: false,
        members: None,
    }
}

fn held(class: &str, until: Micros) -> SessionHeldV1 {
    SessionHeldV1 { session: SESSION, code: 190, until, class: Some(class.to_owned()), bucket: None }
}

fn paced(per_second: u32) -> SessionPacedV1 {
    SessionPacedV1 { session: SESSION, bucket: "number".to_owned(), per_second, until: 1_000, code: 130_429 }
}

fn released(reason: Option<&str>) -> SessionReleasedV1 {
    SessionReleasedV1 { session: SESSION, reason: reason.map(str::to_owned) }
}

fn said(kind: NotificationKind, class: &str) -> (NotificationKind, String) {
    (kind, class.to_owned())
}

use NotificationKind::{SessionHeld, SessionReleased};

#[test]
fn a_hold_is_told_when_it_begins_and_when_it_ends() {
    let mut stage = Stage::new();
    assert_eq!(stage.happens(held("auth", 60)).0, [said(SessionHeld, "auth")]);
    for until in [120, 240] {
        assert!(stage.happens(held("auth", until)).0.is_empty(), "it goes on");
    }
    let row = stage.row().held.clone().expect("held");
    assert_eq!((row.since, row.until), (1, 240));
    assert_eq!(stage.happens(held("sender", 300)).0, [said(SessionHeld, "sender")], "for another reason");
    assert_eq!(stage.happens(released(None)), (vec![said(SessionReleased, "sender")], false));
    assert!(stage.happens(released(None)).0.is_empty());
    assert_eq!(stage.row().held, None);
}

#[test]
fn a_lowered_rate_is_told_when_it_begins_and_when_it_ends() {
    let mut stage = Stage::new();
    assert_eq!(stage.happens(paced(40)).0, [said(SessionHeld, "throttle:number")]);
    assert!(stage.happens(paced(20)).0.is_empty());
    assert_eq!(stage.row().paced.as_ref().map(|row| (row.per_second, row.since)), Some((20, 1)));
    // An attempt that was through says nothing of the rate.
    assert!(stage.happens(released(None)).0.is_empty());
    assert_eq!(stage.happens(paced(80)).0, [said(SessionReleased, "throttle:number")]);
    assert_eq!((stage.row().paced.clone(), stage.happens(paced(80)).0), (None, vec![]));
}

#[test]
fn what_somebody_lifts_is_lifted_and_the_actor_hears_of_it() {
    let mut stage = Stage::new();
    stage.happens(paced(40));
    stage.happens(held("auth", 60));
    let both = vec![said(SessionReleased, "auth"), said(SessionReleased, "throttle:number")];
    assert_eq!(stage.happens(released(Some("mended"))), (both, true));
    assert_eq!((&stage.row().held, &stage.row().paced), (&None, &None));
}

#[test]
fn a_declaration_ends_what_it_may_have_mended() {
    let mut stage = Stage::new();
    stage.happens(paced(40));
    stage.happens(held("auth", 60));
    assert_eq!(stage.happens(declared(80)), (vec![said(SessionReleased, "auth")], true));
    assert!(stage.row().paced.is_some(), "what was learned stands");
    stage.happens(held("throttle", 60));
    assert_eq!(stage.happens(declared(40)), (vec![said(SessionReleased, "throttle:number")], false));
    assert!(stage.row().held.is_some() && stage.row().paced.is_none(), "{:?}", stage.row());
}

#[test]
fn a_copy_of_any_of_them_changes_nothing_and_tells_nothing() {
    let mut stage = Stage::new();
    stage.happens(paced(40));
    stage.happens(held("auth", 60));
    stage.happens(released(Some("mended")));
    stage.happens(paced(20));
    stage.happens(held("throttle", 90));
    let before = stage.row().clone();
    for number in 0..stage.events.len() {
        assert_eq!(stage.apply(number), (vec![], false), "{:?}", stage.events[number]);
        assert_eq!(stage.row(), &before);
    }
}

#[test]
fn what_a_number_receives_is_noted_once_each() {
    let mut stage = Stage::new();
    let received = InboundReceivedV1 {
        session: SESSION,
        contact: KeyId([6; 16]),
        tag: Tag([7; 16]),
        content: "text".to_owned(),
        provider_at: 0,
    };
    let noted = |stage: &mut Stage| {
        let event = Event::from(received.clone());
        let draft = Draft::new(EventId([9; 16]), SESSION, &event, Principal::Meta, 0).tenant(TENANT);
        let record = draft.record().expect("small");
        let at = At { partition: 0, position: Position(stage.position), header: &record.header };
        stage.position += 1;
        for id in super::super::needs(at, &event, &stage.rows) {
            stage.rows.load(id, None);
        }
        let applied = super::super::apply(at, &event, &mut stage.rows).expect("known");
        applied.notes.contains(&Note::Received(SESSION))
    };
    assert_eq!([noted(&mut stage), noted(&mut stage)], [true, false], "Meta delivers it twice now and then");
}
