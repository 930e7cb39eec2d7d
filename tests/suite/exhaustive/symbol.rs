//! The alphabet: every event of the model by name, and the real event it stands for.
//!
//! A name says what happened and who said it, never where it stands: a copy of an event at another position has the same
//! name, as it has the same event id. Positions enter only when a name is applied to a prefix ([`super::fold`]).

use std::collections::HashMap;

use waybill::domain::draft::Draft;
use waybill::domain::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, Category, ClaimedV1, ClosedV1, Event, GateSetV1, GenesisV1,
    MessageAcceptedV1, MessageCancelledV1, MessageExpiredV1, MessageMovedBackV1, MessageMovedInV1, MessageMovedOutV1,
    MessageReleasedV1, MessageRequeuedV1, MessageWithdrawnV1, MessagesGatedV1, OutcomeV1, Priority, Resolution,
    SealedV1, SessionDeclaredV1, SessionResumedV1, SessionStartedV1, SessionSuspendedV1, Status, StatusReportedV1,
    UnknownPolicy, UnknownResolvedV1,
};
use waybill::domain::gate::Gate;
use waybill::domain::id::{EventId, InstallationId, KeyId, MessageId, NodeId, SessionId, Tag, TenantId, derive};
use waybill::domain::record::{Header, Position, Principal};
use waybill::domain::routing::ROUTING_VERSION;
use waybill::domain::row::How;

/// The only partition of the model.
pub const PARTITION: u16 = 0;
/// The only tenant.
pub const TENANT: TenantId = TenantId([3; 16]);
/// The only session.
pub const SESSION: SessionId = SessionId([4; 16]);
/// Messages that a scenario may have.
pub const MESSAGES: usize = 3;
/// Attempts of one message that can be counted on the wire.
pub const ATTEMPTS: usize = 6;

/// A name in the alphabet, small enough to be copied about.
pub type SymId = u16;

/// Which attempt of which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Of {
    /// 0 for the first message.
    pub message: u8,
    /// 1 for the first attempt.
    pub attempt: u8,
}

/// An event by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sym {
    /// The first record.
    Genesis,
    /// The session exists.
    Declared,
    /// An acceptance of a message; `nonce` tells a second one (same idempotency key) from the first.
    Accepted { message: u8, nonce: u8 },
    /// That acceptance is void.
    Withdrawn { message: u8, nonce: u8 },
    /// A process claims the partition for the `nth` time, over the claim it knows.
    Claimed { process: u8, nth: u8, over: Option<SymId> },
    /// A life of the session's actor begins under that claim.
    Started { claim: SymId, nth: u8 },
    /// A batch of intents of that life: the attempt of each message, 0 for none.
    Intent { life: SymId, nth: u8, batch: [u8; MESSAGES] },
    /// How an attempt ended, said by a writer under that claim.
    Closed { of: Of, how: How, claim: SymId },
    /// An unknown attempt is sent once more.
    Resent { of: Of },
    /// The message is called off.
    Cancelled { message: u8 },
    /// The message's time has run out, in this round of it.
    Expired { message: u8, round: u8 },
    /// The message is queued again: this round of it begins.
    Requeued { message: u8, round: u8 },
    /// The session is stopped.
    Suspended,
    /// The session goes on.
    Resumed { nth: u8 },
    /// An operator's gate is closed, or opened; `nth` is the place of that word in its tenant's mailbox.
    Gate { nth: u8, closed: bool },
    /// The session says that a message stands behind that closing of it.
    Gated { message: u8, closing: SymId },
    /// The message is let out again.
    LetOut { message: u8, closing: SymId },
    /// A message leaves for another mailbox, where it is the next one of the model.
    MovedOut { message: u8, nth: u8 },
    /// It is taken in there.
    MovedIn { message: u8 },
    /// It leaves again for the mailbox that it came from, where it is the one before of the model.
    MovedHome { message: u8, nth: u8 },
    /// It is taken back there.
    MovedBack { message: u8 },
    /// The provider reports on an attempt, by our token.
    Status { of: Of, status: Status },
}

/// All names seen so far, each with its number and its event id.
#[derive(Debug, Default)]
pub struct Alphabet {
    names: Vec<(Sym, EventId)>,
    numbers: HashMap<Sym, SymId>,
    /// What happens to an attempt that stays unknown.
    pub hold: bool,
    /// All messages of the model are one, in several mailboxes.
    pub one: bool,
}

impl Alphabet {
    /// The number of a name.
    pub fn number(&mut self, sym: Sym) -> SymId {
        if let Some(number) = self.numbers.get(&sym) {
            return *number;
        }
        let number = SymId::try_from(self.names.len()).expect("a scenario has few names");
        let id = EventId(derive("exhaustive event", &[format!("{sym:?}").as_bytes()]));
        self.names.push((sym, id));
        self.numbers.insert(sym, number);
        number
    }

