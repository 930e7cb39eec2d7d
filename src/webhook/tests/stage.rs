//! The stage: a server on loopback that misbehaves as told, and a poster that may call it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use url::Url;

use super::super::{
    Deliver, Delivered, DeliveryId, Guard, Ports, Post, Poster, PosterSettings, Secret, Secrets, UnreachableReason,
};

/// What the server does with each request it has read.
#[derive(Clone)]
pub(super) enum Conduct {
    /// Sends these bytes, then waits for the next request or for the client to close. Where the bytes are less than
    /// they announce, that is a stall.
    Reply(String),
    /// Sends this head and then a body without end, until the client closes.
    Flood(String),
    /// Closes without a word.
    Close,
}

/// What the server saw.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Request {
        head: String,
        body: String,
    },
    /// The client closed; with the number of body bytes that a flood got rid of before.
    Closed {
        flooded: usize,
    },
}

pub(super) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Server {
    pub(super) async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let (tell, seen) = mpsc::unbounded_channel();
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, conduct.clone(), tell.clone()));
            }
        });
        Self { address, connections, seen }
    }

    pub(super) fn url(&self, host: &str) -> Url {
        format!("http://{host}:{}/hook", self.address.port()).parse().expect("a url")
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(super) async fn next(&mut self) -> Seen {
        self.seen.recv().await.expect("the server runs")
    }
}

async fn serve(mut stream: TcpStream, conduct: Conduct, tell: mpsc::UnboundedSender<Seen>) {
    while let Some(request) = read_request(&mut stream).await {
        tell.send(request).expect("the test listens");
        match &conduct {
            Conduct::Reply(bytes) => {
                // A client that has read enough of a long body closes in the midst of it.
                if stream.write_all(bytes.as_bytes()).await.is_err() {
                    break;
                }
            }
            Conduct::Flood(head) => {
                stream.write_all(head.as_bytes()).await.expect("head");
                let flooded = flood(&mut stream).await;
                // The test may be over by now; then nobody wants to know.
                let _unheard = tell.send(Seen::Closed { flooded });
                return;
            }
            Conduct::Close => return,
        }
    }
    let _unheard = tell.send(Seen::Closed { flooded: 0 });
}

async fn flood(stream: &mut TcpStream) -> usize {
    static BLOCK: [u8; 64 * 1024] = [b'x'; 64 * 1024];
    let mut sent = 0;
    while sent < 1 << 30 && stream.write_all(&BLOCK).await.is_ok() {
        sent += BLOCK.len();
    }
    sent
}

async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.map_or(0, |n| n.parse().expect("a number")) {
                return Some(Seen::Request { head: head.to_owned(), body: body.to_owned() });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

pub(super) fn reply(status: &str, headers: &str, body: &str) -> Conduct {
    Conduct::Reply(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()))
}

pub(super) fn private() -> PosterSettings {
    PosterSettings { guard: Guard { allow_private: true, allowed_ports: Ports::Any }, ..PosterSettings::default() }
}

pub(super) fn poster(settings: PosterSettings) -> Poster {
    Poster::new(settings).expect("a client")
}

pub(super) fn post(url: Url) -> Post {
    let secret = |n: u8| Secret::from_random(&[n; 32]).expect("32 bytes");
    Post {
        url,
        id: DeliveryId::new("msg_1").expect("an id"),
        timestamp_s: 784_111_717,
        body: r#"{"type":"message.sent"}"#.into(),
        secrets: Secrets::new(vec![secret(1), secret(2)]).expect("two"),
    }
}

/// One delivery to a server of this conduct.
pub(super) async fn outcome(conduct: Conduct) -> Delivered {
    let server = Server::start(conduct).await;
    poster(private()).deliver(post(server.url("127.0.0.1"))).await
}

pub(super) fn unreachable_reason(outcome: Delivered) -> UnreachableReason {
    match outcome {
        Delivered::Unreachable { reason, detail } => {
            assert!(!detail.is_empty() && !detail.contains("/hook"), "{detail}");
            reason
        }
        other => panic!("{other:?}"),
    }
}
