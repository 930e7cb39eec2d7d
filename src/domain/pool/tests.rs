//! People keep their number, numbers have their share, and who is left is left in order.

use proptest::prelude::*;

use super::super::event::{MemberV1, SessionDeclaredV1};
use super::super::id::{KeyId, TenantId};
use super::super::message::tests::{queued, tried};
use super::super::record::{Micros, Position};
use super::super::row::{HeldRow, How, MemberRow, MessageRow, SessionRow, Suspended};
use super::*;

const SECOND: Micros = 1_000_000;

fn session(n: u8) -> SessionId {
    SessionId([n; 16])
}

fn member(n: u8, weight: u32, ability: Ability) -> Member {
    let leaves = matches!(ability, Ability::Leaving | Ability::Left);
    Member { session: session(n), weight, ability, leaves, probe: Probe::No }
}

fn declared(n: u8) -> MemberRow {
    MemberRow { session: session(n), weight: 1, people: 0 }
}

fn declaration(members: Option<Vec<MemberV1>>) -> SessionDeclaredV1 {
    SessionDeclaredV1 {
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
        members,
    }
}

fn row(suspended: Option<Micros>) -> Option<SessionRow> {
    let facts = declaration(None);
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

/// Held since a second, until then.
fn held(until: Micros) -> Option<SessionRow> {
    let held = HeldRow { since: SECOND, until, code: 131_031, class: "sender".to_owned(), bucket: None };
    Some(SessionRow { held: Some(held), ..row(None).expect("a row") })
}

const AFTER: Micros = 10 * SECOND;

/// The first of two members as it is seen; both clocks show the same.
struct Looking(Watch, [MemberRow; 2]);

impl Looking {
    fn new() -> Self {
        Self(Watch::default(), [declared(1), declared(2)])
    }

    fn at(&mut self, rows: &[Option<SessionRow>; 2], now: Micros) -> Member {
        self.by(rows, Now { wall: now, steady: now })
    }

    fn by(&mut self, rows: &[Option<SessionRow>; 2], now: Now) -> Member {
        let said = [0, 1].map(|n| Said::Row(rows[n].as_ref()));
        self.0.look(&self.1, &said, now, AFTER)[0]
    }

    fn fetched(&mut self, nothing_left: bool, steady: Micros) {
        self.0.fetched(session(1), nothing_left, steady);
    }
}

#[test]
fn a_member_is_left_after_a_while_once_nothing_is_there_any_more_and_comes_back_when_it_can_send() {
    let mut look = Looking::new();
    let (fine, stopped) = ([row(None), row(None)], [row(Some(SECOND)), row(None)]);
    assert_eq!(look.at(&fine, 0).ability, Ability::Able);
    assert_eq!(look.at(&stopped, 2 * SECOND).ability, Ability::Unable);
    assert_eq!(look.at(&stopped, 11 * SECOND).ability, Ability::Leaving);
    look.fetched(false, 12 * SECOND);
    assert_eq!(look.at(&stopped, 12 * SECOND).ability, Ability::Leaving);
    look.fetched(true, 13 * SECOND);
    assert_eq!(look.at(&stopped, 13 * SECOND).ability, Ability::Leaving, "something may be on its way to it");
    assert_eq!(look.at(&stopped, 13 * SECOND + QUIET).ability, Ability::Left);
    look.fetched(false, 16 * SECOND);
    assert_eq!(look.at(&stopped, 16 * SECOND).ability, Ability::Left, "only who has something there waits");
    assert_eq!(look.at(&[row(Some(SECOND)), row(Some(SECOND))], 30 * SECOND).ability, Ability::Unable, "nobody can");
    assert_eq!(look.at(&stopped, 31 * SECOND).ability, Ability::Leaving, "it begins anew");
    assert_eq!(look.at(&fine, 32 * SECOND).ability, Ability::Able);
    assert_eq!(look.at(&[None, row(None)], 33 * SECOND).ability, Ability::Unable, "not there, as of now");
    assert_eq!(look.at(&[None, row(None)], 44 * SECOND).ability, Ability::Leaving);
}

#[test]
fn a_member_has_its_people_back_when_everything_is_here_that_was_asked_back() {
    let mut look = Looking::new();
    let stopped = [row(Some(SECOND)), row(None)];
    assert!(look.at(&stopped, 12 * SECOND).leaves);
    look.0.returns(session(1), true);
    let member = look.at(&[row(None), row(None)], 13 * SECOND);
    assert_eq!(
        (member.ability, member.leaves),
        (Ability::Leaving, false),
        "its people wait, and no more is asked back"
    );
    look.0.returns(session(1), false);
    assert_eq!(look.at(&[row(None), row(None)], 14 * SECOND).ability, Ability::Able);
}

#[test]
fn what_the_provider_held_cannot_send_until_an_attempt_is_through_and_is_given_one_to_show_it() {
    let mut look = Looking::new();
    let over = [held(5 * SECOND), row(None)];
    assert_eq!(look.at(&over, 6 * SECOND).ability, Ability::Unable, "that the time is over shows nothing");
    let again = [held(30 * SECOND), row(None)];
    look.at(&again, 12 * SECOND);
    look.fetched(true, 12 * SECOND);
    let left = look.at(&again, 20 * SECOND);
    assert_eq!((left.ability, left.probe), (Ability::Left, Probe::No), "it is held");
    let left = look.at(&again, 31 * SECOND);
    assert_eq!((left.ability, left.probe), (Ability::Left, Probe::Open));
    look.0.probed(session(1), 31 * SECOND);
    assert_eq!(look.at(&again, 32 * SECOND).probe, Probe::UnderWay);
    assert_eq!(look.at(&again, 31 * SECOND + SHOWS).probe, Probe::Open, "nothing came of it");
    let stopped = Some(SessionRow { suspended: row(Some(0)).and_then(|row| row.suspended), ..held(1).expect("a row") });
    assert_eq!(look.at(&[stopped, row(None)], 90 * SECOND).probe, Probe::No, "somebody stopped it");
    assert_eq!(look.at(&[row(None), row(None)], 91 * SECOND).ability, Ability::Able, "it was through");
}

#[test]
fn one_message_to_somebody_without_another_number_shows_whether_a_member_can_send() {
    let mut turns = Turns::default();
    let open = Member { probe: Probe::Open, ..member(1, 1, Ability::Left) };
    let able = member(2, 1, Ability::Able);
    assert_eq!(choose(&[open, able], &mut turns, None), Some(session(1)));
    assert_eq!(choose(&[open, able], &mut turns, Some(session(1))), Some(session(1)));
    assert_eq!(choose(&[open, able], &mut turns, Some(session(2))), Some(session(2)), "they have one that works");
    let given = Member { probe: Probe::UnderWay, ..open };
    assert_eq!(choose(&[given, able], &mut turns, None), Some(session(2)));
}

#[test]
fn rows_that_are_behind_say_nothing_of_a_member() {
    let (mut watch, members) = (Watch::default(), [declared(1), declared(2)]);
    let (old, fine) = (row(Some(SECOND)), row(None));
    let mut look = |first: Said<'_>, now| {
        watch.look(&members, &[first, Said::Row(fine.as_ref())], Now { wall: now, steady: now }, AFTER)[0].ability
    };
    assert_eq!(look(Said::Behind, 0), Ability::Unable);
    assert_eq!(look(Said::Behind, 60 * SECOND), Ability::Unable, "a rebuild takes its time");
    assert_eq!(look(Said::Row(fine.as_ref()), 61 * SECOND), Ability::Able);
    assert_eq!(look(Said::Row(old.as_ref()), 62 * SECOND), Ability::Leaving);
}

