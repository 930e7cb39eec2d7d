//! Gates of a tenant: asked for, effective, listed, refused. What they do to messages is seen with the real actors
//! (`tests/suite/actors/gates.rs`); here a word is spread by hand, one partition after the other.

use serde_json::{Value, json};

use super::stage::{COUNT, Stage};
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, GateEffectiveV1};
use crate::domain::gate::{Gate, MAX_OF_TENANT};
use crate::domain::id::EventId;
use crate::domain::record::{Principal, Record};
use crate::domain::row::{Asked, Row, RowId};
use crate::journal::{Appended, Journal};
use crate::store::rows;

const SUSPEND: &str = "/v1/templates/price/suspend";
const RESUME: &str = "/v1/templates/price/resume";

fn why() -> Value {
    json!({"reason": "a wrong price"})
}

/// A template's message to a German number.
fn priced() -> Value {
    json!({
        "from": "shop", "to": "+4915500010000", "type": "template",
        "template": {"name": "price", "language": {"code": "de"}},
    })
}

impl Stage {
    /// The words that are not recorded as effective.
    async fn pending(&self) -> Vec<Asked> {
        match rows::get(&*self.store, &RowId::Asks(self.tenant("acme"))).await.expect("readable") {
            Some(Row::Asks(row)) => row.pending().cloned().collect(),
            _ => Vec::new(),
        }
    }

    fn copy(&self, asked: &Asked, partition: u16) -> Record {
        let id = EventId::caused_by(asked.event, &format!("to {partition}"));
        let draft = Draft::new(id, Address::partition(partition), &Event::from(asked.copy()), Principal::Operator, 0);
        draft.tenant(asked.gate.tenant()).record().expect("small")
    }

    async fn spread(&self, asked: &Asked, partitions: std::ops::Range<u16>) {
        for partition in partitions {
            let appended = self.journal.append(partition, vec![self.copy(asked, partition)]).await;
            assert!(matches!(appended, Appended::Durable { .. }));
        }
    }

    async fn record_effective(&self, asked: &Asked) {
        let tenant = asked.gate.tenant();
        let event = Event::from(GateEffectiveV1 { gate: asked.gate.clone(), asked: asked.event });
        let draft = Draft::new(EventId::caused_by(asked.event, "effective"), tenant, &event, Principal::Operator, 0);
        self.happens(self.app.partition_of(tenant), draft.tenant(tenant)).await;
    }

