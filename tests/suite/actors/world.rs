//! A house in memory: the real actors, an in-memory journal, store and vault, a scripted channel and endpoint.

mod declare;
mod shared;
mod waits;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use ractor::{Actor, ActorRef};
use waybill::actors::egress::Egress;
use waybill::actors::hands::{Delivers, Fault, Hands, Limits};
use waybill::actors::ownership::Ownership;
use waybill::actors::registry::Registry;
use waybill::actors::root::{Order, Root, RootArgs};
use waybill::channel::Channel;
use waybill::domain::address::Address;
use waybill::domain::consent::Gates;
use waybill::domain::content::{Content, calling_code};
use waybill::domain::draft::Draft;
use waybill::domain::event::{Category, Event, MessageAcceptedV1, Priority, UnknownPolicy};
use waybill::domain::id::{
    CampaignId, EventId, InstallationId, KeyId, MessageId, NodeId, SessionId, TenantId, with_partition,
};
use waybill::domain::record::{Micros, Principal, Record};
use waybill::domain::retry::RetryLimits;
use waybill::domain::routing;
use waybill::domain::row::{MessageRow, Row, RowId, SessionRow};
use waybill::domain::session::SessionLimits;
use waybill::journal::{Appended, Genesis, Journal, Unruly};
use waybill::runtime::{Clock, Entropy, Health, SystemClock, SystemEntropy};
use waybill::store::{MemoryStore, legs, rows};
use waybill::vault::memory::MemoryVault;
use waybill::vault::{Alias, Vault};
use waybill::webhook::{Deliver, ScriptedEndpoint};

pub const PARTITIONS: u16 = 4;

/// The house.
pub struct World {
    pub hands: Hands,
    pub journal: Arc<Unruly>,
    pub vault: Arc<MemoryVault>,
    pub endpoint: Arc<ScriptedEndpoint>,
    pub root: ActorRef<Order>,
}

/// Settings for tests: short waits, no rate that would slow a test down.
pub fn limits() -> Limits {
    let fast = Quota::per_second(NonZeroU32::new(100_000).unwrap()).allow_burst(NonZeroU32::new(100_000).unwrap());
    Limits {
        session: SessionLimits {
            window: 16,
            tick: 8,
            ring: 32,
            lane_block: 60_000_000,
            retry: RetryLimits { max_attempts: 4, base: 20_000, cap: 200_000 },
        },
        gates: Gates::OPEN,
        intent_deadline: Duration::from_secs(5),
        unknown_after: 60_000_000,
        pair: fast,
        failover_after: 300_000,
        publish_every: 3_600_000_000,
        idle: 200_000,
        schedule: waybill::webhook::Schedule { steps: vec![Duration::from_millis(20); 8], ..Default::default() },
        endpoint_concurrency: 8,
        endpoint_batch: 64,
        disable_after: 3_600_000_000,
        restart_budget: 1_000_000,
        restart_window: Duration::from_secs(60),
        restart_backoff: (Duration::from_millis(1), Duration::from_millis(5)),
    }
}

impl World {
    /// A house whose channel is this one.
    pub async fn new(channel: Arc<dyn Channel>, limits: Limits, fault: Option<Fault>) -> Self {
        let endpoint = Arc::new(ScriptedEndpoint::willing());
        Self::build(channel, Arc::new(Shared(Arc::clone(&endpoint))), endpoint, limits, fault).await
    }

    /// The same, by this clock.
    pub async fn by_clock(
        channel: Arc<dyn Channel>,
        limits: Limits,
        fault: Option<Fault>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let endpoint = Arc::new(ScriptedEndpoint::willing());
        let customers = Arc::new(Shared(Arc::clone(&endpoint)));
        Self::with_clock(channel, customers, endpoint, (limits, fault, clock)).await
    }

    /// A house whose customers answer like this.
    pub async fn with_customers(channel: Arc<dyn Channel>, customers: Arc<dyn Delivers>, limits: Limits) -> Self {
        Self::build(channel, customers, Arc::new(ScriptedEndpoint::willing()), limits, None).await
    }

    async fn build(
        channel: Arc<dyn Channel>,
        webhooks: Arc<dyn Delivers>,
        endpoint: Arc<ScriptedEndpoint>,
        limits: Limits,
        fault: Option<Fault>,
    ) -> Self {
        Self::with_clock(channel, webhooks, endpoint, (limits, fault, Arc::new(SystemClock))).await
    }

