//! Something that is worth saying, but not each time: strangers must not be able to fill the log.

use std::time::Duration;

use parking_lot::Mutex;

/// Between two times that it is said.
const PAUSE: Duration = Duration::from_mins(1);

/// One such thing.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    said: Option<Duration>,
    silent: u64,
}

impl Seldom {
    /// It happened again. Says how often since it was said last, this time included, if now is the time to say it.
    pub fn again(&self, steady: Duration) -> Option<u64> {
        let mut state = self.0.lock();
        state.silent += 1;
        if state.said.is_some_and(|said| steady.saturating_sub(said) < PAUSE) {
            return None;
        }
        state.said = Some(steady);
        Some(std::mem::take(&mut state.silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_once_a_minute_with_its_number() {
        let (seldom, at) = (Seldom::default(), Duration::from_secs);
        assert_eq!(seldom.again(at(0)), Some(1));
        assert_eq!((seldom.again(at(1)), seldom.again(at(59))), (None, None));
        assert_eq!(seldom.again(at(60)), Some(3));
        assert_eq!(seldom.again(at(61)), None);
    }
}
