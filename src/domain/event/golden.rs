//! Golden files: one stored header for each kind, decoded and encoded again byte by byte, for ever.
//!
//! A file is never edited. If this test fails after a change to an event, the change is wrong: stored bytes would be read
//! differently. For a new kind, add an example below and run the test once with `WAYBILL_WRITE_GOLDEN=1`, which writes
//! only files that are absent.

mod audit;
mod budget;
mod later;
mod moved;

use std::path::PathBuf;

use bytes::Bytes;

use super::super::address::Address;
use super::super::gate::Gate;
use super::super::id::{
    ApiKeyId, CampaignId, EndpointId, EventId, InstallationId, KeyId, MessageId, NodeId, SessionId, Tag, TenantId,
};
use super::super::record::{BodyDigest, Header, Position, Principal, Record};
use super::*;
use later::later;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn file(number: u16, name: &str) -> String {
    format!("{number}_{name}.cbor.hex")
}

/// What a kind gained later stands in a file of its own, because one that is there is never edited.
fn later_file(number: u16, name: &str, nth: usize) -> String {
    format!("{number}_{name}.{nth}.cbor.hex")
}

const MESSAGE: MessageId = MessageId([0x11; 16]);
const SESSION: SessionId = SessionId([0x22; 16]);
const CONTACT: KeyId = KeyId([0x33; 16]);
const TENANT: TenantId = TenantId([0x44; 16]);
const ENDPOINT: EndpointId = EndpointId([0x55; 16]);
const TAG: Tag = Tag([0x66; 16]);
const KEY: ApiKeyId = ApiKeyId([0x77; 16]);
const AT: i64 = 1_767_225_600_000_000;

fn attempt(n: u8) -> AttemptRef {
    AttemptRef { message: MessageId([n; 16]), attempt: u16::from(n) }
}

fn sealed() -> SealedV1 {
    SealedV1 { key: CONTACT, bytes: vec![1, 2, 3, 0xff] }
}

/// An example of each kind with every optional field set and every variant in it that fits.
fn example(number: u16) -> Option<Event> {
    Some(match number {
        1..=15 => of_partition(number)?,
        16..=31 => of_tenant(number)?,
        32..=47 => of_session(number)?,
        48..=50 | 52 | 53 => of_message(number)?,
        51 => closed().into(),
        54..=57 => of_callback(number)?,
        58..=63 => of_message(number)?,
        64..=79 => of_contact(number)?,
        80..=95 => of_endpoint(number)?,
        96..=111 => budget::example(number)?,
        112..=127 => audit::example(number)?,
        128..=143 => of_campaign(number)?,
        _ => return None,
    })
}

fn of_partition(number: u16) -> Option<Event> {
    Some(match number {
        1 => GenesisV1 { installation: InstallationId([0x88; 16]), partition: 513, count: 1024, routing: 1 }.into(),
        2 => ClaimedV1 { node: NodeId([0x99; 16]), supersedes: Some(Position(70_000)) }.into(),
        3 => FeatureLevelRaisedV1 { level: 2 }.into(),
        4 => QuarantinedV1 { position: Position(9), why: "did not apply".into(), tries: 3 }.into(),
        5 => RequeuedV1 { position: Position(9) }.into(),
        6 => GateSetV1 {
            gate: Gate::Country { tenant: TENANT, code: 49 },
            asked: EventId([0xaa; 16]),
            at: Position(70_001),
            closed: true,
            reason: "asked by the regulator".into(),
            over: None,
        }
        .into(),
        _ => return None,
    })
}

fn of_tenant(number: u16) -> Option<Event> {
    Some(match number {
        16 => TenantDeclaredV1 {
            tenant: TENANT,
            name: "acme".into(),
            display_name: "Acme Größe".into(),
            per_second: 80,
            burst: 160,
            require_opt_in: None,
            require_window: None,
            quiet_hours: None,
            queue_max: None,
        }
        .into(),
        17 => ApiKeyIssuedV1 {
            key: KEY,
            tenant: TENANT,
            name: "shop".into(),
            role: Role::Sender,
            test: true,
            hash: [0xab; 32],
        }
        .into(),
        18 => ApiKeyRevokedV1 { key: KEY }.into(),
        21 => GateAskedV1 {
            gate: Gate::Template { tenant: TENANT, name: "order_update".into() },
            closed: true,
            reason: "a wrong price in it".into(),
        }
        .into(),
        22 => GateEffectiveV1 { gate: Gate::Tenant { tenant: TENANT }, asked: EventId([0xaa; 16]) }.into(),
        _ => return None,
    })
}

