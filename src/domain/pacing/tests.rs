//! Cells, pairs, what is received, and a rate that was lowered.

use super::*;

const SECOND: Micros = 1_000_000;

fn quota(interval_ms: u64, burst: u32) -> Quota {
    Quota::with_period(Duration::from_millis(interval_ms)).unwrap().allow_burst(NonZeroU32::new(burst).unwrap())
}

fn pacer(rested: bool) -> Pacer {
    Pacer::new(quota(100, 3), quota(6_000, 2), 0, rested)
}

#[test]
fn a_part_of_a_burst_is_kept_back_and_none_of_the_rate() {
    for (interval_ms, burst, kept) in [(6_000, 45, 44), (10, 45, 25), (100, 3, 2), (100, 1, 1), (1, 1_000, 800)] {
        let with = with_margin(quota(interval_ms, burst));
        assert_eq!(with.burst_size().get(), kept, "{burst} at {interval_ms} ms");
        assert_eq!(with.replenish_interval(), quota(interval_ms, burst).replenish_interval());
    }
}

#[test]
fn a_rested_sender_gets_its_burst_and_then_the_rate() {
    let mut pacer = pacer(true);
    let to = |n: u8| KeyId([n; 16]);
    for n in 0..3 {
        assert_eq!(pacer.take(to(n), 0), Ok(()));
    }
    assert_eq!(pacer.take(to(9), 0), Err(Held::Number(100_000)));
    assert_eq!(pacer.take(to(9), 100_000), Ok(()));
}

#[test]
fn a_pair_holds_back_itself_only() {
    let mut pacer = pacer(true);
    let (a, b) = (KeyId([1; 16]), KeyId([2; 16]));
    assert!(pacer.take(a, 0).is_ok() && pacer.take(a, 0).is_ok());
    assert_eq!(pacer.take(a, 0), Err(Held::Pair(6 * SECOND)));
    assert_eq!(pacer.take(b, 0), Ok(()));
}

#[test]
fn a_restart_gives_no_second_burst() {
    let mut pacer = pacer(false);
    let to = KeyId([1; 16]);
    assert_eq!(pacer.take(to, 0), Ok(()));
    assert_eq!(pacer.take(KeyId([2; 16]), 0), Err(Held::Number(100_000)));
    assert_eq!(pacer.take(to, SECOND), Err(Held::Pair(6 * SECOND)));
}

#[test]
fn a_clock_step_costs_at_most_one_refill_and_gives_at_most_one_burst() {
    let rate = Rate::from(quota(1_000, 5));
    let far = Cell(3_600 * SECOND);
    assert!(rate.earliest(far, 0) <= SECOND);
    let mut cell = Cell(0);
    let mut sent = 0;
    while rate.earliest(cell, 3_600 * SECOND) == 3_600 * SECOND {
        cell = rate.take(cell, 3_600 * SECOND);
        sent += 1;
    }
    assert_eq!(sent, 5);
}

#[test]
fn over_a_minute_the_rate_is_met_exactly() {
    let rate = Rate::from(quota(12, 80));
    let (mut cell, mut sent, mut now) = (rate.spent(0), 0, 0);
    while now < 60 * SECOND {
        now = rate.earliest(cell, now);
        cell = rate.take(cell, now);
        sent += 1;
    }
    assert!((4_999..=5_001).contains(&sent), "{sent}");
}

/// How many go within ten seconds beside so many received in each tenth of them.
fn sent_beside(received: u32) -> u32 {
    let mut pacer = Pacer::new(quota(50, 1), quota(1, 1), 0, true);
    let (mut sent, mut now) = (0, 0);
    for tenth in 1..=100 {
        pacer.receive(received, now);
        while now < tenth * 100_000 {
            let to = KeyId(u128::from(sent).to_be_bytes());
            match pacer.take(to, now) {
                Ok(()) => sent += 1,
                Err(Held::Number(at) | Held::Pair(at)) => now = at.min(tenth * 100_000),
            }
        }
    }
    sent
}

#[test]
fn what_is_received_counts_and_silences_nobody() {
    let alone = sent_beside(0);
    assert!((199..=201).contains(&alone), "{alone} at twenty a second");
    let half = sent_beside(1);
    assert!((99..=112).contains(&half), "{half} beside ten a second");
    let flood = sent_beside(1_000);
    assert!((18..=32).contains(&flood), "{flood} beside a flood: a tenth is left");
}

#[test]
fn a_lowered_rate_is_obeyed_and_so_is_a_lower_declared_one() {
    let mut pacer = Pacer::new(quota(10, 50), quota(1, 1), 0, true);
    let rate = |pacer: &mut Pacer, from: Micros| -> u32 {
        let (mut sent, mut now) = (0_u32, from);
        while now < from + 10 * SECOND {
            match pacer.take(KeyId(u128::from(sent).to_be_bytes()), now) {
                Ok(()) => sent += 1,
                Err(Held::Number(at) | Held::Pair(at)) => now = at,
            }
        }
        sent
    };
    pacer.begin(Some(Paced { per_second: 20, until: 1_000 * SECOND, code: 1 }), 0);
    let lowered = rate(&mut pacer, SECOND);
    assert!((198..=204).contains(&lowered), "{lowered}");
    pacer.pace(quota(100, 1));
    let declared = rate(&mut pacer, 20 * SECOND);
    assert!((99..=101).contains(&declared), "{declared}: never above the declared rate");
    pacer.begin(None, 40 * SECOND);
    pacer.pace(quota(10, 50));
    let free = rate(&mut pacer, 40 * SECOND);
    assert!((990..=1_060).contains(&free), "{free}");
}

#[test]
fn a_rate_that_is_raised_brings_no_burst_with_it() {
    let mut pacer = Pacer::new(quota(10, 100), quota(1, 1), 0, true);
    pacer.begin(Some(Paced { per_second: 90, until: 1_000 * SECOND, code: 1 }), 0);
    let mut now = SECOND;
    let mut take = |pacer: &mut Pacer, until: Micros| {
        let mut sent = 0_u32;
        while now < until {
            match pacer.take(KeyId(now.to_be_bytes().repeat(2).try_into().expect("sixteen")), now) {
                Ok(()) => sent += 1,
                Err(Held::Number(at) | Held::Pair(at)) => now = at,
            }
        }
        sent
    };
    take(&mut pacer, 2 * SECOND);
    pacer.begin(None, 2 * SECOND);
    let sent = take(&mut pacer, 3 * SECOND);
    assert!((95..=112).contains(&sent), "{sent} in the second after it");
}
