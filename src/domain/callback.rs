//! What Meta's callbacks say, split into parts. The provider's room parses; this is what it hands on.
//!
//! A part holds data of at most one person, so that it can be sealed under that person's key and erased with it. Where a
//! callback cannot be split with certainty, the part names no person and is carried.

use super::event::Status;
use super::record::Micros;

/// One thing that a callback says.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// What the callback's entry is about: a WhatsApp business account, a page, an Instagram account.
    pub entry: Option<String>,
    /// The sender it concerns: a phone number id (WhatsApp), a page or an account. `None` for what concerns the whole
    /// business account.
    pub account: Option<String>,
    /// Meta's field name: `messages`, `account_update`, …; `messaging` for Messenger and Instagram.
    pub field: String,
    /// The same thing said again has the same key (Meta repeats for 7 days, in other batches). May hold personal data:
    /// kept as a keyed tag only.
    pub dedup: String,
    /// Whom it concerns.
    pub person: Option<Person>,
    /// What it says.
    pub body: PartBody,
}

/// One person, by all the names a callback gave. At least one of the names is there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// `+` and digits, the form of [`super::content::phone`].
    pub phone: Option<String>,
    /// Business-scoped user id.
    pub bsuid: Option<String>,
    /// Business-scoped user id of the parent portfolio.
    pub parent_bsuid: Option<String>,
    /// Page- or Instagram-scoped id.
    pub scoped: Option<String>,
    /// What the person calls themselves.
    pub profile_name: Option<String>,
    /// The callback's own contact object, exactly as it came.
    pub raw: Option<String>,
}

/// The names of a person before or after a change.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// `+` and digits.
    pub phone: Option<String>,
    /// Business-scoped user id.
    pub bsuid: Option<String>,
}

/// What Meta charges for a message, as far as a callback says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pricing {
    /// `category`.
    pub category: Option<String>,
    /// `billable`.
    pub billable: Option<bool>,
    /// `pricing_model`.
    pub model: Option<String>,
    /// `type`.
    pub kind: Option<String>,
}

/// What a part says. `raw` is the callback's own JSON of it, byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub enum PartBody {
    /// The fate of a message we sent.
    Status {
        /// The provider's message id.
        provider_id: String,
        /// What we sent as `biz_opaque_callback_data`, not yet checked.
        token: Option<String>,
        /// What it says.
        status: Status,
        /// When, by the provider's clock; seconds.
        provider_at: Micros,
        /// The first error's code, 0 without one.
        code: i32,
        /// `pricing`.
        pricing: Pricing,
        /// The status object.
        raw: String,
    },
    /// A person wrote, tapped, reacted, edited or took back.
    Inbound {
        /// The provider's message id.
        provider_id: String,
        /// Meta's `type`, or `other` where that is no plain word.
        content: String,
        /// When, by the provider's clock; seconds.
        provider_at: Micros,
        /// The message object.
        raw: String,
    },
    /// The person stopped or resumed marketing messages.
    Preference {
        /// `false`: stop. `true`: resume.
        resume: bool,
        /// When, by the provider's clock; seconds.
        at: Micros,
        /// The preference object.
        raw: String,
    },
    /// The person has other names now. The part's [`Part::person`] is who it was before.
    IdentityChanged {
        /// Names before.
        before: Names,
        /// Names now. What did not change may be missing.
        now: Names,
        /// When, by the provider's clock; seconds.
        at: Micros,
        /// The update, or the system message.
        raw: String,
    },
    /// A trouble of the account, with no message: a signal for pacing and alerts. Fails no message.
    Signal {
        /// The provider's code.
        code: i32,
        /// The error object.
        raw: String,
    },
    /// Anything else: kept and forwarded, moves nothing.
    Carried {
        /// As it came.
        raw: String,
    },
}

impl PartBody {
    /// A word for it, for logs and metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Inbound { .. } => "inbound",
            Self::Preference { .. } => "preference",
            Self::IdentityChanged { .. } => "identity_changed",
            Self::Signal { .. } => "signal",
            Self::Carried { .. } => "carried",
        }
    }

    /// The callback's own JSON.
    #[must_use]
    pub fn raw(&self) -> &str {
        match self {
            Self::Status { raw, .. }
            | Self::Inbound { raw, .. }
            | Self::Preference { raw, .. }
            | Self::IdentityChanged { raw, .. }
            | Self::Signal { raw, .. }
            | Self::Carried { raw } => raw,
        }
    }
}

/// Shows what kind of part it is and nothing of what it says.
impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("field", &self.field).field("body", &self.body.word()).finish_non_exhaustive()
    }
}

/// As [`Part`].
impl std::fmt::Debug for PartBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Shows which names there are, none of them.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let given = [("phone", &self.phone), ("bsuid", &self.bsuid), ("scoped", &self.scoped)];
        f.debug_set().entries(given.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name)).finish()
    }
}
