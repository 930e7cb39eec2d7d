//! Forgetting a person while everything runs: keys, what waits, a no to marketing, and whatever dies meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use waybill::actors::hands::Fault;
use waybill::channel::{Channel, Scripted};
use waybill::domain::event::{Category, ConsentChangedV1, ErasureAskedV1, LegalHoldSetV1};
use waybill::domain::id::{KeyId, MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::routing;
use waybill::domain::row::{ContactRow, PrivacyRow, Right, Row, RowId};
use waybill::runtime::{Clock, SystemClock};
use waybill::store::rows;
use waybill::vault::Alias;

use super::deaths::Deaths;
use super::world::{PARTITIONS, World, limits};

const LONG: Duration = Duration::from_secs(30);
const ANN: &str = "+4915550000001";
const BOB: &str = "+4915550000002";

struct Street {
    world: World,
    channel: Arc<Scripted>,
    tenant: TenantId,
    session: SessionId,
}

impl Street {
    async fn new(fault: Option<Fault>) -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), fault).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session(tenant, "orders").await;
        Self { world, channel, tenant, session }
    }

    /// A message that left, and two that are to leave in an hour.
    async fn write_to(&self, to: &str) -> (MessageId, [MessageId; 2]) {
        let sent = self.world.accept(self.tenant, self.session, to).await;
        self.world.until(&[sent], LONG, &[State::Sent]).await;
        let later = SystemClock.wall() + 3_600_000_000;
        let one = self.world.schedule(self.tenant, self.session, to, later).await;
        let two = self.world.schedule(self.tenant, self.session, to, later + 1).await;
        self.world.until(&[one, two], LONG, &[State::Scheduled]).await;
        (sent, [one, two])
    }

    async fn says(&self, contact: KeyId, marketing: bool) {
        let (source, said_at) = ("test".to_owned(), SystemClock.wall());
        let said = ConsentChangedV1 { contact, marketing, source, said_at, evidence: None };
        self.world.tell(contact, self.tenant, said).await;
    }

    async fn ask(&self, contact: KeyId) {
        let asked = ErasureAskedV1 { contact, due_at: SystemClock.wall(), reason: "by letter".to_owned() };
        self.world.tell(contact, self.tenant, asked).await;
    }

    async fn hold(&self, contact: KeyId, held: bool) {
        let reason = "dispute".to_owned();
        self.world.tell(contact, self.tenant, LegalHoldSetV1 { contact, held, reason }).await;
    }

    async fn contact_row(&self, contact: KeyId) -> ContactRow {
        match rows::get(self.world.hands.store.as_ref(), &RowId::Contact(contact)).await.expect("a store") {
            Some(Row::Contact(row)) => row,
            _ => ContactRow::default(),
        }
    }

    async fn open(&self, contact: KeyId) -> PrivacyRow {
        let id = RowId::Privacy(routing::partition(&contact.into(), PARTITIONS));
        match rows::get(self.world.hands.store.as_ref(), &id).await.expect("a store") {
            Some(Row::Privacy(row)) => row,
            _ => PrivacyRow::default(),
        }
    }

    /// Waits until it is said that the person is forgotten.
    async fn until_forgotten(&self, contact: KeyId) {
        let until = Instant::now() + LONG;
        while self.contact_row(contact).await.erased_at.is_none() {
            assert!(Instant::now() < until, "not forgotten: {:?}", self.open(contact).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let open = self.open(contact).await;
        assert!(open.erasures.iter().all(|open| open.contact != contact), "it is carried out: {open:?}");
    }

    async fn find(&self, to: &str) -> Option<KeyId> {
        self.world.hands.vault.find(self.tenant, &Alias::phone(to).expect("a number")).await.expect("a vault")
    }

    async fn is_gone(&self, contact: KeyId) -> bool {
        self.world.hands.vault.aliases(self.tenant, contact).await.is_err_and(|error| error.is_erased())
    }
}

fn sale(to: &str) -> serde_json::Value {
    json!({ "to": to, "type": "template", "template": { "name": "sale", "language": { "code": "en" } } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_go_what_waits_is_called_off_and_a_no_stays() {
    let street = Street::new(None).await;
    let (sent, waiting) = street.write_to(ANN).await;
    let (_, others) = street.write_to(BOB).await;
    let (ann, bob) = (street.world.contact(street.tenant, ANN).await, street.world.contact(street.tenant, BOB).await);
    street.says(ann, false).await;
    street.ask(ann).await;
    street.until_forgotten(ann).await;
    assert!(street.is_gone(ann).await && !street.is_gone(bob).await);
    street.world.until(&waiting, LONG, &[State::Cancelled]).await;
    street.world.until(&others, LONG, &[State::Scheduled]).await;
    assert_eq!(street.world.row(sent).await.expect("its facts stay").state(), State::Sent);
    // Whoever writes to the number again writes to somebody of whom nothing is known but the no.
    let heir = street.find(ANN).await.expect("a mark");
    assert_eq!(street.contact_row(heir).await.marketing.map(|(allowed, ..)| allowed), Some(false));
    let before = street.channel.asked().len();
    let offer = street.world.accept_for(street.tenant, street.session, Category::Marketing, sale(ANN)).await;
    street.world.until(&[offer], LONG, &[State::Failed]).await;
    assert_eq!(street.world.row(offer).await.and_then(|row| row.failed).expect("it failed").class, "opted_out");
    assert_eq!(street.channel.asked().len(), before, "what is barred never leaves");
    let update = street.world.accept(street.tenant, street.session, ANN).await;
    street.world.until(&[update], LONG, &[State::Sent]).await;
    let partition = routing::partition(&ann.into(), PARTITIONS);
    let done = rows::requests(street.world.hands.store.as_ref(), (street.tenant, partition), None, 9).await;
    let done = done.expect("a store");
    let [(_, done)] = &done[..] else { panic!("{done:?}") };
    assert_eq!((done.right, done.messages, done.cancelled, done.opt_out_kept), (Right::Erasure, 3, 2, true));
    street.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_whoever_did_not_say_no_nothing_remains() {
    let street = Street::new(None).await;
    street.write_to(ANN).await;
    let ann = street.world.contact(street.tenant, ANN).await;
    street.says(ann, true).await;
    street.ask(ann).await;
    street.until_forgotten(ann).await;
    assert!(street.is_gone(ann).await);
    assert_eq!(street.find(ANN).await, None, "not even a mark");
    street.world.stop().await;
}

/// The message was taken under the key a moment before: nobody finds it to call it off, and nothing of it leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_at_the_last_moment_fails_in_its_turn() {
    let street = Street::new(None).await;
    let ann = street.world.contact(street.tenant, ANN).await;
    let soon = SystemClock.wall() + 2_000_000;
    let last = street.world.schedule(street.tenant, street.session, ANN, soon).await;
    street.world.hands.vault.destroy(street.tenant, ann, false).await.expect("destroyed");
    street.world.until(&[last], LONG, &[State::Failed]).await;
    assert_eq!(street.world.row(last).await.and_then(|row| row.failed).expect("it failed").class, "erased");
    assert_eq!(street.channel.asked().len(), 0);
    street.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legal_hold_keeps_it_all_until_it_is_lifted() {
    let street = Street::new(None).await;
    let (_, waiting) = street.write_to(ANN).await;
    let ann = street.world.contact(street.tenant, ANN).await;
    street.hold(ann, true).await;
    street.ask(ann).await;
    street.ask(ann).await;
    street.world.applied(ann).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(!street.is_gone(ann).await, "a sweep has passed");
    assert_eq!(street.open(ann).await.erasures.iter().map(|open| open.held).collect::<Vec<_>>(), [true]);
    street.world.until(&waiting, LONG, &[State::Scheduled]).await;
    street.hold(ann, false).await;
    street.until_forgotten(ann).await;
    assert!(street.is_gone(ann).await);
    street.world.until(&waiting, LONG, &[State::Cancelled]).await;
    street.world.stop().await;
}

/// Whoever carries it out dies once at each step: the next try comes to the same end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_step_changes_nothing() {
    let deaths = ["erasure:destroyed", "erasure:marked", "erasure:called_off"].map(|place| async move {
        let (deaths, fault) = Deaths::at([place], (1, 1), true);
        let street = Street::new(Some(fault)).await;
        let (_, waiting) = street.write_to(ANN).await;
        let ann = street.world.contact(street.tenant, ANN).await;
        street.says(ann, false).await;
        street.ask(ann).await;
        street.until_forgotten(ann).await;
        assert_eq!(deaths.count(), 1, "{place}");
        street.world.until(&waiting, LONG, &[State::Cancelled]).await;
        let heir = street.find(ANN).await.expect("a mark");
        assert_eq!(street.contact_row(heir).await.marketing.map(|(allowed, ..)| allowed), Some(false), "{place}");
        street.world.stop().await;
    });
    let [one, two, three] = deaths;
    tokio::join!(one, two, three);
}

/// The process ends while the vault takes its time: the next one finds in the rows what is left to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_goes_on_where_one_was_cut_short() {
    let mut street = Street::new(None).await;
    let (_, waiting) = street.write_to(ANN).await;
    let ann = street.world.contact(street.tenant, ANN).await;
    street.world.vault.slow(Some(Duration::from_secs(3_600)));
    street.ask(ann).await;
    street.world.applied(ann).await;
    street.world.restart().await;
    street.world.vault.slow(None);
    assert!(!street.is_gone(ann).await);
    street.until_forgotten(ann).await;
    assert!(street.is_gone(ann).await);
    street.world.until(&waiting, LONG, &[State::Cancelled]).await;
    street.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_forgotten_one_after_the_other() {
    let street = Street::new(None).await;
    let people: Vec<String> = (10..30).map(|n| format!("+49155500000{n}")).collect();
    let mut contacts = Vec::new();
    for to in &people {
        contacts.push(street.world.contact(street.tenant, to).await);
    }
    for contact in &contacts {
        street.ask(*contact).await;
    }
    for contact in &contacts {
        street.until_forgotten(*contact).await;
        assert!(street.is_gone(*contact).await);
    }
    street.world.stop().await;
}
