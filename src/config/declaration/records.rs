//! The records of a declaration: one struct for each kind of `[[header]]`.

use url::Url;

use super::words::{Channel, EventPattern, Name, Role};
use crate::config::check::{Verdict, digits, each, filled, if_set, require, web_url, within};
use crate::config::secret::SecretRef;
use crate::config::setting::quote;
use crate::config::table::keys;
use crate::domain::portfolio::MAX_LIMIT;
use crate::domain::quiet::QuietHours;

keys! {
    /// `[[tenant]]`: a customer of this installation, with its own sessions, keys and records.
    pub struct TenantDeclaration {
        /// Unique in the installation.
        name: Name;
        /// For people; None: the name.
        display_name: Option<String> => if_set(filled(100));
        /// Messages per second it may hand in; None: `pacing.tenant_per_second`.
        per_second: Option<u32> => if_set(within(1..=100_000));
        /// Messages it may hand in at once after a rest; None: `pacing.tenant_burst`.
        burst: Option<u32> => if_set(within(1..=100_000));
        /// Whether marketing needs a recorded opt-in; None: `consent.require_opt_in`.
        require_opt_in: Option<bool>;
        /// Whether free-form content needs an open service window; None: `consent.require_window`.
        require_window: Option<bool>;
        /// When its marketing leaves people alone, by the clock where they are, and the zone of those of whom no country
        /// is known; None: never.
        quiet_hours: Option<QuietHours>;
        /// Messages of it that may wait to leave; None: `delivery.queue_max`.
        queue_max: Option<u32> => if_set(within(1..=100_000_000));
    }
}

keys! {
    /// `[[portfolio]]`: a business portfolio of Meta's, whose numbers share a limit.
    pub struct PortfolioDeclaration {
        /// Unique in the installation; what sessions name.
        name: Name;
        /// Unique people it may begin to write to in 24 hours, as Meta shows it; None: Meta sets no limit.
        people_per_day: Option<u32> => if_set(within(1..=MAX_LIMIT));
    }
}

keys! {
    /// `[[session]]`: one sending identity of a tenant.
    pub struct SessionDeclaration {
        /// The tenant it belongs to.
        tenant: Name;
        /// Unique in its tenant; what requests name in `from`.
        name: Name;
        /// The service it sends through.
        channel: Channel = Channel::Whatsapp;
        /// Meta's id of the number. One session per number, for only one may send for it.
        phone_number_id: String => digits;
        /// Meta's id of the WhatsApp Business Account.
        waba_id: Option<String> => if_set(digits);
        /// Meta's id of the app whose token it is; sessions of one app share its limits.
        app_id: Option<String> => if_set(digits);
        /// The business portfolio it belongs to.
        portfolio: Option<Name>;
        /// Where the access token is.
        token: SecretRef;
        /// Whether what it is given never reaches the provider.
        test: bool = false;
        /// Messages per second; None: `pacing.number_per_second`.
        number_per_second: Option<u32> => if_set(within(1..=1000));
    }
}

keys! {
    /// `[[endpoint]]`: an address of a tenant that is notified.
    pub struct EndpointDeclaration {
        /// The tenant it belongs to.
        tenant: Name;
        /// Unique in its tenant.
        name: Name;
        /// Where notifications are posted.
        url: Url => web_url;
        /// Where the signing secret is, `whsec_` and base64; None: one is made.
        secret: Option<SecretRef> => if_set(signing_secret);
        /// Which events it is told; all by default.
        events: Vec<EventPattern> = vec![EventPattern::all()] => each(1..=64, known_event);
    }
}

keys! {
    /// `[[key]]`: an API key of a tenant. The key itself is made when the document is applied, and shown once.
    pub struct KeyDeclaration {
        /// The tenant it opens.
        tenant: Name;
        /// Unique in its tenant.
        name: Name;
        /// What it may do.
        role: Role;
        /// Whether what it sends never reaches the provider.
        test: bool = false;
    }
}

/// A pattern that means no event would be taken, and its endpoint never told.
fn known_event(pattern: &EventPattern) -> Verdict {
    let remedy = match pattern.nearest() {
        Some(near) => format!("Did you mean \"{near}\"?"),
        None => "Write a type (\"message.delivered\"), all below a prefix (\"message.*\") or all (\"*\")".to_owned(),
    };
    require(pattern.means_something(), format!("no event is called {}", quote(pattern.as_str())), remedy)
}

/// Only a literal can be judged before it is used; the text is not repeated.
fn signing_secret(secret: &SecretRef) -> Verdict {
    let SecretRef::Literal(literal) = secret else {
        return Ok(());
    };
    let remedy = "Begin with \"literal:whsec_\", or leave the key out and have one made";
    require(literal.expose().starts_with("whsec_"), "the signing secret does not begin with whsec_", remedy)
}
