//! Counts against a recount: random walks of a few messages, with late and doubled events, and the same from the start.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::draft::Draft;
use super::super::event::{
    AttemptsClosedV1, AttemptsStartedV1, Category, ClaimedV1, ClosedV1, GateSetV1, MessageAcceptedV1,
    MessageCancelledV1, MessageExpiredV1, MessageReleasedV1, MessageRequeuedV1, MessageWithdrawnV1, MessagesGatedV1,
    OutcomeV1, Priority, Resolution, SealedV1, SessionDeclaredV1, SessionStartedV1, Status, StatusReportedV1,
    UnknownPolicy, UnknownResolvedV1,
};
use super::super::gate::Gate;
use super::super::id::{CampaignId, KeyId, NodeId, Tag};
use super::super::message::State;
use super::super::record::{Principal, Record};
use super::super::row::{BacklogId, MessageRow, PROGRESS, Row, TallyId, TallyRow};
use super::*;

const SESSION: SessionId = SessionId([4; 16]);
const CAMPAIGN: CampaignId = CampaignId([0xc0; 16]);
const DAY: Micros = 86_400_000_000;

/// The event by which a tenant's gate was closed.
fn closing(n: u8, more: u8) -> EventId {
    let mut id = [more | 1; 16];
    id[0] = n % 2;
    EventId(id)
}

/// What happens to a message: which, what, and a number that says more.
type Step = (u8, u8, u8);

fn message(n: u8) -> MessageId {
    let mut id = [n + 1; 16];
    id[..2].copy_from_slice(&[0, 0]);
    MessageId(id)
}

fn tenant(n: u8) -> TenantId {
    TenantId([n % 2 + 1; 16])
}

fn accepted(n: u8, nonce: u8) -> Event {
    MessageAcceptedV1 {
        message: message(n),
        session: SESSION,
        contact: KeyId([n; 16]),
        category: [Category::Utility, Category::Marketing][usize::from(n % 2)],
        priority: Priority::Normal,
        unknown: UnknownPolicy::Hold,
        expires_at: Micros::MAX,
        nonce: u64::from(nonce),
        idempotency: None,
        template: None,
        consent: None,
        policy: None,
        test: n == 3,
        ordered: false,
        // A second acceptance came after the time of the first.
        send_at: (n == 2 && nonce == 0).then_some(1),
        country: None,
        campaign: (n == 1).then_some(CAMPAIGN),
    }
    .into()
}

fn reported(n: u8, attempt: u16, more: u8) -> Event {
    let status = [Status::Sent, Status::Delivered, Status::Read, Status::Failed][usize::from(more % 4)];
    StatusReportedV1 {
        session: SESSION,
        of: Some(AttemptRef { message: message(n), attempt }),
        tag: Tag([n + 1; 16]),
        status,
        provider_at: 0,
        code: 0,
        class: "recipient".to_owned(),
        pricing: (more.is_multiple_of(3)).then(|| "utility".to_owned()),
        provider_id: None,
        billable: (more.is_multiple_of(3)).then_some(more.is_multiple_of(2)),
        pricing_model: None,
        pricing_type: None,
    }
    .into()
}

fn closed(n: u8, attempt: u16, more: u8) -> Event {
    let why = "x".to_owned();
    let provider_id = SealedV1 { key: KeyId([n; 16]), bytes: Vec::new() };
    let outcome = match more % 5 {
        0 => OutcomeV1::Sent { tag: Tag([n + 1; 16]), provider_id },
        1 => OutcomeV1::Retry { class: why, code: 1, not_before: Micros::from(more / 5) * 400_000_000, counts: None },
        2 => OutcomeV1::Failed { class: why, code: 2 },
        3 => OutcomeV1::Unknown { why },
        _ => OutcomeV1::Withdrawn { why },
    };
    let of = AttemptRef { message: message(n), attempt };
    AttemptsClosedV1 { session: SESSION, closed: vec![ClosedV1 { of, outcome, at: 0 }] }.into()
}