fn of_session(number: u16) -> Option<Event> {
    Some(match number {
        32 => SessionDeclaredV1 {
            session: SESSION,
            tenant: TENANT,
            name: "orders".into(),
            channel: "whatsapp".into(),
            account: "106540352242922".into(),
            waba: Some("102290129340398".into()),
            per_second: 80,
            burst: 20,
            test: false,
            app: None,
            portfolio: None,
            members: None,
        }
        .into(),
        33 => SessionStartedV1 { session: SESSION }.into(),
        34 => SessionSuspendedV1 { session: SESSION, reason: "asked by its owner".into() }.into(),
        35 => SessionResumedV1 { session: SESSION, reason: None }.into(),
        36 => SessionHeldV1 { session: SESSION, code: 130_429, until: AT, class: None, bucket: None }.into(),
        37 => {
            let bucket = "number".into();
            SessionPacedV1 { session: SESSION, bucket, per_second: 40, until: AT, code: 130_429 }.into()
        }
        38 => SessionReleasedV1 { session: SESSION, reason: Some("Meta lifted it".into()) }.into(),
        39 => SessionDrainingV1 { session: SESSION, reason: "the number is given up".into() }.into(),
        _ => return None,
    })
}

fn of_message(number: u16) -> Option<Event> {
    Some(match number {
        48 => MessageAcceptedV1 {
            message: MESSAGE,
            session: SESSION,
            contact: CONTACT,
            category: Category::Marketing,
            priority: Priority::Bulk,
            unknown: UnknownPolicy::Resend,
            expires_at: AT,
            nonce: u64::MAX,
            idempotency: Some(TAG),
            template: Some("order_update".into()),
            consent: Some(Position(5)),
            policy: Some(Position(70_000)),
            test: true,
            ordered: true,
            send_at: None,
            country: None,
            campaign: None,
        }
        .into(),
        49 => MessageWithdrawnV1 { message: MESSAGE, nonce: 7 }.into(),
        50 => AttemptsStartedV1 {
            session: SESSION,
            incarnation: Position(300),
            deadline_ms: 30_000,
            attempts: vec![attempt(1), attempt(2)],
        }
        .into(),
        52 => MessageCancelledV1 { message: MESSAGE, round: None }.into(),
        53 => MessageExpiredV1 { message: MESSAGE, round: None }.into(),
        58 => MessageReleasedV1 { message: MESSAGE, closing: None, attempt: None }.into(),
        59 => {
            let reason = "number was blocked".into();
            MessageRequeuedV1 { message: MESSAGE, round: 2, expires_at: AT, reason, past_campaign: None }.into()
        }
        61..=63 => return moved::example(number),
        60 => MessagesGatedV1 { session: SESSION, closing: EventId([0xaa; 16]), messages: vec![MESSAGE] }.into(),
        _ => return None,
    })
}

fn closed() -> AttemptsClosedV1 {
    let outcomes = [
        OutcomeV1::Sent { tag: TAG, provider_id: sealed() },
        OutcomeV1::Retry { class: "throttle".into(), code: 130_429, not_before: AT, counts: None },
        OutcomeV1::Failed { class: "recipient".into(), code: -1 },
        OutcomeV1::Unknown { why: "timeout".into() },
        OutcomeV1::Withdrawn { why: "deadline".into() },
    ];
    let closed = (1..).zip(outcomes).map(|(n, outcome)| ClosedV1 { of: attempt(n), outcome, at: AT }).collect();
    AttemptsClosedV1 { session: SESSION, closed }
}

fn of_callback(number: u16) -> Option<Event> {
    Some(match number {
        54 => StatusReportedV1 {
            session: SESSION,
            of: Some(attempt(1)),
            tag: TAG,
            status: Status::Failed,
            provider_at: AT,
            code: 131_050,
            class: "consent".into(),
            pricing: Some("marketing".into()),
            provider_id: Some(sealed()),
            billable: None,
            pricing_model: None,
            pricing_type: None,
        }
        .into(),
        55 => UnknownResolvedV1 { of: attempt(1), resolution: Resolution::GiveUp, reason: None }.into(),
        56 => {
            InboundReceivedV1 { session: SESSION, contact: CONTACT, tag: TAG, content: "text".into(), provider_at: AT }
                .into()
        }
        57 => CallbackCarriedV1 { session: Some(SESSION), field: "account_update".into(), tag: TAG }.into(),
        _ => return None,
    })
}

fn of_contact(number: u16) -> Option<Event> {
    Some(match number {
        64 => ConsentChangedV1 { contact: CONTACT, marketing: true, source: "api".into(), said_at: -1, evidence: None }
            .into(),
        65 => WindowOpenedV1 { contact: CONTACT, session: SESSION, until: AT }.into(),
        66 => AliasAddedV1 { contact: CONTACT, kind: AliasKind::Bsuid }.into(),
        67 => ContactHeldV1 { contact: CONTACT, until: AT, code: 131_049 }.into(),
        68 => ErasureAskedV1 { contact: CONTACT, due_at: AT, reason: "by letter".into() }.into(),
        69 => ContactErasedV1 {
            contact: CONTACT,
            asked: EventId([0xaa; 16]),
            destroyed_at: AT,
            messages: 300,
            cancelled: 2,
            opt_out_kept: true,
        }
        .into(),
        70 => LegalHoldSetV1 { contact: CONTACT, held: true, reason: "case 7".into() }.into(),
        71 => AccessGivenV1 { contact: CONTACT, reason: "by letter".into() }.into(),
        _ => return None,
    })
}

