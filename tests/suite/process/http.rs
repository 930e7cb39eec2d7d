//! The caller: one HTTP client for everything a test asks of the node.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long any answer may take. The node's own limit is 30 s.
const PATIENCE: Duration = Duration::from_secs(40);

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The stable word of a problem.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// A client of one node.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Http {
    pub fn new(base: String) -> Self {
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(2)).build_http();
        Self { client, base }
    }

    /// Sends a request; no answer is an `Err` that says why.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, String> {
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| format!("{error:?}"))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// A request with headers of one's own.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into())).map_err(|error| error.to_string())?).await
    }

    /// Sends a body that is refused before its end. The answer is read while it is still being written, and a connection
    /// that closes meanwhile is no failure, as it is for a client that must have sent all of it first.
    pub async fn call_large(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Reply, String> {
        let host = self.base.trim_start_matches("http://");
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let stream = TcpStream::connect(host).await.map_err(|error| error.to_string())?;
        let (mut reader, mut writer) = stream.into_split();
        let writing = tokio::spawn(async move {
            let _ = writer.write_all(head.as_bytes()).await;
            let _ = writer.write_all(&body).await;
            writer
        });
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, reader.read_to_end(&mut answer)).await;
        writing.abort();
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| format!("{read:?} after {text:?}"))?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| format!("no status in {head:?}"))?;
        Ok(Reply { status, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) })
    }

    /// Gets a document.
    pub async fn get(&self, path: &str, key: &str) -> Result<Reply, String> {
        self.call(Method::GET, path, &[("authorization", &format!("Bearer {key}"))], Bytes::new()).await
    }

    /// Sends a JSON document.
    pub async fn json(&self, method: Method, path: &str, key: &str, body: &Value) -> Result<Reply, String> {
        let bearer = format!("Bearer {key}");
        let headers = [(header::AUTHORIZATION.as_str(), &*bearer), ("content-type", "application/json")];
        self.call(method, path, &headers, body.to_string()).await
    }
}
