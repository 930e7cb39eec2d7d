//! What every channel promises, asked of the Cloud API (against a server in this test) and of the double alike.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::scripted::{Line, Scripted};
use super::seam::{Channel, Credential, SendCommand};
use super::whatsapp::{Settings, WhatsApp, codes};
use crate::domain::failure::{Answer, Bucket, FailureClass};
use crate::domain::id::MessageId;
use crate::domain::record::Micros;
use crate::runtime::{Clock, ManualClock};

/// What happens to the attempt out there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Case {
    Sent,
    RejectedByCode,
    AmbiguousCode,
    ConnectRefused,
    Timeout,
    ResetAfterWrite,
    CutAnswer,
    Garbage,
    HugeAnswer,
    ServerError,
    Redirect,
    DeadlinePassed,
}

const ALL: [Case; 12] = [
    Case::Sent,
    Case::RejectedByCode,
    Case::AmbiguousCode,
    Case::ConnectRefused,
    Case::Timeout,
    Case::ResetAfterWrite,
    Case::CutAnswer,
    Case::Garbage,
    Case::HugeAnswer,
    Case::ServerError,
    Case::Redirect,
    Case::DeadlinePassed,
];

/// What every channel answers then.
fn expected(case: Case) -> Answer {
    match case {
        Case::Sent => Answer::Sent { provider_id: "wamid.1".into() },
        Case::RejectedByCode => Answer::Rejected {
            code: 131_056,
            class: FailureClass::Throttle(Bucket::Pair),
            retry_after_ms: Some(7_000),
            detail: "Too many messages to # in a short time.".into(),
        },
        Case::AmbiguousCode => Answer::Unknown { why: "ambiguous_code" },
        Case::ConnectRefused => Answer::NotSent { why: "connect" },
        Case::Timeout => Answer::Unknown { why: "timeout" },
        Case::ResetAfterWrite => Answer::Unknown { why: "reset" },
        Case::CutAnswer => Answer::Unknown { why: "body" },
        Case::Garbage | Case::HugeAnswer => Answer::Unknown { why: "malformed" },
        Case::ServerError => Answer::Unknown { why: "server_error" },
        Case::Redirect => Answer::Unknown { why: "unexpected_status" },
        Case::DeadlinePassed => Answer::NotSent { why: "deadline" },
    }
}

fn response(status: &str, headers: &str, body: &str) -> Option<Vec<u8>> {
    Some(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes())
}

