//! Which messages a gate stops, which words on it count, and who waits since when.

use super::super::event::{Category, Priority, UnknownPolicy};
use super::super::id::{KeyId, SessionId, TenantId};
use super::super::record::Principal;
use super::super::routing;
use super::super::row::Fact;
use super::super::validity::{Void, gates_allow};
use super::*;

const ACME: TenantId = TenantId([1; 16]);
const OTHER: TenantId = TenantId([2; 16]);

fn to(tenant: TenantId, template: Option<&str>, country: Option<u16>) -> Accepted {
    Accepted {
        fact: Fact { at: 0, position: Position(1) },
        event: EventId([1; 16]),
        by: Principal::Operator,
        tenant,
        session: SessionId([2; 16]),
        contact: KeyId([3; 16]),
        category: Category::Utility,
        priority: Priority::Normal,
        unknown: UnknownPolicy::Hold,
        expires_at: 100,
        nonce: 1,
        test: false,
        ordered: false,
        template: template.map(str::to_owned),
        send_at: None,
        country,
        campaign: None,
        past_campaign: false,
    }
}

/// While the order is strict.
const SOON: Micros = STRICT;

fn template(name: &str) -> Gate {
    Gate::Template { tenant: ACME, name: name.to_owned() }
}

fn ask(n: u8) -> (EventId, Position) {
    (EventId([n; 16]), Position(u64::from(n)))
}

fn say(row: &mut GatesRow, gate: &Gate, n: u8, closed: bool) -> bool {
    row.take(Word { gate, asked: ask(n), closed: closed.then_some("why"), over: false, at: 7 })
}

#[test]
fn a_gate_stops_its_own_messages_and_no_others() {
    let germany = Gate::Country { tenant: ACME, code: 49 };
    let tenant = Gate::Tenant { tenant: ACME };
    // What is sent, and whether the tenant's, the template's, the country's gate stops it.
    let table = [
        (to(ACME, Some("update"), Some(49)), [true, true, true]),
        (to(ACME, Some("update_2"), Some(43)), [true, false, false]),
        (to(ACME, None, None), [true, false, false]),
        (to(OTHER, Some("update"), Some(49)), [false, false, false]),
    ];
    for (accepted, stopped) in table {
        let row = MessageRow { accepted: Some(accepted.clone()), ..MessageRow::default() };
        for (gate, stopped) in [&tenant, &template("update"), &germany].into_iter().zip(stopped) {
            let mut gates = GatesRow::default();
            assert_eq!(gates_allow(Some(&gates), Some(&row)), Ok(()));
            assert!(say(&mut gates, gate, 1, true));
            let allowed = gates_allow(Some(&gates), Some(&row));
            assert_eq!(allowed, if stopped { Err(Void::Gated) } else { Ok(()) }, "{gate:?} {accepted:?}");
            assert!(say(&mut gates, gate, 2, false));
            assert_eq!(gates_allow(Some(&gates), Some(&row)), Ok(()), "open again");
        }
    }
    assert_eq!(gates_allow(None, None), Ok(()));
}

#[test]
fn of_two_words_the_later_one_holds_whenever_it_arrives() {
    let (mut row, gate) = (GatesRow::default(), template("update"));
    assert!(say(&mut row, &gate, 5, false));
    assert!(!say(&mut row, &gate, 4, true), "a late copy of an older word");
    assert!(!say(&mut row, &gate, 5, false), "the same twice");
    assert_eq!(row.closed().count(), 0);
    assert!(row.has_heard(&gate, Position(4)) && !row.has_heard(&gate, Position(6)));
    assert!(say(&mut row, &gate, 6, true));
    assert_eq!(row.bars(&to(ACME, Some("update"), None)), Some(ask(6).0));
}

#[test]
fn who_waits_is_let_out_before_who_comes_after() {
    let (mut row, gate, late) = (GatesRow::default(), template("update"), to(ACME, Some("update"), None));
    say(&mut row, &gate, 1, true);
    row.count(&[(ask(1).0, 2)]);
    // For another reason: the same closing.
    say(&mut row, &gate, 2, true);
    assert_eq!(row.waits_for(&late, SOON), Some(ask(1).0));
    assert_eq!((row.draining().count(), row.behind(&gate)), (0, 2));
    say(&mut row, &gate, 3, false);
    assert_eq!(row.draining().collect::<Vec<_>>(), [(ask(1).0, WayOut::LetOut)]);
    assert_eq!((row.bars(&late), row.waits_for(&late, SOON)), (None, Some(ask(1).0)), "behind those who wait");
    row.count(&[(ask(1).0, -1)]);
    assert_eq!(row.waits_for(&late, SOON), Some(ask(1).0));
    say(&mut row, &gate, 4, true);
    row.count(&[(ask(4).0, 1)]);
    assert_eq!(row.closings(), [ask(1).0, ask(4).0].into());
    say(&mut row, &gate, 5, false);
    assert_eq!(row.draining().collect::<Vec<_>>(), [(ask(1).0, WayOut::LetOut)], "the older ones first");
    row.count(&[(ask(1).0, -1)]);
    assert_eq!(row.draining().collect::<Vec<_>>(), [(ask(4).0, WayOut::LetOut)]);
    row.count(&[(ask(4).0, -1)]);
    assert_eq!((row.draining().count(), row.waits_for(&late, SOON), row.closings().len()), (0, None, 0));
}

