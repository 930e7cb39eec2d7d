//! Admission: whether a message is taken, and with which settings. Everything it knows is handed in.
//!
//! A suspended or held session takes messages: they wait. What is refused here never existed; what fails later fails
//! visibly.

use super::consent::{Bar, Gates, Leaving, may_leave};
use super::content::Kind;
use super::event::{Category, Priority, UnknownPolicy};
use super::id::{MessageId, SessionId, Tag, TenantId, with_partition};
use super::record::Micros;
use super::row::ContactRow;

/// Shortest time a message may have to leave: below it, it would expire on its way through the journal.
pub const EXPIRY_MIN: Micros = 1_000_000;

/// Longest: Meta itself tries for 30 days (Cloud API, "Message delivery sequence").
pub const EXPIRY_MAX: Micros = 30 * 24 * 3_600 * 1_000_000;

/// Furthest ahead a message may be scheduled: as long as it may wait otherwise.
pub const SCHEDULE_MAX: Micros = EXPIRY_MAX;

/// When a message is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// So many microseconds after its acceptance, or after the time it is scheduled for.
    In(Micros),
    /// At this time.
    At(Micros),
}

/// What was asked for. `None` means the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How much of the content is understood.
    pub kind: Kind,
    /// What it is for.
    pub category: Option<Category>,
    /// Who goes first.
    pub priority: Option<Priority>,
    /// What about an unknown outcome.
    pub unknown: Option<UnknownPolicy>,
    /// When it is given up.
    pub expiry: Option<Expiry>,
    /// When it is to leave; at once, if that has passed.
    pub send_at: Option<Micros>,
    /// Blocks its lane until settled.
    pub ordered: bool,
}

/// The sender, as its declaration has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// Its id.
    pub session: SessionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Never reaches the provider.
    pub test: bool,
}

/// How things stand when it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Who asks.
    pub tenant: TenantId,
    /// With a test key.
    pub test_key: bool,
    /// Who is to send, if there is one of that name.
    pub sender: Option<Sender>,
    /// The recipient, if anything is known.
    pub contact: Option<&'a ContactRow>,
    /// When the recipient's quiet hours end, if they lie on the time it is to leave.
    pub quiet_until: Option<Micros>,
    /// The time.
    pub now: Micros,
}

impl Asked {
    /// When it would leave if nobody had quiet hours.
    #[must_use]
    pub fn leaves_at(&self, now: Micros) -> Micros {
        self.send_at.unwrap_or(now).max(now)
    }
}

/// What applies where a request names nothing, by category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// Time to leave, microseconds.
    pub expiry: [Micros; 4],
    /// What about an unknown outcome.
    pub unknown: [UnknownPolicy; 4],
}

/// A message that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// What it is for.
    pub category: Category,
    /// Who goes first.
    pub priority: Priority,
    /// What about an unknown outcome.
    pub unknown: UnknownPolicy,
    /// Not sent after this.
    pub expires_at: Micros,
    /// Not sent before this.
    pub send_at: Option<Micros>,
    /// Never reaches the provider.
    pub test: bool,
    /// Blocks its lane until settled.
    pub ordered: bool,
}

/// Why it is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such session in this tenant; another tenant's is no different.
    NoSender,
    /// It would expire before it could leave.
    ExpiresTooSoon,
    /// It may wait 30 days and no longer.
    ExpiresTooLate,
    /// It is to leave more than 30 days from now.
    SendsTooLate,
    /// It would expire before the recipient's quiet hours end, which is then.
    Quiet(Micros),
    /// A gate bars it: see [`super::consent`].
    Consent(&'static str),
}

/// Decides. Without `gates` nothing is judged by the contact, of whom too little is known yet: the gate before the call
/// will.
///
/// # Errors
/// The first reason against it; consent last, so that what is wrong in any case is not waited for.
pub fn admit(
    asked: Asked,
    standing: Standing<'_>,
    defaults: &Defaults,
    gates: Option<Gates>,
) -> Result<Admitted, Refused> {
    let sender = standing.sender.filter(|sender| sender.tenant == standing.tenant).ok_or(Refused::NoSender)?;
    let category = category(asked);
    let by_category = category as usize;
    let send_at = standing.quiet_until.or(send_at(asked.send_at, standing.now)?);
    let expires_at = expires_at(asked.expiry, send_at.unwrap_or(standing.now), defaults.expiry[by_category]);
    let admitted = Admitted {
        category,
        priority: asked.priority.unwrap_or(match category {
            Category::Authentication => Priority::Urgent,
            _ => Priority::Normal,
        }),
        unknown: asked.unknown.unwrap_or(defaults.unknown[by_category]),
        expires_at: expires_at.map_err(|refused| match (refused, standing.quiet_until) {
            (Refused::ExpiresTooSoon, Some(until)) => Refused::Quiet(until),
            _ => refused,
        })?,
        send_at,
        test: standing.test_key || sender.test,
        ordered: asked.ordered,
    };
    let leaving = Leaving { category, kind: asked.kind, session: sender.session, now: standing.now };
    if let Some(gates) = gates {
        // By the time it is to leave the person may have written, or the window have closed: the gate will know.
        let gates = Gates { require_window: gates.require_window && send_at.is_none(), ..gates };
        // A hold ends: the message is taken, and waits.
        if let Err(Bar::Never(why)) = may_leave(leaving, standing.contact, gates) {
            return Err(Refused::Consent(why));
        }
    }
    Ok(admitted)
}