/// What the server says; `None`: it keeps silent.
fn said(case: Case) -> Option<Vec<u8>> {
    let error =
        |code: i32, details: &str| json!({"error": {"code": code, "error_data": {"details": details}}}).to_string();
    match case {
        Case::Sent => response("200 OK", "", r#"{"messages":[{"id":"wamid.1"}]}"#),
        Case::RejectedByCode => {
            let body = error(131_056, "Too many messages to 12025550123 in a short time.");
            response("400 Bad Request", "retry-after: 7\r\n", &body)
        }
        Case::AmbiguousCode => response("500 Oops", "", &error(131_000, "unknown")),
        Case::CutAnswer => Some(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"mess".to_vec()),
        Case::Garbage => response("200 OK", "", "<html>hello</html>"),
        Case::HugeAnswer => {
            response("200 OK", "", &format!("{}{}", " ".repeat(70_000), r#"{"messages":[{"id":"wamid.1"}]}"#))
        }
        Case::ServerError => response("502 Bad Gateway", "", "<html>proxy</html>"),
        Case::Redirect => response("307 Temporary Redirect", "location: /elsewhere\r\n", ""),
        Case::Timeout => None,
        Case::ResetAfterWrite => Some(Vec::new()),
        Case::ConnectRefused | Case::DeadlinePassed => None,
    }
}

/// Every request the server has read, as text.
type Seen = Mutex<Vec<String>>;

/// Answers every request in the way of the case, until the test is over.
async fn serve(listener: TcpListener, case: Case, seen: &Seen) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let request = read_request(&mut stream).await;
        seen.lock().push(request);
        match said(case) {
            Some(bytes) => {
                // The client may have hung up on a huge answer.
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            None => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return text,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    }
}

async fn bound() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

fn whatsapp(address: SocketAddr, clock: Arc<dyn Clock>) -> WhatsApp {
    let settings = Settings {
        graph_url: format!("http://{address}/graph"),
        // Long enough for a loaded machine, short enough to wait for in the one case that times out.
        total_timeout: Duration::from_millis(1_500),
        ..Settings::default()
    };
    let table = codes::parse(codes::tests::SMALL).expect("a table");
    WhatsApp::new(&settings, Arc::new(table), clock).expect("a channel")
}

fn command() -> SendCommand {
    let Value::Object(object) = json!({"type": "text", "text": {"body": "héllo"}, "to": "+1", "recipient": "x"})
    else {
        panic!("an object");
    };
    SendCommand {
        message: MessageId([7; 16]),
        attempt: 1,
        account: "900100200300501".into(),
        to: "+12025550123".into(),
        object,
        token: "wb1.token".into(),
        deadline: Duration::from_secs(10),
    }
}

fn secret() -> Arc<Credential> {
    Arc::new(Credential::new("EAAsecret".into()))
}

/// Sends while the server runs; the answer, and what the server saw.
async fn exchange(listener: TcpListener, case: Case, send: impl Future<Output = Answer>) -> (Answer, Vec<String>) {
    let seen = Seen::default();
    let answer = tokio::select! {
        answer = send => answer,
        () = serve(listener, case, &seen) => panic!("the server ends with the test"),
    };
    (answer, seen.into_inner())
}

async fn over_http(case: Case) -> (Answer, usize) {
    let clock = Arc::new(ManualClock::default());
    let (listener, address) = bound().await;
    let channel = whatsapp(address, clock.clone());
    match case {
        Case::ConnectRefused => {
            drop(listener);
            (channel.send(command(), secret()).await, 0)
        }
        case => {
            if case == Case::DeadlinePassed {
                clock.advance(Duration::from_secs(11));
            }
            let (answer, seen) = exchange(listener, case, channel.send(command(), secret())).await;
            (answer, seen.len())
        }
    }
}

async fn by_script(case: Case) -> (Answer, usize) {
    let clock = Arc::new(ManualClock::default());
    let channel = Scripted::new(clock.clone(), []);
    match case {
        // A line that nobody speaks is a lost connection.
        Case::ResetAfterWrite => drop(channel.then_wait()),
        Case::DeadlinePassed => clock.advance(Duration::from_secs(11)),
        case => channel.then(Line::Say(expected(case))),
    }
    let answer = channel.send(command(), secret()).await;
    let asked = if case == Case::ConnectRefused { 0 } else { channel.asked().len() };
    (answer, asked)
}

#[tokio::test]
async fn both_give_the_same_answer_in_every_case_after_one_request_at_most() {
    for case in ALL {
        let requests = usize::from(!matches!(case, Case::ConnectRefused | Case::DeadlinePassed));
        assert_eq!(over_http(case).await, (expected(case), requests), "over HTTP: {case:?}");
        assert_eq!(by_script(case).await, (expected(case), requests), "by script: {case:?}");
    }
}

#[tokio::test]
async fn both_can_do_the_same() {
    let clock = Arc::new(ManualClock::default());
    let scripted = Scripted::new(clock.clone(), []);
    let real = whatsapp(SocketAddr::from(([127, 0, 0, 1], 9)), clock);
    assert_eq!(scripted.capabilities(), real.capabilities());
    let wire = serde_json::to_value(real.capabilities()).expect("data");
    assert_eq!(serde_json::from_value::<super::Capabilities>(wire).expect("data"), *real.capabilities());
}

#[tokio::test]
async fn the_double_waits_for_its_line_and_remembers_what_it_was_asked() {
    let channel = Scripted::new(Arc::new(ManualClock::default()), []);
    let line = channel.then_wait();
    let sending = channel.send(command(), secret());
    assert_eq!(channel.asked(), [command()]);
    line.send(Answer::NotSent { why: "connect" }).expect("someone waits");
    assert_eq!(sending.await, Answer::NotSent { why: "connect" });
    let beyond = channel.send(SendCommand { attempt: 2, ..command() }, secret()).await;
    assert!(matches!(beyond, Answer::Sent { provider_id } if provider_id.ends_with(".2")));
}

/// The request of one exchange: head in lower case, body as JSON.
async fn request_of(command: SendCommand) -> (String, Value) {
    let (listener, address) = bound().await;
    let channel = whatsapp(address, Arc::new(ManualClock::default()));
    let (answer, mut seen) = exchange(listener, Case::Sent, channel.send(command, secret())).await;
    assert_eq!(answer, expected(Case::Sent));
    let text = seen.remove(0);
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole request");
    (head.to_owned(), serde_json::from_str(body).expect("JSON"))
}

#[tokio::test]
async fn the_request_is_metas() {
    let (head, body) = request_of(command()).await;
    assert!(head.starts_with("POST /graph/v25.0/900100200300501/messages HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer EAAsecret"), "{head}");
    assert!(head.contains("content-type: application/json") && !head.contains("transfer-encoding"), "{head}");
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+12025550123", "type": "text",
        "text": {"body": "héllo"}, "biz_opaque_callback_data": "wb1.token",
    });
    assert_eq!(body, expected);
    let (_, body) = request_of(SendCommand { to: "bsuid:US.1234".into(), ..command() }).await;
    assert_eq!((body.get("recipient"), body.get("to")), (Some(&json!("US.1234")), None));
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_sent() {
    // Nothing listens there: a request that left would fail to connect.
    let channel = whatsapp(SocketAddr::from(([127, 0, 0, 1], 9)), Arc::new(ManualClock::default()));
    let cases = [
        (SendCommand { account: "../oauth".into(), ..command() }, secret(), "account"),
        (SendCommand { account: String::new(), ..command() }, secret(), "account"),
        (SendCommand { token: "x".repeat(513), ..command() }, secret(), "token_too_long"),
        (command(), Arc::new(Credential::new("line\nbreak".into())), "credential"),
    ];
    for (command, credential, why) in cases {
        assert_eq!(channel.send(command, credential).await, Answer::NotSent { why });
    }
}

/// In time when it is first looked at, too late from the second look on: as if connecting had taken that long.
struct Late(Mutex<u32>);

impl Clock for Late {
    fn wall(&self) -> Micros {
        0
    }

    fn steady(&self) -> Duration {
        let mut looks = self.0.lock();
        *looks += 1;
        Duration::from_secs(if *looks == 1 { 0 } else { 3_600 })
    }
}

#[tokio::test]
async fn a_deadline_that_passes_while_connecting_lets_no_byte_out() {
    let (listener, address) = bound().await;
    let channel = whatsapp(address, Arc::new(Late(Mutex::default())));
    assert_eq!(channel.send(command(), secret()).await, Answer::NotSent { why: "deadline" });
    drop(channel);
    let (mut stream, _) = listener.accept().await.expect("it was connected in time");
    assert_eq!(read_request(&mut stream).await, "");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (listener, address) = bound().await;
    let channel = whatsapp(address, Arc::new(ManualClock::default()));
    let server = async {
        let (mut stream, _) = listener.accept().await.expect("one connection");
        for _ in 0..2 {
            assert!(read_request(&mut stream).await.starts_with("POST"));
            stream.write_all(&said(Case::Sent).expect("an answer")).await.expect("someone reads");
        }
        stream
    };
    let client = async {
        for _ in 0..2 {
            assert_eq!(channel.send(command(), secret()).await, expected(Case::Sent));
        }
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn no_more_connections_are_open_than_allowed() {
    let (listener, address) = bound().await;
    let channel = |max_connections| {
        let (graph_url, total_timeout) = (format!("http://{address}"), Duration::from_millis(300));
        let settings = Settings { graph_url, total_timeout, max_connections, ..Settings::default() };
        WhatsApp::new(&settings, Arc::default(), Arc::new(ManualClock::default())).expect("a channel")
    };
    let two = channel(2);
    let mut sends: tokio::task::JoinSet<Answer> = (0..5).map(|_| two.send(command(), secret())).collect();
    let mut open = Vec::new();
    // Two are kept waiting; a third would come at once.
    while let Ok(accepted) = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await {
        open.push(accepted.expect("accepted"));
    }
    assert_eq!(open.len(), 2);
    sends.abort_all();
    assert_eq!(channel(0).send(command(), secret()).await, Answer::NotSent { why: "connections" });
}

#[tokio::test]
async fn a_request_nobody_waits_for_does_not_leave() {
    let (listener, address) = bound().await;
    let channel = whatsapp(address, Arc::new(ManualClock::default()));
    let mut sending = channel.send(command(), secret());
    // One poll starts to connect; the runtime is not given the time to finish it.
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(sending.as_mut().poll(cx))).await;
    assert!(first.is_pending());
    drop(sending);
    drop(channel);
    let (mut stream, _) = listener.accept().await.expect("the connection itself may come");
    assert_eq!(read_request(&mut stream).await, "");
}

#[test]
fn nothing_shows_a_person_or_a_secret() {
    let shown = format!("{:?}", command());
    assert!(!shown.contains("2025550123") && !shown.contains("héllo") && !shown.contains("wb1"), "{shown}");
    let wire = serde_json::to_string(&super::Command::Send(command())).expect("data");
    let back: super::Command = serde_json::from_str(&wire).expect("data");
    assert_eq!(back, super::Command::Send(command()));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let build = |graph_url: &str, version: &str| {
        let settings = Settings { graph_url: graph_url.into(), version: version.into(), ..Settings::default() };
        WhatsApp::new(&settings, Arc::default(), Arc::new(ManualClock::default())).err().map(|e| e.to_string())
    };
    assert_eq!(build("https://graph.facebook.com/", "v25.0"), None);
    for url in ["", "graph.facebook.com", "ftp://x", "https://user:pw@x", "https://x/?a=b"] {
        assert!(build(url, "v25.0").is_some_and(|e| e.contains("graph.facebook.com")), "{url}");
    }
    for version in ["", "25.0", "v25", "v25.0/..", "vlatest.0"] {
        assert!(build("https://x", version).is_some_and(|e| e.contains("v25.0")), "{version}");
    }
}
