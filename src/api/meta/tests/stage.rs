//! A node's floor 3 over doubles: one tenant, one session on the recorded phone number id, a router, and a projection that
//! applies what the journal holds.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use sha2::Sha256;

use crate::api::auth::OperatorKey;
use crate::api::key::NewKey;
use crate::api::meta::{Callbacks, router};
use crate::api::state::{App, Parts};
use crate::api::tests::described::Asked;
use crate::config::Settings;
use crate::domain::draft::Draft;
use crate::domain::event::{ApiKeyIssuedV1, Event, Role, SessionDeclaredV1, TenantDeclaredV1};
use crate::domain::failure::{Bucket, CodeRow, CodeTable, FailureClass};
use crate::domain::id::{EventId, InstallationId, KeyId, NodeId, SessionId, TenantId};
use crate::domain::projection::{self, Append, At};
use crate::domain::record::{Micros, Position, Principal, Record};
use crate::domain::row::{Row, RowId, Rows};
use crate::domain::table::Table;
use crate::journal::{Appended, Entry, Genesis, Journal, Unruly};
use crate::runtime::{Entropy, Health, ManualClock, SeededEntropy};
use crate::store::rows::{self, Named};
use crate::store::{Commit, MemoryStore, Store};
use crate::vault::{Alias, MemoryVault, Vault};

pub(in crate::api) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(in crate::api) const ACCOUNT: &str = "900100200300501";
pub(in crate::api) const NOW: Micros = 1_795_000_100_000_000;
const COUNT: u16 = 8;

pub(in crate::api) struct Stage {
    pub(in crate::api) app: Arc<App>,
    pub(in crate::api) router: Router,
    pub(in crate::api) journal: Arc<Unruly>,
    pub(in crate::api) vault: Arc<MemoryVault>,
    pub(in crate::api) store: Arc<MemoryStore>,
    pub(in crate::api) clock: Arc<ManualClock>,
    pub(in crate::api) health: Arc<Health>,
    pub(in crate::api) tenant: TenantId,
    pub(in crate::api) session: SessionId,
    pub(in crate::api) key: String,
}

/// What was answered.
#[derive(Debug)]
pub(in crate::api) struct Reply {
    pub(in crate::api) status: StatusCode,
    pub(in crate::api) headers: axum::http::HeaderMap,
    pub(in crate::api) body: Vec<u8>,
}

impl Reply {
    pub(in crate::api) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON answer")
    }
}

impl Stage {
    /// A node with its tenant `acme`, the session `orders` and a sender's key, all applied.
    pub(in crate::api) async fn new() -> Self {
        let installation = InstallationId([5; 16]);
        let tenant = TenantId::named(installation, "acme");
        let entropy = Arc::new(SeededEntropy::new(11));
        let key = NewKey::draw(&*entropy, false);
        let (journal, clock) =
            (Arc::new(Unruly::with_gaps(Genesis::new(installation, COUNT))), Arc::new(ManualClock::at(NOW)));
        let vault = Arc::new(MemoryVault::new(installation, COUNT, entropy.clone()));
        let (store, health) = (Arc::new(MemoryStore::new()), Arc::new(Health::default()));
        let app = Arc::new(App::new(Parts {
            journal: journal.clone(),
            store: store.clone(),
            vault: vault.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            health: health.clone(),
            settings: Arc::new(settings()),
            node: NodeId(entropy.id()),
            operator: OperatorKey::nobody(),
        }));
        let callbacks = Callbacks::new(app.clone(), Arc::new(codes())).expect("literal secrets");
        let router = router(Arc::new(callbacks)).merge(crate::api::graph::router(app.clone()));
        let router = crate::api::finished(router, &app);
        let session = SessionId::named(tenant, "orders");
        let text = key.text.to_string();
        let stage = Self { app, router, journal, vault, store, clock, health, tenant, session, key: text };
        stage.declare(&key).await;
        stage
    }

    async fn declare(&self, key: &NewKey) {
        let tenant = self.tenant;
        let named = TenantDeclaredV1 {
            tenant,
            name: "acme".into(),
            display_name: String::new(),
            per_second: 10,
            burst: 20,
            require_opt_in: None,
            require_window: None,
            quiet_hours: None,
            queue_max: None,
        };
        let issued =
            ApiKeyIssuedV1 { key: key.id, tenant, name: "k".into(), role: Role::Sender, test: false, hash: key.hash };
        let declared = SessionDeclaredV1 {
            session: self.session,
            tenant,
            name: "orders".into(),
            channel: "whatsapp".into(),
            account: ACCOUNT.into(),
            waba: None,
            app: None,
            portfolio: None,
            per_second: 80,
            burst: 80,
            test: false,
            members: None,
        };
        self.write(tenant, &Event::from(named)).await;
        self.write(tenant, &Event::from(issued)).await;
        self.write(self.session, &Event::from(declared)).await;
        self.apply().await;
    }

    /// Appends an event of this node's own.
    pub(in crate::api) async fn write(&self, address: impl Into<crate::domain::address::Address>, event: &Event) {
        let address = address.into();
        let id = EventId(self.app.entropy.id());
        let draft = Draft::new(id, address, event, Principal::Operator, NOW).tenant(self.tenant);
        let record = draft.record().expect("a small record");
        let answer = self.journal.append(self.app.partition_of(address), vec![record]).await;
        assert!(matches!(answer, Appended::Durable { .. }), "{answer:?}");
    }