#[test]
fn a_gate_of_steady_traffic_is_done_some_time() {
    let (mut row, gate, late) = (GatesRow::default(), template("update"), to(ACME, Some("update"), None));
    say(&mut row, &gate, 1, true);
    row.count(&[(ask(1).0, 300)]);
    say(&mut row, &gate, 2, false);
    let opened = 7;
    assert!(row.waits_for(&late, opened + STRICT).is_some(), "many wait");
    row.count(&[(ask(1).0, -44)]);
    assert!(row.waits_for(&late, opened + STRICT - 1).is_some());
    assert_eq!(row.waits_for(&late, opened + STRICT), None);
}

#[test]
fn one_gate_too_many_stays_open_and_its_word_is_heard() {
    let mut row = GatesRow::default();
    let gate = |n: usize| template(&format!("t{n}"));
    let word = |n: usize| (EventId([0; 16]), Position(u64::try_from(n).unwrap_or(0)));
    for n in 0..MAX_TAKEN {
        assert!(row.take(Word { gate: &gate(n), asked: word(n + 1), closed: Some("x"), over: false, at: 0 }));
    }
    assert_eq!(row.closed().count(), MAX_TAKEN, "also who asked for the last place at once with others");
    let more = gate(MAX_TAKEN);
    row.take(Word { gate: &more, asked: word(1_000), closed: Some("x"), over: false, at: 0 });
    assert_eq!(
        (row.closed().count(), row.has_heard(&more, word(1_000).1)),
        (MAX_TAKEN, true),
        "nobody copies it again"
    );
    assert!(!row.has_followed(&more, word(1_000).1, true) && row.has_followed(&gate(0), word(1).1, true));
    assert!(row.take(Word { gate: &gate(0), asked: word(1_001), closed: Some("another reason"), over: false, at: 0 }));
    assert!(row.take(Word { gate: &gate(1), asked: word(1_002), closed: None, over: false, at: 0 }));
    assert!(row.take(Word { gate: &more, asked: word(1_003), closed: Some("x"), over: false, at: 0 }));
    assert_eq!(row.closed().count(), MAX_TAKEN);
    assert!(row.has_followed(&more, word(1_003).1, true));
}

#[test]
fn open_gates_are_forgotten_in_their_order_and_those_with_messages_never() {
    let mut row = GatesRow::default();
    let busy = template("busy");
    say(&mut row, &busy, 1, true);
    row.count(&[(ask(1).0, 1)]);
    say(&mut row, &busy, 2, false);
    for n in 0..MAX_REMEMBERED + 10 {
        let (gate, at) = (template(&format!("t{n}")), Position(u64::try_from(n).unwrap_or(0) + 10));
        row.take(Word { gate: &gate, asked: (EventId([9; 16]), at), closed: None, over: false, at: 0 });
    }
    assert_eq!(row.gates.len(), MAX_REMEMBERED + 1);
    assert!(row.has_heard(&busy, Position(2)) && !row.has_heard(&template("t9"), Position(0)));
    row.count(&[(ask(1).0, -1)]);
    assert_eq!(row.gates.len(), MAX_REMEMBERED, "it is one of them now, and the oldest");
}

#[test]
fn a_message_says_which_gate_it_waits_for() {
    let (mut row, gate) = (GatesRow::default(), template("update"));
    let mut message = MessageRow { accepted: Some(to(ACME, Some("update"), None)), ..MessageRow::default() };
    assert_eq!(waits_behind(&row, &message), None);
    say(&mut row, &gate, 1, true);
    assert_eq!(waits_behind(&row, &message).map(|known| &known.gate), Some(&gate), "still in the outbox");
    message.gate(ask(1).0);
    row.count(&[(ask(1).0, 1)]);
    say(&mut row, &gate, 2, false);
    assert_eq!(waits_behind(&row, &message).map(|known| &known.gate), Some(&gate), "until it is let out");
    assert!(message.ungate(ask(1).0, Fact { at: 0, position: Position(9) }));
    assert!(!message.ungate(ask(1).0, Fact { at: 0, position: Position(10) }), "once");
    assert_eq!((waits_behind(&row, &message), message.entered()), (None, Some(Position(9))));
}

fn of(campaign: CampaignId) -> Accepted {
    Accepted { campaign: Some(campaign), ..to(ACME, Some("sale"), None) }
}

fn sale(n: u8) -> (CampaignId, Gate) {
    let campaign = CampaignId([n; 16]);
    (campaign, Gate::Campaign { tenant: ACME, campaign, session: SessionId([2; 16]) })
}

