//! What every test stands on: a simulator, a real client, a receiver of callbacks.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use waybill_loadtest::graph::{
    CallbackConfig, Fault, Faults, Number, Recorded, ScriptedFault, Simulator, SimulatorConfig,
};
use waybill_loadtest::signature::verify_hub;

pub(crate) const NUMBER: &str = "900100200300501";

pub(crate) fn client() -> reqwest::Client {
    // The first test to come installs it; for the others it is there.
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = reqwest::Client::builder().http1_only().no_proxy().retry(reqwest::retry::never());
    builder.timeout(Duration::from_secs(5)).build().expect("client")
}

pub(crate) fn text(to: &str, body: &str) -> Value {
    json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text",
        "biz_opaque_callback_data": "wb:1", "text": {"body": body}})
}

pub(crate) fn config() -> SimulatorConfig {
    let number = Number { access_token: Some("good".into()), ..Number::new(NUMBER) };
    SimulatorConfig { numbers: vec![number], ..SimulatorConfig::unlimited() }
}

pub(crate) struct Street {
    pub(crate) sim: Simulator,
    pub(crate) client: reqwest::Client,
}

impl Street {
    pub(crate) async fn open(config: SimulatorConfig) -> Self {
        Self { sim: Simulator::start(config).await.expect("start"), client: client() }
    }

    pub(crate) async fn try_send(&self, number: &str, token: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}/v25.0/{number}/messages", self.sim.base_url());
        let request = self.client.post(url).bearer_auth(token).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub(crate) async fn send(&self, body: &Value) -> (u16, Value) {
        self.try_send(NUMBER, "good", body).await.expect("answer")
    }

    pub(crate) async fn code(&self, body: &Value) -> u64 {
        self.send(body).await.1["error"]["code"].as_u64().unwrap_or(0)
    }

    pub(crate) fn last(&self) -> Recorded {
        self.sim.requests(0, 1_000_000).pop().expect("a record")
    }

    /// Sends one message under one fault.
    pub(crate) async fn under(&self, fault: Fault) -> reqwest::Result<(u16, Value)> {
        let request = self.sim.stats().requests + 1;
        self.sim.set_faults(Faults { scripted: vec![ScriptedFault { request, fault }], ..Faults::default() });
        self.try_send(NUMBER, "good", &text("+12025550123", "hello wbm-f")).await
    }
}

/// Waits for a condition that some other task brings about.
pub(crate) async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < patience, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A receiver of Meta's callbacks that verifies them and fails the first so many.
pub(crate) struct Receiver {
    pub(crate) addr: std::net::SocketAddr,
    pub(crate) seen: std::sync::Arc<std::sync::Mutex<Vec<Value>>>,
}

impl Receiver {
    pub(crate) async fn open(app_secret: &'static str, failing: usize) -> Self {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let (kept, left) = (seen.clone(), std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(failing)));
        let handler = move |headers: axum::http::HeaderMap, body: axum::body::Bytes| {
            let (kept, left) = (kept.clone(), left.clone());
            async move {
                let signature = headers["x-hub-signature-256"].to_str().expect("header");
                assert!(verify_hub(app_secret, &body, signature), "the signature is right");
                let less = |n: usize| n.checked_sub(1);
                if left
                    .fetch_update(std::sync::atomic::Ordering::SeqCst, std::sync::atomic::Ordering::SeqCst, less)
                    .is_ok()
                {
                    return axum::http::StatusCode::SERVICE_UNAVAILABLE;
                }
                kept.lock().expect("lock").push(serde_json::from_slice(&body).expect("JSON"));
                axum::http::StatusCode::OK
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let addr = listener.local_addr().expect("addr");
        let app = axum::Router::new().route("/cb", axum::routing::post(handler));
        drop(tokio::spawn(async move { axum::serve(listener, app).await }));
        Self { addr, seen }
    }

    pub(crate) fn statuses(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("lock");
        let changes = seen.iter().flat_map(|body| body["entry"][0]["changes"].as_array().cloned().unwrap_or_default());
        let statuses = changes.flat_map(|change| change["value"]["statuses"].as_array().cloned().unwrap_or_default());
        statuses.map(|status| status["status"].as_str().expect("status").to_owned()).collect()
    }

    pub(crate) fn config(&self) -> CallbackConfig {
        let url = Some(format!("http://{}/cb", self.addr));
        let base =
            CallbackConfig { url, app_secret: "s3cret".into(), jitter: 0.0, retry_ms: 1, ..CallbackConfig::default() };
        CallbackConfig { sent_ms: 5, delivered_ms: 20, read_ms: 20, read_share: 1.0, ..base }
    }
}
