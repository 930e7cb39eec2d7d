//! Meta's error codes and the two shapes they come in: the body of a refused call, and an entry of `errors[]` in a webhook.
//!
//! The HTTP status is what third parties have seen; Meta says not to rely on it.

use http::StatusCode;
use serde_json::{Value, json};

/// One refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphError {
    /// Meta's code.
    pub code: u32,
    /// `error_subcode`, where it says more.
    pub subcode: Option<u32>,
    /// `error_data.details`, or the whole message for codes without details.
    pub details: Option<String>,
}

struct Row {
    code: u32,
    status: u16,
    title: &'static str,
    details: &'static str,
}

const fn row(code: u32, status: u16, title: &'static str, details: &'static str) -> Row {
    Row { code, status, title, details }
}

/// Sorted by code. A row without details stands for a code whose body has no `error_data`.
const ROWS: &[Row] = &[
    row(0, 401, "AuthException", ""),
    row(1, 500, "API Unknown", ""),
    row(2, 503, "An unexpected error has occurred. Please retry your request later.", ""),
    row(3, 500, "API Method", ""),
    row(4, 400, "Application request limit reached", ""),
    row(10, 403, "Permission denied", "Permission is either not granted or has been removed."),
    row(100, 400, "Invalid parameter", "Invalid parameter."),
    row(104, 401, "An access token is required to request this resource.", ""),
    row(190, 401, "Access token has expired", ""),
    row(200, 403, "Permissions error", ""),
    row(
        368,
        403,
        "Temporarily blocked for policies violations",
        "The account has been restricted for a policy violation.",
    ),
    row(80_007, 400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    row(130_403, 400, "Business blocked the user", "The business has blocked this user."),
    row(130_429, 400, "Rate limit hit", "Cloud API message throughput has been reached."),
    row(130_472, 400, "User's number is part of an experiment", "Not sent because of an experiment."),
    row(
        130_497,
        403,
        "Business account is restricted from messaging users in this country",
        "This country may not be messaged.",
    ),
    row(131_000, 500, "Something went wrong", "Message failed to send due to an unknown error."),
    row(131_005, 403, "Access denied", "Access denied."),
    row(131_008, 400, "Required parameter is missing", "Required parameter is missing."),
    row(131_009, 400, "Parameter value is not valid", "Parameter value is not valid."),
    row(131_016, 503, "Service unavailable", "A service is temporarily unavailable."),
    row(131_021, 400, "Recipient cannot be sender", "Sender and recipient are the same."),
    row(131_026, 400, "Message undeliverable", "Message undeliverable."),
    row(
        131_030,
        400,
        "Recipient phone number not in allowed list",
        "Add the recipient phone number to the recipient list and try again.",
    ),
    row(131_031, 403, "Business Account locked", "The WhatsApp Business Account has been restricted or disabled."),
    row(131_037, 400, "Display name approval needed", "The number has no approved display name."),
    row(131_042, 400, "Business eligibility payment issue", "There was an error related to your payment method."),
    row(131_045, 500, "Incorrect certificate", "The number is not registered."),
    row(131_047, 400, "Re-engagement message", "More than 24 hours since the last customer message."),
    row(131_048, 400, "Spam rate limit hit", "Sending from this phone number is restricted."),
    row(
        131_049,
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "Not delivered (per-user marketing limit).",
    ),
    row(131_050, 400, "User has stopped marketing messages", "Recipient stopped marketing messages."),
    row(131_051, 400, "Unsupported message type", "Message type is not currently supported."),
    row(131_052, 400, "Media download error", "The media could not be downloaded."),
    row(131_053, 400, "Media upload error", "Unsupported video mime type text/html."),
    row(
        131_056,
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Too many messages to this recipient in a short time.",
    ),
    row(131_057, 500, "Account in maintenance mode", "Business Account is in maintenance mode"),
    row(
        131_062,
        400,
        "BSUID recipient not supported",
        "Business-scoped User ID (BSUID) recipients are not supported for this message.",
    ),
    row(132_000, 400, "Number of parameters does not match the expected number of params", "Parameter count mismatch."),
    row(
        132_001,
        404,
        "Template name does not exist in the translation",
        "The template does not exist in this language.",
    ),
    row(132_005, 400, "Translated text too long", "The text is too long after substitution."),
    row(132_007, 400, "Template format character policy violated", "The template violates a policy."),
    row(132_012, 400, "Parameter format does not match format in the created template", "Parameter format mismatch."),
    row(132_015, 400, "Template is paused", "Template is paused due to low quality."),
    row(132_016, 400, "Template is disabled", "Template is disabled for low quality."),
    row(133_010, 400, "Phone number not registered", "The phone number is not registered."),
    row(135_000, 400, "Generic user error", "The message failed because of its parameters."),
    row(137_000, 400, "Recipient identity key hash mismatch", "The recipient identity key hash does not match."),
];

/// A code that is not in the table is answered all the same: callers must cope with new ones.
const UNKNOWN: Row = row(u32::MAX, 400, "Unknown error", "An error this simulator has no text for.");

fn find(code: u32) -> &'static Row {
    ROWS.binary_search_by_key(&code, |row| row.code).map_or(&UNKNOWN, |at| &ROWS[at])
}

/// Every code the simulator has a text for, ascending.
pub fn known_codes() -> impl Iterator<Item = u32> {
    ROWS.iter().map(|row| row.code)
}

impl GraphError {
    /// The code with its usual text.
    #[must_use]
    pub fn new(code: u32) -> Self {
        let subcode = (code == 190).then_some(463);
        Self { code, subcode, details: None }
    }

    /// The code with details of one's own.
    #[must_use]
    pub fn with(code: u32, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..Self::new(code) }
    }

    /// 100 with subcode 33: no such object, or no access to it.
    #[must_use]
    pub fn no_object(id: &str) -> Self {
        let details = format!("Unsupported post request. Object {id} does not exist or is not accessible");
        Self { code: 100, subcode: Some(33), details: Some(details) }
    }

    /// The HTTP status third parties have seen with this code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(find(self.code).status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// The body of the refused call; `trace` becomes `fbtrace_id`.
    #[must_use]
    pub fn body(&self, trace: &str) -> Value {
        let row = find(self.code);
        let mut error = serde_json::Map::new();
        let no_object = self.code == 100 && self.subcode == Some(33);
        let message = match (&self.details, self.code) {
            (Some(whole), 100) if no_object => whole.clone(),
            (_, 2) => row.title.to_owned(),
            (_, code) => format!("(#{code}) {}", row.title),
        };
        let kind = if no_object { "GraphMethodException" } else { "OAuthException" };
        error.insert("message".into(), message.into());
        error.insert("type".into(), kind.into());
        if self.code == 2 {
            error.insert("is_transient".into(), true.into());
        }
        error.insert("code".into(), self.code.into());
        if !no_object && !row.details.is_empty() {
            let details = self.details.as_deref().unwrap_or(row.details);
            error.insert("error_data".into(), json!({"messaging_product": "whatsapp", "details": details}));
        }
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        error.insert("fbtrace_id".into(), trace.into());
        json!({ "error": error })
    }

    /// The entry of `errors[]` in a status callback.
    #[must_use]
    pub fn webhook_entry(&self) -> Value {
        let row = find(self.code);
        let details = self.details.as_deref().unwrap_or(row.details);
        json!({
            "code": self.code,
            "title": row.title,
            "message": row.title,
            "error_data": {"details": details},
            "href": "/documentation/business-messaging/whatsapp/support/error-codes",
        })
    }
}

#[cfg(test)]
mod tests;
