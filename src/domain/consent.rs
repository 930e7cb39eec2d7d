//! Consent: whether a message may leave to a person. Asked at admission, of what is known by then, and again right before
//! sending, which is the gate that counts.

use serde::{Deserialize, Serialize};

use super::content::Kind;
use super::event::Category;
use super::id::SessionId;
use super::record::Micros;
use super::row::{ContactRow, TenantRow};

/// The person said no to marketing. Beats everything.
pub const OPTED_OUT: &str = "opted_out";

/// Nobody recorded that the person allows marketing, and it is asked for.
pub const NO_OPT_IN: &str = "no_opt_in";

/// The person has not written to this session within 24 h, and it is asked for: Meta delivers free-form content within
/// that window only (Cloud API, error 131047).
pub const WINDOW_CLOSED: &str = "window_closed";

/// Why a message may not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// Never: the gate, as a word.
    Never(&'static str),
    /// Not before this time: the provider asked, with this code, to leave the person alone with marketing.
    Until(Micros, i32),
    /// Not before this time: it is night where the person may be.
    Quiet(Micros),
    /// Not before this time, as far as is known: the sender's portfolio has written to as many people as it may, or the
    /// provider holds it, with this code.
    Portfolio(Micros, i32),
}

/// What is asked for beyond what the person forbade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// Marketing needs a recorded opt-in.
    pub require_opt_in: bool,
    /// Free-form content needs a known open window.
    pub require_window: bool,
}

/// What a tenant has otherwise than its installation; `None`: as the installation has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnGates {
    /// Marketing needs a recorded opt-in.
    pub require_opt_in: Option<bool>,
    /// Free-form content needs a known open window.
    pub require_window: Option<bool>,
}

impl Gates {
    /// Everything that can be asked for.
    pub const STRICT: Self = Self { require_opt_in: true, require_window: true };
    /// Nothing beyond the person's own no.
    pub const OPEN: Self = Self { require_opt_in: false, require_window: false };

    /// As a tenant has them: its own word first.
    #[must_use]
    pub fn with(self, own: OwnGates) -> Self {
        Self {
            require_opt_in: own.require_opt_in.unwrap_or(self.require_opt_in),
            require_window: own.require_window.unwrap_or(self.require_window),
        }
    }

    /// As the tenant of this row has them; of a tenant that nobody knows: as the installation has them.
    #[must_use]
    pub fn of(self, tenant: Option<&TenantRow>) -> Self {
        self.with(tenant.map(|row| row.gates).unwrap_or_default())
    }

    /// Whether the contact's row has a say in such a message at all.
    #[must_use]
    pub fn ask(self, category: Category, kind: Kind) -> bool {
        category == Category::Marketing || (self.require_window && is_free_form(kind))
    }
}

/// A message that wants to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// What it is for.
    pub category: Category,
    /// Template or free-form.
    pub kind: Kind,
    /// Who sends it.
    pub session: SessionId,
    /// The time.
    pub now: Micros,
}

fn is_free_form(kind: Kind) -> bool {
    kind != Kind::Template
}