    /// Does what the tenant's actor does, until somebody is done.
    async fn with_tenant<T>(&self, verb: impl Future<Output = T>) -> T {
        let spreading = async {
            loop {
                for asked in self.pending().await {
                    self.spread(&asked, 0..COUNT).await;
                    self.record_effective(&asked).await;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = verb => done,
            () = spreading => unreachable!("it never ends"),
        }
    }
}

#[tokio::test]
async fn a_verb_is_effective_only_when_every_partition_has_applied_it() {
    let stage = Stage::new().await;
    let why = why();
    let verb = stage.post("acme/admin", SUSPEND, &why);
    let all_but_one = async {
        loop {
            if let Some(asked) = stage.pending().await.first() {
                stage.spread(asked, 0..COUNT - 1).await;
                return asked.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let (answer, asked) = tokio::join!(verb, all_but_one);
    let answer = answer.expect(202);
    assert_eq!(answer["gate"], json!({"kind": "template", "name": "price"}));
    assert_eq!((&answer["effective"], &answer["partitions"]), (&json!(false), &json!({"applied": 3, "of": 4})));
    let listed = stage.get("acme/auditor", "/v1/gates").await.expect(200);
    assert_eq!(listed["data"][0]["effective"], false, "{listed}");

    stage.spread(&asked, COUNT - 1..COUNT).await;
    stage.caught_up().await;
    let listed = stage.get("acme/auditor", "/v1/gates").await.expect(200);
    let gate = &listed["data"][0];
    assert_eq!(
        (&gate["effective"], &gate["closed"], &gate["reason"]),
        (&json!(true), &json!(true), &json!("a wrong price"))
    );
    assert!(gate["by"].as_str().is_some_and(|by| by.starts_with("key_")), "{gate}");
    let again = stage.with_tenant(stage.post("acme/admin", SUSPEND, &json!({"reason": "still wrong"}))).await;
    assert_eq!(again.expect(200)["effective"], true);
    let listed = stage.get("acme/auditor", "/v1/gates").await.expect(200);
    assert_eq!(
        (listed["data"].as_array().map(Vec::len), &listed["data"][0]["reason"]),
        (Some(1), &json!("still wrong"))
    );
    assert_eq!(stage.get("other/auditor", "/v1/gates").await.expect(200), json!({"data": []}));
}

#[tokio::test]
async fn a_suspended_template_is_taken_and_waits_and_is_counted() {
    let stage = Stage::new().await;
    stage.with_tenant(stage.post("acme/admin", SUSPEND, &why())).await.expect(200);
    let taken = stage.post("acme/sender", "/v1/messages", &priced()).await.expect(202);
    let id = taken["id"].as_str().expect("an id").to_owned();
    let text = stage.sent().await;
    let shown = stage.shown(&id).await;
    assert_eq!((&shown["state"], &shown["waiting"]["why"]), (&json!("held"), &json!("gated")));
    assert_eq!(stage.shown(&text).await["state"], "queued");
    let row = |id: &str| {
        let message = id.parse().expect("an id");
        let store = stage.store.clone();
        async move { rows::get(&*store, &RowId::Message(message)).await.expect("readable") }
    };
    let gated = |row: Option<Row>| matches!(row, Some(Row::Message(row)) if row.waits_since().is_some());
    assert!(gated(row(&id).await) && !gated(row(&text).await));
    let listed = stage.get("acme/auditor", "/v1/gates").await.expect(200);
    assert_eq!(listed["data"][0]["messages"], 1, "{listed}");

    let answer = stage.with_tenant(stage.post("acme/admin", RESUME, &json!({"reason": "corrected"}))).await.expect(200);
    assert_eq!(answer["partitions"], json!({"applied": 4, "of": 4}));
    stage.caught_up().await;
    assert_eq!(stage.get("acme/auditor", "/v1/gates").await.expect(200)["data"], json!([]));
    let answer = stage.post("acme/admin", RESUME, &json!({"reason": "again"})).await.expect(200);
    assert_eq!(answer["effective"], true, "it is open already");
}

#[tokio::test]
async fn a_country_is_named_by_its_code_and_a_tenant_by_the_key() {
    let stage = Stage::new().await;
    for (path, gate) in [
        ("/v1/countries/49/suspend", json!({"kind": "country", "name": "+49"})),
        ("/v1/tenant/suspend", json!({"kind": "tenant", "name": null})),
    ] {
        let answer = stage.with_tenant(stage.post("acme/admin", path, &why())).await.expect(200);
        assert_eq!(answer["gate"], gate);
    }
    for path in ["/v1/countries/49/resume", "/v1/tenant/resume"] {
        stage.with_tenant(stage.post("acme/admin", path, &why())).await.expect(200);
    }
    for path in ["/v1/countries/4915/suspend", "/v1/countries/germany/suspend", "/v1/templates/A%20b/suspend"] {
        assert_eq!(stage.post("acme/admin", path, &why()).await.code(), "not_found", "{path}");
    }
    for wrong in [json!({"reason": ""}), json!({"reason": "x", "until": "monday"}), json!({})] {
        assert_eq!(stage.post("acme/admin", "/v1/tenant/resume", &wrong).await.code(), "invalid_request");
    }
    assert_eq!(stage.post("acme/sender", "/v1/tenant/suspend", &why()).await.code(), "forbidden");
}

#[tokio::test]
async fn one_gate_too_many_is_refused_in_words() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("acme");
    let home = stage.app.partition_of(tenant);
    for n in 0..MAX_OF_TENANT {
        let gate = Gate::Template { tenant, name: format!("t{n}") };
        let facts = crate::domain::event::GateAskedV1 { gate, closed: true, reason: "x".to_owned() };
        let id = EventId([u8::try_from(n).expect("few"); 16]);
        let draft = Draft::new(id, tenant, &Event::from(facts), Principal::Operator, 0).tenant(tenant);
        stage.happens(home, draft).await;
    }
    let refused = stage.post("acme/admin", SUSPEND, &why()).await;
    assert_eq!(refused.status, 409);
    assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.starts_with("64 gates of this tenant")));
    assert_eq!(refused.code(), "too_many_gates");
    // Another word on a closed one, and opening one, is none more.
    stage.with_tenant(stage.post("acme/admin", "/v1/templates/t0/suspend", &why())).await.expect(200);
    stage.with_tenant(stage.post("acme/admin", "/v1/templates/t1/resume", &why())).await.expect(200);
    stage.with_tenant(stage.post("acme/admin", SUSPEND, &why())).await.expect(200);
}

#[tokio::test]
async fn a_draining_session_takes_nothing_until_it_is_resumed() {
    let stage = Stage::new().await;
    let before = stage.sent().await;
    stage.post("acme/admin", "/v1/sessions/shop/drain", &json!({"reason": "given up"})).await.expect(200);
    let shown = stage.get("acme/auditor", "/v1/sessions/shop").await.expect(200);
    assert_eq!((&shown["draining"], &shown["suspended"]), (&json!("given up"), &json!(null)));
    let refused = stage.post("acme/sender", "/v1/messages", &priced()).await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.code(), "draining");
    assert_eq!(stage.shown(&before).await["state"], "queued", "what it has, it keeps");
    stage.post("acme/admin", "/v1/sessions/shop/resume", &why()).await.expect(200);
    stage.post("acme/sender", "/v1/messages", &priced()).await.expect(202);
}

#[tokio::test]
async fn a_gate_that_is_being_closed_is_opened_by_a_word_of_its_own() {
    let stage = Stage::new().await;
    stage.caught_up().await;
    stage.store.hold_commits();
    stage.post("acme/admin", SUSPEND, &why()).await.expect(202);
    let resumed = stage.post("acme/admin", RESUME, &why()).await.expect(202);
    assert_eq!(resumed["effective"], false, "the rows know of no gate, and one is on its way");
    stage.store.release_commits();
    stage.caught_up().await;
    let listed = stage.get("acme/auditor", "/v1/gates").await.expect(200);
    assert_eq!(listed["data"][0]["closed"], false, "{listed}");
}
