//! A node's floor 3 over doubles, with two tenants declared through the API itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use super::applier::Applier;
use super::described::Asked;
use crate::api::applied::reached;
use crate::api::state::{App, Parts};
use crate::api::{OperatorKey, router};
use crate::config::Settings;
use crate::domain::draft::Draft;
use crate::domain::id::{InstallationId, NodeId, TenantId};
use crate::domain::record::{Micros, Position};
use crate::journal::{Appended, Genesis, Journal, Unruly};
use crate::runtime::{Health, ManualClock, SeededEntropy};
use crate::store::MemoryStore;
use crate::vault::MemoryVault;

pub(super) const NOW: Micros = 1_795_000_000_000_000;
pub(super) const COUNT: u16 = 4;
pub(super) const TO: &str = "+12025550123";

/// The stage.
pub(in crate::api) struct Stage {
    pub(super) app: Arc<App>,
    pub(super) router: Router,
    pub(super) journal: Arc<Unruly>,
    pub(super) vault: Arc<MemoryVault>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) health: Arc<Health>,
    pub(super) operator: String,
    /// By `tenant/name`.
    pub(super) keys: HashMap<String, String>,
    pub(super) applier: Option<Applier>,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    /// The problem's code, after a look at the document around it.
    #[track_caller]
    pub(super) fn code(&self) -> String {
        let document = self.json();
        assert_eq!(self.headers["content-type"], "application/problem+json", "{document}");
        assert_eq!(document["status"], self.status.as_u16(), "{document}");
        let code = document["code"].as_str().expect("a code").to_owned();
        assert_eq!(document["type"], format!("urn:waybill:problem:{code}"));
        let text = |name: &str| document[name].as_str().expect("a text").to_lowercase();
        assert!(!text("detail").contains(&text("title")), "one thing is said twice: {document}");
        code
    }

    /// Panics with the answer unless it has this status.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        self.json()
    }
}