    pub(in crate::api) async fn call(&self, request: Request<Body>) -> Reply {
        let service = TowerToHyperService::new(self.router.clone());
        let (asked, request) = Asked::of(request).await;
        let response = service.call(request).await.expect("a router never fails");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes().to_vec();
        asked.answered(parts.status, &parts.headers, &body);
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// A signed callback.
    pub(in crate::api) async fn post(&self, body: &[u8]) -> Reply {
        self.post_signed(body, Some(&sign(SECRET, body))).await
    }

    pub(in crate::api) async fn post_signed(&self, body: &[u8], signature: Option<&str>) -> Reply {
        let mut request = Request::post("/callbacks/meta");
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        self.call(request.body(Body::from(body.to_vec())).expect("a request")).await
    }

    /// Everything that stands in the journal beside genesis and declarations, in order of partition and position.
    pub(in crate::api) fn written(&self) -> Vec<Arc<Entry>> {
        let all = (0..COUNT).flat_map(|partition| self.journal.contents(partition));
        all.filter(|entry| entry.record.header.by == Principal::Meta).collect()
    }

    /// The events that Meta brought about, by name.
    pub(in crate::api) fn names(&self) -> Vec<&'static str> {
        let written = self.written();
        let mut names: Vec<_> = written.iter().map(|entry| event(&entry.record).name()).collect();
        names.sort_unstable();
        names
    }

    /// The text under a record's seal.
    pub(in crate::api) async fn open(&self, record: &Record) -> Option<Value> {
        let header = &record.header;
        let tenant = header.tenant.unwrap_or_default();
        let opened = self.vault.open(tenant, header.key?, &header.id.0, &record.body).await;
        Some(serde_json::from_slice(&opened.expect("it opens")).expect("JSON"))
    }

    pub(in crate::api) async fn contact(&self, alias: Alias) -> Option<KeyId> {
        self.vault.find(self.tenant, &alias).await.expect("a vault")
    }

    pub(in crate::api) async fn row(&self, id: RowId) -> Option<Row> {
        rows::get(&*self.store, &id).await.expect("a store")
    }

    /// The digest of every row.
    pub(in crate::api) async fn digest(&self) -> [u8; 32] {
        self.store.digest(&Table::ALL).await.expect("a store")
    }

    /// Applies what was not applied yet.
    pub(in crate::api) async fn apply(&self) {
        for partition in 0..COUNT {
            let applied = self.store.applied(partition).await.expect("a store");
            let from = applied.map_or(0, |at| at.0 + 1);
            let entries = self.journal.contents(partition);
            for entry in entries.iter().filter(|entry| entry.position.0 >= from) {
                self.apply_one(entry).await;
            }
        }
        self.clock.advance(std::time::Duration::from_secs(6));
    }

    async fn apply_one(&self, entry: &Entry) {
        let (partition, position) = (entry.partition, entry.position);
        let at = At { partition, position, header: &entry.record.header };
        let (event, mut all) = (event(&entry.record), Rows::default());
        loop {
            let wanted = projection::needs(at, &event, &all);
            if wanted.is_empty() {
                break;
            }
            for id in wanted {
                all.load(id, self.row(id).await);
            }
        }
        let applied = projection::apply(at, &event, &mut all).expect("a known event");
        let mut puts = Vec::new();
        for id in all.take_changed() {
            puts.push(rows::put(&id, all.get(&id).expect("written"), position).expect("a row"));
        }
        for (number, append) in applied.appends.into_iter().enumerate() {
            puts.extend(put(append, partition, number, position));
        }
        let commit = Commit { partition, through: position, puts, drops: Vec::new() };
        self.store.commit(commit).await.expect("a store");
    }
}

fn put(append: Append, partition: u16, number: usize, at: Position) -> Option<crate::store::Put> {
    Some(match append {
        Append::Name { kind, scope, name, id } => rows::put_name(kind, partition, &Named { scope, name, id }, at),
        Append::Feed { tenant, row } => {
            let number = u16::try_from(number).expect("few");
            rows::put_feed(tenant, partition, number, &row, at).expect("a row")
        }
        Append::Outbox { session, priority, message } => rows::put_outbox((session, priority), message, at),
        Append::Failing { tenant, row } => {
            let number = u16::try_from(number).expect("few");
            rows::put_failing(tenant, partition, number, &row, at).expect("a row")
        }
        Append::Due { at: due, place, message } => rows::put_due(partition, (due, place, message), at),
        Append::Moved { to, message } => rows::put_moved(partition, to, (at, message), at),
        Append::Gated { closing, at: place, message } => rows::put_gated(partition, closing, (place, message), at),
        Append::OfContact { contact, row } => rows::put_of_contact(partition, contact, row, at).expect("a row"),
        Append::Request { tenant, row } => rows::put_request(tenant, partition, &row, at).expect("a row"),
        Append::AuditHash { .. } | Append::Quarantine { .. } => return None,
    })
}

pub(in crate::api) fn event(record: &Record) -> Event {
    record.event().expect("facts that decode")
}

pub(in crate::api) fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn settings() -> Settings {
    let text = format!(
        "[meta]\napp_secrets = [\"literal:old\", \"literal:{SECRET}\"]\nverify_token = \"literal:vt-example\"\n\
         [consent]\nrequire_opt_in = false\nrequire_window = false\n"
    );
    Settings::parse(&text, "test", std::iter::empty()).expect("good settings")
}

fn codes() -> CodeTable {
    let row = |code, class, async_class| CodeRow {
        from: code,
        to: code,
        subcode: None,
        class,
        async_class,
        retry_after_ms: None,
        meaning: String::new(),
        action: String::new(),
    };
    CodeTable::new(vec![
        row(131_026, FailureClass::Recipient, None),
        row(131_000, FailureClass::Ambiguous, Some(FailureClass::Retry)),
        row(131_050, FailureClass::Recipient, None),
        row(131_064, FailureClass::Throttle(Bucket::Portfolio), None),
        row(132_015, FailureClass::Throttle(Bucket::Template), None),
    ])
    .expect("no row says what another says")
}
