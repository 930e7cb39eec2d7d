//! All settings of a node, and the laying of their three layers over each other.

use std::path::Path;

use super::cross;
use super::env;
use super::mistake::{Mistake, Mistakes};
use super::node::Node;
use super::section::{
    Audit, Auth, Consent, Data, Delivery, Health, Journal, JournalKind, Meta, Pacing, Pool, Privacy, Runtime, Server,
    Store, StoreKind, Telemetry, Vault, VaultKind, Webhooks,
};
use super::setting::Setting;
use super::source;
use super::table::keys;

/// The annotated defaults: every key with its unit, range and meaning. Also the template of a new settings file.
pub const DEFAULTS: &str = include_str!("../../config/waybill.toml");

/// What mistakes in the compiled-in defaults would be said to stand in.
pub(super) const BUILT_IN: &str = "built-in defaults";

keys! {
    /// The settings of one node. Serializes as the file that would set them, without the text of literal secrets.
    pub struct Settings {
        /// The data folder.
        data: Data;
        /// Listeners, TLS and the limits of intake.
        server: Server;
        /// The embedded journal.
        journal: Journal;
        /// The embedded store.
        store: Store;
        /// The vault of keys and secrets.
        vault: Vault;
        /// The connection to Meta.
        meta: Meta;
        /// How a session works off its messages.
        delivery: Delivery;
        /// Rates before the provider lowers them.
        pacing: Pacing;
        /// Several sessions as one sender.
        pool: Pool;
        /// What is asked for before a message may leave.
        consent: Consent;
        /// People's rights.
        privacy: Privacy;
        /// How endpoints are called.
        webhooks: Webhooks;
        /// The log of all events that is signed.
        audit: Audit;
        /// API keys.
        auth: Auth;
        /// Threads and supervision.
        runtime: Runtime;
        /// Logs.
        telemetry: Telemetry;
        /// When intake and egress stop before the disk is full.
        health: Health;
    }
}

impl Settings {
    /// The settings as compiled in.
    pub fn defaults() -> Self {
        Self::read(&default_tree()).expect("a test reads the compiled-in defaults")
    }

    /// Lays the file over the defaults and the environment over both. `env` may hold any variables: those that are
    /// no settings are left alone. [`super::environment`] gives those of the process.
    ///
    /// # Errors
    /// Everything that is wrong, in all layers, at once.
    pub fn load(file: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, Mistakes> {
        let layer = file.map(|path| {
            let text = source::read(path)?;
            Node::parse(&text, &path.display().to_string())
        });
        layered(layer, env)
    }

    /// Like [`Settings::load`], with the text of the file at hand; `origin` is what mistakes call it.
    ///
    /// # Errors
    /// Everything that is wrong, in all layers, at once.
    pub fn parse(text: &str, origin: &str, env: impl Iterator<Item = (String, String)>) -> Result<Self, Mistakes> {
        layered(Some(Node::parse(text, origin)), env)
    }
}

impl Settings {
    /// Whether nodes may share what this one works on: journal, rows and vault are all in clusters.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.journal.kind == JournalKind::Kafka
            && self.store.kind == StoreKind::Cql
            && self.vault.kind == VaultKind::Cql
    }
}

fn default_tree() -> Node {
    let parsed = Node::parse(DEFAULTS, BUILT_IN);
    parsed.unwrap_or_else(|_| unreachable!("a test parses the compiled-in defaults"))
}

fn layered(
    file: Option<Result<Node, Vec<Mistake>>>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Settings, Mistakes> {
    let defaults = default_tree();
    let mut tree = defaults.clone();
    let (over, mut mistakes) = env::layer(&Settings::SHAPE, env);
    let file_is_whole = match file {
        Some(Ok(node)) => {
            tree.overlay(node);
            true
        }
        Some(Err(found)) => {
            mistakes.extend(found);
            false
        }
        None => true,
    };
    tree.overlay(over);
    let read = Settings::read(&tree);
    let faulty = read.as_ref().err().cloned().unwrap_or_default();
    // Keys are compared with each other only where the whole file could be read: else they are not what was meant.
    if file_is_whole {
        mistakes.extend(compare(&read, &faulty, &tree, &defaults));
    }
    mistakes.extend(faulty);
    match read {
        Ok(settings) if mistakes.is_empty() => Ok(settings),
        _ => Err(Mistakes::new(mistakes)),
    }
}

/// The mistakes between keys. Where keys are faulty by themselves their defaults stand in, so that the rules about the
/// other keys can be judged in the same run; rules that name a faulty key are left for the next.
fn compare(read: &Result<Settings, Vec<Mistake>>, faulty: &[Mistake], tree: &Node, defaults: &Node) -> Vec<Mistake> {
    if let Ok(settings) = read {
        return cross::mistakes(settings, tree, &[]);
    }
    let mut repaired = tree.clone();
    for mistake in faulty {
        repaired.take_back(&mistake.key, defaults);
    }
    Settings::read(&repaired).map_or_else(|_| Vec::new(), |settings| cross::mistakes(&settings, tree, faulty))
}