fn of_endpoint(number: u16) -> Option<Event> {
    let cursor = |partition| CursorV1 { partition, position: Position(1000) };
    Some(match number {
        80 => EndpointDeclaredV1 {
            endpoint: ENDPOINT,
            tenant: TENANT,
            name: "crm".into(),
            url: "https://example.com/hook".into(),
            events: vec!["message.*".into()],
            since: Some(AT),
        }
        .into(),
        81 => DeliveriesSettledV1 {
            endpoint: ENDPOINT,
            cursors: vec![cursor(1), cursor(300)],
            delivered: 12,
            failing: vec![FailingV1 {
                notification: EventId([0xbb; 16]),
                at: cursor(2),
                tries: 3,
                next: Some(AT),
                why: "status 500".into(),
            }],
            recovered: vec![EventId([0xcc; 16])],
        }
        .into(),
        82 => EndpointDisabledV1 { endpoint: ENDPOINT, reason: "gone".into() }.into(),
        83 => EndpointEnabledV1 { endpoint: ENDPOINT }.into(),
        _ => return None,
    })
}

fn of_campaign(number: u16) -> Option<Event> {
    let campaign = CampaignId([0x12; 16]);
    Some(match number {
        128 => CampaignDeclaredV1 {
            campaign,
            name: "spring-sale".into(),
            session: SESSION,
            from: "orders".into(),
            template: "spring_sale".into(),
            language: "en_US".into(),
            category: Category::Marketing,
            priority: Priority::Bulk,
            expires_at: Some(AT),
            start_at: Some(AT),
            pool: None,
        }
        .into(),
        129 => {
            let (step, reason) = (CampaignStep::Cancel, "a wrong price in it".into());
            CampaignMovedV1 { campaign, step, reason, follows: None }.into()
        }
        _ => return None,
    })
}

/// A header with every optional field set. Which principal stands in it goes round by kind, so that each is pinned.
fn header(event: &Event) -> Header {
    let by = [Principal::Node(NodeId([0x99; 16])), Principal::Key(KEY), Principal::Meta, Principal::Operator];
    let kind = event.kind();
    Header {
        kind,
        id: EventId([0xdd; 16]),
        cause: Some(EventId([0xee; 16])),
        may_skip: event.may_skip(),
        address: Address::from(SESSION),
        tenant: Some(TENANT),
        by: by[usize::from(kind) % by.len()],
        at: AT,
        feature: 1,
        epoch: Some(Position(4_294_967_296)),
        key: Some(CONTACT),
        body: Some(BodyDigest::of(b"sealed")),
        commitment: Some([0xfe; 32]),
        subject: Some(MESSAGE),
        attempt: Some(1),
        facts: event.facts(),
    }
}

/// Writes a file that is absent, if asked to.
fn write_absent(path: &std::path::Path, raw: &[u8]) {
    if std::env::var_os("WAYBILL_WRITE_GOLDEN").is_some() && !path.exists() {
        let digits = hex::encode(raw);
        let lines: Vec<&str> = (0..digits.len()).step_by(96).map(|n| &digits[n..digits.len().min(n + 96)]).collect();
        std::fs::create_dir_all(folder()).expect("a folder for golden files");
        std::fs::write(path, lines.join("\n") + "\n").expect("a golden file");
    }
}

fn stored(path: &std::path::Path) -> Vec<u8> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| {
        panic!("{}: {e}; for a new kind run this once with WAYBILL_WRITE_GOLDEN=1", path.display())
    });
    hex::decode(text.split_whitespace().collect::<String>()).expect("hex digits")
}

#[test]
fn every_kind_is_read_from_its_golden_file_and_written_back_the_same() {
    for &(number, name, _) in Event::KINDS {
        let event = example(number).unwrap_or_else(|| panic!("add an example of kind {number} ({name})"));
        assert_eq!((event.kind(), event.name()), (number, name));
        is_pinned(&event, &file(number, name));
        for (nth, event) in (2..).zip(later(number)) {
            is_pinned(&event, &later_file(number, name, nth));
        }
    }
}

fn is_pinned(event: &Event, name: &str) {
    let expected = header(event);
    let written = Record::new(expected.clone(), Bytes::from_static(b"sealed")).expect("it encodes");
    let path = folder().join(name);
    write_absent(&path, &written.raw);
    let raw = stored(&path);
    let read = Record::decode(Bytes::from(raw.clone()), Bytes::new()).expect("it decodes");
    assert_eq!(read.header, expected, "{name}");
    assert_eq!(read.event(), Ok(event.clone()), "{name}");
    assert_eq!(event.facts(), read.header.facts, "{name}");
    assert_eq!(hex::encode(&written.raw), hex::encode(raw), "{name} is encoded differently than it is stored");
}

#[test]
fn no_stored_kind_has_disappeared() {
    let files = |&(number, name, _): &(u16, &'static str, bool)| {
        let later = (2..).zip(later(number)).map(move |(nth, _)| later_file(number, name, nth));
        later.chain([file(number, name)])
    };
    let known: Vec<String> = Event::KINDS.iter().flat_map(files).collect();
    for entry in std::fs::read_dir(folder()).expect("the golden files") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(known.contains(&name), "{name} belongs to no kind: a stored kind is never renamed or removed");
    }
}
