//! A problem: every refusal of the API, as `application/problem+json` (RFC 9457).
//!
//! It says what is wrong, where, and what to do, and repeats nothing of a secret. What the store or the vault said
//! stands in the log, not in the answer.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::codes::Code;
use crate::domain::content::Problem as Fault;
use crate::domain::id::MessageId;
use crate::store::StoreError;
use crate::telemetry;
use crate::vault::VaultError;

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// What is wrong this time.
    pub detail: String,
    /// What to do, if it is not plain from the detail.
    pub remedy: Option<String>,
    /// Which fields, each with a JSON pointer.
    pub errors: Vec<Fault>,
    /// The message it may have become, for a doubtful acceptance.
    pub message: Option<MessageId>,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem with its detail.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), remedy: None, errors: Vec::new(), message: None, retry_after: None }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Worth trying again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The message it may have become.
    #[must_use]
    pub fn about(mut self, message: MessageId) -> Self {
        self.message = Some(message);
        self
    }

    /// Fields that are wrong.
    #[must_use]
    pub fn invalid(errors: Vec<Fault>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("`{}` {}", one.pointer, one.what),
            many => format!("{} fields are wrong", many.len()),
        };
        Self { errors, ..Self::new(Code::InvalidRequest, detail) }
    }

    /// One field that is wrong.
    #[must_use]
    pub fn field(pointer: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::invalid(vec![fault(pointer, what, remedy)])
    }

    /// The thing does not exist, or belongs to another tenant: the two are not told apart.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// The document, as it is sent and as it stands in a line of a bulk answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut document = json!({
            "type": format!("urn:waybill:problem:{}", self.code.word()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code.word(),
            "detail": self.detail,
        });
        if let Some(remedy) = &self.remedy {
            document["remedy"] = json!(remedy);
        }
        if !self.errors.is_empty() {
            document["errors"] = json!(self.errors);
        }
        if let Some(message) = &self.message {
            document["id"] = json!(message.to_string());
        }
        // In the document too: a line of a bulk answer has no headers.
        if let Some(seconds) = self.retry_after {
            document["retry_after"] = json!(seconds);
        }
        document
    }
}

/// One field that is wrong: a JSON pointer, what is wrong, what to do.
#[must_use]
pub fn fault(pointer: &str, what: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault { pointer: pointer.to_owned(), what: what.into(), remedy: remedy.into() }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        telemetry::refused(self.code.word());
        let mut response = (self.code.status(), Json(self.to_json())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"waybill\""));
        }
        response
    }
}

/// The store could not be read: the caller tries again, the operator finds the reason in the log.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store could not be read for a request");
        Self::new(Code::Unavailable, "the store could not be read").retry_after(1)
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        tracing::error!(%error, "the vault did not answer a request");
        Self::new(Code::Unavailable, "the vault did not answer").retry_after(1)
    }
}
