//! A house whose journal, rows and vault are all in clusters, and further nodes beside its own: each with its own folder and port.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use waybill::domain::id::{InstallationId, SessionId, TenantId};
use waybill::domain::routing;

use super::super::process::house::{House, Plan, SESSIONS, free_port};
use super::super::process::http::Http;
use super::super::process::node::Node;
use super::service::{Broker, Database};
use super::{init, on_kafka};

/// Partitions of these houses.
pub const PARTITIONS: u16 = 8;

/// How long a node may take until it is ready.
const START: Duration = Duration::from_secs(60);

/// A house that other nodes may share; nothing is founded yet.
pub async fn shared(plan: Plan, broker: &Broker, database: &Database) -> House {
    let mut house = on_kafka(plan, broker).await;
    for section in ["store", "vault"] {
        house.set(&format!("{section}.kind"), "cql");
        house.set(&format!("{section}.cql.nodes"), vec![toml::Value::from(database.address.clone())]);
        house.set(&format!("{section}.cql.replicas"), 1);
        house.set(&format!("{section}.cql.request_timeout"), "2s");
    }
    house.set("vault.key_file", house.folder().join("instance.key").display().to_string());
    name(&mut house, 0);
    house
}

fn name(house: &mut House, number: u32) {
    house.set("journal.kafka.topic", format!("house-{}-{number}", house.port));
    house.set("store.cql.keyspace", format!("rows_{}_{number}", house.port));
    house.set("vault.cql.keyspace", format!("vault_{}_{number}", house.port));
}

/// Founds an installation in which both halves of the partitions have sessions: which node gets which half is not known before.
pub async fn found(house: &mut House) {
    for number in 1.. {
        let (code, said) = init(house).await;
        assert_eq!(code, 0, "{said}");
        let installation =
            said.split("journal of ").nth(1).and_then(|rest| rest.split(' ').next()).expect("it says whose");
        let tenant = TenantId::named(installation.parse::<InstallationId>().expect("an installation"), "shop");
        let home = |name: &&str| routing::partition(&SessionId::named(tenant, name).into(), PARTITIONS);
        let low = SESSIONS.iter().filter(|name| home(name) < PARTITIONS / 2).count();
        if (1..SESSIONS.len()).contains(&low) {
            return;
        }
        name(house, number);
        std::fs::remove_file(house.folder().join("instance.key")).expect("it was made");
    }
}

/// A further node.
pub struct Neighbour {
    pub port: u16,
    pub http: Http,
    settings: PathBuf,
    log: PathBuf,
    arguments: Vec<String>,
    node: Option<Node>,
}

impl Neighbour {
    /// Beside the house's own; `change` is made to its settings. It is not started yet.
    pub fn of(house: &House, name: &str, arguments: &[&str], change: impl FnOnce(&mut toml::Table)) -> Self {
        let text = std::fs::read_to_string(house.settings()).expect("the house's settings");
        let mut settings: toml::Table = text.parse().expect("TOML");
        let port = free_port();
        let mut put = |section: &str, key: &str, value: String| {
            settings[section].as_table_mut().expect("a section").insert(key.to_owned(), value.into());
        };
        put("data", "dir", house.folder().join(name).display().to_string());
        put("server", "listen", format!("127.0.0.1:{port}"));
        change(&mut settings);
        let file = house.folder().join(format!("{name}.toml"));
        std::fs::write(&file, settings.to_string()).expect("its settings");
        Self {
            port,
            http: Http::new(format!("http://127.0.0.1:{port}")),
            settings: file,
            log: house.folder().join(format!("{name}.log")),
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            node: None,
        }
    }

    /// Starts it without waiting for anything.
    pub fn spawn(&mut self, house: &House) -> &mut Node {
        let settings = self.settings.to_str().expect("UTF-8");
        let mut arguments = vec!["serve", "--config", settings];
        arguments.extend(self.arguments.iter().map(String::as_str));
        let (binary, environment) = house.program();
        self.node.insert(Node::spawn(binary, &arguments, environment, &self.log))
    }

    /// Starts it, and waits until it takes messages.
    pub async fn start(&mut self, house: &House) {
        self.spawn(house);
        let until = Instant::now() + START;
        while !self.http.get("/readyz", "").await.is_ok_and(|reply| reply.status == 200) {
            let node = self.node();
            assert!(node.ended().is_none() && Instant::now() < until, "not ready:\n{}", node.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn node(&mut self) -> &mut Node {
        self.node.as_mut().expect("it was started")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.node().kill();
        self.node = None;
    }

    /// SIGTERM; how long its end took.
    pub async fn stop(&mut self) -> Duration {
        let (began, node) = (Instant::now(), self.node());
        node.ask_to_stop();
        let code = node.exit_code(Duration::from_secs(30)).await;
        assert_eq!(code, 0, "{}", node.said());
        self.node = None;
        began.elapsed()
    }

    /// Waits until it owns so many partitions; says how long that took.
    pub async fn owns(&self, count: u16, patience: Duration) -> Duration {
        owns(&self.http, count, patience).await
    }
}

/// Waits until a node owns so many partitions; says how long that took.
pub async fn owns(http: &Http, count: u16, patience: Duration) -> Duration {
    let began = Instant::now();
    loop {
        let reply = http.get("/metrics", "").await;
        let text = reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned()).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("waybill_partitions_owned"));
        let owned = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        if owned == Some(f64::from(count)) {
            return began.elapsed();
        }
        assert!(began.elapsed() < patience, "it owns {owned:?} of {count} after {patience:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
