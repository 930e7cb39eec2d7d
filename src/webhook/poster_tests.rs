//! The poster against real sockets on loopback: every outcome is provoked by a server that misbehaves in that way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use url::Url;

use super::address::AddressClass;
use super::error::{BuildError, Refusal};
use super::post::{Deliver, Delivered, Post, UnreachableReason};
use super::resolve::Lookup;
use super::{DeliveryId, Guard, Ports, Poster, PosterSettings, Secret, Secrets, sign};

/// What the server does with each request it has read.
#[derive(Clone)]
enum Conduct {
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
enum Seen {
    Request {
        head: String,
        body: String,
    },
    /// The client closed; with the number of body bytes that a flood got rid of before.
    Closed {
        flooded: usize,
    },
}

struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Server {
    async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a loopback port");
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
        Self {
            address,
            connections,
            seen,
        }
    }

    fn url(&self, host: &str) -> Url {
        format!("http://{host}:{}/hook", self.address.port())
            .parse()
            .expect("a url")
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn next(&mut self) -> Seen {
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
    let block = [b'x'; 64 * 1024];
    let mut sent = 0;
    while sent < 1 << 30 && stream.write_all(&block).await.is_ok() {
        sent += block.len();
    }
    sent
}

async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.map_or(0, |n| n.parse().expect("a number")) {
                return Some(Seen::Request {
                    head: head.to_owned(),
                    body: body.to_owned(),
                });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn reply(status: &str, headers: &str, body: &str) -> Conduct {
    Conduct::Reply(format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    ))
}

fn private() -> PosterSettings {
    PosterSettings {
        guard: Guard {
            allow_private: true,
            allowed_ports: Ports::Any,
        },
        timeout: Duration::from_secs(20),
        extra_roots_pem: None,
    }
}

fn poster(settings: PosterSettings) -> Poster {
    Poster::new(settings).expect("a client")
}

fn post(url: Url) -> Post {
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
async fn outcome(conduct: Conduct) -> Delivered {
    let server = Server::start(conduct).await;
    poster(private())
        .deliver(post(server.url("127.0.0.1")))
        .await
}

fn unreachable_reason(outcome: Delivered) -> UnreachableReason {
    match outcome {
        Delivered::Unreachable { reason, detail } => {
            assert!(!detail.is_empty() && !detail.contains("/hook"), "{detail}");
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_sent_is_signed_named_and_whole() {
    let mut server = Server::start(reply("204 No Content", "", "")).await;
    let post = post(server.url("127.0.0.1"));
    let signature = sign(&post.secrets, &post.id, post.timestamp_s, &post.body);
    assert_eq!(
        poster(private()).deliver(post).await,
        Delivered::Acknowledged { status: 204 }
    );
    let Seen::Request { head, body } = server.next().await else {
        panic!("no request")
    };
    assert_eq!(body, r#"{"type":"message.sent"}"#);
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines[0], "POST /hook HTTP/1.1");
    for expected in [
        "content-type: application/json",
        concat!("user-agent: waybill/", env!("CARGO_PKG_VERSION")),
        "webhook-id: msg_1",
        "webhook-timestamp: 784111717",
        &format!("webhook-signature: {signature}"),
    ] {
        assert!(
            lines.contains(&expected),
            "{expected} is missing in {lines:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_serves_again() {
    let server = Server::start(reply("200 OK", "", &"y".repeat(1000))).await;
    let poster = poster(private());
    for _ in 0..5 {
        let outcome = poster.deliver(post(server.url("127.0.0.1"))).await;
        assert_eq!(outcome, Delivered::Acknowledged { status: 200 });
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::start(reply("200 OK", "", "")).await;
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let location = format!("location: {}\r\n", target.url("127.0.0.1"));
        let expected = Delivered::Redirected {
            status: status[..3].parse().expect("a number"),
        };
        assert_eq!(outcome(reply(status, &location, "")).await, expected);
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn refusals_gone_and_throttling_are_told_apart() {
    assert_eq!(outcome(reply("410 Gone", "", "bye")).await, Delivered::Gone);
    let seconds = outcome(reply("429 Too Many", "retry-after: 90\r\n", "")).await;
    assert_eq!(
        seconds,
        Delivered::Throttled {
            status: 429,
            retry_after: Some(Duration::from_secs(90))
        }
    );
    // One minute after the post's own time.
    let date = outcome(reply(
        "503 Busy",
        "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "",
    ))
    .await;
    assert_eq!(
        date,
        Delivered::Throttled {
            status: 503,
            retry_after: Some(Duration::from_secs(60))
        }
    );
    let rejected = outcome(reply("400 Bad", "", "no \u{1b}[1msuch\nkey")).await;
    let excerpt = "no [1msuch key".to_owned();
    assert_eq!(
        rejected,
        Delivered::Rejected {
            status: 400,
            retry_after: None,
            excerpt
        }
    );
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let mut server = Server::start(Conduct::Reply(String::new())).await;
    let settings = PosterSettings {
        timeout: Duration::from_millis(200),
        ..private()
    };
    assert_eq!(
        poster(settings)
            .deliver(post(server.url("127.0.0.1")))
            .await,
        Delivered::TimedOut
    );
    assert!(matches!(server.next().await, Seen::Request { .. }));
    assert_eq!(server.next().await, Seen::Closed { flooded: 0 });
}

#[tokio::test]
async fn a_body_that_drips_is_cut_and_the_status_stands() {
    let head = |status| format!("HTTP/1.1 {status}\r\ncontent-length: 1000\r\n\r\npart");
    for (status, expected) in [
        ("200 OK", Delivered::Acknowledged { status: 200 }),
        (
            "500 Oh",
            Delivered::Rejected {
                status: 500,
                retry_after: None,
                excerpt: "part".to_owned(),
            },
        ),
    ] {
        let mut server = Server::start(Conduct::Reply(head(status))).await;
        let settings = PosterSettings {
            timeout: Duration::from_millis(300),
            ..private()
        };
        assert_eq!(
            poster(settings)
                .deliver(post(server.url("127.0.0.1")))
                .await,
            expected
        );
        assert!(matches!(server.next().await, Seen::Request { .. }));
        assert_eq!(
            server.next().await,
            Seen::Closed { flooded: 0 },
            "the connection is given up"
        );
    }
}

#[tokio::test]
async fn a_dripping_body_does_not_hold_the_whole_deadline() {
    let server = Server::start(Conduct::Reply(
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_owned(),
    ))
    .await;
    let started = Instant::now();
    let outcome = poster(private())
        .deliver(post(server.url("127.0.0.1")))
        .await;
    assert_eq!(outcome, Delivered::Acknowledged { status: 200 });
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?} of a deadline of 20 s",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_body_without_end_is_capped() {
    let head = "HTTP/1.1 500 Oh\r\ncontent-length: 1073741824\r\n\r\n".to_owned();
    let mut server = Server::start(Conduct::Flood(head)).await;
    let Delivered::Rejected { excerpt, .. } = poster(private())
        .deliver(post(server.url("127.0.0.1")))
        .await
    else {
        panic!("500 is a rejection")
    };
    assert_eq!(excerpt, "x".repeat(4096));
    assert!(matches!(server.next().await, Seen::Request { .. }));
    let Seen::Closed { flooded } = server.next().await else {
        panic!("the flood must be cut")
    };
    // 64 KiB are read; what the kernel's two socket buffers swallow comes on top.
    assert!(flooded < 64 << 20, "{flooded} bytes were taken");
}

#[tokio::test]
async fn a_body_of_a_megabyte_leaves_the_outcome_as_it_is() {
    let big = "z".repeat(1 << 20);
    assert_eq!(
        outcome(reply("200 OK", "", &big)).await,
        Delivered::Acknowledged { status: 200 }
    );
    let Delivered::Rejected { excerpt, .. } = outcome(reply("422 No", "", &big)).await else {
        panic!("422")
    };
    assert_eq!(excerpt.len(), 4096);
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let unused = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("bound");
    let url = format!("http://{unused}/hook").parse().expect("a url");
    let refused = poster(private()).deliver(post(url)).await;
    assert_eq!(
        unreachable_reason(refused),
        UnreachableReason::ConnectionRefused
    );
    assert_eq!(
        unreachable_reason(outcome(Conduct::Close).await),
        UnreachableReason::ConnectionLost
    );
    let garbage = Conduct::Reply("SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned());
    assert_eq!(
        unreachable_reason(outcome(garbage).await),
        UnreachableReason::Protocol
    );
    let many = (0..200)
        .map(|n| format!("x-{n}: 1\r\n"))
        .collect::<String>();
    assert_eq!(
        unreachable_reason(outcome(reply("200 OK", &many, "")).await),
        UnreachableReason::Protocol
    );
}

#[tokio::test]
async fn a_plain_server_behind_https_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}/hook", listener.local_addr().expect("bound"))
        .parse()
        .expect("a url");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .expect("reply");
        stream.read_to_end(&mut Vec::new()).await
    });
    let outcome = poster(private()).deliver(post(url)).await;
    assert_eq!(unreachable_reason(outcome), UnreachableReason::Tls);
}

/// A resolver that answers every name with these addresses, or with a failure when there is none.
fn scripted_lookup(answer: &[&str]) -> Lookup {
    let answer: Vec<SocketAddr> = answer
        .iter()
        .map(|ip| SocketAddr::new(ip.parse().expect("an address"), 0))
        .collect();
    Arc::new(move |_| {
        let answer = answer.clone();
        Box::pin(async move {
            if answer.is_empty() {
                Err(io::Error::other("no such name"))
            } else {
                Ok(answer)
            }
        })
    })
}

fn any_port() -> PosterSettings {
    PosterSettings {
        guard: Guard {
            allow_private: false,
            allowed_ports: Ports::Any,
        },
        ..private()
    }
}

#[tokio::test]
async fn loopback_is_refused_as_a_literal_and_by_name() {
    let server = Server::start(reply("200 OK", "", "")).await;
    let poster = poster(any_port());
    for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let outcome = poster.deliver(post(server.url(host))).await;
        assert!(
            matches!(outcome, Delivered::Refused(Refusal::Literal(_))),
            "{host}: {outcome:?}"
        );
    }
    let Delivered::Refused(Refusal::Resolved { host, found }) =
        poster.deliver(post(server.url("localhost"))).await
    else {
        panic!("localhost must be refused by the resolver")
    };
    assert_eq!(
        (host.as_str(), found.class),
        ("localhost", AddressClass::Loopback)
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_mixed_answer_is_refused_before_anything_is_dialled() {
    let server = Server::start(reply("200 OK", "", "")).await;
    let lookup = scripted_lookup(&["1.1.1.1", "127.0.0.1"]);
    let poster = Poster::with_lookup(any_port(), lookup).expect("a client");
    let outcome = poster.deliver(post(server.url("hooks.example"))).await;
    assert!(
        matches!(outcome, Delivered::Refused(Refusal::Resolved { .. })),
        "{outcome:?}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_unreachable() {
    let poster = Poster::with_lookup(any_port(), scripted_lookup(&[])).expect("a client");
    let outcome = poster
        .deliver(post("http://hooks.example/hook".parse().expect("a url")))
        .await;
    assert_eq!(
        unreachable_reason(outcome),
        UnreachableReason::NameNotResolved
    );
}

#[tokio::test]
async fn the_second_lock_looks_at_whom_we_are_talking_to() {
    let server = Server::start(reply("500 Oh", "", "internal secret")).await;
    let mut poster =
        Poster::with_lookup(private(), scripted_lookup(&["127.0.0.1"])).expect("a client");
    poster.guard = any_port().guard;
    let outcome = poster.deliver(post(server.url("hooks.example"))).await;
    assert!(
        matches!(outcome, Delivered::Refused(Refusal::Peer(_))),
        "{outcome:?}"
    );
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for timeout in [Duration::ZERO, Duration::from_secs(61)] {
        let error = Poster::new(PosterSettings {
            timeout,
            ..private()
        })
        .expect_err("out of range");
        assert!(matches!(error, BuildError::Timeout(_)), "{error}");
    }
    let settings = PosterSettings {
        extra_roots_pem: Some(b"not a certificate".to_vec()),
        ..private()
    };
    assert!(matches!(Poster::new(settings), Err(BuildError::NoRoots)));
}
