//! What leaves: messages to the Graph API, notifications to the customer. Both are queues with a bounded number of calls under way.

use super::component::{Counters, ForwarderError};
use super::config::{ForwarderConfig, Webhook};
use crate::clock::now_us;
use crate::signature::WebhookSecret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Client, Method, Request, Url};
use serde::Serialize;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// A message to post.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub id: String,
    pub phone_number_id: String,
    pub to: String,
    pub text: String,
}

/// A status to notify of.
#[derive(Debug)]
pub(super) struct Notice {
    pub message_id: String,
    pub status: String,
    pub timestamp: String,
}

/// The client for both: no retries, no redirects, no proxy, HTTP/1.1.
pub(super) fn client(window: usize) -> Result<Client, ForwarderError> {
    // Someone else in this process may have installed it: then it is there.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(window)
        .timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .build()
        .map_err(ForwarderError::Client)
}

/// Takes from a queue and runs at most `window` calls at once.
pub(super) async fn drain<T, F>(mut queue: mpsc::Receiver<T>, window: usize, call: impl Fn(T) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(window));
    while let Some(item) = queue.recv().await {
        let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let calling = call(item);
        drop(tokio::spawn(async move {
            calling.await;
            drop(permit);
        }));
    }
}

/// What every message needs, made once.
pub(super) struct Graph {
    client: Client,
    base: String,
    authorization: HeaderValue,
    count: Arc<Counters>,
}

#[derive(Serialize)]
struct Message<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    text: Text<'a>,
    biz_opaque_callback_data: &'a str,
}

#[derive(Serialize)]
struct Text<'a> {
    body: &'a str,
}

impl Graph {
    pub(super) fn new(config: &ForwarderConfig, client: Client, count: Arc<Counters>) -> Result<Self, ForwarderError> {
        let wrong = |e: &dyn std::fmt::Display| ForwarderError::Settings(format!("graph: {e}"));
        Url::parse(&config.graph).map_err(|e| wrong(&e))?;
        let authorization = HeaderValue::from_str(&format!("Bearer {}", config.access_token)).map_err(|e| wrong(&e))?;
        Ok(Self { client, base: config.graph.trim_end_matches('/').to_owned(), authorization, count })
    }

    /// Posts one message and counts what became of it.
    pub(super) async fn send(self: Arc<Self>, message: Outgoing) {
        let sent = self.post(&message).await.is_some_and(|status| status.is_success());
        let counter = if sent { &self.count.forwarded } else { &self.count.failed };
        counter.fetch_add(1, Relaxed);
    }

    async fn post(&self, message: &Outgoing) -> Option<reqwest::StatusCode> {
        let url = Url::parse(&format!("{}/{}/messages", self.base, message.phone_number_id)).ok()?;
        let body = Message {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to: &message.to,
            kind: "text",
            text: Text { body: &message.text },
            biz_opaque_callback_data: &message.id,
        };
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(Body::from(serde_json::to_vec(&body).ok()?));
        answered(&self.client, request).await
    }
}

/// The status of the answer, read to its end so that the connection can be used again.
async fn answered(client: &Client, request: Request) -> Option<reqwest::StatusCode> {
    let response = client.execute(request).await.ok()?;
    let status = response.status();
    response.bytes().await.ok()?;
    Some(status)
}

/// What every notification needs, made once.
pub(super) struct Customer {
    client: Client,
    url: Url,
    secret: WebhookSecret,
    count: Arc<Counters>,
}

#[derive(Serialize)]
struct Notification<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: &'a str,
    data: NotificationData<'a>,
}

#[derive(Serialize)]
struct NotificationData<'a> {
    message_id: &'a str,
    status: &'a str,
}

impl Customer {
    pub(super) fn new(webhook: &Webhook, client: Client, count: Arc<Counters>) -> Result<Self, ForwarderError> {
        let wrong = |e: String| ForwarderError::Settings(format!("webhook: {e}"));
        let url = Url::parse(&webhook.url).map_err(|e| wrong(e.to_string()))?;
        let secret = WebhookSecret::parse(&webhook.secret).map_err(wrong)?;
        Ok(Self { client, url, secret, count })
    }

    /// Posts one notification and counts what became of it.
    pub(super) async fn notify(self: Arc<Self>, notice: Notice) {
        let taken = self.post(&notice).await.is_some_and(|status| status.is_success());
        let counter = if taken { &self.count.notified } else { &self.count.notify_failed };
        counter.fetch_add(1, Relaxed);
    }

    async fn post(&self, notice: &Notice) -> Option<reqwest::StatusCode> {
        let Notice { message_id, status, timestamp } = notice;
        let kind = format!("message.{status}");
        let body = Notification { kind: &kind, timestamp, data: NotificationData { message_id, status } };
        let body = serde_json::to_vec(&body).ok()?;
        let (id, now) = (format!("evt_{message_id}_{status}"), (now_us() / 1_000_000).to_string());
        let signature = self.secret.sign(&id, &now, &body);
        let mut request = Request::new(Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("webhook-id", HeaderValue::try_from(id).ok()?);
        headers.insert("webhook-timestamp", HeaderValue::try_from(now).ok()?);
        headers.insert("webhook-signature", HeaderValue::try_from(signature).ok()?);
        *request.body_mut() = Some(Body::from(body));
        answered(&self.client, request).await
    }
}
