//! Tests against a real Cassandra: the contract, several nodes at once, keys that are not the installation's, a database that
//! is away. `tests/services` starts it; `tests/run cluster` runs them all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::hand::CqlVault;
use super::{Options, Standing};
use crate::cql::{Cluster, CqlError, CqlOptions, Owner};
use crate::domain::id::{InstallationId, KeyId, TenantId};
use crate::domain::record::Position;
use crate::runtime::services::script;
use crate::runtime::{BoxFuture, Clock, SystemClock, SystemEntropy};
use crate::vault::cache::CacheBounds;
use crate::vault::contract::{self, COUNT, Stage};
use crate::vault::instance;
use crate::vault::{Alias, SecretBytes, Vault, VaultError};

const OURS: Owner = Owner { installation: InstallationId([5; 16]), partitions: COUNT };
const TENANT: TenantId = TenantId([1; 16]);

/// A keyspace of its own, and the file with its instance key.
struct Place {
    home: tempfile::TempDir,
    options: Options,
}

impl Place {
    fn new(world: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let printed = script(world, &["up", "cassandra"]);
        let all: BTreeMap<&str, &str> = printed.lines().filter_map(|line| line.split_once('=')).collect();
        let nodes = all["SCYLLA_NODES"].split(',').map(ToOwned::to_owned).collect();
        let name = format!("vault_{}_{}", SystemClock.wall(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let home = tempfile::tempdir().expect("a folder");
        let cluster = CqlOptions { replicas: 1, request: Duration::from_secs(2), ..CqlOptions::plain(nodes, name) };
        let key_file = home.path().join("instance.key");
        let cache = CacheBounds::default();
        Self { options: Options { cluster, writes: 64, patience: Duration::from_secs(5), key_file, cache }, home }
    }

    async fn founded(world: &'static str) -> Self {
        let place = tokio::task::spawn_blocking(move || Self::new(world)).await.expect("a database");
        CqlVault::found(&place.options, OURS, &SystemEntropy).await.expect("founded");
        place
    }

    /// Another node with the same key.
    async fn open(&self) -> CqlVault {
        open(&self.options).await.expect("it opens")
    }

    /// Does to the database what nobody of ours does yet.
    async fn operate(&self, text: &str) {
        let cluster = Cluster::connect(&self.options.cluster).await.expect("a cluster");
        cluster.session.query_unpaged(cluster.qualified(text), ()).await.expect("done");
    }
}

async fn open(options: &Options) -> Result<CqlVault, VaultError> {
    CqlVault::open(options, OURS, Arc::new(SystemClock), Arc::new(SystemEntropy)).await
}

fn phone(n: usize) -> Alias {
    Alias::phone(&format!("49151{n:07}")).expect("a phone number")
}

struct InKeyspace {
    place: Place,
    vault: Option<Arc<CqlVault>>,
}

impl InKeyspace {
    fn new() -> Self {
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let place = Place::founded("main").await;
                let vault = Some(Arc::new(place.open().await));
                Self { place, vault }
            })
        })
    }

    async fn again(&mut self) {
        let vault = self.vault.take().expect("open");
        vault.close().await.expect("closed");
        assert!(Arc::into_inner(vault).is_some(), "a test still holds the vault");
        self.vault = Some(Arc::new(self.place.open().await));
    }
}

impl Stage for InKeyspace {
    fn vault(&self) -> Arc<dyn Vault> {
        self.vault.clone().expect("open")
    }

