//! Campaigns: declared once, loaded by lines, moved by steps; every wrong move is refused in words. What they do to messages
//! is seen with the real actors (`tests/suite/actors/campaigns.rs`); here a word is spread by hand.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use super::feed::fed;
use super::stage::{Reply, Stage};
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{CampaignMovedV1, CampaignStep, Event, GateEffectiveV1};
use crate::domain::gate::MAX_CAMPAIGNS_OF_TENANT;
use crate::domain::id::{CampaignId, EventId};
use crate::domain::record::Principal;
use crate::domain::row::{Asked, Row, RowId};
use crate::journal::{Appended, Journal};
use crate::store::rows;

pub(super) const SALE: &str = "/v1/campaigns/sale";

fn sale() -> Value {
    json!({"from": "shop", "template": {"name": "sale", "language": "de"}, "category": "utility"})
}

fn lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

pub(super) fn to(n: u32) -> Value {
    json!({"to": format!("+1202555{n:04}"), "parameters": ["Ada"], "reference": format!("r-{n}")})
}

impl Stage {
    async fn lined(&self, key: &str, path: &str, body: String) -> Reply {
        let request = Request::builder().method(Method::POST).uri(path).header("content-type", "application/x-ndjson");
        let request = request.header("authorization", format!("Bearer {}", self.key(key)));
        self.call(request.body(Body::from(body)).expect("a request")).await
    }