fn event(life: Position, (n, what, more): Step) -> Event {
    let attempt = u16::from(more % 3) + 1;
    let of = AttemptRef { message: message(n), attempt };
    let round = u16::from(more % 3);
    match what % 12 {
        9 if more.is_multiple_of(2) => MessageReleasedV1 { message: message(n), closing: None, attempt: None }.into(),
        9 => MessageReleasedV1 { message: message(n), closing: Some(closing(n, more)), attempt: None }.into(),
        10 => {
            let campaign = Gate::Campaign { tenant: tenant(1), campaign: CAMPAIGN, session: SESSION, pool: None };
            let own = n == 1 && more.is_multiple_of(3);
            let facts = GateSetV1 {
                gate: if own { campaign } else { Gate::Tenant { tenant: tenant(n) } },
                asked: closing(n, more),
                at: Position(u64::from(more)),
                closed: more.is_multiple_of(2),
                reason: "x".to_owned(),
                over: (own && more.is_multiple_of(10)).then_some(true),
            };
            facts.into()
        }
        11 => MessagesGatedV1 { session: SESSION, closing: closing(n, more), messages: vec![message(n)] }.into(),
        0 => accepted(n, more % 2),
        1 => MessageWithdrawnV1 { message: message(n), nonce: u64::from(more % 2) }.into(),
        2 | 3 => {
            let (session, incarnation) = (SESSION, life);
            AttemptsStartedV1 { session, incarnation, deadline_ms: 1, attempts: vec![of] }.into()
        }
        4 => closed(n, attempt, more / 3),
        5 => reported(n, attempt, more / 3),
        6 if more.is_multiple_of(2) => MessageCancelledV1 { message: message(n), round: Some(round) }.into(),
        6 => MessageExpiredV1 { message: message(n), round: Some(round) }.into(),
        7 => {
            let (reason, past_campaign) = ("again".to_owned(), more.is_multiple_of(5).then_some(true));
            MessageRequeuedV1 { message: message(n), round: round + 1, expires_at: 9, reason, past_campaign }.into()
        }
        _ => {
            let resolution = [Resolution::Sent, Resolution::Resend, Resolution::GiveUp][usize::from(more / 3 % 3)];
            UnknownResolvedV1 { of, resolution, reason: None }.into()
        }
    }
}

/// A journal of one claimed partition in which these steps stand, some of them twice.
fn journal(steps: &[Step]) -> Vec<(Record, Event)> {
    let mut journal = Vec::new();
    let mut write = |n: u8, event: Event, days: u8, id: u8| {
        let at = 20_000 * DAY + Micros::from(days) * DAY / 2;
        let draft = Draft::new(EventId([id; 16]), SESSION, &event, Principal::Operator, at).tenant(tenant(n));
        journal.push((draft.epoch(Position(0)).record().expect("small"), event));
    };
    write(0, ClaimedV1 { node: NodeId([1; 16]), supersedes: None }.into(), 0, 251);
    let declared = SessionDeclaredV1 {
        session: SESSION,
        tenant: tenant(0),
        name: "s".to_owned(),
        channel: "whatsapp".to_owned(),
        account: "1".to_owned(),
        waba: None,
        app: None,
        portfolio: None,
        per_second: 1,
        burst: 1,
        test: false,
        members: None,
    };
    write(0, declared.into(), 0, 252);
    write(0, SessionStartedV1 { session: SESSION }.into(), 0, 253);
    for (id, step) in (0..).zip(steps) {
        for _ in 0..=u8::from(step.2.is_multiple_of(7)) {
            write(step.0, event(Position(2), *step), id / 20, id);
        }
    }
    journal
}

/// The rows, and what was appended where.
fn fold(journal: &[(Record, Event)], rows: &mut Rows) -> Vec<(Position, Append)> {
    let mut appended = Vec::new();
    for (position, (record, event)) in (0..).zip(journal) {
        let at = At { partition: 0, position: Position(position), header: &record.header };
        loop {
            let wanted = needs(at, event, rows);
            if wanted.is_empty() {
                break;
            }
            wanted.into_iter().for_each(|id| rows.load(id, None));
        }
        let applied = apply(at, event, rows).expect("known");
        appended.extend(applied.appends.into_iter().map(|append| (at.position, append)));
    }
    appended
}

/// What each message's row says, counted from the start, in other words than those of the count.
fn recount(messages: &[(MessageId, MessageRow)]) -> BTreeMap<TallyId, TallyRow> {
    let mut all: BTreeMap<TallyId, TallyRow> = BTreeMap::new();
    for (_, row) in messages {
        let Some(accepted) = row.accepted.as_ref().filter(|accepted| !accepted.test) else {
            continue;
        };
        let day = u32::try_from(accepted.fact.at / DAY).expect("after 1970");
        let tally = all.entry(TallyId { tenant: accepted.tenant, partition: 0, day }).or_default();
        let facts = [
            true,
            row.sent.is_some(),
            row.delivered.is_some(),
            row.read.is_some(),
            row.state() == State::Failed,
            row.state() == State::Expired,
            row.state() == State::Cancelled,
        ];
        for (at, _) in facts.iter().enumerate().filter(|(_, holds)| **holds) {
            tally.counts[accepted.category as usize][at] += 1;
        }
        tally.counts[accepted.category as usize][7] += u64::from(row.duplicates);
        if let Some(price) = &row.price {
            let known = tally.priced.iter_mut().find(|one| one.price == *price && one.category == accepted.category);
            match known {
                Some(one) => one.messages += 1,
                None => tally.priced.push(super::super::row::Priced {
                    category: accepted.category,
                    price: price.clone(),
                    messages: 1,
                }),
            }
        }
    }
    all
}

