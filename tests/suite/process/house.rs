//! The house: a data folder, a simulator of Meta, a customer's sink, and the real binary between them.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use waybill_loadtest::graph::{CallbackConfig, Simulator, SimulatorConfig};
use waybill_loadtest::sink::{Sink, SinkConfig};

use super::http::{Http, Reply};
use super::node::{Node, binary};

/// Signs callbacks.
pub const APP_SECRET: &str = "5ec2e70f5ec2e70f5ec2e70f5ec2e70f";
/// Signs notifications.
pub const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Where Meta's callbacks arrive.
pub const CALLBACKS: &str = "/callbacks/meta";
/// The senders of every house.
pub const SESSIONS: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];

/// Meta's id of a session's number.
pub fn phone_number_id(session: usize) -> String {
    format!("90010020030050{session}")
}

/// Houses stand one after the other: two at once would measure each other.
static TURN: Semaphore = Semaphore::const_new(1);

/// How long a node may take until it is ready.
const START: Duration = Duration::from_secs(60);

/// What a house is built with.
pub struct Plan {
    pub simulator: SimulatorConfig,
    pub binary: PathBuf,
    pub environment: Vec<(String, String)>,
    /// What the endpoint is told.
    pub events: Vec<&'static str>,
    settings: toml::Table,
}

impl Plan {
    /// No limit of Meta's or ours in the way, deadlines that a test can wait for, and unknown outcomes held: so nothing is
    /// ever sent twice on purpose.
    pub fn new() -> Self {
        let callback = CallbackConfig {
            app_secret: APP_SECRET.to_owned(),
            delivered_ms: 30,
            read_share: 0.0,
            max_batch: 50,
            batch_ms: 20,
            // For as long as any test keeps the node away.
            attempts: 10_000,
            retry_max_ms: 500,
            timeout_ms: 5_000,
            ..CallbackConfig::default()
        };
        let settings = include_str!("settings.toml").parse().expect("the settings of the tests are TOML");
        Self {
            simulator: SimulatorConfig { callback, ..SimulatorConfig::unlimited() },
            binary: binary(),
            environment: Vec::new(),
            events: vec!["message.*"],
            settings,
        }
    }

    /// Sets a key, `section.key` or deeper.
    pub fn set(mut self, key: &str, value: impl Into<toml::Value>) -> Self {
        put(&mut self.settings, key, value.into());
        self
    }
}

fn put(table: &mut toml::Table, key: &str, value: toml::Value) {
    match key.split_once('.') {
        None => drop(table.insert(key.to_owned(), value)),
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| toml::Table::new().into());
            put(inner.as_table_mut().expect("a section"), rest, value);
        }
    }
}

/// A house. Dropped, it kills its node and removes its folder.
pub struct House {
    pub simulator: Simulator,
    pub sink: Sink,
    pub http: Http,
    /// The key of tenant `shop`; empty before [`House::declare`].
    pub key: String,
    pub port: u16,
    node: Option<Node>,
    plan: Plan,
    folder: TempDir,
    _turn: SemaphorePermit<'static>,
}

impl House {
    /// Simulator, sink, node and declarations: ready to take messages.
    pub async fn open(plan: Plan) -> Self {
        let mut house = Self::build(plan).await;
        house.start().await;
        house.declare().await;
        house
    }

    /// Everything but the node.
    pub async fn build(mut plan: Plan) -> Self {
        let turn = TURN.acquire().await.expect("never closed");
        let folder = tempfile::Builder::new().prefix("waybill-house").tempdir().expect("a folder");
        let port = free_port();
        let base = format!("http://127.0.0.1:{port}");
        plan.simulator.callback.url = Some(format!("{base}{CALLBACKS}"));
        let simulator = Simulator::start(plan.simulator.clone()).await.expect("a simulator");
        let sink = Sink::start(SinkConfig { secrets: vec![SIGNING.to_owned()], ..SinkConfig::default() }).await;
        let sink = sink.expect("a sink");
        let data = folder.path().join("data");
        let plan = match plan.settings.get("data") {
            Some(_) => plan,
            None => plan.set("data.dir", data.display().to_string()),
        };
        let plan = plan.set("webhooks.allowed_ports", vec![i64::from(sink.addr().port())]);
        let plan = plan.set("server.listen", format!("127.0.0.1:{port}")).set("meta.graph_url", simulator.base_url());
        let house = Self {
            simulator,
            sink,
            http: Http::new(base),
            key: String::new(),
            port,
            node: None,
            plan,
            folder,
            _turn: turn,
        };
        house.write_settings();
        house
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, key: &str, value: impl Into<toml::Value>) {
        put(&mut self.plan.settings, key, value.into());
        self.write_settings();
    }

    fn write_settings(&self) {
        std::fs::write(self.settings(), self.plan.settings.to_string()).expect("a settings file");
    }

    /// The settings file.
    pub fn settings(&self) -> PathBuf {
        self.folder.path().join("waybill.toml")
    }

    /// The binary, and the variables it is started with.
    pub fn program(&self) -> (&Path, &[(String, String)]) {
        (&self.plan.binary, &self.plan.environment)
    }

