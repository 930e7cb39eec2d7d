//! Every fault, as a client sees it and as the journal has it.

use crate::street::{NUMBER, Street, config, text};
use serde_json::json;
use std::error::Error as _;
use std::time::{Duration, Instant};
use waybill_loadtest::graph::{BodyKind, Fault, Faults, ScriptedFault, SimulatorConfig};

#[tokio::test]
async fn every_fault_is_seen_by_a_client_and_stands_in_the_journal() {
    let street = Street::open(config()).await;
    let started = Instant::now();
    assert_eq!(street.under(Fault::Latency { ms: 120 }).await.expect("answer").0, 200);
    assert!(started.elapsed() >= Duration::from_millis(120));
    let (status, body) =
        street.under(Fault::Http { status: 500, body: BodyKind::Json, accepted: false }).await.expect("answer");
    assert_eq!((status, &body["error"]["code"], &body["error"]["is_transient"]), (500, &json!(2), &json!(true)));
    let (status, body) =
        street.under(Fault::Http { status: 503, body: BodyKind::Html, accepted: true }).await.expect("answer");
    assert!(status == 503 && body.as_str().is_some_and(|page| page.contains("<html>")));
    assert!(street.last().wamid.is_some(), "a 503 after acceptance");
    let (status, body) = street.under(Fault::Error { code: 131_016, accepted: false }).await.expect("answer");
    assert_eq!((status, &body["error"]["code"]), (503, &json!(131_016)));
    let (status, body) = street.under(Fault::MalformedBody { accepted: true }).await.expect("answer");
    assert!(status == 200 && body.is_string() && street.last().wamid.is_some());

    for (fault, accepted) in [
        (Fault::ResetBeforeBody, false),
        (Fault::Reset { at: 0, accepted: false }, false),
        (Fault::Reset { at: 0, accepted: true }, true),
        (Fault::Reset { at: 20, accepted: true }, true),
        (Fault::Reset { at: 150, accepted: true }, true),
        (Fault::AcceptedNoAnswer, true),
    ] {
        let name = fault.name();
        let failed = street.under(fault.clone()).await.expect_err("no whole answer");
        assert!(failed.source().is_some() && !failed.is_timeout(), "{fault:?}: {failed:?}");
        let record = street.last();
        assert_eq!((record.fault.as_deref(), record.wamid.is_some()), (Some(name), accepted), "{fault:?}");
    }
    assert_eq!(street.sim.stats().faults["reset"], 4);
}

#[tokio::test]
async fn a_stall_never_answers() {
    let street = Street::open(config()).await;
    let waited = tokio::time::timeout(Duration::from_millis(300), street.under(Fault::Stall { accepted: true })).await;
    assert!(waited.is_err(), "an answer came: {waited:?}");
    let record = street.last();
    assert!(record.fault.as_deref() == Some("stall") && record.wamid.is_some());
}

/// Reads bytes off the wire: the cut is exact, and it is a reset.
#[tokio::test]
async fn a_reset_comes_after_exactly_so_many_bytes() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let faults = Faults {
        scripted: vec![ScriptedFault { request: 1, fault: Fault::Reset { at: 37, accepted: true } }],
        ..Faults::default()
    };
    let street = Street::open(SimulatorConfig { faults, ..config() }).await;
    let body = text("+12025550123", "x").to_string();
    let request = format!(
        "POST /v25.0/{NUMBER}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(street.sim.addr()).await.expect("connect");
    stream.write_all(request.as_bytes()).await.expect("write");
    let mut got = Vec::new();
    let ended = stream.read_to_end(&mut got).await;
    assert_eq!(ended.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(got.len(), 37);
    assert!(got.starts_with(b"HTTP/1.1 200 OK"));
}