    async fn with_clock(
        channel: Arc<dyn Channel>,
        webhooks: Arc<dyn Delivers>,
        endpoint: Arc<ScriptedEndpoint>,
        (limits, fault, clock): (Limits, Option<Fault>, Arc<dyn Clock>),
    ) -> Self {
        let installation = InstallationId([1; 16]);
        let journal = Arc::new(Unruly::with_gaps(Genesis::new(installation, PARTITIONS)));
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let vault = Arc::new(MemoryVault::new(installation, PARTITIONS, Arc::clone(&entropy)));
        let hands = Hands {
            journal: Arc::clone(&journal) as Arc<dyn Journal>,
            store: Arc::new(MemoryStore::new()),
            vault: Arc::clone(&vault) as Arc<dyn Vault>,
            channels: Arc::new(HashMap::from([("whatsapp".to_owned(), Arc::clone(&channel))])),
            test_channel: channel,
            webhooks,
            clock,
            entropy,
            health: Arc::new(Health::default()),
            registry: Arc::new(Registry::default()),
            node: NodeId([7; 16]),
            limits: Arc::new(limits),
            windows: Egress::new(1_024),
            fault,
        };
        let (root, _) = Actor::spawn(None, Root, alone(&hands)).await.expect("root starts");
        Self { hands, journal, vault, endpoint, root }
    }

    /// Another process over the same journal and vault, whose rows are rebuilt from nothing.
    pub async fn reborn(self) -> Self {
        self.root.stop(None);
        let hands = Hands {
            store: Arc::new(MemoryStore::new()),
            registry: Arc::new(Registry::default()),
            node: NodeId([8; 16]),
            fault: None,
            ..self.hands
        };
        let (root, _) = Actor::spawn(None, Root, alone(&hands)).await.expect("root starts");
        Self { hands, root, ..self }
    }

    pub async fn append(&self, partition: u16, record: Record) -> Appended {
        self.journal.append(partition, vec![record]).await
    }

    fn draft(&self, address: impl Into<Address>, event: &Event) -> Draft {
        Draft::new(EventId(SystemEntropy.id()), address, event, Principal::Operator, SystemClock.wall())
    }

    pub async fn tell(&self, address: impl Into<Address> + Copy, tenant: TenantId, event: impl Into<Event>) {
        let partition = routing::partition(&address.into(), PARTITIONS);
        let record = self.draft(address, &event.into()).tenant(tenant).record().unwrap();
        let appended = self.append(partition, record).await;
        assert!(matches!(appended, Appended::Durable { .. }), "{appended:?}");
    }

    /// Accepts a message, as the API would.
    pub async fn accept(&self, tenant: TenantId, session: SessionId, to: &str) -> MessageId {
        let object = serde_json::json!({ "to": to, "type": "text", "text": { "body": "hello" } });
        self.accept_as(tenant, session, object).await
    }

    /// Accepts a message that is to leave at this time.
    pub async fn schedule(&self, tenant: TenantId, session: SessionId, to: &str, send_at: Micros) -> MessageId {
        let object = serde_json::json!({ "to": to, "type": "text", "text": { "body": "later" } });
        self.accept_at(tenant, session, (Category::Utility, Priority::Normal, Some(send_at), None), object).await
    }

    /// Accepts this very message object.
    pub async fn accept_as(&self, tenant: TenantId, session: SessionId, object: serde_json::Value) -> MessageId {
        self.accept_at(tenant, session, (Category::Utility, Priority::Normal, None, None), object).await
    }

    /// Accepts a message of this template; `expires_at` if not in ten minutes.
    pub async fn accept_template(
        &self,
        tenant: TenantId,
        session: SessionId,
        (to, template): (&str, &str),
        expires_at: Option<Micros>,
    ) -> MessageId {
        let template = serde_json::json!({ "name": template, "language": { "code": "de" } });
        let object = serde_json::json!({ "to": to, "type": "template", "template": template });
        self.accept_at(tenant, session, (Category::Utility, Priority::Normal, None, expires_at), object).await
    }

    /// Accepts a message object of this priority.
    pub async fn accept_with(
        &self,
        tenant: TenantId,
        session: SessionId,
        (priority, expires_at): (Priority, Option<Micros>),
        object: serde_json::Value,
    ) -> MessageId {
        self.accept_at(tenant, session, (Category::Utility, priority, None, expires_at), object).await
    }

    /// Accepts a line of a campaign.
    pub async fn accept_line(&self, at: (TenantId, SessionId), of: CampaignId, object: serde_json::Value) -> MessageId {
        self.accept_of(at.0, at.1, (Category::Utility, Priority::Normal, None, None), Some(of), object).await
    }