/// Whether a message may leave.
///
/// # Errors
/// The first gate that bars it: opt-out, opt-in, window; a hold last, for what can never leave need not wait for it.
pub fn may_leave(leaving: Leaving, contact: Option<&ContactRow>, gates: Gates) -> Result<(), Bar> {
    let is_marketing = leaving.category == Category::Marketing;
    if is_marketing {
        marketing(contact, gates).map_err(Bar::Never)?;
    }
    if gates.require_window && is_free_form(leaving.kind) {
        window(contact, leaving.session, leaving.now).map_err(Bar::Never)?;
    }
    match contact.and_then(|row| row.held) {
        Some((until, code)) if is_marketing && until > leaving.now => Err(Bar::Until(until, code)),
        _ => Ok(()),
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
    let open = contact.is_some_and(|row| row.has_window(session, now));
    if open { Ok(()) } else { Err(WINDOW_CLOSED) }
}

#[cfg(test)]
mod tests {
    use super::super::record::Position;
    use super::*;

    const SESSION: SessionId = SessionId([1; 16]);
    const CATEGORIES: [Category; 4] =
        [Category::Authentication, Category::Utility, Category::Marketing, Category::Service];
    const KINDS: [Kind; 3] = [Kind::Text, Kind::Template, Kind::Opaque];

    fn contact(marketing: Option<bool>, window: Option<Micros>) -> ContactRow {
        ContactRow {
            marketing: marketing.map(|allowed| (allowed, 0, Position(1))),
            windows: window.map(|until| (SESSION, until)).into_iter().collect(),
            ..ContactRow::default()
        }
    }

    fn leaving(category: Category, kind: Kind) -> Leaving {
        Leaving { category, kind, session: SESSION, now: 50 }
    }

    #[test]
    fn an_opt_out_beats_everything_and_bars_marketing_only() {
        let out = contact(Some(false), Some(100));
        for gates in [Gates::OPEN, Gates::STRICT] {
            for (category, kind) in CATEGORIES.into_iter().flat_map(|category| KINDS.map(|kind| (category, kind))) {
                let bars = category == Category::Marketing;
                let asked = may_leave(leaving(category, kind), Some(&out), gates);
                assert_eq!(asked, if bars { Err(Bar::Never(OPTED_OUT)) } else { Ok(()) }, "{category:?} {kind:?}");
            }
        }
    }

    #[test]
    fn silence_is_enough_only_where_nothing_is_asked_for() {
        let silent = contact(None, None);
        for row in [None, Some(&silent)] {
            for (category, kind) in CATEGORIES.into_iter().flat_map(|category| KINDS.map(|kind| (category, kind))) {
                let ask = |gates| may_leave(leaving(category, kind), row, gates);
                assert_eq!(ask(Gates::OPEN), Ok(()));
                let strict = match (category, kind) {
                    (Category::Marketing, _) => Err(Bar::Never(NO_OPT_IN)),
                    (_, Kind::Template) => Ok(()),
                    // Whatever it is called: Meta asks what it is, not what it is for.
                    _ => Err(Bar::Never(WINDOW_CLOSED)),
                };
                assert_eq!(ask(Gates::STRICT), strict, "{category:?} {kind:?}");
            }
        }
        let allowed = contact(Some(true), None);
        let ask = |kind| may_leave(leaving(Category::Marketing, kind), Some(&allowed), Gates::STRICT);
        assert_eq!([ask(Kind::Template), ask(Kind::Text)], [Ok(()), Err(Bar::Never(WINDOW_CLOSED))]);
    }

    #[test]
    fn a_window_is_open_until_its_end_and_for_its_session() {
        let row = contact(None, Some(100));
        let ask = |session, now| {
            let leaving = Leaving { session, now, ..leaving(Category::Service, Kind::Text) };
            may_leave(leaving, Some(&row), Gates::STRICT)
        };
        assert_eq!(ask(SESSION, 99), Ok(()));
        assert_eq!(ask(SESSION, 100), Err(Bar::Never(WINDOW_CLOSED)));
        assert_eq!(ask(SessionId([2; 16]), 99), Err(Bar::Never(WINDOW_CLOSED)));
    }

    #[test]
    fn a_hold_keeps_marketing_back_until_its_end_and_nothing_else() {
        let held = ContactRow { held: Some((100, 131_049)), ..contact(Some(true), Some(1_000)) };
        for (category, kind) in CATEGORIES.into_iter().flat_map(|category| KINDS.map(|kind| (category, kind))) {
            for (gates, now) in [(Gates::OPEN, 99), (Gates::STRICT, 99), (Gates::OPEN, 100), (Gates::STRICT, 100)] {
                let asked = may_leave(Leaving { now, ..leaving(category, kind) }, Some(&held), gates);
                let bars = category == Category::Marketing && now < 100;
                assert_eq!(asked, if bars { Err(Bar::Until(100, 131_049)) } else { Ok(()) }, "{category:?} {kind:?}");
            }
        }
        let out = ContactRow { held: Some((100, 131_049)), ..contact(Some(false), None) };
        let asked = may_leave(leaving(Category::Marketing, Kind::Template), Some(&out), Gates::OPEN);
        assert_eq!(asked, Err(Bar::Never(OPTED_OUT)), "what can never leave does not wait");
    }

    #[test]
    fn a_tenants_own_word_goes_before_the_installations() {
        let own = |require_opt_in, require_window| OwnGates { require_opt_in, require_window };
        assert_eq!(Gates::STRICT.with(own(None, Some(false))), Gates { require_opt_in: true, require_window: false });
        assert_eq!(Gates::OPEN.with(own(Some(true), None)), Gates { require_opt_in: true, require_window: false });
        assert_eq!(Gates::STRICT.with(OwnGates::default()), Gates::STRICT);
        assert_eq!(Gates::STRICT.of(None), Gates::STRICT, "nobody's word is no leave");
    }

    #[test]
    fn the_row_is_read_wherever_a_gate_would_look_into_it() {
        let empty = contact(None, None);
        for gates in [Gates::OPEN, Gates::STRICT] {
            for (category, kind) in CATEGORIES.into_iter().flat_map(|category| KINDS.map(|kind| (category, kind))) {
                let barred = [contact(Some(false), None), empty.clone()]
                    .iter()
                    .any(|row| may_leave(leaving(category, kind), Some(row), gates).is_err());
                assert_eq!(gates.ask(category, kind), barred, "{gates:?} {category:?} {kind:?}");
            }
        }
    }
}
