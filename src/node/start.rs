//! Starting and stopping a node.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorRef};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::column::Column;
use super::error::StartError;
use super::folder::Folder;
use super::group::{self, Membership};
use super::listeners::Listeners;
use super::{column, limits, operator, rows, survey, vaults, watch as watching};
use crate::actors::egress::Egress;
use crate::actors::hands::Hands;
use crate::actors::registry::Registry;
use crate::actors::root::{Order, Root, RootArgs};
use crate::api::{self, App, OperatorKey, Parts};
use crate::channel::Channel;
use crate::channel::null::NullChannel;
use crate::channel::whatsapp::{self, WhatsApp};
use crate::config::{NodeRole, Settings};
use crate::domain::failure::CodeTable;
use crate::domain::id::NodeId;
use crate::journal::{FolderLock, Journal};
use crate::runtime::health::RESTORED;
use crate::runtime::{Clock, Entropy, Health, SystemClock, SystemEntropy};
use crate::store::Store;
use crate::telemetry::{self, Exporter};
use crate::vault::Vault;
use crate::webhook::{Guard, Ports, Poster, PosterSettings};

/// Meta's table of error codes, as data.
const META_ERRORS: &str = include_str!("../../config/meta-errors.toml");

/// How long a node that stops waits for others to own what it did, beyond the time of an attempt: as long as its partitions
/// go on, and some more for the last outcomes.
const HANDOVER: Duration = Duration::from_secs(12);

/// A running node.
pub struct Node {
    hands: Hands,
    addr: SocketAddr,
    operator_key: String,
    root: ActorRef<Order>,
    root_ends: JoinHandle<()>,
    shutdown: watch::Sender<bool>,
    fatal: watch::Receiver<Option<String>>,
    tasks: Vec<JoinHandle<()>>,
    /// Its place among nodes that share the partitions.
    membership: Option<Membership>,
    /// The hold on the data folder, where the journal does not have it. Let go last.
    lock: Option<FolderLock>,
}

