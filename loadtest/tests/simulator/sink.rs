//! The sink, as the sender of notifications sees it.

use crate::street::client;
use serde_json::json;
use std::time::{Duration, Instant};
use waybill_loadtest::signature::WebhookSecret;
use waybill_loadtest::sink::{Behaviour, Sink, SinkConfig};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Customer {
    sink: Sink,
    client: reqwest::Client,
    secret: WebhookSecret,
}

impl Customer {
    async fn open(behaviour: Behaviour) -> Self {
        let config = SinkConfig { secrets: vec![SECRET.into()], behaviour, ..SinkConfig::default() };
        Self {
            sink: Sink::start(config).await.expect("start"),
            client: client(),
            secret: WebhookSecret::parse(SECRET).expect("secret"),
        }
    }

    async fn deliver(&self, id: &str, signed_id: &str) -> reqwest::Result<u16> {
        let body = json!({"type": "message.delivered", "data": {"message_id": "msg_1"}}).to_string();
        let signature = self.secret.sign(signed_id, "1795000000", body.as_bytes());
        let request =
            self.client.post(self.sink.url()).header("webhook-id", id).header("webhook-timestamp", "1795000000");
        let response = request.header("webhook-signature", signature).body(body).send().await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok(status)
    }
}

#[tokio::test]
async fn the_sink_verifies_records_and_finds_duplicates() {
    let customer = Customer::open(Behaviour::default()).await;
    assert_eq!(customer.deliver("evt_1", "evt_1").await.expect("answer"), 200);
    assert_eq!(customer.deliver("evt_1", "evt_1").await.expect("answer"), 200);
    assert_eq!(customer.deliver("evt_2", "evt_1").await.expect("answer"), 401);
    let stats = customer.sink.stats();
    assert_eq!((stats.signatures_good, stats.signatures_bad, stats.duplicates, stats.events), (2, 1, 1, 1));
    let events = customer.sink.events(0, 10);
    assert_eq!((&*events[0].id, &*events[0].kind, &*events[0].message_id), ("evt_1", "message.delivered", "msg_1"));
}

#[tokio::test]
async fn the_sink_misbehaves_on_demand() {
    let customer = Customer::open(Behaviour { status: Some(410), ..Behaviour::default() }).await;
    assert_eq!(customer.deliver("evt_1", "evt_1").await.expect("answer"), 410);
    customer.sink.set_behaviour(Behaviour { fail_share: 1.0, ..Behaviour::default() });
    assert_eq!(customer.deliver("evt_1", "evt_1").await.expect("answer"), 500);
    assert!(customer.sink.events(0, 10).is_empty(), "what was failed was not notified");
    customer.sink.set_behaviour(Behaviour { drip_ms: 10, ..Behaviour::default() });
    let started = Instant::now();
    assert_eq!(customer.deliver("evt_1", "evt_1").await.expect("answer"), 200);
    assert!(started.elapsed() >= Duration::from_millis(150), "17 bytes, one per 10 ms");
    customer.sink.set_behaviour(Behaviour { hang: true, ..Behaviour::default() });
    let hung = tokio::time::timeout(Duration::from_millis(200), customer.deliver("evt_2", "evt_2")).await;
    assert!(hung.is_err());
    assert_eq!((customer.sink.stats().failed_on_purpose, customer.sink.stats().events), (3, 1));
}
