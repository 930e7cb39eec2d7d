//! Every outcome, provoked by a server that misbehaves in that way.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::{Deliver, Delivered, PosterSettings, UnreachableReason, sign};
use super::stage::{Conduct, Seen, Server, outcome, post, poster, private, reply, unreachable_reason};

#[tokio::test]
async fn what_is_sent_is_signed_named_and_whole() {
    let mut server = Server::start(reply("204 No Content", "", "")).await;
    let post = post(server.url("127.0.0.1"));
    let signature = sign(&post.secrets, &post.id, post.timestamp_s, &post.body);
    assert_eq!(poster(private()).deliver(post).await, Delivered::Acknowledged { status: 204 });
    let Seen::Request { head, body } = server.next().await else { panic!("no request") };
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
        assert!(lines.contains(&expected), "{expected} is missing in {lines:?}");
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
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("location: {}\r\n", target.url("127.0.0.1"));
        let expected = Delivered::Redirected { status: status[..3].parse().expect("a number") };
        assert_eq!(outcome(reply(status, &location, "")).await, expected);
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn refusals_gone_and_throttling_are_told_apart() {
    assert_eq!(outcome(reply("410 Gone", "", "bye")).await, Delivered::Gone);
    let seconds = outcome(reply("429 Too Many", "retry-after: 90\r\n", "")).await;
    assert_eq!(seconds, Delivered::Throttled { status: 429, retry_after: Some(Duration::from_secs(90)) });
    // One minute after the post's own time.
    let date = outcome(reply("503 Busy", "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "")).await;
    assert_eq!(date, Delivered::Throttled { status: 503, retry_after: Some(Duration::from_secs(60)) });
    let rejected = outcome(reply("400 Bad", "", "no \u{1b}[1msuch\nkey")).await;
    let excerpt = "no [1msuch key".to_owned();
    assert_eq!(rejected, Delivered::Rejected { status: 400, retry_after: None, excerpt });
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let mut server = Server::start(Conduct::Reply(String::new())).await;
    let settings = PosterSettings { timeout: Duration::from_millis(200), ..private() };
    assert_eq!(poster(settings).deliver(post(server.url("127.0.0.1"))).await, Delivered::TimedOut);
    assert!(matches!(server.next().await, Seen::Request { .. }));
    assert_eq!(server.next().await, Seen::Closed { flooded: 0 });
}

#[tokio::test]
async fn a_body_that_drips_is_cut_and_the_status_stands() {
    let head = |status| format!("HTTP/1.1 {status}\r\ncontent-length: 1000\r\n\r\npart");
    for (status, expected) in [
        ("200 OK", Delivered::Acknowledged { status: 200 }),
        ("500 Oh", Delivered::Rejected { status: 500, retry_after: None, excerpt: "part".to_owned() }),
    ] {
        let mut server = Server::start(Conduct::Reply(head(status))).await;
        let settings = PosterSettings { timeout: Duration::from_millis(300), ..private() };
        assert_eq!(poster(settings).deliver(post(server.url("127.0.0.1"))).await, expected);
        assert!(matches!(server.next().await, Seen::Request { .. }));
        assert_eq!(server.next().await, Seen::Closed { flooded: 0 }, "the connection is given up");
    }
}

#[tokio::test]
async fn a_dripping_body_does_not_hold_the_whole_deadline() {
    let server = Server::start(Conduct::Reply("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_owned())).await;
    let started = Instant::now();
    let outcome = poster(private()).deliver(post(server.url("127.0.0.1"))).await;
    assert_eq!(outcome, Delivered::Acknowledged { status: 200 });
    assert!(started.elapsed() < Duration::from_secs(10), "{:?} of a deadline of 20 s", started.elapsed());
}

#[tokio::test]
async fn a_body_without_end_is_capped() {
    let head = "HTTP/1.1 500 Oh\r\ncontent-length: 1073741824\r\n\r\n".to_owned();
    let mut server = Server::start(Conduct::Flood(head)).await;
    let Delivered::Rejected { excerpt, .. } = poster(private()).deliver(post(server.url("127.0.0.1"))).await else {
        panic!("500 is a rejection")
    };
    assert_eq!(excerpt, "x".repeat(4096));
    assert!(matches!(server.next().await, Seen::Request { .. }));
    let Seen::Closed { flooded } = server.next().await else { panic!("the flood must be cut") };
    // 64 KiB are read; what the kernel's two socket buffers swallow comes on top.
    assert!(flooded < 64 << 20, "{flooded} bytes were taken");
}

#[tokio::test]
async fn a_body_of_a_megabyte_leaves_the_outcome_as_it_is() {
    let big = "z".repeat(1 << 20);
    assert_eq!(outcome(reply("200 OK", "", &big)).await, Delivered::Acknowledged { status: 200 });
    let Delivered::Rejected { excerpt, .. } = outcome(reply("422 No", "", &big)).await else { panic!("422") };
    assert_eq!(excerpt.len(), 4096);
}

#[tokio::test]
async fn of_an_answer_no_more_is_read_than_the_settings_allow() {
    let server = Server::start(reply("422 No", "", &"z".repeat(1 << 20))).await;
    let settings = PosterSettings { response_max: 1024, ..private() };
    let Delivered::Rejected { excerpt, .. } = poster(settings).deliver(post(server.url("127.0.0.1"))).await else {
        panic!("422")
    };
    assert_eq!(excerpt.len(), 1024);
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let unused = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
    let url = format!("http://{unused}/hook").parse().expect("a url");
    let refused = poster(private()).deliver(post(url)).await;
    assert_eq!(unreachable_reason(refused), UnreachableReason::ConnectionRefused);
    assert_eq!(unreachable_reason(outcome(Conduct::Close).await), UnreachableReason::ConnectionLost);
    let garbage = Conduct::Reply("SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned());
    assert_eq!(unreachable_reason(outcome(garbage).await), UnreachableReason::Protocol);
    let many = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    assert_eq!(unreachable_reason(outcome(reply("200 OK", &many, "")).await), UnreachableReason::Protocol);
}

#[tokio::test]
async fn a_plain_server_behind_https_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}/hook", listener.local_addr().expect("bound")).parse().expect("a url");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("reply");
        stream.read_to_end(&mut Vec::new()).await
    });
    let outcome = poster(private()).deliver(post(url)).await;
    assert_eq!(unreachable_reason(outcome), UnreachableReason::Tls);
}