/// Of each tenant, how many wait.
fn waiting(messages: &[(MessageId, MessageRow)]) -> BTreeMap<TenantId, u64> {
    let mut all = BTreeMap::new();
    for (_, row) in messages {
        let waits = matches!(row.state(), State::Scheduled | State::Queued | State::Sending);
        if let Some(accepted) = row.accepted.as_ref().filter(|_| waits) {
            *all.entry(accepted.tenant).or_default() += 1;
        }
    }
    all
}

fn backlogs(rows: &Rows, messages: &[(MessageId, MessageRow)]) -> BTreeMap<TenantId, u64> {
    let tenants = messages.iter().filter_map(|(_, row)| Some(row.accepted.as_ref()?.tenant));
    let counted = tenants.map(|tenant| match rows.get(&RowId::Backlog(BacklogId { tenant, partition: 0 })) {
        Some(Row::Backlog(row)) => (tenant, row.messages),
        _ => (tenant, 0),
    });
    counted.filter(|(_, messages)| *messages > 0).collect()
}

fn read(rows: &mut Rows) -> (Vec<(MessageId, MessageRow)>, BTreeMap<TallyId, TallyRow>) {
    let (mut messages, mut tallies) = (Vec::new(), BTreeMap::new());
    for id in rows.take_changed() {
        match (id, rows.get(&id)) {
            (RowId::Message(id), Some(Row::Message(row))) => messages.push((id, row.as_ref().clone())),
            (RowId::Tally(id), Some(Row::Tally(row))) => drop(tallies.insert(id, row.as_ref().clone())),
            _ => {}
        }
    }
    (messages, tallies)
}

