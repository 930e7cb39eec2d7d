//! What is signed, and the records that it covers, as the operator's routes show them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;

use super::stage::{COUNT, Stage};
use crate::audit::Signer;
use crate::audit::sign::holds;
use crate::domain::address::Address;
use crate::domain::audit::checkpoint::origin;
use crate::domain::audit::note::{Note, NoteKey};
use crate::domain::audit::{Checkpoint, Range, hash};
use crate::domain::draft::Draft;
use crate::domain::event::{CheckpointSealedV1, CheckpointSignedV1, Event, HeadV1, HeadsReportedV1};
use crate::domain::id::{EventId, TenantId};
use crate::domain::projection::audit::entry_of;
use crate::domain::record::{Position, Principal, Record};
use crate::domain::routing;
use crate::domain::row::{Row, RowId};
use crate::domain::secret_name::AUDIT_HEAD;
use crate::journal::Journal;
use crate::runtime::health::RESTORED;
use crate::store::rows;
use crate::vault::{SecretBytes, Vault};

async fn happens(stage: &Stage, event: Event) -> Position {
    let audit = Address::audit(stage.app.journal.genesis().installation);
    let id = EventId(stage.app.entropy.id());
    let draft = Draft::new(id, audit, &event, Principal::Node(stage.app.node), stage.app.clock.wall());
    stage.happens(routing::partition(&audit, COUNT), draft).await
}

#[tokio::test]
async fn the_operator_is_shown_what_was_signed_and_another_log_can_be_begun() {
    let stage = Stage::new().await;
    assert_eq!(stage.get_operator("/v1/admin/audit/checkpoint").await.code(), "not_found");
    let heads = vec![HeadV1 { tenant: TenantId([4; 16]), size: 3, root: [5; 32] }];
    let said = HeadsReportedV1 { partition: 1, through: Position(9), part: 0, whole: true, since: 0, heads, era: 0 };
    let mut log = Range::default();
    log.push(hash::leaf(&entry_of(&said).expect("an entry").bytes()));
    happens(&stage, said.into()).await;
    let sealed_at = happens(&stage, CheckpointSealedV1 { era: 0 }.into()).await;
    let signer = Signer::of_seed(&[7; 32]).expect("32 bytes");
    let checkpoint = Checkpoint { origin: "waybill/test".to_owned(), size: 1, root: log.root() };
    let (key, signature) = (signer.public(), signer.sign(&checkpoint));
    let Checkpoint { origin, size, root } = checkpoint;
    happens(&stage, CheckpointSignedV1 { origin, size, root, key, signature }.into()).await;
    let shown = stage.get_operator("/v1/admin/audit/checkpoint").await.expect(200);
    let note = Note::parse(shown["checkpoint"].as_str().expect("a note").as_bytes()).expect("a note");
    let key = NoteKey::parse(shown["key"].as_str().expect("a key")).expect("a key");
    assert_eq!(key.signed(&note, holds), Some(0));
    assert_eq!((&shown["size"], &shown["sealed_at"]), (&json!(1), &json!(sealed_at.0)));
    let reason = json!({"reason": "put back from a backup"});
    let begin =
        super::stage::request(axum::http::Method::POST, "/v1/admin/audit/begin", Some(&stage.operator), Some(&reason));
    stage.call(begin).await.expect(200);
    assert_eq!(stage.get_operator("/v1/admin/audit/checkpoint").await.code(), "not_found", "of the new one nothing is");
}

#[tokio::test]
async fn records_are_shown_byte_by_byte_to_the_operator_alone() {
    let stage = Stage::new().await;
    stage.sent().await;
    stage.caught_up().await;
    let (mut bodies, mut all) = (0, 0);
    for partition in 0..COUNT {
        let mut from = 0;
        loop {
            let path = format!("/v1/admin/audit/records?partition={partition}&from={from}");
            let page = stage.get_operator(&path).await.expect(200);
            for shown in page["records"].as_array().expect("records") {
                let bytes = |name: &str| {
                    STANDARD.decode(shown[name].as_str().unwrap_or_default()).map(Bytes::from).expect("base64")
                };
                let record = Record::decode(bytes("header"), bytes("body")).expect("a record");
                let at = Position(shown["position"].as_u64().expect("a position"));
                assert_eq!(stage.journal.read(partition, at).await.expect("it stands there").record, record);
                bodies += usize::from(!record.body.is_empty());
                all += 1;
            }
            if page["next"] == json!(from) {
                break;
            }
            from = page["next"].as_u64().expect("a position");
        }
    }
    assert!(bodies > 0 && all > bodies, "{bodies} of {all}");
    for path in ["records?partition=0", "checkpoint"] {
        let refused = stage.get("acme/admin", &format!("/v1/admin/audit/{path}")).await;
        assert!(matches!(refused.status.as_u16(), 401 | 403), "{path}: {}", refused.status);
    }
    assert_eq!(stage.get_operator("/v1/admin/audit/records?partition=99").await.code(), "invalid_query");
}

async fn begin(stage: &Stage, ask: &serde_json::Value) -> super::stage::Reply {
    let post = axum::http::Method::POST;
    stage.call(super::stage::request(post, "/v1/admin/audit/begin", Some(&stage.operator), Some(ask))).await
}

async fn era(stage: &Stage) -> u32 {
    match rows::get(&*stage.store, &RowId::Instance(())).await.expect("readable") {
        Some(Row::Instance(row)) => row.era,
        _ => 0,
    }
}

#[tokio::test]
async fn another_log_is_begun_while_a_restored_backup_holds_the_node_and_nothing_else_does() {
    let stage = Stage::new().await;
    stage.health.set(RESTORED, Some("a backup was restored".to_owned()));
    begin(&stage, &json!({"reason": "put back"})).await.expect(200);
    assert_eq!(era(&stage).await, 1);
    stage.health.set("store", Some("it does not answer".to_owned()));
    assert_eq!(begin(&stage, &json!({"reason": "put back"})).await.code(), "unhealthy");
    assert_eq!(era(&stage).await, 1);
}

#[tokio::test]
async fn the_number_of_another_log_is_above_all_that_journal_and_vault_know() {
    let stage = Stage::new().await;
    let origin = origin(stage.app.journal.genesis().installation, 4);
    let head = Checkpoint { origin, size: 9, root: [7; 32] }.to_string();
    stage.vault.put_secret(None, AUDIT_HEAD, &SecretBytes::new(head.into_bytes())).await.expect("kept");
    for used in [0, 1, 4] {
        let refused = begin(&stage, &json!({"reason": "put back", "era": used})).await;
        assert_eq!(refused.code(), "invalid_request", "{used}");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/era", "{used}");
    }
    assert_eq!(era(&stage).await, 0);
    begin(&stage, &json!({"reason": "put back"})).await.expect(200);
    assert_eq!(era(&stage).await, 5);
    // Both were put back, and somebody has kept a checkpoint of the seventh.
    begin(&stage, &json!({"reason": "put back", "era": 8})).await.expect(200);
    assert_eq!(era(&stage).await, 8);
    assert_eq!(begin(&stage, &json!({"reason": ""})).await.code(), "invalid_request");
}
