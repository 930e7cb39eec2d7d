//! The gate before the call, strict as shipped: who may be written to is asked again when a message is about to leave.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use waybill::actors::hands::Limits;
use waybill::channel::{Channel, Scripted};
use waybill::domain::consent::Gates;
use waybill::domain::event::{Category, ConsentChangedV1, ContactHeldV1, WindowOpenedV1};
use waybill::domain::id::{KeyId, MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::quiet::QuietHours;
use waybill::domain::row::MessageRow;
use waybill::runtime::{Clock, SystemClock};

use super::world::{World, limits};

const LONG: Duration = Duration::from_secs(20);
const TO: &str = "+4915550000001";

struct Street {
    world: World,
    channel: Arc<Scripted>,
    tenant: TenantId,
    session: SessionId,
}

impl Street {
    async fn strict(gates: (Option<bool>, Option<bool>)) -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let limits = Limits { gates: Gates::STRICT, ..limits() };
        let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits, None).await;
        let tenant = world.tenant_with("acme", 100_000, gates).await;
        let session = world.session(tenant, "orders").await;
        Self { world, channel, tenant, session }
    }

    async fn accept(&self, category: Category, object: Value) -> MessageId {
        self.world.accept_for(self.tenant, self.session, category, object).await
    }

    /// Waits until a message failed, and says by which gate.
    async fn barred(&self, message: MessageId) -> String {
        self.world.until(&[message], LONG, &[State::Failed]).await;
        let failed = self.world.row(message).await.and_then(|row| row.failed);
        failed.expect("it failed").class
    }

    async fn sent(&self, message: MessageId) {
        self.world.until(&[message], LONG, &[State::Sent]).await;
    }
}

fn text() -> Value {
    json!({ "to": TO, "type": "text", "text": { "body": "hello" } })
}

fn template() -> Value {
    json!({ "to": TO, "type": "template", "template": { "name": "sale", "language": { "code": "en" } } })
}

fn window(contact: KeyId, session: SessionId, ends_in: Duration) -> WindowOpenedV1 {
    let ends_in = i64::try_from(ends_in.as_micros()).expect("short");
    WindowOpenedV1 { contact, session, until: SystemClock.wall() + ends_in }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_templates_and_a_person_who_wrote_or_agreed_gets_more() {
    let street = Street::strict((None, None)).await;
    let contact = street.world.contact(street.tenant, TO).await;
    let hello = street.accept(Category::Utility, text()).await;
    let sale = street.accept(Category::Marketing, template()).await;
    let update = street.accept(Category::Utility, template()).await;
    assert_eq!(street.barred(hello).await, "window_closed");
    assert_eq!(street.barred(sale).await, "no_opt_in");
    street.sent(update).await;
    assert_eq!(street.channel.asked().len(), 1, "what is barred never leaves");
    let (tenant, session) = (street.tenant, street.session);
    street.world.tell(contact, tenant, window(contact, session, Duration::from_secs(60))).await;
    let yes = ConsentChangedV1 {
        contact,
        marketing: true,
        source: "test".into(),
        said_at: SystemClock.wall(),
        evidence: None,
    };
    street.world.tell(contact, tenant, yes).await;
    // Nobody waits for the rows: the gate itself does.
    let (hello, sale) =
        (street.accept(Category::Service, text()).await, street.accept(Category::Marketing, template()).await);
    street.world.until(&[hello, sale], LONG, &[State::Sent]).await;
    street.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_own_word_counts_at_the_gate_too() {
    let street = Street::strict((None, Some(false))).await;
    let hello = street.accept(Category::Service, text()).await;
    let sale = street.accept(Category::Marketing, template()).await;
    street.sent(hello).await;
    assert_eq!(street.barred(sale).await, "no_opt_in");
    street.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_has_closed_is_closed() {
    let street = Street::strict((None, None)).await;
    let contact = street.world.contact(street.tenant, TO).await;
    let (tenant, session) = (street.tenant, street.session);
    street.world.tell(contact, tenant, window(contact, session, Duration::ZERO)).await;
    let hello = street.accept(Category::Service, text()).await;
    assert_eq!(street.barred(hello).await, "window_closed");
    street.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_enough_marketing_is_left_alone_with_it_and_gets_everything_else() {
    let street = Street::strict((Some(false), None)).await;
    let contact = street.world.contact(street.tenant, TO).await;
    let until = SystemClock.wall() + 2_000_000;
    street.world.tell(contact, street.tenant, ContactHeldV1 { contact, until, code: 131_049 }).await;
    street.world.applied(contact).await;
    let sale = street.accept(Category::Marketing, template()).await;
    let update = street.accept(Category::Utility, template()).await;
    street.sent(update).await;
    assert!(SystemClock.wall() < until, "the machine is too slow for this test");
    street.world.until(&[sale], Duration::from_secs(1), &[State::Queued]).await;
    let row = street.world.row(sale).await.expect("a row");
    assert_eq!(row.not_before, Some(until), "it says until when");
    street.sent(sale).await;
    let sent = street.world.row(sale).await.and_then(|row| row.sent).expect("sent");
    assert!(sent.at >= until, "it left before the hold was over");
    assert_eq!(street.channel.asked().len(), 2, "and not once in between");
    street.world.stop().await;
}

/// The row of a message once it says until when it waits.
async fn put_off(world: &World, message: MessageId) -> MessageRow {
    let until = std::time::Instant::now() + LONG;
    loop {
        match world.row(message).await {
            Some(row) if row.not_before.is_some() => return row,
            row if std::time::Instant::now() > until => panic!("it does not wait: {row:?}"),
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Minutes of the day, in Greenwich.
fn minute(at: i64) -> u16 {
    u16::try_from(at.div_euclid(60_000_000).rem_euclid(1_440)).expect("a minute of the day")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marketing_that_is_met_by_the_night_waits_for_the_morning() {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let limits = Limits { gates: Gates::OPEN, ..limits() };
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits, None).await;
    // The night began a minute ago in Iceland, and for those of whom no country is known: a satellite's number.
    let now = SystemClock.wall();
    let (from, until) = (minute(now - 60_000_000), minute(now + 300_000_000));
    let night = QuietHours { from, until, zone: "UTC".into() };
    let tenant = world.quiet_tenant("acme", 100_000, (None, None), Some(night)).await;
    let session = world.session(tenant, "orders").await;
    world.applied(tenant).await;
    let to = |to: &str| json!({ "to": to, "type": "template", "template": { "name": "sale", "language": { "code": "en" } } });
    let sale = world.accept_for(tenant, session, Category::Marketing, to("+870773111632")).await;
    let iceland = world.accept_for(tenant, session, Category::Marketing, to("+3545550123")).await;
    let update = world.accept_for(tenant, session, Category::Utility, to("+870773111633")).await;
    let elsewhere = world.accept_for(tenant, session, Category::Marketing, to("+8801712345678")).await;
    world.until(&[update, elsewhere], LONG, &[State::Sent]).await;
    for waits in [sale, iceland] {
        let row = put_off(&world, waits).await;
        let at = row.not_before.expect("it says until when");
        assert_eq!((row.state(), minute(at), at > now), (State::Queued, until, true));
    }
    assert_eq!(channel.asked().len(), 2);
    world.stop().await;
}
