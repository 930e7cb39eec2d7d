//! The document that declares. No `Debug`: it holds tokens.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::event::Role;

/// Everything that is declared at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    pub tenants: Vec<TenantAsk>,
    #[serde(default)]
    pub portfolios: Vec<PortfolioAsk>,
    #[serde(default)]
    pub sessions: Vec<SessionAsk>,
    #[serde(default)]
    pub endpoints: Vec<EndpointAsk>,
    #[serde(default)]
    pub keys: Vec<KeyAsk>,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantAsk {
    pub name: String,
    pub display_name: Option<String>,
    pub per_second: Option<u32>,
    pub burst: Option<u32>,
    pub require_opt_in: Option<bool>,
    pub require_window: Option<bool>,
    pub quiet_hours: Option<String>,
    pub queue_max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortfolioAsk {
    pub name: String,
    /// Left out: as many as it likes.
    pub people_per_day: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionAsk {
    pub tenant: String,
    pub name: String,
    #[serde(default = "whatsapp")]
    pub channel: String,
    pub phone_number_id: String,
    pub waba_id: Option<String>,
    pub app_id: Option<String>,
    /// The portfolio's name.
    pub portfolio: Option<String>,
    /// The access token itself. Left out: the one that is kept stays.
    #[serde(default, deserialize_with = "secret")]
    pub token: Option<SecretText>,
    #[serde(default)]
    pub test: bool,
    pub per_second: Option<u32>,
    pub burst: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointAsk {
    pub tenant: String,
    pub name: String,
    pub url: String,
    /// `whsec_…`. Left out: the one that is kept stays, or one is made and shown.
    #[serde(default, deserialize_with = "secret")]
    pub secret: Option<SecretText>,
    #[serde(default)]
    pub events: Vec<String>,
    /// From events of this time on: RFC 3339, or `beginning`. Left out: from now on. Counts when it is declared first.
    pub since: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyAsk {
    pub tenant: String,
    pub name: String,
    pub role: Role,
    #[serde(default)]
    pub test: bool,
}

/// Wiped when dropped.
pub type SecretText = Zeroizing<String>;

fn whatsapp() -> String {
    "whatsapp".to_owned()
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretText>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Zeroizing::new))
}