#[test]
fn a_wall_clock_that_is_set_has_nobody_left_before_the_time() {
    let mut look = Looking::new();
    let hour = 3_600 * SECOND;
    let stopped = |since| [row(Some(since)), row(None)];
    let now = |wall, steady| Now { wall, steady };
    assert_eq!(look.by(&stopped(hour), now(hour + SECOND, SECOND)).ability, Ability::Unable);
    assert_eq!(look.by(&stopped(hour), now(9 * hour, 2 * SECOND)).ability, Ability::Unable, "set ahead");
    assert_eq!(look.by(&stopped(hour), now(0, 11 * SECOND)).ability, Ability::Leaving, "set back");
    look.fetched(true, 11 * SECOND);
    assert_eq!(look.by(&stopped(hour), now(9 * hour, 12 * SECOND)).ability, Ability::Leaving);
    assert_eq!(look.by(&stopped(hour), now(0, 11 * SECOND + QUIET)).ability, Ability::Left);
}

#[test]
fn who_is_taken_out_of_a_pool_is_left_at_once_whoever_else_can_send() {
    let of = |members: &[u8]| {
        let members = members.iter().map(|n| MemberV1 { session: session(*n), weight: 3 }).collect();
        declaration(Some(members))
    };
    let before = SessionRow::declared(&of(&[1, 2]), Position(1), None);
    let after = SessionRow::declared(&of(&[2, 3]), Position(2), Some(&before));
    let weights: Vec<(SessionId, u32)> = after.members.iter().map(|member| (member.session, member.weight)).collect();
    assert_eq!(weights, [(session(2), 3), (session(3), 3), (session(1), 0)]);
    let again = SessionRow::declared(&of(&[1, 2]), Position(3), Some(&after));
    assert_eq!(again.members.iter().find(|member| member.session == session(1)).map(|member| member.weight), Some(3));
    let mut watch = Watch::default();
    let (fine, stopped) = (row(None), row(Some(0)));
    let mut look = |others: &Option<SessionRow>, now| {
        let said = [Said::Row(others.as_ref()), Said::Row(others.as_ref()), Said::Row(fine.as_ref())];
        let found = watch.look(&after.members, &said, Now { wall: now, steady: now }, AFTER);
        (choose(&found, &mut Turns::default(), Some(session(1))), found[2])
    };
    let (to, out) = look(&fine, 0);
    assert_eq!((to, out.ability), (None, Ability::Leaving), "what it has is fetched back first");
    assert_eq!(look(&stopped, SECOND).1.ability, Ability::Leaving, "also while nobody else can send");
    watch.fetched(session(1), true, SECOND);
    let said = [Said::Row(fine.as_ref()), Said::Row(fine.as_ref()), Said::Row(fine.as_ref())];
    let found = watch.look(&after.members, &said, Now { wall: 9 * SECOND, steady: 9 * SECOND }, AFTER);
    assert_eq!(found[2].ability, Ability::Left);
    for _ in 0..9 {
        assert_ne!(choose(&found, &mut Turns::default(), None), Some(session(1)));
    }
}

