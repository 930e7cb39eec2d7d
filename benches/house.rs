//! A house of real actors over chosen hands, and a caller that accepts messages as the API does. Not a bench itself.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::Quota;
use ractor::{Actor, ActorRef};
use waybill::actors::egress::Egress;
use waybill::actors::hands::{Hands, Limits};
use waybill::actors::ownership::Ownership;
use waybill::actors::registry::Registry;
use waybill::actors::root::{Order, Root, RootArgs};
use waybill::channel::null::NullChannel;
use waybill::channel::{Capabilities, Channel, Credential, SendCommand};
use waybill::domain::address::Address;
use waybill::domain::consent::Gates;
use waybill::domain::content::Content;
use waybill::domain::draft::Draft;
use waybill::domain::event::{
    Category, Event, MessageAcceptedV1, Priority, SessionDeclaredV1, TenantDeclaredV1, UnknownPolicy,
};
use waybill::domain::failure::Answer;
use waybill::domain::id::{EventId, InstallationId, MessageId, NodeId, SessionId, TenantId, with_partition};
use waybill::domain::message::State;
use waybill::domain::record::{Principal, Record};
use waybill::domain::retry::RetryLimits;
use waybill::domain::row::{Row, RowId};
use waybill::domain::session::SessionLimits;
use waybill::domain::{routing, secret_name};
use waybill::journal::{Appended, EmbeddedJournal, Genesis, Journal, Options, Unruly};
use waybill::runtime::{BoxFuture, Clock, Entropy, Health, SystemClock, SystemEntropy};
use waybill::store::fjall::{FjallStore, Options as StoreOptions};
use waybill::store::{MemoryStore, Store, rows};
use waybill::vault::memory::MemoryVault;
use waybill::vault::{Alias, CacheBounds, FileVault, Opening, SecretBytes, Vault};
use waybill::webhook::{Schedule, ScriptedEndpoint};

const INSTALLATION: InstallationId = InstallationId([1; 16]);
/// Senders, as in the measurements that the figures are compared with.
const SENDERS: u16 = 20;
/// Recipients, as there.
const PEOPLE: u64 = 1_000;

/// The three hands that are a choice of machine.
pub struct Kept {
    journal: Arc<dyn Journal>,
    store: Arc<dyn Store>,
    vault: Arc<dyn Vault>,
}

/// Doubles: nothing is written anywhere.
pub fn in_memory(partitions: u16) -> Kept {
    let vault = MemoryVault::new(INSTALLATION, partitions, Arc::new(SystemEntropy));
    Kept {
        journal: Arc::new(Unruly::new(Genesis::new(INSTALLATION, partitions))),
        store: Arc::new(MemoryStore::new()),
        vault: Arc::new(vault),
    }
}

/// A new installation in a folder, as a node founds it.
pub fn in_folder(dir: &Path, partitions: u16) -> Kept {
    let (options, clock) = (Options::default(), Arc::new(SystemClock));
    FileVault::init(&dir.join("vault"), None, INSTALLATION, partitions, &SystemEntropy).unwrap();
    EmbeddedJournal::init(dir, Genesis::new(INSTALLATION, partitions), clock.wall(), &options).unwrap();
    let (journal, _) = EmbeddedJournal::open(dir, options, clock).unwrap();
    let opening = Opening {
        dir: dir.join("vault"),
        key_file: None,
        cache: CacheBounds::default(),
        count: partitions,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    };
    Kept {
        journal: Arc::new(journal),
        store: Arc::new(FjallStore::open(&dir.join("store"), INSTALLATION, &StoreOptions::default()).unwrap()),
        vault: Arc::new(FileVault::open(opening).unwrap().0),
    }
}

/// Takes every message at once, and counts.
struct AtOnce(NullChannel, AtomicU64);

impl Channel for AtOnce {
    fn capabilities(&self) -> &Capabilities {
        self.0.capabilities()
    }

    fn send(&self, command: SendCommand, credential: Arc<Credential>) -> BoxFuture<'static, Answer> {
        self.1.fetch_add(1, Ordering::AcqRel);
        self.0.send(command, credential)
    }
}

/// The house.
pub struct House {
    hands: Hands,
    channel: Arc<AtOnce>,
    root: ActorRef<Order>,
    tenant: TenantId,
    sessions: Vec<SessionId>,
}

impl House {
    /// Starts the actors and declares a tenant with its senders, none of which is held back by a rate.
    pub async fn start(kept: Kept) -> Self {
        let channel = Arc::new(AtOnce(NullChannel::default(), AtomicU64::new(0)));
        let hands = hands(kept, Arc::clone(&channel) as Arc<dyn Channel>);
        let (root, _) = Actor::spawn(None, Root, alone(&hands)).await.unwrap();
        let tenant = TenantId::named(INSTALLATION, "acme");
        let sessions = (0..SENDERS).map(|n| SessionId::named(tenant, &format!("sender-{n}"))).collect();
        let house = Self { hands, channel, root, tenant, sessions };
        house.declare().await;
        house
    }

    async fn declare(&self) {
        let tenant = TenantDeclaredV1 {
            tenant: self.tenant,
            name: "acme".to_owned(),
            display_name: String::new(),
            per_second: 1_000_000,
            burst: 1_000_000,
            require_opt_in: None,
            require_window: None,
            quiet_hours: None,
            queue_max: None,
        };
        self.tell(self.tenant, tenant.into()).await;
        for session in &self.sessions {
            let token = SecretBytes::new(b"token".to_vec());
            let name = secret_name::session_token(*session);
            self.hands.vault.put_secret(Some(self.tenant), &name, &token).await.unwrap();
            let facts = SessionDeclaredV1 {
                session: *session,
                tenant: self.tenant,
                name: session.to_string(),
                channel: "whatsapp".to_owned(),
                account: "106540352242922".to_owned(),
                waba: None,
                app: None,
                portfolio: None,
                per_second: 100_000,
                burst: 100_000,
                test: false,
                members: None,
            };
            self.tell(*session, facts.into()).await;
        }
    }

