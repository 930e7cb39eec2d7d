//! Over a real socket: public routes, silence that is not waited for, an orderly end.

use std::time::Duration;

use axum::http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::stage::{Stage, request};
use crate::api::serve;

#[tokio::test]
async fn the_public_routes_answer_anybody() {
    let stage = Stage::new().await;
    stage.caught_up().await;
    for path in ["/healthz", "/readyz", "/v1/openapi.json"] {
        stage.call(request(Method::GET, path, None, None)).await.expect(200);
    }
}

#[tokio::test]
async fn a_node_that_is_far_behind_is_not_ready() {
    let mut stage = Stage::bare(|_| {});
    stage.applier = None;
    let reply = stage.call(request(Method::GET, "/readyz", None, None)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()["parts"][0].as_str().map(str::to_owned)),
        (503, Some("replay".to_owned()))
    );
}

#[tokio::test]
async fn a_node_that_is_about_to_stop_says_so_and_still_takes_messages() {
    let stage = Stage::new().await;
    stage.caught_up().await;
    stage.app.health.leave();
    let reply = stage.call(request(Method::GET, "/readyz", None, None)).await;
    assert_eq!((reply.status.as_u16(), reply.json()["parts"][0].as_str()), (503, Some("leaving")));
    assert!(stage.app.health.is_well() && stage.app.health.has_room());
}

#[tokio::test]
async fn what_is_merged_beside_the_table_speaks_as_the_table_does() {
    let mut stage = Stage::bare(|_| {});
    let exporter = || crate::telemetry::install().expect("an exporter");
    let beside = stage.router.clone().merge(crate::api::metrics_route(exporter()));
    for router in [crate::api::finished(beside, &stage.app), crate::api::admin_router(stage.app.clone(), exporter())] {
        stage.router = router;
        stage.call(request(Method::GET, "/healthz", None, None)).await.expect(200);
        assert_eq!(stage.call(request(Method::POST, "/metrics", None, None)).await.code(), "method_not_allowed");
        assert_eq!(stage.call(request(Method::POST, "/healthz", None, None)).await.code(), "method_not_allowed");
        assert_eq!(stage.call(request(Method::GET, "/nothing", None, None)).await.code(), "not_found");
    }
}

struct Served {
    addr: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    _stage: Stage,
}

async fn served(change: impl FnOnce(&mut crate::config::Settings)) -> Served {
    let stage = Stage::bare(change);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(serve(listener, None, stage.router.clone(), &stage.app.settings, stopping));
    Served { addr, stop, task, _stage: stage }
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_on_one_port() {
    let served = served(|_| {}).await;
    let mut one = TcpStream::connect(served.addr).await.expect("connected");
    one.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("written");
    let mut answer = String::new();
    one.read_to_string(&mut answer).await.expect("read");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"status\":\"live\"}"), "{answer}");
    let mut two = TcpStream::connect(served.addr).await.expect("connected");
    // The preface, then an empty SETTINGS frame: the server's own SETTINGS (type 4) come first.
    two.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("written");
    let mut head = [0; 9];
    two.read_exact(&mut head).await.expect("a frame");
    assert_eq!(head[3], 4, "{head:?}");
}

#[tokio::test]
async fn who_says_nothing_or_half_a_header_is_cut_off() {
    let served = served(|settings| settings.server.header_timeout = Duration::from_millis(100)).await;
    for beginning in ["", "P", "PR", "GET /healthz HT"] {
        let mut stream = TcpStream::connect(served.addr).await.expect("connected");
        stream.write_all(beginning.as_bytes()).await.expect("written");
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "{beginning:?} is waited for");
    }
}

#[tokio::test]
async fn a_stop_lets_idle_connections_go_and_ends() {
    let served = served(|_| {}).await;
    let mut idle = TcpStream::connect(served.addr).await.expect("connected");
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("an answer");
    served.stop.send_replace(true);
    tokio::time::timeout(Duration::from_secs(10), served.task).await.expect("it ends").expect("orderly");
    assert!(TcpStream::connect(served.addr).await.is_err(), "the port is closed");
}
