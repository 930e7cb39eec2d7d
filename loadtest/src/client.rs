//! A plain HTTP/1.1 client: one connection, one request at a time. It costs next to nothing, so that a measurement shows the target.

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::net::TcpStream;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not `http://host:port[/path]`.
    #[error("`{0}` is not an address such as http://127.0.0.1:8080")]
    Address(String),
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    /// The connection broke; whether the request arrived is open.
    #[error("no answer: {0}")]
    Broken(#[from] hyper::Error),
    /// No answer in time; whether the request arrived is open.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The request could not be built.
    #[error("request: {0}")]
    Request(#[from] http::Error),
    /// The answer is something else than expected.
    #[error("answer {0}: {1}")]
    Answer(StatusCode, String),
}

/// Where a target listens: `http://host:port/base`.
#[derive(Debug, Clone)]
pub struct Address {
    authority: Authority,
    base: String,
}

impl Address {
    /// Reads an address; a slash at its end does not matter.
    ///
    /// # Errors
    /// [`ClientError::Address`].
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong());
        }
        let authority = uri.authority().cloned().ok_or_else(wrong)?;
        Ok(Self { authority, base: uri.path().trim_end_matches('/').to_owned() })
    }

    fn socket(&self) -> String {
        format!("{}:{}", self.authority.host(), self.authority.port_u16().unwrap_or(80))
    }
}

/// One connection, made when it is needed and made again when it broke.
#[derive(Debug)]
pub struct Connection {
    address: Address,
    timeout: Duration,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// A connection to be made; each request gets `timeout`.
    #[must_use]
    pub fn new(address: Address, timeout: Duration) -> Self {
        Self { address, timeout, sender: None }
    }

    async fn connect(&mut self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = TcpStream::connect(self.address.socket()).await.map_err(ClientError::Connect)?;
        stream.set_nodelay(true).map_err(ClientError::Connect)?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        // A connection that breaks tells its sender; there is nothing more to say here.
        drop(tokio::spawn(async move { drop(driver.await) }));
        Ok(sender)
    }

    async fn exchange(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ClientError> {
        let mut sender = self.connect().await?;
        let host = header::HeaderValue::from_str(self.address.authority.as_str()).map_err(http::Error::from)?;
        request.headers_mut().insert(header::HOST, host);
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        self.sender = Some(sender);
        Ok(Response::from_parts(head, body))
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`ClientError`]; only [`ClientError::Connect`] and what comes before it mean that the request surely did not arrive.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), ClientError> {
        self.answer(request).await.map(|answer| (answer.status(), answer.into_body()))
    }

    /// The same, with the headers of the answer.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub async fn answer(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ClientError> {
        let timeout = self.timeout;
        tokio::time::timeout(timeout, self.exchange(request)).await.unwrap_or(Err(ClientError::Late(timeout)))
    }

    /// The path of a request below the base of the address.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.address.base)
    }

    /// Gets a JSON document.
    ///
    /// # Errors
    /// [`ClientError`]; an answer other than 200 with the expected JSON is [`ClientError::Answer`].
    pub async fn get_json<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        let request = Request::get(self.path(path)).body(Full::default())?;
        let (status, body) = self.send(request).await?;
        if status != StatusCode::OK {
            return Err(ClientError::Answer(status, String::from_utf8_lossy(&body).into_owned()));
        }
        serde_json::from_slice(&body).map_err(|wrong| ClientError::Answer(status, wrong.to_string()))
    }
}