/// What the message is for, if the request does not say.
#[must_use]
pub fn category(asked: Asked) -> Category {
    asked.category.unwrap_or(match asked.kind {
        Kind::Template => Category::Utility,
        Kind::Text | Kind::Opaque => Category::Service,
    })
}

/// A time that has passed is no mistake: a request may have been on its way for long.
fn send_at(asked: Option<Micros>, now: Micros) -> Result<Option<Micros>, Refused> {
    match asked.filter(|at| *at > now) {
        Some(at) if at - now > SCHEDULE_MAX => Err(Refused::SendsTooLate),
        other => Ok(other),
    }
}

/// When a message expires that is taken now.
///
/// # Errors
/// When that is too soon, or too late.
pub fn expires_at(expiry: Option<Expiry>, now: Micros, default: Micros) -> Result<Micros, Refused> {
    let at = match expiry {
        None => now.saturating_add(default),
        Some(Expiry::In(micros)) => now.saturating_add(micros),
        Some(Expiry::At(at)) => at,
    };
    match at.saturating_sub(now) {
        left if left < EXPIRY_MIN => Err(Refused::ExpiresTooSoon),
        left if left > EXPIRY_MAX => Err(Refused::ExpiresTooLate),
        _ => Ok(at),
    }
}

/// The message's id: from the tag of its idempotency key where it has one, else drawn; always with the partition of its
/// session, so that a cancel or a callback finds its mailbox.
#[must_use]
pub fn message_id(tag: Option<Tag>, drawn: [u8; 16], partition: u16) -> MessageId {
    MessageId(with_partition(tag.map_or(drawn, |tag| tag.0), partition))
}

#[cfg(test)]
mod tests {
    use super::super::record::Position;
    use super::*;