    /// The number of a name that was used before.
    pub fn known(&self, sym: Sym) -> Option<SymId> {
        self.numbers.get(&sym).copied()
    }

    /// The number of the name with this event id.
    pub fn named(&self, id: EventId) -> Option<SymId> {
        let at = self.names.iter().position(|(_, other)| *other == id)?;
        SymId::try_from(at).ok()
    }

    /// The name of a number.
    pub fn name(&self, number: SymId) -> Sym {
        self.names[usize::from(number)].0
    }

    /// The process behind a claim, a life or an intent.
    pub fn process(&self, number: SymId) -> Option<u8> {
        match self.name(number) {
            Sym::Claimed { process, .. } => Some(process),
            Sym::Started { claim, .. } => self.process(claim),
            Sym::Intent { life, .. } => self.process(life),
            _ => None,
        }
    }

    /// The claim that a life stands under.
    pub fn claim_of(&self, life: SymId) -> SymId {
        match self.name(life) {
            Sym::Started { claim, .. } => claim,
            other => unreachable!("{other:?} is no life"),
        }
    }

    /// The real event and its header, with positions of claims and lives as this log has them.
    pub fn event(&self, number: SymId, place: impl Fn(SymId) -> Position) -> (Header, Event) {
        let (sym, id) = self.names[usize::from(number)];
        let (event, epoch) = self.facts(sym, &place);
        let mut draft = Draft::new(id, SESSION, &event, Principal::Operator, 0).tenant(TENANT);
        if let Some(epoch) = epoch {
            draft = draft.epoch(place(epoch));
        }
        (draft.record().expect("small").header, event)
    }

    fn facts(&self, sym: Sym, place: &impl Fn(SymId) -> Position) -> (Event, Option<SymId>) {
        let session = SESSION;
        match sym {
            Sym::Claimed { process, over, .. } => {
                let node = NodeId([process + 1; 16]);
                let supersedes = over.map(place);
                (ClaimedV1 { node, supersedes }.into(), None)
            }
            Sym::Started { claim, .. } => (SessionStartedV1 { session }.into(), Some(claim)),
            Sym::Intent { life, batch, .. } => {
                let attempts = refs(batch);
                let intent = AttemptsStartedV1 { session, incarnation: place(life), deadline_ms: 5_000, attempts };
                (intent.into(), Some(self.claim_of(life)))
            }
            Sym::Closed { of, how, claim } => {
                let closed = vec![ClosedV1 { of: of.named(), outcome: outcome(of, how), at: 0 }];
                (AttemptsClosedV1 { session, closed }.into(), Some(claim))
            }
            other => (self.unfenced(other), None),
        }
    }

    /// Events whose writer needs no claim.
    fn unfenced(&self, sym: Sym) -> Event {
        let session = SESSION;
        match sym {
            Sym::Genesis => GenesisV1 {
                installation: InstallationId([9; 16]),
                partition: PARTITION,
                count: 1,
                routing: ROUTING_VERSION,
            }
            .into(),
            Sym::Declared => declared().into(),
            Sym::Accepted { message, nonce } => self.accepted(message, nonce).into(),
            Sym::Withdrawn { message, nonce } => {
                MessageWithdrawnV1 { message: message_id(message), nonce: u64::from(nonce) }.into()
            }
            Sym::Resent { of } => {
                UnknownResolvedV1 { of: of.named(), resolution: Resolution::Resend, reason: None }.into()
            }
            Sym::Cancelled { message } => MessageCancelledV1 { message: message_id(message), round: None }.into(),
            Sym::Expired { message, round } => {
                let round = Some(u16::from(round)).filter(|round| *round > 0);
                MessageExpiredV1 { message: message_id(message), round }.into()
            }
            Sym::Requeued { message, round } => {
                let (message, round) = (message_id(message), u16::from(round));
                let reason = "asked".to_owned();
                MessageRequeuedV1 { message, round, expires_at: i64::MAX, reason, past_campaign: None }.into()
            }
            Sym::Suspended => {
                let reason = "asked".to_owned();
                SessionSuspendedV1 { session, reason }.into()
            }
            Sym::Resumed { .. } => SessionResumedV1 { session, reason: None }.into(),
            Sym::Gate { nth, closed } => self.gate(nth, closed).into(),
            Sym::Gated { message, closing } => {
                let (closing, messages) = (self.names[usize::from(closing)].1, vec![message_id(message)]);
                MessagesGatedV1 { session, closing, messages }.into()
            }
            Sym::LetOut { message, closing } => {
                let closing = Some(self.names[usize::from(closing)].1);
                MessageReleasedV1 { message: message_id(message), closing, attempt: None }.into()
            }
            Sym::MovedOut { message, nth } => moved_out(message, nth, message + 1).into(),
            Sym::MovedIn { message } => self.moved_in(message).into(),
            Sym::MovedHome { message, nth } => moved_out(message, nth, message - 1).into(),
            Sym::MovedBack { message } => {
                MessageMovedBackV1 { message: message_id(message), leg: message_id(message + 1), number: 1 }.into()
            }
            Sym::Status { of, status } => reported(of, status).into(),
            other => unreachable!("{other:?} stands under a claim"),
        }
    }