fn end(row: &mut GatesRow, gate: &Gate, n: u8) -> bool {
    row.take(Word { gate, asked: ask(n), closed: Some("enough"), over: true, at: 7 })
}

#[test]
fn a_campaign_is_closed_until_it_is_started_and_after_it_is_over() {
    let (campaign, gate) = sale(0xc0);
    let message = of(campaign);
    let mut row = GatesRow::default();
    assert_eq!(row.bars(&message), Some(campaign.first_closing()), "nobody ever heard of it");
    assert_eq!(
        gates_allow(None, Some(&MessageRow { accepted: Some(message.clone()), ..MessageRow::default() })),
        Err(Void::Gated)
    );
    row.meet(gate.clone());
    row.count(&[(campaign.first_closing(), 2)]);
    assert_eq!((row.behind(&gate), row.draining().count()), (2, 0));
    assert!(say(&mut row, &gate, 1, false));
    assert_eq!((row.bars(&message), row.draining().next()), (None, Some((campaign.first_closing(), WayOut::LetOut))));
    row.count(&[(campaign.first_closing(), -2)]);
    assert_eq!(row.waits_for(&message, SOON), None, "open, and still known");
    assert!(say(&mut row, &gate, 2, true));
    row.count(&[(ask(2).0, 3)]);
    assert_eq!((row.bars(&message), row.draining().count()), (Some(ask(2).0), 0), "paused");
    assert!(end(&mut row, &gate, 3));
    assert_eq!(
        row.draining().collect::<Vec<_>>(),
        [(ask(2).0, WayOut::CalledOff)],
        "those who wait since it was paused"
    );
    row.count(&[(ask(2).0, -3)]);
    assert_eq!((row.draining().count(), row.campaigns(), row.bars(&message)), (0, 0, Some(ask(2).0)));
    assert!(row.has_heard(&gate, ask(3).1) && !say(&mut row, &gate, 1, false), "a late copy of its start");
}

#[test]
fn what_is_queued_again_passes_a_campaign_that_is_finished_and_none_that_is_cancelled() {
    let (campaign, gate) = sale(0xc0);
    let again = Accepted { past_campaign: true, ..of(campaign) };
    let mut row = GatesRow::default();
    assert!(say(&mut row, &gate, 1, false));
    row.take(Word { gate: &gate, asked: ask(2), closed: None, over: true, at: 7 });
    assert_eq!((row.bars(&of(campaign)), row.waits_for(&of(campaign), SOON), row.campaigns()), (None, None, 0));
    assert_eq!(GatesRow::default().bars(&again), None, "also where its gate is forgotten");
    let mut row = GatesRow::default();
    assert!(end(&mut row, &gate, 1));
    assert_eq!(row.bars(&of(campaign)), Some(campaign.first_closing()));
}

#[test]
fn campaigns_take_nobodys_way_to_stop() {
    let mut row = GatesRow::default();
    for n in 0..200 {
        let (campaign, gate) = sale(n + 1);
        row.meet(gate);
        row.count(&[(campaign.first_closing(), 1)]);
    }
    assert_eq!((row.campaigns(), row.operators_closed()), (200, 0));
    for n in 0..MAX_CLOSED {
        let gate = template(&format!("t{n}"));
        let asked = (EventId([7; 16]), Position(n as u64 + 1));
        assert!(row.take(Word { gate: &gate, asked, closed: Some("x"), over: false, at: 0 }), "{n}");
    }
    let (_, late) = sale(250);
    assert!(say(&mut row, &late, 1, false) && say(&mut row, &late, 2, true), "and stay stoppable themselves");
}

#[test]
fn what_is_over_is_forgotten_and_what_may_go_on_is_not() {
    let mut row = GatesRow::default();
    let number = |n: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        (CampaignId(id), Gate::Campaign { tenant: ACME, campaign: CampaignId(id), session: SessionId([2; 16]) })
    };
    let (running, gate) = sale(0xc0);
    assert!(say(&mut row, &gate, 1, false));
    for n in 1..=MAX_REMEMBERED as u64 + 50 {
        let asked = (EventId([8; 16]), Position(n));
        assert!(row.take(Word { gate: &number(n).1, asked, closed: Some("x"), over: true, at: 0 }));
    }
    assert_eq!(row.gates.len(), MAX_REMEMBERED + 1);
    assert_eq!(row.bars(&of(running)), None, "it runs");
    assert!(row.bars(&of(number(1).0)).is_some(), "forgotten, and closed");
}

#[test]
fn a_campaign_concerns_one_partition_and_other_gates_all() {
    let (_, gate) = sale(1);
    let expected = routing::partition(&SessionId([2; 16]).into(), 64);
    assert_eq!(gate.partitions(64), [expected]);
    assert_eq!(Gate::Tenant { tenant: ACME }.partitions(3), [0, 1, 2]);
}