    const HOUR: Micros = 3_600_000_000;
    const DEFAULTS: Defaults = Defaults {
        expiry: [HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR],
        unknown: [UnknownPolicy::Expire, UnknownPolicy::Resend, UnknownPolicy::Hold, UnknownPolicy::Resend],
    };
    const ASKED: Asked = Asked {
        kind: Kind::Template,
        category: None,
        priority: None,
        unknown: None,
        expiry: None,
        send_at: None,
        ordered: false,
    };
    const STANDING: Standing<'static> = Standing {
        tenant: TenantId([1; 16]),
        test_key: false,
        sender: Some(Sender { session: SessionId([2; 16]), tenant: TenantId([1; 16]), test: false }),
        contact: None,
        quiet_until: None,
        now: 1_000,
    };

    fn decide(asked: Asked, standing: Standing<'_>) -> Result<Admitted, Refused> {
        admit(asked, standing, &DEFAULTS, Some(Gates::OPEN))
    }

    #[test]
    fn defaults_follow_the_category() {
        let template = decide(ASKED, STANDING).expect("taken");
        assert_eq!(template.category, Category::Utility);
        assert_eq!(template.priority, Priority::Normal);
        assert_eq!(template.unknown, UnknownPolicy::Resend);
        assert_eq!(template.expires_at, 1_000 + 2 * HOUR);
        let code = Asked { category: Some(Category::Authentication), ..ASKED };
        let code = decide(code, STANDING).expect("taken");
        assert_eq!((code.priority, code.unknown), (Priority::Urgent, UnknownPolicy::Expire));
        for kind in [Kind::Text, Kind::Opaque] {
            let taken = decide(Asked { kind, ..ASKED }, STANDING).expect("taken");
            assert_eq!(taken.category, Category::Service);
        }
    }

    #[test]
    fn another_tenants_sender_is_no_sender() {
        let none = Standing { sender: None, ..STANDING };
        let foreign = Standing { tenant: TenantId([9; 16]), ..STANDING };
        for standing in [none, foreign] {
            assert_eq!(decide(ASKED, standing), Err(Refused::NoSender));
        }
    }

    #[test]
    fn expiry_has_bounds_however_it_is_written() {
        let with =
            |expiry| decide(Asked { expiry: Some(expiry), ..ASKED }, STANDING).map(|admitted| admitted.expires_at);
        assert_eq!(with(Expiry::In(EXPIRY_MIN)), Ok(1_000 + EXPIRY_MIN));
        assert_eq!(with(Expiry::At(1_000 + EXPIRY_MAX)), Ok(1_000 + EXPIRY_MAX));
        for soon in [Expiry::In(EXPIRY_MIN - 1), Expiry::In(-5), Expiry::At(0), Expiry::At(Micros::MIN)] {
            assert_eq!(with(soon), Err(Refused::ExpiresTooSoon), "{soon:?}");
        }
        for late in [Expiry::In(EXPIRY_MAX + 1), Expiry::In(Micros::MAX), Expiry::At(Micros::MAX)] {
            assert_eq!(with(late), Err(Refused::ExpiresTooLate), "{late:?}");
        }
    }

    #[test]
    fn a_scheduled_message_has_its_time_to_leave_from_then_on() {
        let at = |send_at, expiry| {
            let admitted = decide(Asked { send_at: Some(send_at), expiry, ..ASKED }, STANDING)?;
            Ok((admitted.send_at, admitted.expires_at))
        };
        let then = 1_000 + HOUR;
        assert_eq!(at(then, None), Ok((Some(then), then + 2 * HOUR)));
        assert_eq!(at(then, Some(Expiry::In(HOUR))), Ok((Some(then), then + HOUR)));
        assert_eq!(at(then, Some(Expiry::At(then))), Err(Refused::ExpiresTooSoon));
        assert_eq!(at(1_000 + SCHEDULE_MAX + 1, None), Err(Refused::SendsTooLate));
        assert_eq!(at(Micros::MAX, None), Err(Refused::SendsTooLate));
        for passed in [Micros::MIN, 0, 1_000] {
            assert_eq!(at(passed, None), Ok((None, 1_000 + 2 * HOUR)), "{passed}");
        }
    }

    #[test]
    fn quiet_hours_put_it_off_and_refuse_what_would_expire_in_them() {
        let morning = 1_000 + 8 * HOUR;
        let at = |expiry| {
            let standing = Standing { quiet_until: Some(morning), ..STANDING };
            decide(Asked { expiry, ..ASKED }, standing).map(|admitted| (admitted.send_at, admitted.expires_at))
        };
        assert_eq!(at(None), Ok((Some(morning), morning + 2 * HOUR)), "its time to leave counts from then");
        assert_eq!(at(Some(Expiry::At(morning + HOUR))), Ok((Some(morning), morning + HOUR)));
        assert_eq!(at(Some(Expiry::At(1_000 + HOUR))), Err(Refused::Quiet(morning)));
        assert_eq!(at(Some(Expiry::In(EXPIRY_MAX + 1))), Err(Refused::ExpiresTooLate));
    }

    #[test]
    fn a_test_key_or_a_test_session_keeps_it_from_the_provider() {
        let test = |key, session| {
            let sender = STANDING.sender.map(|sender| Sender { test: session, ..sender });
            let standing = Standing { test_key: key, sender, ..STANDING };
            decide(ASKED, standing).expect("taken").test
        };
        assert_eq!(
            [test(false, false), test(true, false), test(false, true), test(true, true)],
            [false, true, true, true]
        );
    }

    #[test]
    fn marketing_to_who_said_no_is_refused() {
        let contact = ContactRow { marketing: Some((false, 0, Position(3))), ..ContactRow::default() };
        let standing = Standing { contact: Some(&contact), ..STANDING };
        let marketing = Asked { category: Some(Category::Marketing), ..ASKED };
        assert_eq!(decide(marketing, standing), Err(Refused::Consent("opted_out")));
        assert!(decide(ASKED, standing).is_ok());
        assert!(admit(marketing, standing, &DEFAULTS, None).is_ok(), "left to the gate before the call");
    }

    #[test]
    fn a_text_to_a_stranger_is_refused_where_a_window_is_asked_for() {
        let text = Asked { kind: Kind::Text, category: Some(Category::Utility), ..ASKED };
        let strict = |asked| admit(asked, STANDING, &DEFAULTS, Some(Gates::STRICT));
        assert_eq!(strict(text), Err(Refused::Consent("window_closed")));
        assert!(strict(ASKED).is_ok() && decide(text, STANDING).is_ok());
        assert!(strict(Asked { send_at: Some(1_000 + HOUR), ..text }).is_ok(), "who knows who writes until then");
        let late = Asked { expiry: Some(Expiry::In(0)), ..text };
        assert_eq!(strict(late), Err(Refused::ExpiresTooSoon), "what is wrong in any case comes first");
    }

    #[test]
    fn an_id_carries_its_partition_and_repeats_only_with_a_key() {
        let tag = Some(Tag([7; 16]));
        let id = message_id(tag, [1; 16], 513);
        assert_eq!(id.partition(), 513);
        assert_eq!(id, message_id(tag, [2; 16], 513));
        assert_ne!(message_id(None, [1; 16], 513), message_id(None, [2; 16], 513));
    }
}
