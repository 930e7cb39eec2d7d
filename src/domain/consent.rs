//! Consent: whether a message of a category may leave to a person. Asked at admission and again right before sending.

use super::event::Category;
use super::id::SessionId;
use super::record::Micros;
use super::row::ContactRow;

/// The person said no to marketing. Beats everything.
pub const OPTED_OUT: &str = "opted_out";

/// Nobody recorded that the person allows marketing, and this installation asks for it.
pub const NO_OPT_IN: &str = "no_opt_in";

/// The person has not written to this session within 24 h, and this installation asks for it.
pub const WINDOW_CLOSED: &str = "window_closed";

/// What an installation asks for beyond what the person forbade. All off by default: most consent is recorded elsewhere,
/// and windows opened before Waybill took over are not known to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gates {
    /// Marketing needs a recorded opt-in.
    pub require_opt_in: bool,
    /// Service messages need a known open window.
    pub require_window: bool,
}

/// Whether a message may leave.
///
/// # Errors
/// The gate that bars it, as a word.
pub fn may_leave(
    category: Category,
    contact: Option<&ContactRow>,
    session: SessionId,
    now: Micros,
    gates: Gates,
) -> Result<(), &'static str> {
    match category {
        Category::Marketing => marketing(contact, gates),
        Category::Service if gates.require_window => window(contact, session, now),
        Category::Authentication | Category::Utility | Category::Service => Ok(()),
    }
}

fn marketing(contact: Option<&ContactRow>, gates: Gates) -> Result<(), &'static str> {
    match contact.and_then(|row| row.marketing) {
        Some((false, ..)) => Err(OPTED_OUT),
        None if gates.require_opt_in => Err(NO_OPT_IN),
        _ => Ok(()),
    }
}

fn window(contact: Option<&ContactRow>, session: SessionId, now: Micros) -> Result<(), &'static str> {
    let open = contact.is_some_and(|row| row.windows.iter().any(|(of, until)| *of == session && *until > now));
    if open { Ok(()) } else { Err(WINDOW_CLOSED) }
}

#[cfg(test)]
mod tests {
    use super::super::record::Position;
    use super::*;

    const SESSION: SessionId = SessionId([1; 16]);
    const STRICT: Gates = Gates { require_opt_in: true, require_window: true };

    fn contact(marketing: Option<bool>, window: Option<Micros>) -> ContactRow {
        ContactRow {
            marketing: marketing.map(|allowed| (allowed, 0, Position(1))),
            windows: window.map(|until| (SESSION, until)).into_iter().collect(),
            aliases: 0,
        }
    }

    #[test]
    fn an_opt_out_beats_everything_and_bars_marketing_only() {
        let out = contact(Some(false), Some(100));
        for gates in [Gates::default(), STRICT] {
            let ask = |category| may_leave(category, Some(&out), SESSION, 50, gates);
            assert_eq!(ask(Category::Marketing), Err(OPTED_OUT));
            assert_eq!(ask(Category::Utility), Ok(()));
            assert_eq!(ask(Category::Authentication), Ok(()));
            assert_eq!(ask(Category::Service), Ok(()));
        }
    }

    #[test]
    fn silence_is_enough_unless_the_installation_is_strict() {
        let silent = contact(None, None);
        for row in [None, Some(&silent)] {
            let ask = |category, gates| may_leave(category, row, SESSION, 50, gates);
            assert_eq!(ask(Category::Marketing, Gates::default()), Ok(()));
            assert_eq!(ask(Category::Marketing, STRICT), Err(NO_OPT_IN));
            assert_eq!(ask(Category::Service, Gates::default()), Ok(()));
            assert_eq!(ask(Category::Service, STRICT), Err(WINDOW_CLOSED));
        }
        let allowed = contact(Some(true), None);
        assert_eq!(may_leave(Category::Marketing, Some(&allowed), SESSION, 50, STRICT), Ok(()));
    }

    #[test]
    fn a_window_is_open_until_its_end_and_for_its_session() {
        let row = contact(None, Some(100));
        let ask = |session, now| may_leave(Category::Service, Some(&row), session, now, STRICT);
        assert_eq!(ask(SESSION, 99), Ok(()));
        assert_eq!(ask(SESSION, 100), Err(WINDOW_CLOSED));
        assert_eq!(ask(SessionId([2; 16]), 99), Err(WINDOW_CLOSED));
    }
}