/// Without the days on which nothing is left, and with prices in one order.
fn plain(tallies: BTreeMap<TallyId, TallyRow>) -> BTreeMap<TallyId, TallyRow> {
    let mut plain: BTreeMap<TallyId, TallyRow> =
        tallies.into_iter().filter(|(_, row)| *row != TallyRow::default()).collect();
    for row in plain.values_mut() {
        row.priced.sort_by(|a, b| (a.category, &a.price).cmp(&(b.category, &b.price)));
    }
    plain
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn counts_are_those_of_the_rows_after_any_walk_and_from_the_start(
        walk in prop::collection::vec((0..4_u8, 0..12_u8, 0..60_u8), 1..120),
    ) {
        let steps: Vec<Step> = (0..4).map(|n| (n, 0, 0)).chain(walk).collect();
        let journal = journal(&steps);
        let mut rows = Rows::default();
        fold(&journal, &mut rows);
        let (messages, tallies) = read(&mut rows);
        prop_assert_eq!(plain(tallies.clone()), plain(recount(&messages)));
        prop_assert_eq!(backlogs(&rows, &messages), waiting(&messages));
        let mut rebuilt = Rows::default();
        fold(&journal, &mut rebuilt);
        prop_assert_eq!(read(&mut rebuilt), (messages, tallies));
    }

    /// A message that nobody would ever find again stands still for ever.
    #[test]
    fn whatever_waits_has_a_place_where_it_is_found(
        walk in prop::collection::vec((0..4_u8, 0..12_u8, 0..60_u8), 1..120),
    ) {
        let steps: Vec<Step> = (0..4).map(|n| (n, 0, 0)).chain(walk).collect();
        let mut rows = Rows::default();
        let appended = fold(&journal(&steps), &mut rows);
        for (id, row) in read(&mut rows).0 {
            let waits = row.state() == State::Queued && !row.awaits_release() && row.waits_since().is_none();
            let outbox = |(at, append): &(Position, Append)| {
                matches!(append, Append::Outbox { message, .. } if *message == id) && Some(*at) == row.entered()
            };
            let due = |append: &Append| matches!(append, Append::Due { message, .. } if *message == id);
            if let Some(since) = row.waits_since() {
                let gated = |append: &Append| {
                    matches!(append, Append::Gated { closing, message, .. } if *closing == since && *message == id)
                };
                prop_assert!(appended.iter().any(|(_, append)| gated(append)), "not behind its gate: {:?}", row);
                prop_assert!(appended.iter().any(|(_, append)| due(append)), "nobody will end it: {:?}", row);
                prop_assert!(rows.gates(0).is_some_and(|gates| gates.closings().contains(&since)), "forgotten");
            }
            prop_assert!(!waits || appended.iter().any(outbox), "not in the outbox: {:?}", row);
            prop_assert!(!row.awaits_release() || appended.iter().any(|(_, append)| due(append)), "not due: {:?}", row);
        }
    }

    /// What a gate holds back is counted; a wrong count would let newer ones pass, or hold them back for ever.
    #[test]
    fn what_stands_behind_gates_is_counted(
        walk in prop::collection::vec((0..4_u8, 0..12_u8, 0..60_u8), 1..120),
    ) {
        let steps: Vec<Step> = (0..4).map(|n| (n, 0, 0)).chain(walk).collect();
        let mut rows = Rows::default();
        fold(&journal(&steps), &mut rows);
        let mut counted: BTreeMap<EventId, u64> = BTreeMap::new();
        for (_, row) in read(&mut rows).0 {
            if let Some(since) = row.waits_since() {
                *counted.entry(since).or_default() += 1;
            }
        }
        let gates = rows.gates(0).cloned().unwrap_or_default();
        let behind = gates.gates.iter().flat_map(|known| &known.behind);
        let kept: BTreeMap<EventId, u64> = behind.map(|behind| (behind.closing, behind.messages)).collect();
        prop_assert_eq!(kept, counted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Each message of a campaign is counted once, where its row says, and nothing of it ever leaves unless its gate is open.
    #[test]
    fn a_campaign_knows_how_far_it_is(
        walk in prop::collection::vec((1..2_u8, 0..12_u8, 0..60_u8), 1..120),
    ) {
        let steps: Vec<Step> = [(1, 0, 0)].into_iter().chain(walk).collect();
        let mut rows = Rows::default();
        fold(&journal(&steps), &mut rows);
        let states: Vec<State> = read(&mut rows).0.iter().map(|(_, row)| row.state()).collect();
        let mut counted = [0; 8];
        for state in states.into_iter().filter(|state| *state != State::Withdrawn) {
            let word = match state {
                State::Scheduled | State::Queued | State::Sending => "waiting",
                other => other.word(),
            };
            counted[PROGRESS.iter().position(|known| *known == word).expect("a word")] += 1;
        }
        let kept = match rows.get(&RowId::Progress(CAMPAIGN, 0)) {
            Some(Row::Progress(row)) => row.counts,
            _ => [0; 8],
        };
        prop_assert_eq!(kept, counted);
    }
}

#[test]
fn walks_get_far_enough_to_be_worth_counting() {
    // Accepted, tried and sent, delivered at a price, failed by a callback and queued again.
    let steps = [(0, 0, 1), (0, 2, 0), (0, 4, 1), (0, 5, 9), (1, 0, 1), (1, 2, 0), (1, 4, 0), (1, 5, 9), (1, 7, 0)];
    let mut rows = Rows::default();
    fold(&journal(&steps), &mut rows);
    let (messages, tallies) = read(&mut rows);
    let states: Vec<State> = messages.iter().map(|(_, row)| row.state()).collect();
    assert!(messages.iter().any(|(_, row)| row.price.is_some()), "{messages:?}");
    assert!(states.contains(&State::Queued) && tallies.len() == 2, "{states:?} {tallies:?}");
}

#[test]
fn walks_pass_gates_and_their_copies_change_nothing() {
    // Closed, accepted behind it, opened, let out; then a late copy of each word.
    let steps = [(0, 10, 2), (0, 0, 1), (0, 10, 3), (0, 9, 3), (0, 10, 2), (0, 11, 3), (0, 9, 3)];
    let walked = |steps: &[Step]| {
        let mut rows = Rows::default();
        let appended = fold(&journal(steps), &mut rows);
        let row = rows.message(message(0)).cloned().expect("accepted");
        let outboxes = appended.iter().filter(|(_, append)| matches!(append, Append::Outbox { .. })).count();
        (row.waits_since(), outboxes, rows.gates(0).cloned().expect("a word on a gate"))
    };
    let (waits, outboxes, gates) = walked(&steps[..2]);
    assert_eq!((waits, outboxes, gates.draining().count()), (Some(closing(0, 2)), 0, 0));
    let (waits, outboxes, gates) = walked(&steps[..3]);
    assert_eq!((waits, outboxes, gates.draining().count()), (Some(closing(0, 2)), 0, 1));
    let (waits, outboxes, gates) = walked(&steps[..4]);
    assert_eq!((waits, outboxes, gates.closings().len()), (None, 1, 0));
    assert_eq!(walked(&steps), (waits, outboxes, gates));
}
