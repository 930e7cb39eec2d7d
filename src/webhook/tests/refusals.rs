//! What must not be called is not called: the server at the other end counts no connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::super::address::AddressClass;
use super::super::resolve::Lookup;
use super::super::{BuildError, Deliver, Delivered, Guard, Ports, Poster, PosterSettings, Refusal, UnreachableReason};
use super::stage::{Server, post, poster, private, reply, unreachable_reason};

/// A resolver that answers every name with these addresses, or with a failure when there is none.
fn scripted_lookup(answer: &[&str]) -> Lookup {
    let answer: Vec<SocketAddr> = answer.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 0)).collect();
    Arc::new(move |_| {
        let answer = answer.clone();
        Box::pin(async move { if answer.is_empty() { Err(io::Error::other("no such name")) } else { Ok(answer) } })
    })
}

fn any_port() -> PosterSettings {
    PosterSettings { guard: Guard { allow_private: false, allowed_ports: Ports::Any }, ..private() }
}

#[tokio::test]
async fn loopback_is_refused_as_a_literal_and_by_name() {
    let server = Server::start(reply("200 OK", "", "")).await;
    let poster = poster(any_port());
    for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let outcome = poster.deliver(post(server.url(host))).await;
        assert!(matches!(outcome, Delivered::Refused(Refusal::Literal(_))), "{host}: {outcome:?}");
    }
    let Delivered::Refused(Refusal::Resolved { host, found }) = poster.deliver(post(server.url("localhost"))).await
    else {
        panic!("localhost must be refused by the resolver")
    };
    assert_eq!((host.as_str(), found.class), ("localhost", AddressClass::Loopback));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_mixed_answer_is_refused_before_anything_is_dialled() {
    let server = Server::start(reply("200 OK", "", "")).await;
    let lookup = scripted_lookup(&["1.1.1.1", "127.0.0.1"]);
    let poster = Poster::with_lookup(any_port(), lookup).expect("a client");
    let outcome = poster.deliver(post(server.url("hooks.example"))).await;
    assert!(matches!(outcome, Delivered::Refused(Refusal::Resolved { .. })), "{outcome:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_unreachable() {
    let poster = Poster::with_lookup(any_port(), scripted_lookup(&[])).expect("a client");
    let outcome = poster.deliver(post("http://hooks.example/hook".parse().expect("a url"))).await;
    assert_eq!(unreachable_reason(outcome), UnreachableReason::NameNotResolved);
}

#[tokio::test]
async fn the_second_lock_looks_at_whom_we_are_talking_to() {
    let server = Server::start(reply("500 Oh", "", "internal secret")).await;
    let mut poster = Poster::with_lookup(private(), scripted_lookup(&["127.0.0.1"])).expect("a client");
    poster.guard = any_port().guard;
    let outcome = poster.deliver(post(server.url("hooks.example"))).await;
    assert!(matches!(outcome, Delivered::Refused(Refusal::Peer(_))), "{outcome:?}");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for timeout in [Duration::ZERO, Duration::from_secs(61)] {
        let error = Poster::new(PosterSettings { timeout, ..private() }).expect_err("out of range");
        assert!(matches!(error, BuildError::Timeout(_)), "{error}");
    }
    let settings = PosterSettings { extra_roots_pem: Some(b"not a certificate".to_vec()), ..private() };
    assert!(matches!(Poster::new(settings), Err(BuildError::NoRoots)));
}
