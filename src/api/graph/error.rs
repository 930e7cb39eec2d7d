//! Refusals as Graph errors: `{"error": {message, type, code, error_subcode?, error_data?, fbtrace_id}}`, with Meta's codes
//! for our own decisions (Cloud API, "Error codes"). Clients read `code`; people read `error_data.details`.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::codes::Code;
use super::super::problem::Problem;
use crate::domain::content::Problem as Fault;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GraphError {
    pub(super) status: StatusCode,
    pub(super) code: i32,
    pub(super) subcode: Option<i32>,
    title: &'static str,
    details: String,
    retry_after: Option<u32>,
}

/// Meta's codes as they are used here, each with Meta's own words.
const CODES: [(i32, &str); 11] = [
    (10, "Application does not have permission for this action"),
    (100, "Invalid parameter"),
    (190, "Invalid access token"),
    (130_429, "Rate limit hit"),
    (131_000, "Something went wrong"),
    (131_008, "Required parameter is missing"),
    (131_009, "Parameter value is not valid"),
    (131_016, "Service unavailable"),
    (131_047, "Re-engagement message"),
    (131_050, "User has stopped marketing messages"),
    (131_051, "Unsupported message type"),
];

impl GraphError {
    fn new(status: StatusCode, code: i32, details: impl Into<String>) -> Self {
        let known = CODES.iter().find(|(known, _)| *known == code);
        Self {
            status,
            code,
            subcode: None,
            title: known.map_or("Something went wrong", |(_, title)| title),
            details: details.into(),
            retry_after: None,
        }
    }

    /// The phone number id names no sender of this key's tenant.
    pub(super) fn no_sender() -> Self {
        let mut error = Self::new(
            StatusCode::BAD_REQUEST,
            100,
            "no session of this key's tenant has this phone number id; GET /v1/sessions lists them",
        );
        error.subcode = Some(33);
        error.title = "Unsupported post request. The object does not exist or is not accessible";
        error
    }

    /// The Graph API may offer this; this server does not.
    pub(super) fn no_call(method: &Method, path: &str) -> Self {
        let details = format!(
            "this server offers `POST /{{version}}/{{phone-number-id}}/messages` of the Graph API, and not `{method} {path}`"
        );
        let mut error = Self::new(StatusCode::BAD_REQUEST, 100, details);
        error.subcode = Some(33);
        error.title = "Unsupported request. The object does not exist or does not support this operation";
        error
    }

    /// What the Graph API offers and this server does not, yet.
    pub(super) fn unsupported(details: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 131_051, details)
    }

    /// A value that is not valid, in words.
    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 131_009, details)
    }

    /// The answer; `trace` finds the request again in our log, at level debug unless it was our own failure.
    pub(super) fn response(&self, trace: &str) -> Response {
        crate::telemetry::dropin_refused(self.code);
        let kind = if self.subcode == Some(33) { "GraphMethodException" } else { "OAuthException" };
        let mut error = json!({
            "message": format!("(#{}) {}", self.code, self.title),
            "type": kind,
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.details },
            "fbtrace_id": trace,
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        let mut response = (self.status, Json(json!({ "error": error }))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Fields that are wrong, with Meta's code for the first of them.
impl From<Vec<Fault>> for GraphError {
    fn from(faults: Vec<Fault>) -> Self {
        let missing = faults.first().is_some_and(|fault| fault.what == "is missing");
        let details: Vec<String> =
            faults.iter().map(|Fault { pointer, what, remedy }| format!("`{pointer}` {what}: {remedy}")).collect();
        let code = if missing { 131_008 } else { 131_009 };
        Self::new(StatusCode::BAD_REQUEST, code, details.join("; "))
    }
}

impl From<Problem> for GraphError {
    fn from(problem: Problem) -> Self {
        if !problem.errors.is_empty() && problem.code == Code::InvalidRequest {
            return problem.errors.into();
        }
        let status = problem.code.status();
        let (status, code) = match problem.code {
            Code::Unauthorized => (status, 190),
            Code::Forbidden => (status, 10),
            Code::UnknownSender => return Self::no_sender(),
            Code::ConsentRefused | Code::NoOptIn => (StatusCode::BAD_REQUEST, 131_050),
            Code::WindowClosed => (StatusCode::BAD_REQUEST, 131_047),
            Code::QuotaExceeded => (status, 130_429),
            Code::Overloaded | Code::Unhealthy | Code::Withdrawn | Code::Unavailable => (status, 131_016),
            // May have been accepted: Meta's word for an outcome nobody knows.
            Code::Doubtful | Code::Internal => (status, 131_000),
            // Keeps its status, which tells a conflict or a too large body from a mistake in a field.
            _ => (status, 100),
        };
        let details = match &problem.remedy {
            Some(remedy) => format!("{}: {remedy}", problem.detail),
            None => problem.detail.clone(),
        };
        let details = match problem.message {
            Some(message) => format!("{details} ({message})"),
            None => details,
        };
        Self { retry_after: problem.retry_after, ..Self::new(status, code, details) }
    }
}
