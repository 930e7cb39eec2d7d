//! Each class of the ledger, produced.

use super::{Ack, Ledger, join};
use crate::graph::Recorded;
use crate::sink::Notified;
use std::collections::HashSet;

fn ack(marker: &str) -> Ack {
    Ack {
        marker: marker.into(),
        id: format!("msg_{marker}"),
        from: "shop".into(),
        to: "+49151".into(),
        ..Ack::default()
    }
}

fn request(n: u64, marker: &str, accepted: bool) -> Recorded {
    let wamid = accepted.then(|| format!("wamid.{n}"));
    Recorded { n, marker: Some(marker.into()), wamid, ..Recorded::default() }
}

fn notice(marker: &str, kind: &str) -> Notified {
    Notified {
        id: format!("evt_{marker}_{kind}"),
        kind: format!("message.{kind}"),
        message_id: format!("msg_{marker}"),
        at_us: 1,
    }
}

fn plain(acks: &[Ack], requests: &[Recorded], notices: &[Notified]) -> Ledger {
    join(acks, requests, notices, &HashSet::new())
}

#[test]
fn the_good_life_is_clean() {
    let notices = [notice("a", "sent"), notice("a", "delivered"), notice("a", "read"), notice("b", "sent")];
    let ledger = plain(&[ack("a"), ack("b")], &[request(1, "a", true), request(2, "b", true)], &notices);
    let expected = Ledger { accepted: 2, sent: 2, delivered: 1, read: 1, notified: 2, ..Ledger::default() };
    assert_eq!(ledger, expected);
    assert!(ledger.is_clean());
}

#[test]
fn lost_is_what_is_nowhere() {
    let acks = [ack("gone"), ack("refused"), ack("failed"), ack("expired"), ack("cancelled"), ack("unknown")];
    let notices = [
        notice("failed", "failed"),
        notice("expired", "expired"),
        notice("cancelled", "cancelled"),
        notice("unknown", "unknown"),
    ];
    let ledger = plain(&acks, &[request(1, "refused", false)], &notices);
    assert_eq!((ledger.lost, ledger.failed, ledger.unknown), (2, 3, 1), "a refusal nobody was told of is a loss too");
    assert_eq!(ledger.examples["lost"], ["gone", "refused"]);
    assert!(!ledger.is_clean());
    let listed = join(&acks[..1], &[], &[], &HashSet::from(["msg_gone".to_owned()]));
    assert_eq!((listed.lost, listed.unknown), (0, 1));
}

#[test]
fn duplicated_is_what_arrived_too_often() {
    let requests = [request(1, "a", true), request(2, "a", false), request(3, "b", true), request(4, "b", true)];
    let ledger = plain(&[ack("a"), ack("b")], &requests, &[]);
    assert_eq!((ledger.duplicated, ledger.duplicated_listed), (1, 0));
    assert_eq!(ledger.examples["duplicated"], ["b"]);
    let listed = join(&[ack("a"), ack("b")], &requests, &[], &HashSet::from(["msg_b".to_owned()]));
    assert_eq!((listed.duplicated, listed.duplicated_listed), (0, 1));
}

#[test]
fn two_ids_under_one_marker_are_two_promises_and_one_id_twice_is_one() {
    let second = Ack { id: "msg_other".into(), ..ack("a") };
    let requests = [request(1, "a", true), request(2, "a", true)];
    assert_eq!(plain(&[ack("a"), second], &requests, &[]).duplicated, 0);
    let repeated = plain(&[ack("a"), ack("a")], &requests, &[]);
    assert_eq!((repeated.accepted, repeated.duplicated), (1, 1));
}

#[test]
fn an_answer_that_was_lost_is_no_message_that_was() {
    let ledger = plain(&[], &[request(1, "a", true)], &[]);
    assert_eq!((ledger.unacknowledged, ledger.lost, ledger.duplicated), (1, 0, 0));
    assert!(ledger.is_clean());
    assert_eq!(plain(&[], &[request(1, "a", true), request(2, "a", true)], &[]).duplicated, 1);
}

#[test]
fn only_what_was_acknowledged_before_can_be_overtaken() {
    let at = |marker: &str, started_us, acked_us| Ack { started_us, acked_us, ..ack(marker) };
    let arrived = [request(1, "b", true), request(2, "c", true), request(3, "a", true)];
    // b started after a was acknowledged, c while a was under way.
    let ledger = plain(&[at("a", 10, 20), at("b", 30, 40), at("c", 15, 50)], &arrived, &[]);
    assert_eq!((ledger.reordered, &*ledger.examples["reordered"]), (1, &["b".to_owned()][..]));
    let other = Ack { to: "+49152".into(), ..at("b", 30, 40) };
    assert_eq!(plain(&[at("a", 10, 20), other], &arrived, &[]).reordered, 0, "another recipient has its own order");
}

#[test]
fn an_unknown_one_that_is_sent_again_is_overtaken_by_right() {
    let at = |marker: &str, started_us, acked_us| Ack { started_us, acked_us, ..ack(marker) };
    let acks = [at("a", 10, 20), at("b", 30, 40), at("c", 50, 60)];
    let arrived = [request(1, "c", true), request(2, "b", true), request(3, "a", true)];
    let ledger = join(&acks, &arrived, &[], &HashSet::from(["msg_a".to_owned()]));
    assert_eq!((ledger.reordered, ledger.reordered_listed), (1, 1), "b passed what was unknown, c passed b too");
    assert_eq!(ledger.examples["reordered"], ["c"]);
}