    async fn tell(&self, address: impl Into<Address> + Copy, event: Event) {
        let id = EventId(SystemEntropy.id());
        let draft = Draft::new(id, address, &event, Principal::Operator, SystemClock.wall()).tenant(self.tenant);
        self.append(&address.into(), draft.record().unwrap()).await;
    }

    fn partition(&self, address: &Address) -> u16 {
        routing::partition(address, self.hands.journal.genesis().count)
    }

    async fn append(&self, address: &Address, record: Record) {
        let appended = self.hands.journal.append(self.partition(address), vec![record]).await;
        assert!(matches!(appended, Appended::Durable { .. }), "{appended:?}");
    }

    /// Accepts the n-th message, as the API does: who it is to, its content checked and sealed, the event durable.
    pub async fn accept(&self, n: u64) -> MessageId {
        let session = self.sessions[(n % u64::from(SENDERS)) as usize];
        let to = format!("+49155{:07}", n % PEOPLE);
        let message = MessageId(with_partition(SystemEntropy.id(), self.partition(&session.into())));
        let contact = self.hands.vault.contact(self.tenant, &Alias::phone(&to).unwrap()).await.unwrap();
        let text = serde_json::json!({ "body": "x".repeat(550) });
        let content = Content::check(serde_json::json!({ "to": to, "type": "text", "text": text })).unwrap();
        let content = serde_json::to_vec(&content).unwrap();
        let (id, now) = (EventId(SystemEntropy.id()), SystemClock.wall());
        let sealed = self.hands.vault.seal(self.tenant, contact, &id.0, &content).await.unwrap();
        let facts = MessageAcceptedV1 {
            message,
            session,
            contact,
            category: Category::Utility,
            priority: Priority::Normal,
            unknown: UnknownPolicy::Hold,
            expires_at: now + 600_000_000,
            nonce: SystemEntropy.number(),
            idempotency: None,
            template: None,
            consent: None,
            policy: None,
            test: false,
            ordered: false,
            send_at: None,
            country: None,
            campaign: None,
        };
        let draft = Draft::new(id, session, &Event::from(facts), Principal::Operator, now).tenant(self.tenant);
        let draft = draft.subject(message).sealed(contact, sealed.commitment, sealed.bytes);
        self.append(&session.into(), draft.record().unwrap()).await;
        message
    }

    /// Messages given to the channel so far.
    pub fn sent(&self) -> u64 {
        self.channel.1.load(Ordering::Acquire)
    }

    /// Waits until so many messages were given to the channel in all, and their outcomes are in the rows.
    pub async fn settled(&self, sent: u64) {
        while self.sent() < sent || !self.hands.registry.is_quiet() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(self.sent(), sent, "a message was sent twice");
    }

    /// Whether the rows say that it was sent.
    pub async fn is_sent(&self, message: MessageId) -> bool {
        let row = rows::get(self.hands.store.as_ref(), &RowId::Message(message)).await.unwrap();
        matches!(row, Some(Row::Message(row)) if row.state() == State::Sent)
    }

    /// Stops the actors and closes the hands.
    pub async fn stop(self) {
        self.root.stop_and_wait(None, None).await.unwrap();
        self.hands.store.close().await.unwrap();
        self.hands.vault.close().await.unwrap();
        self.hands.journal.close().await.unwrap();
    }
}

fn hands(kept: Kept, channel: Arc<dyn Channel>) -> Hands {
    Hands {
        journal: kept.journal,
        store: kept.store,
        vault: kept.vault,
        channels: Arc::new(HashMap::from([("whatsapp".to_owned(), Arc::clone(&channel))])),
        test_channel: channel,
        webhooks: Arc::new(ScriptedEndpoint::willing()),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        health: Arc::new(Health::default()),
        registry: Arc::new(Registry::default()),
        node: NodeId([7; 16]),
        limits: Arc::new(limits()),
        windows: Egress::new(2_048),
        fault: None,
    }
}

/// The product's defaults, but for the pair rate.
fn limits() -> Limits {
    let fast = Quota::per_second(NonZeroU32::new(100_000).unwrap()).allow_burst(NonZeroU32::new(100_000).unwrap());
    Limits {
        session: SessionLimits {
            window: 32,
            tick: 32,
            ring: 256,
            lane_block: 60_000_000,
            retry: RetryLimits { max_attempts: 6, base: 1_000_000, cap: 60_000_000 },
        },
        intent_deadline: Duration::from_secs(60),
        gates: Gates::OPEN,
        unknown_after: 900_000_000,
        failover_after: 60_000_000,
        pair: fast,
        idle: 60_000_000,
        schedule: Schedule { steps: vec![Duration::from_secs(1)], ..Schedule::default() },
        endpoint_concurrency: 8,
        endpoint_batch: 64,
        disable_after: 3_600_000_000,
        publish_every: 3_600_000_000,
        restart_budget: 0,
        restart_window: Duration::from_secs(60),
        restart_backoff: (Duration::from_secs(1), Duration::from_secs(1)),
    }
}

/// A root that owns every partition.
fn alone(hands: &Hands) -> RootArgs {
    RootArgs { hands: hands.clone(), ownership: Ownership::of_all(hands.journal.genesis().count) }
}