    fn gate(&self, nth: u8, closed: bool) -> GateSetV1 {
        let asked = EventId(derive("exhaustive event", &[format!("{:?}", Sym::Gate { nth, closed }).as_bytes()]));
        let (gate, at) = (Gate::Tenant { tenant: TENANT }, Position(u64::from(nth)));
        GateSetV1 { gate, asked, at, closed, reason: "asked".to_owned(), over: None }
    }

    fn moved_in(&self, message: u8) -> MessageMovedInV1 {
        MessageMovedInV1 {
            accepted: MessageAcceptedV1 { idempotency: None, ..self.accepted(message + 1, 0) },
            origin: message_id(message),
            from: message_id(message),
            sender: SESSION,
            number: 1,
            partition: PARTITION,
            position: Position(2),
            event: EventId([7; 16]),
            at: 0,
            depth: 1,
            round: None,
        }
    }

    fn accepted(&self, message: u8, nonce: u8) -> MessageAcceptedV1 {
        MessageAcceptedV1 {
            message: message_id(message),
            session: SESSION,
            contact: KeyId([message + 60; 16]),
            category: Category::Utility,
            priority: Priority::Normal,
            unknown: if self.hold { UnknownPolicy::Hold } else { UnknownPolicy::Resend },
            expires_at: i64::MAX,
            nonce: u64::from(nonce),
            idempotency: Some(Tag([message + 90; 16])),
            template: None,
            consent: None,
            policy: None,
            test: false,
            ordered: false,
            send_at: None,
            country: None,
            campaign: None,
        }
    }
}

impl Of {
    /// As events name it.
    pub fn named(self) -> AttemptRef {
        AttemptRef { message: message_id(self.message), attempt: u16::from(self.attempt) }
    }
}

/// The id of the model's message.
pub fn message_id(message: u8) -> MessageId {
    let mut bytes = [message + 1; 16];
    bytes[..2].copy_from_slice(&PARTITION.to_be_bytes());
    MessageId(bytes)
}

/// The model's message of an id.
pub fn message_number(id: MessageId) -> usize {
    usize::from(id.0[15] - 1)
}

fn refs(batch: [u8; MESSAGES]) -> Vec<AttemptRef> {
    let numbered = (0u8..).zip(batch);
    let filled = numbered.filter(|(_, attempt)| *attempt > 0);
    filled.map(|(message, attempt)| Of { message, attempt }.named()).collect()
}

/// The provider's id of an attempt.
fn provider_tag(of: Of) -> Tag {
    let mut bytes = [of.attempt; 16];
    bytes[0] = of.message + 1;
    Tag(bytes)
}

fn outcome(of: Of, how: How) -> OutcomeV1 {
    match how {
        How::Sent => OutcomeV1::Sent {
            tag: provider_tag(of),
            provider_id: SealedV1 { key: KeyId([of.message + 60; 16]), bytes: vec![of.attempt] },
        },
        How::Retry => OutcomeV1::Retry { class: "throttle".to_owned(), code: 0, not_before: 0, counts: None },
        How::Failed => OutcomeV1::Failed { class: "request".to_owned(), code: 100 },
        How::Unknown => OutcomeV1::Unknown { why: "timeout".to_owned() },
        How::Withdrawn => OutcomeV1::Withdrawn { why: "consent".to_owned() },
    }
}

fn moved_out(message: u8, nth: u8, leg: u8) -> MessageMovedOutV1 {
    MessageMovedOutV1 {
        session: SESSION,
        message: message_id(message),
        number: u16::from(nth),
        to: SESSION,
        leg: message_id(leg),
        person: None,
        reason: None,
    }
}

fn declared() -> SessionDeclaredV1 {
    SessionDeclaredV1 {
        session: SESSION,
        tenant: TENANT,
        name: "orders".to_owned(),
        channel: "whatsapp".to_owned(),
        account: "1".to_owned(),
        waba: None,
        app: None,
        portfolio: None,
        per_second: 80,
        burst: 80,
        test: false,
        members: None,
    }
}

fn reported(of: Of, status: Status) -> StatusReportedV1 {
    StatusReportedV1 {
        session: SESSION,
        of: Some(of.named()),
        tag: provider_tag(of),
        status,
        provider_at: 0,
        code: i32::from(status == Status::Failed),
        class: String::new(),
        pricing: None,
        provider_id: None,
        billable: None,
        pricing_model: None,
        pricing_type: None,
    }
}