    /// Loads lines; the answer to each.
    pub(super) async fn loaded(&self, people: &[Value]) -> Vec<Value> {
        let reply = self.lined("acme/sender", "/v1/campaigns/sale/audience", lines(people)).await;
        assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
        let text = String::from_utf8(reply.body.to_vec()).expect("text");
        self.caught_up().await;
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    async fn sale(&self) -> Value {
        self.caught_up().await;
        self.get("acme/auditor", SALE).await.expect(200)
    }

    async fn asked_of_campaigns(&self) -> Vec<Asked> {
        match rows::get(&*self.store, &RowId::Asks(self.tenant("acme"))).await.expect("readable") {
            Some(Row::Asks(row)) => row.pending().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Does what the tenant's actor does with one word.
    async fn spread_word(&self, asked: &Asked) {
        for partition in asked.gate.partitions(super::stage::COUNT) {
            let id = EventId::caused_by(asked.event, "copied");
            let draft =
                Draft::new(id, Address::partition(partition), &Event::from(asked.copy()), Principal::Operator, 0);
            let record = draft.tenant(asked.gate.tenant()).record().expect("small");
            let appended = self.journal.append(partition, vec![record]).await;
            assert!(matches!(appended, Appended::Durable { .. }));
        }
        let tenant = asked.gate.tenant();
        let event = Event::from(GateEffectiveV1 { gate: asked.gate.clone(), asked: asked.event });
        let draft = Draft::new(EventId::caused_by(asked.event, "effective"), tenant, &event, Principal::Operator, 0);
        self.happens(self.app.partition_of(tenant), draft.tenant(tenant)).await;
    }

    /// A step, with the tenant's actor beside it.
    pub(super) async fn step(&self, verb: &str) -> Reply {
        let (path, why) = (format!("{SALE}/{verb}"), json!({"reason": "because"}));
        let spreading = async {
            loop {
                for asked in self.asked_of_campaigns().await {
                    self.spread_word(&asked).await;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            reply = self.post("acme/admin", &path, &why) => reply,
            () = spreading => unreachable!("it never ends"),
        }
    }

    pub(super) async fn declared(&self) {
        assert_eq!(self.put("acme/admin", SALE, &sale()).await.expect(200)["state"], "draft");
    }
}

#[tokio::test]
async fn a_campaign_is_no_key_of_the_same_name() {
    let stage = Stage::new().await;
    stage.put("acme/admin", SALE, &sale()).await.expect(200);
    stage.caught_up().await;
    stage.clock.advance(std::time::Duration::from_secs(6));
    let listed = stage.get("acme/admin", "/v1/keys").await.expect(200);
    assert!(!listed.to_string().contains("\"sale\""), "{listed}");
    stage.post("acme/admin", "/v1/keys", &json!({"name": "sale", "role": "auditor"})).await.expect(201);
}

#[tokio::test]
async fn a_campaign_is_declared_once_and_shown_to_its_tenant() {
    let stage = Stage::new().await;
    let first = stage.put("acme/admin", SALE, &sale()).await.expect(200);
    assert_eq!((&first["state"], &first["priority"], &first["messages"]), (&json!("draft"), &json!("bulk"), &json!(0)));
    assert_eq!(stage.put("acme/admin", SALE, &sale()).await.expect(200)["id"], first["id"], "the same again");
    let other = json!({"from": "shop", "template": {"name": "other", "language": "de"}});
    assert_eq!(stage.put("acme/admin", SALE, &other).await.code(), "taken");
    stage.put("acme/admin", "/v1/campaigns/spring", &other).await.expect(200);
    let names = |page: &Value| -> Vec<String> {
        page["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").into())
            .collect()
    };
    let page = stage.get("acme/sender", "/v1/campaigns?limit=1").await.expect(200);
    assert_eq!((names(&page), &page["next"]), (vec!["sale".to_owned()], &json!("sale")));
    let page = stage.get("acme/sender", "/v1/campaigns?limit=2&after=sale").await.expect(200);
    assert_eq!((names(&page), &page["next"]), (vec!["spring".to_owned()], &Value::Null));
    assert_eq!(stage.get("other/admin", SALE).await.code(), "not_found");
    assert_eq!(names(&stage.get("other/admin", "/v1/campaigns").await.expect(200)), Vec::<String>::new());
    assert_eq!(stage.get("acme/auditor", "/v1/gates").await.expect(200)["data"], json!([]), "no operator's gate");
}

#[tokio::test]
async fn what_is_wrong_with_a_declaration_is_said() {
    let stage = Stage::new().await;
    let code = async |key: &str, path: &str, body: Value| stage.put(key, path, &body).await.code();
    let strange = json!({"from": "nobody", "template": {"name": "sale", "language": "de"}});
    assert_eq!(code("acme/admin", SALE, strange).await, "unknown_sender");
    assert_eq!(code("acme/admin", "/v1/campaigns/Sale", sale()).await, "invalid_request");
    assert_eq!(code("acme/sender", SALE, sale()).await, "forbidden");
    assert_eq!(code("acme/tester", SALE, sale()).await, "forbidden");
    let wrong = json!({
        "from": "shop", "template": {"name": "No", "language": "?"}, "category": "service",
        "expires_at": "2020-01-01T00:00:00Z", "start_at": "2199-01-01T00:00:00Z",
    });
    let reply = stage.put("acme/admin", SALE, &wrong).await;
    let faults = reply.json();
    let at: Vec<&str> =
        faults["errors"].as_array().expect("a list").iter().filter_map(|e| e["pointer"].as_str()).collect();
    assert_eq!(at, ["/template/name", "/template/language", "/category", "/start_at", "/expires_at"]);
}

#[tokio::test]
async fn an_audience_is_loaded_once_however_often_it_is_sent_and_nothing_of_it_leaves() {
    let stage = Stage::new().await;
    stage.declared().await;
    let people: Vec<Value> = (0..20).map(to).chain([json!({"to": "+12025559999"})]).collect();
    let first = stage.loaded(&people).await;
    assert!(first.iter().all(|line| line["replayed"] == false), "{first:?}");
    let again = stage.loaded(&people).await;
    assert!(again.iter().all(|line| line["replayed"] == true), "{again:?}");
    let ids = |answers: &[Value]| -> Vec<Value> { answers.iter().map(|line| line["id"].clone()).collect() };
    assert_eq!(ids(&first), ids(&again));
    let shown = stage.sale().await;
    assert_eq!((&shown["messages"], &shown["counts"]["waiting"], &shown["left"]), (&json!(21), &json!(21), &json!(21)));
    let message = stage.shown(first[0]["id"].as_str().expect("an id")).await;
    assert_eq!((&message["state"], &message["campaign"]), (&json!("held"), &shown["id"]));
    assert_eq!((&message["priority"], &message["waiting"]["why"]), (&json!("bulk"), &json!("gated")));
    // Another text under the same reference is another message, and is refused.
    let mut other = to(3);
    other["parameters"] = json!(["Grace"]);
    let refused = stage.loaded(&[other, json!({"to": "nobody"}), json!({"from": "shop"})]).await;
    let codes: Vec<&Value> = refused.iter().map(|line| &line["error"]["code"]).collect();
    assert_eq!(codes, [&json!("idempotency_conflict"), &json!("invalid_request"), &json!("invalid_request")]);
    assert_eq!(stage.sale().await["messages"], 21);
}

#[tokio::test]
async fn every_step_is_taken_and_every_wrong_one_refused() {
    let stage = Stage::new().await;
    assert_eq!(stage.step("start").await.code(), "not_found");
    stage.declared().await;
    assert_eq!(stage.step("start").await.code(), "empty_campaign");
    for verb in ["pause", "resume"] {
        assert_eq!(stage.step(verb).await.code(), "wrong_state", "{verb} of a draft");
    }
    stage.loaded(&[to(1), to(2)]).await;
    assert_eq!(stage.post("acme/sender", &format!("{SALE}/start"), &json!({"reason": "x"})).await.code(), "forbidden");
    assert_eq!(
        stage.post("acme/admin", &format!("{SALE}/start"), &json!({"reason": ""})).await.code(),
        "invalid_request"
    );
    let started = stage.step("start").await.expect(200);
    assert_eq!((&started["state"], &started["effective"]), (&json!("running"), &json!(true)));
    assert!(started["started_at"].is_string() && started["moved"]["reason"] == "because", "{started}");
    assert_eq!(stage.step("start").await.expect(200)["state"], "running", "said again");
    let refused = stage.lined("acme/sender", "/v1/campaigns/sale/audience", lines(&[to(3)])).await;
    assert_eq!(refused.code(), "wrong_state", "loading while it runs");
    assert_eq!(stage.step("pause").await.expect(200)["state"], "paused");
    assert_eq!(stage.step("start").await.code(), "wrong_state", "it is to be resumed");
    assert_eq!(stage.loaded(&[to(3)]).await[0]["replayed"], false, "loading while it rests");
    assert_eq!(stage.step("resume").await.expect(200)["state"], "running");
    assert_eq!(stage.step("cancel").await.expect(200)["state"], "cancelled");
    assert_eq!(stage.step("cancel").await.expect(200)["state"], "cancelled");
    for verb in ["start", "pause", "resume"] {
        assert_eq!(stage.step(verb).await.code(), "wrong_state", "{verb} of what is over");
    }
    let refused = stage.lined("acme/sender", "/v1/campaigns/sale/audience", lines(&[to(4)])).await;
    assert_eq!(refused.code(), "wrong_state", "loading what is over");
}

#[tokio::test]
async fn a_step_is_on_its_way_until_the_senders_partition_has_applied_it() {
    let stage = Stage::new().await;
    stage.declared().await;
    stage.loaded(&[to(1)]).await;
    let reply = stage.post("acme/admin", &format!("{SALE}/start"), &json!({"reason": "go"})).await;
    let started = reply.expect(202);
    assert_eq!((&started["state"], &started["effective"]), (&json!("running"), &json!(false)));
    for asked in stage.asked_of_campaigns().await {
        stage.spread_word(&asked).await;
    }
    assert_eq!(stage.sale().await["effective"], true);
}

#[tokio::test]
async fn lines_that_come_after_the_start_are_refused_one_by_one() {
    let stage = Stage::new().await;
    stage.declared().await;
    stage.loaded(&[to(1)]).await;
    // Begun while it was a draft; the second line is read when it is not.
    let (sender, body) = fed();
    let request = Request::builder().method(Method::POST).uri("/v1/campaigns/sale/audience");
    let request = request.header("content-type", "application/x-ndjson");
    let request = request.header("authorization", format!("Bearer {}", stage.key("acme/sender")));
    let loading = stage.call(request.body(body).expect("a request"));
    let steps = async {
        sender.send(lines(&[to(2)]).into()).await.expect("read");
        while stage.sale().await["messages"] != 2 {
            tokio::task::yield_now().await;
        }
        stage.step("start").await.expect(200);
        sender.send(lines(&[to(3)]).into()).await.expect("read");
        drop(sender);
    };
    let (reply, ()) = tokio::join!(loading, steps);
    let text = String::from_utf8(reply.body.to_vec()).expect("text");
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&answers[0]["status"], &answers[1]["error"]["code"]), (&json!("accepted"), &json!("wrong_state")));
    assert_eq!(stage.sale().await["messages"], 2);
}

#[tokio::test]
async fn a_tenant_has_so_many_campaigns_and_its_gates_all_the_same() {
    let stage = Stage::new().await;
    for n in 0..MAX_CAMPAIGNS_OF_TENANT {
        stage.put("acme/admin", &format!("/v1/campaigns/c{n}"), &sale()).await.expect(200);
    }
    assert_eq!(stage.put("acme/admin", "/v1/campaigns/more", &sale()).await.code(), "too_many_campaigns");
    stage.put("other/admin", "/v1/campaigns/more", &sale()).await.expect(200);
    let campaign = CampaignId::named(stage.tenant("acme"), "c0");
    let (step, reason) = (CampaignStep::Cancel, "x".to_owned());
    let event = Event::from(CampaignMovedV1 { campaign, step, reason, follows: None });
    let tenant = stage.tenant("acme");
    let draft = Draft::new(EventId([9; 16]), tenant, &event, Principal::Operator, 0).tenant(tenant);
    stage.happens(stage.app.partition_of(tenant), draft).await;
    stage.put("acme/admin", "/v1/campaigns/more", &sale()).await.expect(200);
}

#[tokio::test]
async fn an_audience_is_looked_at_without_loading_anybody() {
    let stage = Stage::with(|settings| settings.consent.require_opt_in = true).await;
    let marketing = json!({"from": "shop", "template": {"name": "sale", "language": "de"}});
    stage.put("acme/admin", SALE, &marketing).await.expect(200);
    let consent = |to: &str, allowed: bool| json!({"to": to, "marketing": allowed, "source": "web form"});
    stage.put("acme/sender", "/v1/contacts/consent", &consent("+12025550001", true)).await.expect(200);
    stage.put("acme/sender", "/v1/contacts/consent", &consent("+12025550002", false)).await.expect(200);
    let audience = [to(1), to(2), to(3), json!({"to": "12", "reference": "short"}), json!({"to": "+12025550001"})];
    let body = lines(&audience) + "{not json}\n";
    let found = stage.lined("acme/auditor", "/v1/campaigns/sale/validate", body).await.expect(200);
    assert_eq!((&found["lines"], &found["good"]), (&json!(6), &json!(2)));
    let told: Vec<(&str, u64, &Value)> = found["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["code"].as_str().expect("a code"), one["lines"].as_u64().expect("a number"), &one["first"][0]))
        .collect();
    assert_eq!(
        told,
        [
            ("consent_refused", 1, &json!({"line": 2, "reference": "r-2"})),
            ("invalid_request", 1, &json!({"line": 4, "reference": "short"})),
            ("malformed_json", 1, &json!({"line": 6, "reference": null})),
            ("no_opt_in", 1, &json!({"line": 3, "reference": "r-3"})),
        ]
    );
    let text = found.to_string();
    assert!(!text.contains("2025550"), "no number is repeated: {text}");
    assert_eq!(stage.sale().await["messages"], 0);
    let ask = json!({"to": "+12025550003"});
    assert_eq!(stage.post("acme/sender", "/v1/contacts/show", &ask).await.code(), "not_found", "nobody was made");
    let refused = stage.loaded(&[to(1), to(2), to(3)]).await;
    let codes: Vec<&Value> = refused.iter().map(|line| &line["error"]["code"]).collect();
    assert_eq!(codes, [&Value::Null, &json!("consent_refused"), &json!("no_opt_in")]);
}

#[tokio::test]
async fn a_plan_says_how_long_it_takes_and_who_gets_nothing() {
    let stage = Stage::with(|settings| settings.consent.require_opt_in = true).await;
    let slow = json!({"sessions": [{
        "tenant": "acme", "name": "slow", "phone_number_id": "900100200300509", "token": "EAAB", "per_second": 10,
        "burst": 1,
    }]});
    stage.put_operator("/v1/admin/declarations", &slow).await.expect(200);
    let marketing = json!({"from": "slow", "template": {"name": "sale", "language": "de"}});
    stage.put("acme/admin", SALE, &marketing).await.expect(200);
    assert_eq!(stage.post("acme/auditor", &format!("{SALE}/plan"), &json!({})).await.expect(200)["messages"], 0);
    let consent =
        |n: u32, allowed: bool| json!({"to": format!("+1202555{n:04}"), "marketing": allowed, "source": "web form"});
    for n in 0..60 {
        stage.put("acme/sender", "/v1/contacts/consent", &consent(n, true)).await.expect(200);
    }
    let loaded = stage.loaded(&(0..60).map(to).collect::<Vec<_>>()).await;
    assert!(loaded.iter().all(|line| line["replayed"] == false), "{loaded:?}");
    // Two of them change their minds, and one of those two times the same person is asked.
    stage.put("acme/sender", "/v1/contacts/consent", &consent(7, false)).await.expect(200);
    let again = json!({"to": "+12025550008", "reference": "a second one"});
    stage.loaded(&[again]).await;
    let planned = stage.post("acme/auditor", &format!("{SALE}/plan"), &json!({})).await.expect(200);
    assert_eq!((&planned["messages"], &planned["would_send"]), (&json!(61), &json!(60)), "{planned}");
    assert_eq!((&planned["opted_out"], &planned["portfolio_people"]), (&json!(1), &json!(59)));
    assert_eq!((&planned["not_planned"], &planned["would_expire"]), (&json!(0), &json!(0)));
    let seconds = planned["seconds"].as_f64().expect("a number");
    assert!((5.8..=6.2).contains(&seconds), "{planned}");
    assert_eq!(planned["binding"][0]["limit"], "number");
    assert_eq!(stage.step("start").await.expect(200)["state"], "running");
    assert_eq!(stage.sale().await["messages"], 61);
    stage.step("cancel").await.expect(200);
    assert_eq!(stage.post("acme/auditor", &format!("{SALE}/plan"), &json!({})).await.code(), "wrong_state");
}

/// The tenant's rows may be behind: what they say then is no answer to anybody.
#[tokio::test]
async fn a_step_that_the_rows_do_not_show_is_neither_effective_nor_taken_for_done() {
    let stage = Stage::new().await;
    stage.declared().await;
    stage.caught_up().await;
    stage.loaded(&[to(1)]).await;
    stage.step("start").await.expect(200);
    stage.caught_up().await;
    let moves = || {
        let home = stage.journal.contents(stage.app.partition_of(stage.tenant("acme")));
        home.iter().filter(|entry| matches!(entry.record.event(), Ok(Event::CampaignMoved(_)))).count()
    };
    let before = moves();
    stage.store.hold_commits();
    let (path, why) = (format!("{SALE}/pause"), json!({"reason": "complaints"}));
    let paused = stage.post("acme/admin", &path, &why).await.expect(202);
    assert_eq!(paused["effective"], false);
    let (path, why) = (format!("{SALE}/resume"), json!({"reason": "answered"}));
    let resumed = stage.post("acme/admin", &path, &why).await.expect(202);
    assert_eq!((&resumed["state"], &resumed["effective"]), (&json!("running"), &json!(false)));
    assert_eq!(moves(), before + 2, "the rows said that it runs, and a pause was on its way");
    stage.store.release_commits();
    assert_eq!(stage.sale().await["state"], "running");
}
