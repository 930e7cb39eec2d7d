//! People keep their number, numbers have their share, and who is left is left in order.

use proptest::prelude::*;

use super::super::event::SessionDeclaredV1;
use super::super::id::TenantId;
use super::super::record::Position;
use super::super::row::Suspended;
use super::*;

const SECOND: Micros = 1_000_000;

fn session(n: u8) -> SessionId {
    SessionId([n; 16])
}

fn member(n: u8, weight: u32, ability: Ability) -> Member {
    Member { session: session(n), weight, ability }
}

fn declared(n: u8) -> MemberRow {
    MemberRow { session: session(n), weight: 1, people: 0 }
}

fn row(suspended: Option<Micros>) -> Option<SessionRow> {
    let facts = SessionDeclaredV1 {
        session: session(1),
        tenant: TenantId([1; 16]),
        name: "one".to_owned(),
        channel: "whatsapp".to_owned(),
        account: "1".to_owned(),
        waba: None,
        per_second: 1,
        burst: 1,
        test: false,
        app: None,
        portfolio: None,
        members: None,
    };
    let suspended = suspended.map(|since| Suspended { since, reason: String::new() });
    Some(SessionRow { suspended, ..SessionRow::declared(&facts, Position(1), None) })
}

#[test]
fn a_person_keeps_a_number_that_sends_or_may_send_soon_waits_for_one_that_is_left_and_gets_another_then() {
    let mut turns = Turns::default();
    let mut choose_with = |ability| {
        let members = [member(1, 1, ability), member(2, 1, Ability::Able)];
        choose(&members, &mut turns, Some(session(1)))
    };
    assert_eq!(choose_with(Ability::Able), Some(session(1)));
    assert_eq!(choose_with(Ability::Unable), Some(session(1)));
    assert_eq!(choose_with(Ability::Leaving), None);
    assert_eq!(choose_with(Ability::Left), Some(session(2)));
    let members = [member(1, 1, Ability::Unable), member(2, 1, Ability::Able)];
    assert_eq!(choose(&members, &mut turns, None), Some(session(2)), "who is new goes where it leaves");
    assert_eq!(choose(&members, &mut turns, Some(session(9))), Some(session(2)), "it was taken out of the pool");
    let nobody = [member(1, 1, Ability::Unable)];
    assert_eq!(choose(&nobody, &mut turns, None), Some(session(1)), "there is nowhere else to go");
}

#[test]
fn a_member_is_left_after_a_while_once_nothing_is_there_any_more_and_comes_back_when_it_can_send() {
    let members = [declared(1), declared(2)];
    let mut watch = Watch::default();
    let mut look = |rows: [Option<SessionRow>; 2], now, fetched: Option<bool>| {
        if let Some(nothing_left) = fetched {
            watch.fetched(session(1), nothing_left, now);
        }
        watch.look(&members, &rows, now, 10 * SECOND)[0].ability
    };
    let stopped = || [row(Some(SECOND)), row(None)];
    assert_eq!(look([row(None), row(None)], 0, None), Ability::Able);
    assert_eq!(look(stopped(), 2 * SECOND, None), Ability::Unable);
    assert_eq!(look(stopped(), 11 * SECOND, None), Ability::Leaving);
    assert_eq!(look(stopped(), 12 * SECOND, Some(false)), Ability::Leaving);
    assert_eq!(look(stopped(), 13 * SECOND, Some(true)), Ability::Leaving, "something may be on its way to it");
    assert_eq!(look(stopped(), 13 * SECOND + QUIET, Some(true)), Ability::Left);
    assert_eq!(look([row(Some(SECOND)), row(Some(SECOND))], 30 * SECOND, None), Ability::Unable, "nobody can");
    assert_eq!(look(stopped(), 31 * SECOND, None), Ability::Leaving, "it begins anew");
    assert_eq!(look([row(None), row(None)], 32 * SECOND, None), Ability::Able);
    assert_eq!(look([None, row(None)], 33 * SECOND, None), Ability::Unable, "not there, as of now");
    assert_eq!(look([None, row(None)], 44 * SECOND, None), Ability::Leaving);
}

proptest! {
    /// Who is new is shared out by weight: at no time is a member further from its share than one of each.
    #[test]
    fn numbers_have_their_share_of_who_is_new(weights in prop::collection::vec(1_u32..20, 1..6), people in 1_usize..400) {
        let members: Vec<Member> =
            weights.iter().zip(1..).map(|(weight, n)| member(n, *weight, Ability::Able)).collect();
        let (mut turns, mut given) = (Turns::default(), vec![0_u64; members.len()]);
        let all: u32 = weights.iter().sum();
        for person in 1..=people {
            let chosen = choose(&members, &mut turns, None).expect("somebody can");
            given[members.iter().position(|member| member.session == chosen).expect("a member")] += 1;
            for (given, weight) in given.iter().zip(&weights) {
                let share = person as f64 * f64::from(*weight) / f64::from(all);
                prop_assert!((*given as f64 - share).abs() <= members.len() as f64, "{given} of {share}");
            }
        }
    }

    /// Whatever the members do: nobody is sent to one that is being left, and to one that is left only those who have
    /// nobody else are not sent.
    #[test]
    fn nobody_is_given_a_number_that_is_left(
        states in prop::collection::vec((1_u32..9, 0_u8..4), 1..6),
        sticky in prop::option::of(1_u8..7),
    ) {
        let ability = |n| [Ability::Able, Ability::Unable, Ability::Leaving, Ability::Left][usize::from(n)];
        let members: Vec<Member> =
            states.iter().zip(1..).map(|((weight, state), n)| member(n, *weight, ability(*state))).collect();
        let chosen = choose(&members, &mut Turns::default(), sticky.map(session));
        let is = |session, ability| members.iter().any(|m| m.session == session && m.ability == ability);
        if let Some(chosen) = chosen {
            prop_assert!(is(chosen, Ability::Able) || is(chosen, Ability::Unable));
            let some_able = members.iter().any(|m| m.ability == Ability::Able);
            let own = Some(chosen) == sticky.map(session);
            prop_assert!(own || !some_able || is(chosen, Ability::Able));
        } else {
            let waits = sticky.is_some_and(|n| is(session(n), Ability::Leaving));
            let nobody = !members.iter().any(|m| matches!(m.ability, Ability::Able | Ability::Unable));
            prop_assert!(waits || nobody);
        }
    }
}
