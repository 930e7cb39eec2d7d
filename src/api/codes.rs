//! The codes of problems: what callers program against. A code never changes its meaning; a new case is a new code.
//!
//! To add a code: one line here. Its `type` is `urn:waybill:problem:<code>`.

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $status:ident $word:literal $title:literal;)*) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// One line for people, the same for every instance.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// Not JSON at all.
    MalformedJson BAD_REQUEST "malformed_json" "The body is not valid JSON";
    /// The query string cannot be read.
    InvalidQuery BAD_REQUEST "invalid_query" "The query string is not valid";
    /// The header is missing or has another form.
    InvalidHeader BAD_REQUEST "invalid_header" "A header is not valid";
    /// No key, an unknown one, or a revoked one.
    Unauthorized UNAUTHORIZED "unauthorized" "A valid key is needed";
    /// A callback that is not signed with the app's secret.
    BadSignature UNAUTHORIZED "bad_signature" "The callback is not signed as it should be";
    /// A challenge that does not know the verify token.
    BadVerifyToken FORBIDDEN "bad_verify_token" "The verify token is another one";
    /// The key may not do this.
    Forbidden FORBIDDEN "forbidden" "This key may not do this";
    /// It does not exist, or belongs to somebody else.
    NotFound NOT_FOUND "not_found" "Not found";
    /// No route of this method.
    MethodNotAllowed METHOD_NOT_ALLOWED "method_not_allowed" "This method is not offered here";
    /// The body did not arrive in time.
    RequestTimeout REQUEST_TIMEOUT "request_timeout" "The request took too long";
    /// The key was used for another request.
    IdempotencyConflict CONFLICT "idempotency_conflict" "The idempotency key was used for another request";
    /// The state of the thing does not allow it.
    WrongState CONFLICT "wrong_state" "Its present state does not allow this";
    /// What was counted before is something else by now.
    Changed CONFLICT "changed" "It is not what was counted any more";
    /// The session is being emptied.
    Draining CONFLICT "draining" "The session is being emptied";
    /// As many campaigns are not over as may be.
    TooManyCampaigns CONFLICT "too_many_campaigns" "Too many campaigns are not over";
    /// Nothing was loaded into the campaign.
    EmptyCampaign CONFLICT "empty_campaign" "Nobody is in the campaign";
    /// As many gates are closed as may be.
    TooManyGates CONFLICT "too_many_gates" "Too many gates are closed";
    /// Something else has this name or account.
    Taken CONFLICT "taken" "It belongs to something else already";
    /// The body is larger than allowed.
    TooLarge PAYLOAD_TOO_LARGE "too_large" "The request is too large";
    /// Not `application/json`, or not `application/x-ndjson` for bulk.
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "The content type is not supported";
    /// Fields are wrong; `errors` lists them.
    InvalidRequest UNPROCESSABLE_ENTITY "invalid_request" "The request is not valid";
    /// The session named in `from` is not one of this tenant.
    UnknownSender UNPROCESSABLE_ENTITY "unknown_sender" "There is no such session";
    /// The person does not want marketing.
    ConsentRefused UNPROCESSABLE_ENTITY "consent_refused" "The recipient does not allow this category";
    /// Nobody recorded that the person allows marketing, and it is asked for.
    NoOptIn UNPROCESSABLE_ENTITY "no_opt_in" "No opt-in to marketing is known";
    /// It would expire before it may leave.
    QuietHours UNPROCESSABLE_ENTITY "quiet_hours" "Would expire in the recipient's quiet hours";
    /// Free-form content to who has not written to this sender within 24 h, and it is asked for.
    WindowClosed UNPROCESSABLE_ENTITY "window_closed" "No service window is open";
    /// More than the tenant's rate.
    QuotaExceeded TOO_MANY_REQUESTS "quota_exceeded" "The tenant's rate is used up";
    /// As many messages of the tenant wait as may.
    QueueFull TOO_MANY_REQUESTS "queue_full" "Too many messages of the tenant wait";
    /// A limit of this node is reached; nothing was accepted.
    Overloaded SERVICE_UNAVAILABLE "overloaded" "Too busy; nothing was accepted";
    /// The health latch is down; nothing was accepted.
    Unhealthy SERVICE_UNAVAILABLE "unhealthy" "Not taking requests at the moment";
    /// The acceptance was in doubt and was withdrawn; nothing was accepted.
    Withdrawn SERVICE_UNAVAILABLE "withdrawn" "Nothing was accepted";
    /// The store, the vault or the journal did not answer.
    Unavailable SERVICE_UNAVAILABLE "unavailable" "A part of the service did not answer";
    /// It may or may not have been written.
    Doubtful GATEWAY_TIMEOUT "doubtful" "It may or may not have been accepted";
    /// The position was not applied in the time given.
    NotApplied GATEWAY_TIMEOUT "not_applied" "Not applied yet";
    /// A broken invariant.
    Internal INTERNAL_SERVER_ERROR "internal" "Something went wrong inside";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_are_unique_and_plain() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            let plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
            assert!(code.word().bytes().all(plain), "{}", code.word());
            assert!(code.status().as_u16() >= 400, "{}", code.word());
        }
    }
}
