//! Houses that share a journal, a store and a vault.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::Actor;
use waybill::actors::egress::Egress;
use waybill::actors::hands::{Fault, Hands, Limits};
use waybill::actors::ownership::{Ownership, Proposer};
use waybill::actors::registry::Registry;
use waybill::actors::root::{Root, RootArgs};
use waybill::channel::Channel;
use waybill::domain::id::{InstallationId, NodeId};
use waybill::journal::{Genesis, Journal, Unruly};
use waybill::runtime::{Clock, Entropy, Health, SystemEntropy};
use waybill::store::MemoryStore;
use waybill::vault::Vault;
use waybill::vault::memory::MemoryVault;

use super::{PARTITIONS, World};

impl World {
    /// Another process over the same journal, store and vault, by a clock of its own, which owns what is proposed to it.
    pub async fn neighbour(
        &self,
        number: u8,
        channel: Arc<dyn Channel>,
        fault: Option<Fault>,
        clock: Arc<dyn Clock>,
    ) -> (Self, Proposer) {
        let journal = Arc::new(self.journal.another_node());
        let hands = Hands {
            journal: Arc::clone(&journal) as Arc<dyn Journal>,
            channels: Arc::new(HashMap::from([("whatsapp".to_owned(), Arc::clone(&channel))])),
            test_channel: channel,
            health: Arc::new(Health::default()),
            registry: Arc::new(Registry::default()),
            node: NodeId([number; 16]),
            windows: Egress::new(1_024),
            fault,
            clock,
            ..self.hands.clone()
        };
        let (proposer, ownership) = Ownership::proposed();
        let args = RootArgs { hands: hands.clone(), ownership };
        let (root, _) = Actor::spawn(None, Root, args).await.expect("root starts");
        let (vault, endpoint) = (Arc::clone(&self.vault), Arc::clone(&self.endpoint));
        (Self { hands, journal, vault, endpoint, root }, proposer)
    }

    /// A house that owns nothing: it accepts, and shows rows.
    pub async fn without_partitions(channel: Arc<dyn Channel>, limits: Limits) -> Self {
        let world = Self::new(channel, limits, None).await;
        world.root.stop_and_wait(None, None).await.expect("root stops");
        // What its root did before is another installation's.
        let journal = Arc::new(Unruly::with_gaps(Genesis::new(InstallationId([1; 16]), PARTITIONS)));
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let vault = Arc::new(MemoryVault::new(InstallationId([1; 16]), PARTITIONS, entropy));
        let hands = Hands {
            journal: Arc::clone(&journal) as Arc<dyn Journal>,
            store: Arc::new(MemoryStore::new()),
            vault: Arc::clone(&vault) as Arc<dyn Vault>,
            registry: Arc::new(Registry::default()),
            ..world.hands.clone()
        };
        Self { hands, journal, vault, ..world }
    }
}
