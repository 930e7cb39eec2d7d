//! A word that stands in the journal and that nobody has applied, because nobody owns its partition: it is heeded all the same.

use std::time::{Duration, Instant};

use serde_json::json;
use waybill::actors::hands::Limits;
use waybill::domain::consent::Gates;
use waybill::domain::event::{Category, ConsentChangedV1};
use waybill::domain::id::{KeyId, MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::routing;
use waybill::runtime::{Clock, SystemClock};

use super::nodes::Nodes;
use super::opt_out::elsewhere;
use super::world::{PARTITIONS, limits};

const SOON: Duration = Duration::from_secs(20);

async fn says(nodes: &Nodes, tenant: TenantId, contact: KeyId, marketing: bool) {
    let said_at = SystemClock.wall() - i64::from(marketing) * 1_000_000;
    let word = ConsentChangedV1 { contact, marketing, source: "test".into(), said_at, evidence: None };
    nodes.house.tell(contact, tenant, word).await;
}

async fn offer(nodes: &Nodes, (tenant, session): (TenantId, SessionId), to: &str) -> MessageId {
    let template = json!({ "name": "sale", "language": { "code": "en" } });
    let object = json!({ "to": to, "type": "template", "template": template });
    nodes.house.accept_for(tenant, session, Category::Marketing, object).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opt_out_that_nobody_applies_is_heeded() {
    let limits = Limits { gates: Gates::STRICT, ..limits() };
    let nodes = Nodes::new(2, limits, Duration::from_millis(5)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    let (to, contact) = elsewhere(&nodes.house, tenant, sessions[0]).await;
    let theirs = routing::partition(&contact.into(), PARTITIONS);
    nodes.propose(1, (0..PARTITIONS).filter(|partition| *partition != theirs));
    nodes.propose(2, [theirs]);
    let start = Instant::now();
    while nodes.owners().await[usize::from(theirs)] != Some(2) || nodes.node(1).hands.registry.owns(theirs) {
        assert!(start.elapsed() < SOON, "it is not handed over");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    says(&nodes, tenant, contact, true).await;
    nodes.house.applied(contact).await;
    let at = (tenant, sessions[0]);
    let first = offer(&nodes, at, &to).await;
    nodes.house.until(&[first], SOON, &[State::Sent]).await;

    nodes.kill(2);
    says(&nodes, tenant, contact, false).await;
    // Rows that were seen to follow are believed for a second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let second = offer(&nodes, at, &to).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let left: Vec<MessageId> = nodes.wire.calls().iter().map(|call| call.message).collect();
    assert_eq!(left, [first], "it was sent after the opt-out was recorded");
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    nodes.house.until(&[second], SOON, &[State::Failed]).await;
    let failed = nodes.house.row(second).await.and_then(|row| row.failed).expect("it failed");
    assert_eq!(failed.class, "opted_out");
    nodes.stop().await;
}