    /// Accepts this message object, which ends at this time.
    pub async fn accept_until(
        &self,
        tenant: TenantId,
        session: SessionId,
        object: serde_json::Value,
        expires_at: Micros,
    ) -> MessageId {
        self.accept_at(tenant, session, (Category::Utility, Priority::Normal, None, Some(expires_at)), object).await
    }

    /// Accepts a message object of this category.
    pub async fn accept_for(
        &self,
        tenant: TenantId,
        session: SessionId,
        category: Category,
        object: serde_json::Value,
    ) -> MessageId {
        self.accept_at(tenant, session, (category, Priority::Normal, None, None), object).await
    }

    async fn accept_at(
        &self,
        tenant: TenantId,
        session: SessionId,
        what: (Category, Priority, Option<Micros>, Option<Micros>),
        object: serde_json::Value,
    ) -> MessageId {
        self.accept_of(tenant, session, what, None, object).await
    }

    async fn accept_of(
        &self,
        tenant: TenantId,
        session: SessionId,
        (category, priority, send_at, expires_at): (Category, Priority, Option<Micros>, Option<Micros>),
        campaign: Option<CampaignId>,
        object: serde_json::Value,
    ) -> MessageId {
        let partition = routing::partition(&session.into(), PARTITIONS);
        let message = MessageId(with_partition(SystemEntropy.id(), partition));
        let content = Content::check(object).unwrap();
        let contact = self.contact(tenant, &content.to).await;
        let template = content.template().map(|(name, _)| name.to_owned());
        let country = calling_code(&content.to);
        let content = serde_json::to_vec(&content).unwrap();
        let id = EventId(SystemEntropy.id());
        let sealed = self.hands.vault.seal(tenant, contact, &id.0, &content).await.unwrap();
        let now = SystemClock.wall();
        let facts = MessageAcceptedV1 {
            message,
            session,
            contact,
            category,
            priority,
            unknown: UnknownPolicy::Hold,
            expires_at: expires_at.unwrap_or(now + 600_000_000),
            nonce: SystemEntropy.number(),
            idempotency: None,
            template,
            consent: None,
            policy: None,
            test: false,
            ordered: false,
            send_at,
            country,
            campaign,
        };
        let draft = Draft::new(id, session, &Event::from(facts), Principal::Operator, now);
        let draft = draft.tenant(tenant).subject(message).sealed(contact, sealed.commitment, sealed.bytes);
        let appended = self.append(partition, draft.record().unwrap()).await;
        assert!(matches!(appended, Appended::Durable { .. }), "{appended:?}");
        message
    }

    /// The contact of a number.
    pub async fn contact(&self, tenant: TenantId, to: &str) -> KeyId {
        self.hands.vault.contact(tenant, &Alias::phone(to).unwrap()).await.unwrap()
    }

    pub async fn row(&self, message: MessageId) -> Option<MessageRow> {
        match rows::get(self.hands.store.as_ref(), &RowId::Message(message)).await.unwrap() {
            Some(Row::Message(row)) => Some(*row),
            _ => None,
        }
    }

    /// The row of a message where it is.
    pub async fn leg(&self, message: MessageId) -> Option<MessageRow> {
        let row = Box::new(self.row(message).await?);
        Some(*legs::follow(self.hands.store.as_ref(), message, row).await.unwrap().1)
    }

    /// The process ends and another begins, over the same journal, store and vault.
    pub async fn restart(&mut self) {
        self.root.stop_and_wait(None, None).await.expect("root stops");
        self.hands.registry = Arc::new(Registry::default());
        let (root, _) = Actor::spawn(None, Root, alone(&self.hands)).await.expect("root starts");
        self.root = root;
    }

    /// A session's row.
    pub async fn session_row(&self, session: SessionId) -> SessionRow {
        match rows::get(self.hands.store.as_ref(), &RowId::Session(session)).await.unwrap() {
            Some(Row::Session(row)) => row,
            other => panic!("no session but {other:?}"),
        }
    }

    pub async fn stop(self) {
        self.root.stop(None);
    }
}

/// The scripted endpoint, shared between the house and the test.
struct Shared(Arc<ScriptedEndpoint>);

impl Deliver for Shared {
    fn deliver(
        &self,
        post: waybill::webhook::Post,
    ) -> impl std::future::Future<Output = waybill::webhook::Delivered> + Send {
        Deliver::deliver(&*self.0, post)
    }
}

/// A root that owns every partition.
fn alone(hands: &Hands) -> RootArgs {
    RootArgs { hands: hands.clone(), ownership: Ownership::of_all(hands.journal.genesis().count) }
}