impl Stage {
    /// With the defaults.
    pub(in crate::api) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings. Tenants `acme` and `other`, each with the session `shop`, the endpoint `crm` and keys
    /// `admin`, `sender`, `auditor`, `tester` (a test key).
    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut stage = Self::bare(change);
        let reply = stage.put_operator("/v1/admin/declarations", &declarations()).await;
        let answer = reply.expect(200);
        for key in answer["keys"].as_array().expect("keys") {
            let name =
                format!("{}/{}", key["tenant"].as_str().expect("a tenant"), key["name"].as_str().expect("a name"));
            stage.keys.insert(name, key["key"].as_str().expect("shown once").to_owned());
        }
        stage
    }

    /// Without anything declared.
    pub(super) fn bare(change: impl FnOnce(&mut Settings)) -> Self {
        let installation = InstallationId([5; 16]);
        let entropy = Arc::new(SeededEntropy::new(11));
        let journal = Arc::new(Unruly::with_gaps(Genesis::new(installation, COUNT)));
        let vault = Arc::new(MemoryVault::new(installation, COUNT, entropy.clone()));
        let (store, health) = (Arc::new(MemoryStore::new()), Arc::new(Health::default()));
        let clock = Arc::new(ManualClock::at(NOW));
        let (operator, kept) = OperatorKey::draw(&*entropy);
        let mut settings = Settings::defaults();
        // Most tests write to strangers; what the gates ask for is asked in `consent.rs`.
        settings.consent.require_opt_in = false;
        settings.consent.require_window = false;
        change(&mut settings);
        let app = Arc::new(App::new(Parts {
            journal: journal.clone(),
            store: store.clone(),
            vault: vault.clone(),
            clock: clock.clone(),
            entropy,
            health: health.clone(),
            settings: Arc::new(settings),
            node: NodeId([6; 16]),
            operator: kept,
        }));
        let applier = Applier::start(&app.journal, &store);
        let router = router(app.clone()).merge(crate::api::graph::router(app.clone()));
        let applier = Some(applier);
        Self { app, router, journal, vault, store, clock, health, operator, keys: HashMap::new(), applier }
    }

    pub(super) fn tenant(&self, name: &str) -> TenantId {
        TenantId::named(self.app.journal.genesis().installation, name)
    }

    pub(super) fn key(&self, name: &str) -> &str {
        self.keys.get(name).unwrap_or_else(|| panic!("no key {name}"))
    }

    /// Any request, held against the OpenAPI document.
    pub(super) async fn call(&self, request: Request<Body>) -> Reply {
        let service = TowerToHyperService::new(self.router.clone());
        let (asked, request) = Asked::of(request).await;
        let response = service.call(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        asked.answered(head.status, &head.headers, &body);
        Reply { status: head.status, headers: head.headers, body }
    }

    pub(super) async fn get(&self, key: &str, path: &str) -> Reply {
        self.call(request(Method::GET, path, Some(self.key(key)), None)).await
    }

    pub(super) async fn post(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.call(request(Method::POST, path, Some(self.key(key)), Some(body))).await
    }

    pub(super) async fn put(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.call(request(Method::PUT, path, Some(self.key(key)), Some(body))).await
    }

    pub(super) async fn get_operator(&self, path: &str) -> Reply {
        self.call(request(Method::GET, path, Some(&self.operator), None)).await
    }

    pub(super) async fn put_operator(&self, path: &str, body: &Value) -> Reply {
        self.call(request(Method::PUT, path, Some(&self.operator), Some(body))).await
    }

    /// Sends a message with an idempotency key.
    pub(super) async fn send_with(&self, key: &str, idempotency: &str, body: &Value) -> Reply {
        let mut request = request(Method::POST, "/v1/messages", Some(self.key(key)), Some(body));
        request.headers_mut().insert("idempotency-key", idempotency.parse().expect("a header"));
        self.call(request).await
    }

    /// Sends a text with acme's sender key; its id.
    pub(super) async fn sent(&self) -> String {
        let answer = self.post("acme/sender", "/v1/messages", &text("hello")).await.expect(202);
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// The message, once everything is applied.
    pub(super) async fn shown(&self, id: &str) -> Value {
        self.caught_up().await;
        self.get("acme/auditor", &format!("/v1/messages/{id}")).await.expect(200)
    }

    /// Waits until rows show all that the journal holds.
    pub(super) async fn caught_up(&self) {
        for partition in 0..COUNT {
            let last = Position(self.journal.end(partition).0 - 1);
            let seen = reached(&self.app, partition, last, Duration::from_secs(10)).await;
            assert!(seen.expect("readable"), "partition {partition} is not applied");
        }
    }

    /// Appends an event of somebody else (a session's actor, Meta) and waits until it is applied.
    pub(super) async fn happens(&self, partition: u16, draft: Draft) -> Position {
        let record = draft.record().expect("small");
        let Appended::Durable { first, .. } = self.journal.append(partition, vec![record]).await else {
            panic!("the journal behaves");
        };
        self.caught_up().await;
        first
    }
}

/// A request; with a body it is JSON.
pub(super) fn request(method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    match body {
        Some(body) => {
            request.header("content-type", "application/json").body(Body::from(body.to_string())).expect("a request")
        }
        None => request.body(Body::empty()).expect("a request"),
    }
}

/// A text from `shop`.
pub(super) fn text(body: &str) -> Value {
    json!({"from": "shop", "to": TO, "type": "text", "text": {"body": body}})
}

/// Two tenants that have the same names for everything.
pub(super) fn declarations() -> Value {
    let tenants = ["acme", "other"];
    let numbers = ["900100200300501", "900100200300502"];
    let each = |make: &dyn Fn(&str, &str) -> Value| -> Vec<Value> {
        tenants.iter().zip(numbers).map(|(tenant, number)| make(tenant, number)).collect()
    };
    let roles = [
        ("admin", "admin", false),
        ("sender", "sender", false),
        ("auditor", "auditor", false),
        ("tester", "sender", true),
    ];
    let keys: Vec<Value> = tenants
        .iter()
        .flat_map(|tenant| {
            roles.map(|(name, role, test)| json!({"tenant": tenant, "name": name, "role": role, "test": test}))
        })
        .collect();
    json!({
        "tenants": each(&|tenant, _| json!({"name": tenant, "per_second": 100_000, "burst": 100_000})),
        "sessions": each(&|tenant, number| json!({
            "tenant": tenant, "name": "shop", "phone_number_id": number, "token": format!("EAAB{number}"),
        })),
        "endpoints": each(&|tenant, _| json!({
            "tenant": tenant, "name": "crm", "url": "https://crm.example/hooks", "events": ["message.*"],
        })),
        "keys": keys,
    })
}