    /// A folder of this house's own, beside its data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        PathBuf::from(self.plan.settings["data"]["dir"].as_str().expect("a path"))
    }

    pub fn node(&mut self) -> &mut Node {
        self.node.as_mut().expect("the node was started")
    }

    /// Starts the node without waiting for anything.
    pub fn spawn(&mut self) -> &mut Node {
        let (settings, log) = (self.settings(), self.folder.path().join("node.log"));
        let arguments = ["serve", "--config", settings.to_str().expect("UTF-8")];
        self.node.insert(Node::spawn(&self.plan.binary, &arguments, &self.plan.environment, &log))
    }

    /// Starts the node and waits until it is ready; says how long that took.
    pub async fn start(&mut self) -> Duration {
        let began = Instant::now();
        self.spawn();
        self.ready().await;
        began.elapsed()
    }

    /// Waits until the node takes messages.
    pub async fn ready(&mut self) {
        let until = Instant::now() + START;
        loop {
            let answer = self.http.get("/readyz", "").await;
            if answer.as_ref().is_ok_and(|reply| reply.status == 200) {
                return;
            }
            let node = self.node();
            if let Some(status) = node.ended() {
                panic!("the node ended with {status}:\n{}", node.said());
            }
            assert!(Instant::now() < until, "not ready after {START:?}, last {answer:?}:\n{}", node.said());
            // Nothing of another process can be awaited but its answer.
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.node().kill();
        self.node = None;
    }

    /// SIGTERM, and the end in order.
    pub async fn stop(&mut self) {
        let node = self.node();
        node.ask_to_stop();
        let code = node.exit_code(Duration::from_secs(30)).await;
        assert_eq!(code, 0, "{}", node.said());
        self.node = None;
    }

    /// Starts a node that must refuse to; its exit code and words.
    pub async fn refused(&mut self) -> (i32, String) {
        let node = self.spawn();
        let code = node.exit_code(START).await;
        let said = node.said();
        self.node = None;
        (code, said)
    }

    /// The operator's key.
    pub fn operator(&self) -> String {
        let text = std::fs::read_to_string(self.data().join("operator.key")).expect("the node wrote it");
        text.trim().to_owned()
    }

    /// Tenant `shop` with five sessions, the sink as its endpoint, and a key.
    pub async fn declare(&mut self) {
        let url = self.sink.url();
        self.declare_to(&url, SIGNING).await;
    }

    /// The same with another endpoint.
    pub async fn declare_to(&mut self, endpoint: &str, secret: &str) {
        let answer = self.put_declaration(&self.declaration(endpoint, secret)).await;
        self.key = key_in(&answer.json()).unwrap_or_else(|| panic!("no key in {answer}"));
    }

    /// Puts a declaration as the operator.
    async fn put_declaration(&self, declaration: &Value) -> Reply {
        let put = self.http.json(Method::PUT, "/v1/admin/declarations", &self.operator(), declaration).await;
        let reply = put.expect("an answer");
        assert!((200..300).contains(&reply.status), "{reply}");
        reply
    }

    fn declaration(&self, endpoint: &str, secret: &str) -> Value {
        let session = |(n, name): (usize, &&str)| {
            json!({"tenant": "shop", "name": name, "channel": "whatsapp", "phone_number_id": phone_number_id(n),
                "token": "simulator-token", "test": false, "per_second": 1000, "burst": 1000})
        };
        json!({
            "tenants": [{"name": "shop", "display_name": "Shop", "per_second": 100_000, "burst": 100_000}],
            "sessions": SESSIONS.iter().enumerate().map(session).collect::<Vec<_>>(),
            "endpoints": [{"tenant": "shop", "name": "sink", "url": endpoint, "secret": secret, "events": self.plan.events}],
            "keys": [{"tenant": "shop", "name": "backend", "role": "admin", "test": false}],
            "dry_run": false,
        })
    }

    /// Hands in a text message; its id.
    pub async fn accept(&self, from: &str, to: &str, text: &str) -> String {
        let reply = self.hand_in(from, to, text).await.expect("an answer");
        assert_eq!(reply.status, 202, "{reply}");
        reply.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Hands in a text message; whatever is answered.
    pub async fn hand_in(&self, from: &str, to: &str, text: &str) -> Result<Reply, String> {
        let body = json!({"from": from, "to": to, "type": "text", "text": {"body": text}});
        self.http.json(Method::POST, "/v1/messages", &self.key, &body).await
    }

    /// Waits until a message is in one of these states; its whole document.
    pub async fn until(&self, id: &str, states: &[&str]) -> Value {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let reply = self.http.get(&format!("/v1/messages/{id}"), &self.key).await.expect("an answer");
            let message = reply.json();
            if states.contains(&message["state"].as_str().unwrap_or_default()) {
                return message;
            }
            assert!(Instant::now() < until, "not {states:?}: {reply}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Posts a callback as Meta does, with this signature.
    pub async fn callback(&self, body: Bytes, signature: Option<&str>) -> Reply {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(signature.map(|signature| ("x-hub-signature-256", signature)));
        self.http.call(Method::POST, CALLBACKS, &headers, body).await.expect("an answer")
    }
}

/// The first text of an API key in an answer.
fn key_in(answer: &Value) -> Option<String> {
    match answer {
        Value::String(text) => text.starts_with("wb_live_").then(|| text.clone()),
        Value::Array(all) => all.iter().find_map(key_in),
        Value::Object(all) => all.values().find_map(key_in),
        _ => None,
    }
}

/// A port that nothing listens on, below the range from which the system takes ports for outgoing connections: while the
/// node is away, one of those could otherwise take the node's own port.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 10_000).expect("below 10,000");
    for _ in 0..10_000 {
        let port = 20_000 + (begin + NEXT.fetch_add(1, Relaxed)) % 10_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free between 20000 and 30000");
}
