//! The first attempt after the provider held a portfolio: one shows whether the hold is over, and the others wait for its
//! answer.
//!
//! It is a hint in the memory of one process: without it the others run into the same wall, once.

use crate::domain::event::AttemptRef;
use crate::domain::failure::{Answer, Bucket, FailureClass};
use crate::domain::record::Micros;

/// A hold that ended so long ago is past: others have been through, or nobody wanted to.
pub const RECENT: Micros = 24 * 3_600_000_000;

/// After so long without an answer another one goes; and so long has a refusal to become a hold.
const PATIENCE: Micros = 60_000_000;

/// What is known since the last hold.
#[derive(Debug, Default)]
pub struct Probe {
    /// The end of the hold after which one was through.
    passed: Option<Micros>,
    /// Which attempt goes first, after the hold that ended then, and since when.
    going: Option<(AttemptRef, Micros, Micros)>,
}

impl Probe {
    /// Whether an attempt may go after the hold that ended at `until`.
    pub fn may_go(&mut self, until: Micros, of: AttemptRef, now: Micros) -> bool {
        if self.passed == Some(until) {
            return true;
        }
        // The clock may have been set back.
        let goes = self.going.filter(|(_, after, since)| *after == until && (*since..since + PATIENCE).contains(&now));
        match goes {
            Some((first, ..)) => first == of,
            None => {
                self.going = Some((of, until, now));
                true
            }
        }
    }

    /// An attempt ended; without an answer nothing of it left.
    pub fn ended(&mut self, of: AttemptRef, answer: Option<&Answer>) {
        let Some((_, until, _)) = self.going.filter(|(first, ..)| *first == of) else {
            return;
        };
        match answer {
            // The hold that follows is on its way.
            Some(Answer::Rejected { class: FailureClass::Throttle(Bucket::Portfolio), .. }) => {}
            Some(Answer::Sent { .. } | Answer::Rejected { .. }) => (self.passed, self.going) = (Some(until), None),
            Some(Answer::NotSent { .. } | Answer::Unknown { .. }) | None => self.going = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::MessageId;

    const fn of(n: u8) -> AttemptRef {
        AttemptRef { message: MessageId([n; 16]), attempt: 1 }
    }

    fn rejected(class: FailureClass) -> Answer {
        Answer::Rejected { code: 1, class, retry_after_ms: None, detail: String::new() }
    }

    #[test]
    fn one_goes_first_and_the_others_follow_once_it_is_through() {
        let mut probe = Probe::default();
        assert_eq!([1, 2, 1].map(|n| probe.may_go(9, of(n), 10)), [true, false, true]);
        probe.ended(of(2), Some(&Answer::Sent { provider_id: String::new() }));
        assert!(!probe.may_go(9, of(2), 11), "another one's answer says nothing");
        probe.ended(of(1), Some(&rejected(FailureClass::Recipient)));
        assert!(probe.may_go(9, of(2), 12) && probe.may_go(9, of(3), 12));
        assert!(probe.may_go(20, of(4), 21) && !probe.may_go(20, of(5), 21), "another hold");
    }

    #[test]
    fn one_that_is_refused_again_lets_nobody_follow_and_one_that_never_left_another_go_first() {
        let mut probe = Probe::default();
        assert!(probe.may_go(9, of(1), 10));
        probe.ended(of(1), Some(&rejected(FailureClass::Throttle(Bucket::Portfolio))));
        assert!(!probe.may_go(9, of(2), 11));
        assert!(probe.may_go(9, of(2), 10 + PATIENCE), "the hold never came");
        probe.ended(of(2), None);
        assert!(probe.may_go(9, of(3), 11 + PATIENCE));
    }
}
