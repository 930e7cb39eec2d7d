//! The message object a customer asked to send, checked once and then carried as it is.
//!
//! Cheap limits are checked here, so that a mistake is told at once and with its place; what Meta adds several times a
//! year (types, fields) goes through untouched. Sources: Cloud API, "Messages" and "Templates".
//!
//! To add a check: an arm in `check.rs`, with what is wrong, where, and what to do.

mod calling;
mod check;
mod phone;

#[cfg(test)]
mod tests;

pub use calling::{calling_code, read_code};
pub use check::{Problem, is_language, is_template_name};
pub use phone::{PhoneError, phone};

use serde_json::{Map, Value};

/// Largest message object, bytes of its JSON. 4096 characters of text are at most 16 KiB, or 48 KiB escaped; what is
/// sealed from it stays far below a record's 1 MiB.
pub const OBJECT_MAX: usize = 64 * 1024;

/// Meta's name of the customer's own token, under which it came in and is given back.
pub const CLIENT_TOKEN: &str = "biz_opaque_callback_data";

/// Longest token of the customer's own that Meta would carry ([`CLIENT_TOKEN`]), bytes.
pub const CLIENT_TOKEN_MAX: usize = 512;

/// Longest reference, characters.
pub const REFERENCE_MAX: usize = 256;

/// What a recipient that is no phone number begins with in [`Content::to`].
pub const BSUID_PREFIX: &str = "bsuid:";

/// How much of a message is understood here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Free-form text: needs an open service window.
    Text,
    /// A template.
    Template,
    /// Any other type, carried: free-form as well.
    Opaque,
}

/// A checked message. Personal data throughout: sealed before it is stored, and not shown by `Debug`.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Content {
    /// `+` and 7 to 15 digits, or `bsuid:` and a business-scoped user id.
    pub to: String,
    /// How much of it is understood.
    pub kind: Kind,
    /// The Graph message object, without `to`, `recipient`, `messaging_product` and `biz_opaque_callback_data`, with
    /// `type`, without nulls at the top.
    pub object: Map<String, Value>,
    /// The customer's own name for this message (`reference`), at most [`REFERENCE_MAX`] characters.
    pub reference: Option<String>,
    /// The customer's own `biz_opaque_callback_data`, at most [`CLIENT_TOKEN_MAX`] bytes. Ours goes out in its place; this
    /// one is put back into what the customer is told.
    pub client_token: Option<String>,
}

impl Content {
    /// Checks a request: a Graph message object, optionally with `reference`. Fields of Waybill's own (sender, policy,
    /// keys) are taken out by the caller before.
    ///
    /// # Errors
    /// Every problem found, not only the first.
    pub fn check(value: Value) -> Result<Self, Vec<Problem>> {
        check::check(value)
    }

    /// Name and language of the template, if it is one.
    #[must_use]
    pub fn template(&self) -> Option<(&str, &str)> {
        let template = self.object.get("template")?;
        Some((template.get("name")?.as_str()?, template.get("language")?.get("code")?.as_str()?))
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("kind", &self.kind).finish_non_exhaustive()
    }
}
