//! What a customer's endpoint is posted, of every type: the real actors' own bodies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waybill::channel::scripted::Line;
use waybill::channel::{Channel, Scripted};
use waybill::domain::draft::Draft;
use waybill::domain::event::{
    AttemptRef, EndpointDeclaredV1, Event, InboundReceivedV1, MessageCancelledV1, MessageExpiredV1, Resolution,
    SessionHeldV1, SessionReleasedV1, SessionSuspendedV1, Status, StatusReportedV1, UnknownResolvedV1,
};
use waybill::domain::failure::{Answer, FailureClass};
use waybill::domain::id::{EndpointId, EventId, MessageId, SessionId, Tag, TenantId};
use waybill::domain::message::State;
use waybill::domain::record::Principal;
use waybill::domain::routing;
use waybill::domain::row::{Row, RowId, Waiting};
use waybill::domain::wamid;
use waybill::runtime::{Clock, Entropy, SystemClock, SystemEntropy};
use waybill::store::rows;
use waybill::vault::Alias;

use super::world::{PARTITIONS, World, limits};

/// The API's own tests use it too.
#[path = "../../../src/api/tests/schema.rs"]
mod schema;

use schema::Schemas;

/// A house in which everything happens that an endpoint can be told.
struct Scene {
    world: World,
    channel: Arc<Scripted>,
    tenant: TenantId,
    session: SessionId,
}

impl Scene {
    async fn new() -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session(tenant, "orders").await;
        let endpoint = world.endpoint(tenant).await;
        world.tell(endpoint, tenant, wants_all(endpoint, tenant)).await;
        Self { world, channel, tenant, session }
    }

    /// Accepts a message with the customer's own words, and waits until it is in this state.
    async fn accepted(&self, state: State) -> MessageId {
        let message = self.world.accept_as(self.tenant, self.session, own_words()).await;
        self.is(message, state).await;
        message
    }

    async fn is(&self, message: MessageId, state: State) {
        self.world.until(&[message], Duration::from_secs(10), &[state]).await;
    }

    async fn happens(&self, event: impl Into<Event>) {
        self.world.tell(self.session, self.tenant, event).await;
    }

    async fn reported(&self, message: MessageId, status: Status) {
        self.happens(StatusReportedV1 {
            session: self.session,
            of: Some(AttemptRef { message, attempt: 1 }),
            tag: Tag(SystemEntropy.id()),
            status,
            provider_at: SystemClock.wall(),
            code: 0,
            class: String::new(),
            pricing: None,
            provider_id: None,
            billable: None,
            pricing_model: None,
            pricing_type: None,
        })
        .await;
    }

    /// Somebody writes to the session.
    async fn received(&self) {
        let hands = &self.world.hands;
        let contact = hands.vault.contact(self.tenant, &Alias::phone("+12025550123").unwrap()).await.unwrap();
        let id = EventId(SystemEntropy.id());
        let framed = json!({"field": "messages", "part": {"type": "text", "text": {"body": "Thanks"}},
            "contact": {"wa_id": "12025550123"}});
        let sealed = hands.vault.seal(self.tenant, contact, &id.0, framed.to_string().as_bytes()).await.unwrap();
        let facts = InboundReceivedV1 {
            session: self.session,
            contact,
            tag: Tag(SystemEntropy.id()),
            content: "text".to_owned(),
            provider_at: SystemClock.wall(),
        };
        let draft = Draft::new(id, self.session, &facts.into(), Principal::Meta, SystemClock.wall());
        let draft = draft.tenant(self.tenant).sealed(contact, sealed.commitment, sealed.bytes);
        self.world.append(routing::partition(&self.session.into(), PARTITIONS), draft.record().unwrap()).await;
    }

    /// Waits for the notification of this type about this message, or about none.
    async fn told(&self, kind: &str, message: Option<MessageId>) -> Value {
        let id = message.map_or(Value::Null, |message| json!(message.to_string()));
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let found = self.bodies().into_iter().find(|body| body["type"] == kind && body["data"]["message_id"] == id);
            if let Some(found) = found {
                return found;
            }
            assert!(Instant::now() < until, "no {kind} of {id}: {:?}", self.bodies());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn bodies(&self) -> Vec<Value> {
        let posts = self.world.endpoint.posts();
        posts.iter().map(|post| serde_json::from_slice(&post.body).expect("JSON")).collect()
    }
}