impl Node {
    /// Opens or founds the installation in `data.dir`, starts the actors and listens.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let settings = Arc::new(settings);
        let folder = Folder::at(&settings.data.dir)?;
        let listeners = Listeners::bind(&settings.server).await?;
        let exporter = telemetry::install().map_err(|error| StartError::Hand(error.to_string()))?;
        let (hands, lock) = open(&settings, &folder).await?;
        let operator_key = operator::key(&settings, &folder, &hands).await?;
        Self::run(settings, folder, listeners, exporter, hands, operator_key).await.map(|node| Self { lock, ..node })
    }

    /// Founds an installation whose journal is in Kafka, and its keyspace where the rows are in a cluster too. Says what was
    /// founded.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn found(settings: &Settings) -> Result<String, StartError> {
        let folder = Folder::at(&settings.data.dir)?;
        let genesis = column::found(settings, &folder, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
        rows::found(settings, genesis).await?;
        Ok(genesis.to_string())
    }

    async fn run(
        settings: Arc<Settings>,
        folder: Folder,
        listeners: Listeners,
        exporter: Exporter,
        hands: Hands,
        operator_key: String,
    ) -> Result<Self, StartError> {
        let older = match watching::older_than_vault(&hands).await {
            None => watching::older_than_rows(&hands).await?,
            older => older,
        };
        if let Some(why) = older {
            tracing::error!(why, "held");
            hands.health.set(RESTORED, Some(why));
        }
        let addr = listeners.addr;
        let (fatal_sender, fatal) = watch::channel(None);
        let (shutdown, stopping) = watch::channel(false);
        let app = Arc::new(App::new(parts(&hands, &settings, &operator_key)?));
        let callbacks = api::meta::Callbacks::new(Arc::clone(&app), code_table()?)?;
        let router = api::router(Arc::clone(&app))
            .merge(api::graph::router(Arc::clone(&app)))
            .merge(api::meta::router(Arc::new(callbacks)));
        let tls = api::tls(&settings).map_err(StartError::Tls)?;
        // Only when nothing else can be refused: actors that are stopped again in the middle of their start say so in the
        // log, before the reason.
        let (asked, ownership) = group::ownership(&settings, hands.journal.genesis().count);
        let args = RootArgs { hands: hands.clone(), ownership };
        let (root, root_ends) =
            Actor::spawn(None, Root, args).await.map_err(|error| StartError::Actors(error.to_string()))?;
        let router = group::is_for(&settings, NodeRole::Api).then_some(router);
        let directory = router.is_some().then(|| api::keep_directory(Arc::clone(&app)));
        let serve = listeners.serve(tls, router, app, exporter.clone(), &settings, stopping);
        let survey = survey::survey(hands.clone(), settings.is_shared());
        // Last: from here on others leave their partitions to this node.
        let membership = asked.join(&settings, &hands)?;
        let mut tasks = vec![
            crate::runtime::spawn("watch", watching::watch(hands.clone(), settings, folder.dir, fatal_sender)),
            crate::runtime::spawn("metrics", exporter.upkeep()),
            crate::runtime::spawn("survey", survey),
        ];
        tasks.extend(directory.map(|directory| crate::runtime::spawn("directory", directory)));
        // The last one: it is waited for when the node stops.
        tasks.push(crate::runtime::spawn("serve", serve));
        Ok(Self { hands, addr, operator_key, root, root_ends, shutdown, fatal, tasks, membership, lock: None })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The key of the instance's own routes.
    #[must_use]
    pub fn operator_key(&self) -> String {
        self.operator_key.clone()
    }

    /// Waits until the process must exit, and says why.
    pub async fn failed(&self) -> String {
        let mut fatal = self.fatal.clone();
        match fatal.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => "the watch over the house ended".to_owned(),
        }
    }

    /// Stops in order: what it owns is left to other nodes, while it goes on; then no more requests, attempts in flight get
    /// their answers and outcomes, then the hands close.
    ///
    /// # Errors
    /// When something could not be closed; nothing acknowledged is lost by it.
    pub async fn stop(mut self) -> Result<(), StartError> {
        self.hand_over().await;
        self.shutdown.send_replace(true);
        self.hands.health.set("stopping", Some("the node is stopping".to_owned()));
        if let Some(serve) = self.tasks.pop() {
            let patience = Duration::from_secs(10);
            // Whoever still talks after that is cut off.
            if tokio::time::timeout(patience, serve).await.is_err() {
                tracing::warn!("requests were cut off while stopping");
            }
        }
        self.drain().await;
        self.root.stop(None);
        if tokio::time::timeout(Duration::from_secs(5), self.root_ends).await.is_err() {
            tracing::warn!("the actors did not stop in time");
        }
        for task in &self.tasks {
            task.abort();
        }
        self.hands.store.close().await?;
        self.hands.vault.close().await?;
        self.hands.journal.close().await?;
        drop(self.lock);
        Ok(())
    }

    /// Leaves the group, and waits until other nodes own what this one did. Until they claim it, it is sent from here; a load
    /// balancer is told at once.
    async fn hand_over(&mut self) {
        let Some(membership) = self.membership.take() else { return };
        let owned = self.hands.registry.owned();
        self.hands.health.leave();
        membership.leave();
        let begun = self.hands.clock.steady();
        let deadline = begun + HANDOVER + self.hands.limits.intent_deadline;
        while self.hands.registry.owned() > 0 && self.hands.clock.steady() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (left, took) = (self.hands.registry.owned(), self.hands.clock.steady().saturating_sub(begun));
        tracing::info!(owned, left, ?took, "partitions were left to other nodes");
    }

    /// Waits for attempts in flight and for their outcomes to be recorded, for as long as an attempt may take.
    async fn drain(&self) {
        let deadline = self.hands.clock.steady() + self.hands.limits.intent_deadline;
        while !self.hands.registry.is_quiet() && self.hands.clock.steady() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if !self.hands.registry.is_quiet() {
            let running = self.hands.registry.running();
            tracing::warn!(running, "stopping before every outcome is recorded; the next start settles what is left");
        }
    }
}