fn to(contact: u8, ordered: bool) -> MessageRow {
    let mut row = queued();
    let accepted = row.accepted.as_mut().expect("accepted");
    (accepted.contact, accepted.ordered) = (KeyId([contact; 16]), ordered);
    row
}

#[test]
fn what_comes_after_a_strict_one_that_may_have_been_sent_stays_with_it() {
    let mut taking = Taking::default();
    let mut unknown = to(1, true);
    tried(&mut unknown, 1, How::Unknown);
    assert!(!taking.may_go(&unknown, Position(1)));
    assert!(!taking.may_go(&to(1, false), Position(1)) && taking.may_go(&to(2, false), Position(1)));
    assert!(!taking.under_way);
    assert_eq!(taking.into_behind(), [KeyId([1; 16])].into_iter().collect());
}

#[test]
fn what_is_to_one_person_is_asked_back_together() {
    let key = |n: u8| KeyId([n; 16]);
    let leaving: Vec<(KeyId, u32)> = vec![(key(1), 1), (key(2), 2), (key(1), 3), (key(3), 4), (key(2), 5), (key(1), 6)];
    assert_eq!(batches(leaving.clone(), 4), [vec![1, 3, 6], vec![2, 5, 4]]);
    assert_eq!(batches(leaving, 2), [vec![1, 3], vec![6], vec![2, 5], vec![4]], "more than one append holds");
    assert!(batches(Vec::<(KeyId, u32)>::new(), 4).is_empty());
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
