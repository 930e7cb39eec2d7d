//! Lives that end and begin anew: of a session's actor, and of a partition's, in one process.

use super::*;

/// One message, while its owner's partition dies and begins anew in the same process, under a claim of its own.
#[test]
fn one_message_of_two_lives_of_a_partition() {
    let limits = Limits {
        claims: [2, 1],
        lag: 1,
        total: depth(1, 2, 2),
        faults: Limits::faults(&[
            (Fault::Rebirth, 1),
            (Fault::ActorCrash, 1),
            (Fault::Gap, 1),
            (Fault::Double, 1),
            (Fault::Lose, 1),
            (Fault::Late, 1),
            (Fault::Answer, 1),
        ]),
        answers: &[Answer::Retry, Answer::Lost],
        ..QUIET
    };
    holds("one message, two lives of its partition", Stage::with(1), limits, 90_000);
}

/// Three messages of one owner whose actor dies, one called off, the session stopped and let go.
#[test]
fn three_messages_of_two_lives() {
    let limits = Limits {
        claims: [2, 0],
        lag: 1,
        total: depth(0, 1, 2),
        faults: Limits::faults(&[(Fault::ActorCrash, 1), (Fault::Answer, 1), (Fault::Double, 1), (Fault::Late, 1)]),
        answers: &[Answer::Retry, Answer::Lost],
        ..QUIET
    };
    let mut stage = Stage::with(3);
    stage.flying = vec![
        Sym::Cancelled { message: 0 },
        Sym::Suspended,
        Sym::Resumed { nth: 0 },
        Sym::Withdrawn { message: 1, nonce: 0 },
    ];
    holds("three messages, two lives", stage, limits, 1_500);
}