fn parts(hands: &Hands, settings: &Arc<Settings>, operator_key: &str) -> Result<Parts, StartError> {
    Ok(Parts {
        journal: Arc::clone(&hands.journal),
        store: Arc::clone(&hands.store),
        vault: Arc::clone(&hands.vault),
        clock: Arc::clone(&hands.clock),
        entropy: Arc::clone(&hands.entropy),
        health: Arc::clone(&hands.health),
        settings: Arc::clone(settings),
        node: hands.node,
        operator: OperatorKey::of_text(operator_key),
    })
}

/// The number of partitions is part of every address: it is fixed when the folder is founded.
fn is_of_size(folder: &Folder, count: u16, asked: u16) -> Result<(), StartError> {
    if count == asked {
        return Ok(());
    }
    let path = folder.dir.clone();
    let why = format!(
        "it was founded with {count} partitions and the settings ask for {asked}; the number cannot be changed \
         afterwards: set `journal.partitions = {count}`"
    );
    Err(StartError::Folder { path, why })
}

/// Opens the hands that the settings name.
async fn open(settings: &Arc<Settings>, folder: &Folder) -> Result<(Hands, Option<FolderLock>), StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    // The journal first: with it the folder is locked.
    let Column { journal, lock } = column::open(settings, folder, &clock, entropy.as_ref()).await?;
    let genesis = journal.genesis();
    is_of_size(folder, genesis.count, settings.journal.partitions)?;
    let (vault, restored) = vaults::open(settings, folder, genesis, &clock, &entropy).await?;
    let node = NodeId(entropy.id());
    let store = rows::open(settings, folder, genesis, node, &clock).await?;
    let hands = hands(settings, node, (journal, vault, store), (clock, entropy))?;
    hands.health.set(RESTORED, restored);
    Ok((hands, lock))
}

fn code_table() -> Result<Arc<CodeTable>, StartError> {
    whatsapp::codes::parse(META_ERRORS).map(Arc::new).map_err(|error| StartError::Hand(error.to_string()))
}

fn hands(
    settings: &Arc<Settings>,
    node: NodeId,
    (journal, vault, store): (Arc<dyn Journal>, Arc<dyn Vault>, Arc<dyn Store>),
    (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
) -> Result<Hands, StartError> {
    let table = code_table()?;
    let meta = &settings.meta;
    let whatsapp_settings = whatsapp::Settings {
        graph_url: meta.graph_url.to_string(),
        version: meta.version.clone(),
        connect_timeout: meta.connect_timeout,
        total_timeout: meta.request_timeout,
        pool_idle: Duration::from_secs(20),
        max_connections: usize::try_from(meta.max_connections).unwrap_or(256),
    };
    let cloud = WhatsApp::new(&whatsapp_settings, table, Arc::clone(&clock))
        .map_err(|error| StartError::Hand(error.to_string()))?;
    let webhooks = &settings.webhooks;
    let guard =
        Guard { allow_private: webhooks.allow_private, allowed_ports: Ports::Only(webhooks.allowed_ports.clone()) };
    let poster = PosterSettings {
        guard,
        timeout: webhooks.timeout,
        response_max: webhooks.response_max.as_usize(),
        extra_roots_pem: None,
    };
    let poster = Poster::new(poster).map_err(|error| StartError::Hand(error.to_string()))?;
    let channels: HashMap<String, Arc<dyn Channel>> =
        HashMap::from([("whatsapp".to_owned(), Arc::new(cloud) as Arc<dyn Channel>)]);
    Ok(Hands {
        node,
        journal,
        store,
        vault,
        channels: Arc::new(channels),
        test_channel: Arc::new(NullChannel::default()),
        webhooks: Arc::new(poster),
        clock,
        entropy,
        health: Arc::new(Health::default()),
        registry: Arc::new(Registry::default()),
        limits: Arc::new(limits::limits(settings)),
        windows: Egress::new(usize::try_from(settings.delivery.windows_total).unwrap_or(2_048)),
        fault: None,
    })
}