fn wants_all(endpoint: EndpointId, tenant: TenantId) -> EndpointDeclaredV1 {
    let events = ["message.accepted", "message.*", "session.*", "audit.*"].map(str::to_owned).to_vec();
    let url = "https://customer.example/hook".to_owned();
    EndpointDeclaredV1 { endpoint, tenant, name: "hook".to_owned(), url, events, since: None }
}

fn own_words() -> Value {
    json!({"to": "+12025550123", "type": "text", "text": {"body": "hello"},
        "reference": "order-7", "biz_opaque_callback_data": "order-1042"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_the_drop_in_knows_its_message_again() {
    let scene = Scene::new().await;
    let message = scene.accepted(State::Sent).await;
    for kind in ["message.accepted", "message.sent"] {
        let data = scene.told(kind, Some(message)).await["data"].take();
        assert_eq!(data["wamid"], wamid::write(message), "{data}");
        assert_eq!((&data["biz_opaque_callback_data"], &data["reference"]), (&json!("order-1042"), &json!("order-7")));
    }
    let plain = scene.world.accept(scene.tenant, scene.session, "+12025550124").await;
    let data = scene.told("message.sent", Some(plain)).await["data"].take();
    assert_eq!(data["biz_opaque_callback_data"], Value::Null);
    scene.world.stop().await;
}

/// One notification of each type, and one about a person who was erased.
async fn one_of_each(scene: &Scene) -> Vec<Value> {
    let mut all = Vec::new();
    let sent = scene.accepted(State::Sent).await;
    all.push(scene.told("message.accepted", Some(sent)).await);
    all.push(scene.told("message.sent", Some(sent)).await);
    scene.reported(sent, Status::Delivered).await;
    all.push(scene.told("message.delivered", Some(sent)).await);
    let refused =
        Answer::Rejected { code: 131_026, class: FailureClass::Recipient, retry_after_ms: None, detail: String::new() };
    scene.channel.then(Line::Say(refused));
    let failed = scene.accepted(State::Failed).await;
    all.push(scene.told("message.failed", Some(failed)).await);
    scene.channel.then(Line::Say(Answer::Unknown { why: "timeout" }));
    let unknown = scene.accepted(State::Unknown).await;
    all.push(scene.told("message.unknown", Some(unknown)).await);
    let of = AttemptRef { message: unknown, attempt: 1 };
    scene.happens(UnknownResolvedV1 { of, resolution: Resolution::Resend, reason: None }).await;
    scene.is(unknown, State::Sent).await;
    scene.reported(unknown, Status::Sent).await;
    all.push(scene.told("message.duplicated", Some(unknown)).await);
    scene.received().await;
    all.push(scene.told("message.received", None).await);
    all.extend(held_and_released(scene).await);
    scene.happens(SessionSuspendedV1 { session: scene.session, reason: "test".to_owned() }).await;
    let (one, two) = (scene.accepted(State::Queued).await, scene.accepted(State::Queued).await);
    scene.happens(MessageCancelledV1 { message: one, round: None }).await;
    scene.happens(MessageExpiredV1 { message: two, round: None }).await;
    all.push(scene.told("message.cancelled", Some(one)).await);
    all.push(scene.told("message.expired", Some(two)).await);
    scene.reported(unknown, Status::Read).await;
    all.push(scene.told("message.read", Some(unknown)).await);
    all.push(scene.told("audit.checkpoint", None).await);
    let contact = scene.world.row(sent).await.and_then(|row| row.accepted).expect("accepted").contact;
    scene.world.vault.erase(contact);
    scene.reported(sent, Status::Read).await;
    all.push(scene.told("message.read", Some(sent)).await);
    all
}

/// The session is held three times for one reason; then somebody lifts it.
async fn held_and_released(scene: &Scene) -> Vec<Value> {
    let (session, until) = (scene.session, SystemClock.wall() + 3_600_000_000);
    for more in 0..3 {
        let class = Some("auth".to_owned());
        scene.happens(SessionHeldV1 { session, code: 190, until: until + more, class, bucket: None }).await;
    }
    let mut all = vec![scene.told("session.held", None).await];
    let waits = scene.accepted(State::Queued).await;
    scene.happens(SessionReleasedV1 { session, reason: Some("the token was mended".to_owned()) }).await;
    scene.is(waits, State::Sent).await;
    all.push(scene.told("session.released", None).await);
    let data = &all[0]["data"];
    assert_eq!((&data["class"], &data["code"], &data["session"]), (&json!("auth"), &json!(190), &json!("orders")));
    // The endpoint reads its feeds in order: what came before the release was told before it.
    let told = scene.bodies().iter().filter(|body| body["type"] == "session.held").count();
    assert_eq!(told, 1, "one for each change");
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_is_posted_as_the_document_says() {
    let scene = Scene::new().await;
    let document = waybill::api::openapi::document();
    for body in one_of_each(&scene).await {
        assert_eq!(Schemas::of(&document).findings("Notification", &body), Vec::<String>::new());
        let kind = body["type"].as_str().expect("a type");
        let media = &document["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(media["schema"]["$ref"], "#/components/schemas/Notification");
        if body["data"]["erased"] != true {
            assert_eq!(shape(&media["example"]), shape(&body), "the example of {kind} shows other fields");
        }
    }
    assert_eq!(document["webhooks"].as_object().map(serde_json::Map::len), Some(13));
    scene.world.stop().await;
}

/// The fields that are ours to name; Meta's own objects are Meta's.
fn shape(body: &Value) -> Vec<String> {
    let own = body.as_object().expect("an object").keys().cloned();
    let data = body["data"].as_object().expect("an object").keys().map(|name| format!("data/{name}"));
    let reason = body["data"]["reason"].as_object().into_iter().flatten().map(|(name, _)| format!("reason/{name}"));
    own.chain(data).chain(reason).collect()
}

/// What all partitions' rows say of messages that wait, once they say so.
async fn waits(scene: &Scene, wanted: Waiting) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let mut waiting = Waiting::default();
        for partition in 0..PARTITIONS {
            let row = rows::get(scene.world.hands.store.as_ref(), &RowId::Partition(partition)).await.unwrap();
            if let Some(Row::Partition(row)) = row {
                waiting = waiting.and(row.waiting);
            }
        }
        if waiting == wanted {
            return;
        }
        assert!(Instant::now() < until, "{waiting:?} is not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_counted_until_it_is_settled() {
    let scene = Scene::new().await;
    scene.accepted(State::Sent).await;
    waits(&scene, Waiting::default()).await;
    let answer = scene.channel.then_wait();
    let open = scene.world.accept_as(scene.tenant, scene.session, own_words()).await;
    waits(&scene, Waiting { sending: 1, ..Waiting::default() }).await;
    answer.send(Answer::Unknown { why: "timeout" }).expect("someone waits");
    waits(&scene, Waiting { held: 1, ..Waiting::default() }).await;
    scene.happens(SessionSuspendedV1 { session: scene.session, reason: "test".to_owned() }).await;
    let (one, _two) = (scene.accepted(State::Queued).await, scene.accepted(State::Queued).await);
    waits(&scene, Waiting { held: 1, queued: 2, ..Waiting::default() }).await;
    scene.happens(MessageCancelledV1 { message: one, round: None }).await;
    scene.happens(MessageCancelledV1 { message: one, round: None }).await;
    scene.reported(open, Status::Delivered).await;
    scene.reported(open, Status::Delivered).await;
    waits(&scene, Waiting { queued: 1, ..Waiting::default() }).await;
    scene.world.stop().await;
}