    fn reopen(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.again())
    }

    fn break_it(&mut self) {
        self.vault.as_ref().expect("open").latch("told to");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn the_keyspace_keeps_the_contract() {
    contract::all(InKeyspace::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn nodes_that_meet_people_and_tenants_at_once_agree_on_them() {
    let place = Place::founded("main").await;
    let nodes = [Arc::new(place.open().await), Arc::new(place.open().await), Arc::new(place.open().await)];
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..300 {
        let vault = Arc::clone(&nodes[n % 3]);
        calls.spawn(async move {
            let contact = vault.contact(TENANT, &phone(n / 6)).await.expect("made");
            (n, contact, vault.seal(TENANT, contact, b"e", &[n as u8]).await.expect("sealed"))
        });
    }
    let made = calls.join_all().await;
    let mut people: BTreeMap<usize, KeyId> = BTreeMap::new();
    for (n, contact, sealed) in &made {
        assert_eq!(people.entry(n / 6).or_insert(*contact), contact, "person {} has two keys", n / 6);
        let opened = nodes[(n + 1) % 3].open(TENANT, *contact, b"e", &sealed.bytes).await;
        assert_eq!(opened, Ok(vec![*n as u8]), "another node opens it");
    }
    let [one, two, _] = &nodes;
    let names: Vec<_> = one.aliases(TENANT, people[&0]).await.expect("its names");
    assert_eq!(names, [phone(0)]);
    assert_eq!(one.tag(TENANT, "t", &[b"x"]).await, two.tag(TENANT, "t", &[b"x"]).await);
    assert_eq!(one.mac("m", &[b"x"]), two.mac("m", &[b"x"]));

    // One name for two people at once: one of them has it.
    let bsuid = Alias::bsuid("DE.1").expect("a bsuid");
    let (first, second) =
        tokio::join!(one.add_alias(TENANT, people[&0], &bsuid), two.add_alias(TENANT, people[&1], &bsuid));
    let named = two.find(TENANT, &bsuid).await.expect("asked").expect("somebody");
    let (winner, loser) = if named == people[&0] { (first, second) } else { (second, first) };
    assert_eq!((winner, loser), (Ok(()), Err(VaultError::Taken { contact: named })));
    let other = if named == people[&0] { people[&1] } else { people[&0] };
    assert_eq!(two.aliases(TENANT, other).await.expect("its names").len(), 1, "what it did not get is not among them");

    // A secret that one node replaces is the other's at once, whatever their clocks say.
    let secret = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
    for text in ["a", "c", "b"] {
        one.put_secret(Some(TENANT), "token", &secret(text)).await.expect("kept");
        assert_eq!(two.secret(Some(TENANT), "token").await, Ok(Some(secret(text))));
    }
    // One that is kept once is the same for both, however both draw it at the same time.
    for n in 0..8u8 {
        let (name, drawn) = (format!("once {n}"), [n, n + 100].map(|n| SecretBytes::new(vec![n; 32])));
        let (ours, theirs) =
            tokio::join!(one.put_secret_once(None, &name, &drawn[0]), two.put_secret_once(None, &name, &drawn[1]));
        assert_eq!(ours, theirs, "{name}");
        assert!(drawn.contains(&ours.expect("kept")));
    }
    place
        .operate(
            "INSERT INTO {keyspace}.marks (id, number, position) VALUES (0, 3, 0x0000000000000009) USING TIMESTAMP 9",
        )
        .await;
    one.raise_marks(&[(3, Position(7)), (4, Position(2))]);
    one.close().await.expect("closed");
    assert_eq!(place.open().await.marks(), [(3, Position(9)), (4, Position(2))], "a mark never goes back");
    let standing = CqlVault::standing(&place.options).await.expect("readable").expect("somebody's");
    assert_eq!(standing, Standing { owner: OURS, marks: vec![(3, Position(9)), (4, Position(2))] });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn another_key_another_installation_and_no_keyspace_are_refused() {
    let place = tokio::task::spawn_blocking(|| Place::new("main")).await.expect("a database");
    assert_eq!(CqlVault::standing(&place.options).await, Ok(None));
    let missing = open(&place.options).await.err();
    assert_eq!(missing, Some(VaultError::Missing { path: place.options.key_file.clone() }));
    CqlVault::found(&place.options, OURS, &SystemEntropy).await.expect("founded");
    CqlVault::found(&place.options, OURS, &SystemEntropy).await.expect("again");
    let kept = place.open().await.contact(TENANT, &phone(1)).await.expect("made");

    let mut other = place.options.clone();
    other.key_file = place.home.path().join("other.key");
    let refused = CqlVault::found(&other, OURS, &SystemEntropy).await;
    assert_eq!(refused, Err(VaultError::Missing { path: other.key_file.clone() }), "no key is drawn for it");
    instance::make(&other.key_file, &SystemEntropy).expect("another key");
    let keyspace = other.cluster.keyspace.clone();
    let wrong = VaultError::OtherKey { path: other.key_file.clone(), keyspace };
    assert!(wrong.to_string().contains("same key"), "{wrong}");
    assert_eq!(open(&other).await.err(), Some(wrong.clone()));
    assert_eq!(CqlVault::found(&other, OURS, &SystemEntropy).await, Err(wrong));

    let stranger = Owner { installation: InstallationId([8; 16]), ..OURS };
    let refused = CqlVault::open(&place.options, stranger, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.err();
    assert!(matches!(refused, Some(VaultError::Cql(CqlError::Foreign { .. }))), "{refused:?}");
    let refused = CqlVault::found(&place.options, stranger, &SystemEntropy).await;
    assert!(matches!(refused, Err(VaultError::Cql(CqlError::Foreign { .. }))), "{refused:?}");
    assert_eq!(place.open().await.contact(TENANT, &phone(1)).await, Ok(kept), "and nothing was changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_database_that_is_away_is_said_and_goes_on_by_itself() {
    let place = Place::founded("faults").await;
    let vault = place.open().await;
    let known = vault.contact(TENANT, &phone(1)).await.expect("made");
    let node = |action: &'static str| async move {
        tokio::task::spawn_blocking(move || script("faults", &["node", "cassandra", "1", action])).await.expect("done")
    };
    node("pause").await;
    assert_eq!(vault.contact(TENANT, &phone(1)).await, Ok(known), "held for a minute");
    let other = phone(2);
    let (away, said) = tokio::join!(vault.contact(TENANT, &other), async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        vault.failed()
    });
    assert!(matches!(away, Err(VaultError::Cql(_))), "{away:?}");
    let said = said.expect("it says so");
    assert!(said.contains("vault") && said.contains(&place.options.cluster.addresses()), "{said}");
    node("resume").await;
    let made = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Ok(made) = vault.contact(TENANT, &phone(2)).await {
                return made;
            }
        }
    });
    assert_ne!(made.await.expect("it goes on"), known);
    assert_eq!(vault.failed(), None);
}
