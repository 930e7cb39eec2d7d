//! The events of ordinary messages, as the product writes them: 600 bytes of content, a template, a keyed retry. Not a
//! bench itself.
#![allow(dead_code, reason = "each bench takes the part it needs")]

use bytes::Bytes;
use waybill::domain::address::Address;
use waybill::domain::draft::Draft;
use waybill::domain::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, Category, ClosedV1, Event, MessageAcceptedV1, OutcomeV1, Priority,
    SealedV1, Status, StatusReportedV1, UnknownPolicy,
};
use waybill::domain::id::{EventId, KeyId, MessageId, NodeId, SessionId, Tag, TenantId};
use waybill::domain::record::{Micros, Position, Principal, Record};

/// The time of everything here: 2026-01-01.
pub const AT: Micros = 1_767_225_600_000_000;
/// The sender.
pub const SESSION: SessionId = SessionId([0x22; 16]);
/// Its tenant.
pub const TENANT: TenantId = TenantId([0x44; 16]);
/// The claim, and the life of the session's actor.
pub const EPOCH: Position = Position(1);
/// See [`EPOCH`].
pub const INCARNATION: Position = Position(3);
/// Recipients.
pub const PEOPLE: u64 = 1_000;

/// Sixteen bytes that look random and differ for each number and purpose.
fn id(purpose: u64, n: u64) -> [u8; 16] {
    let mix = |seed: u64| {
        let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^ (x >> 31)
    };
    let (high, low) = (mix(n.wrapping_add(purpose << 56)), mix(n ^ (purpose << 48) ^ 0x5555));
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// The n-th message.
pub fn message(n: u64) -> MessageId {
    MessageId(id(1, n))
}

/// Its recipient.
pub fn contact(n: u64) -> KeyId {
    KeyId(id(2, n % PEOPLE))
}

/// Its first attempt.
pub fn attempt(n: u64) -> AttemptRef {
    AttemptRef { message: message(n), attempt: 1 }
}

/// It was taken.
pub fn accepted(n: u64) -> Event {
    let facts = MessageAcceptedV1 {
        message: message(n),
        session: SESSION,
        contact: contact(n),
        category: Category::Utility,
        priority: Priority::Normal,
        unknown: UnknownPolicy::Resend,
        expires_at: AT + 600_000_000,
        nonce: n,
        idempotency: Some(Tag(id(3, n))),
        template: Some("order_update".to_owned()),
        consent: Some(Position(5)),
        policy: Some(Position(2)),
        test: false,
        ordered: false,
        send_at: None,
        country: None,
        campaign: None,
    };
    facts.into()
}

/// So many are about to leave.
pub fn started(first: u64, count: u64) -> Event {
    let attempts = (first..first + count).map(attempt).collect();
    AttemptsStartedV1 { session: SESSION, incarnation: INCARNATION, deadline_ms: 30_000, attempts }.into()
}

/// The provider took them.
pub fn closed(first: u64, count: u64) -> Event {
    let closed = (first..first + count).map(|n| ClosedV1 {
        of: attempt(n),
        outcome: OutcomeV1::Sent { tag: Tag(id(4, n)), provider_id: provider_id(n) },
        at: AT + 1_000,
    });
    AttemptsClosedV1 { session: SESSION, closed: closed.collect() }.into()
}

fn provider_id(n: u64) -> SealedV1 {
    // A `wamid.` of 60 bytes with the seal's 61.
    SealedV1 { key: contact(n), bytes: vec![0xa5; 121] }
}

/// What Meta says of the n-th.
pub fn status(n: u64, status: Status) -> Event {
    let facts = StatusReportedV1 {
        session: SESSION,
        of: Some(attempt(n)),
        tag: Tag(id(4, n)),
        status,
        provider_at: AT + 2_000_000,
        code: 0,
        class: String::new(),
        pricing: Some("utility".to_owned()),
        provider_id: Some(provider_id(n)),
        billable: None,
        pricing_model: None,
        pricing_type: None,
    };
    facts.into()
}

/// The sealed body of a message: 600 bytes of content and what the seal adds.
pub fn body() -> Bytes {
    Bytes::from(vec![0x5a; 661])
}

/// The event as it is appended, with the body if it carries one.
pub fn record(n: u64, event: &Event, body: Option<&Bytes>) -> Record {
    let draft = Draft::new(EventId(id(5, n)), Address::from(SESSION), event, Principal::Node(NodeId([7; 16])), AT);
    let draft = draft.tenant(TENANT).epoch(EPOCH);
    let draft = match body {
        Some(body) => draft.subject(message(n)).sealed(contact(n), [0x77; 32], body.clone()),
        None => draft,
    };
    draft.record().expect("a record of a kilobyte is within its limits")
}
