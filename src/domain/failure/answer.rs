//! From what was observed of a send to one of three answers: sent, not sent (refused or never left), unknown.
//!
//! The rule behind the table: an outcome is *unknown* as soon as one byte of the request may have left and no readable
//! answer came. A guess in either direction is a lost message or a doubled one.

use std::fmt;

use super::{Bucket, CodeTable, FailureClass, Verdict, scrub};

/// Longest wait taken from an answer: 72 h, the longest one that Meta documents (code 133016).
const RETRY_AFTER_MAX_MS: u64 = 72 * 60 * 60 * 1000;

/// What became of one attempt.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The provider took it.
    Sent {
        /// The provider's message id. Holds the recipient's number: personal data.
        provider_id: String,
    },
    /// The provider refused it: it was not sent.
    Rejected {
        /// The provider's code, 0 if it gave none.
        code: i32,
        /// What to do about it. Never [`FailureClass::Ambiguous`]: that is [`Answer::Unknown`].
        class: FailureClass,
        /// Wait at least this long, milliseconds.
        retry_after_ms: Option<u64>,
        /// The provider's words, through [`scrub`].
        detail: String,
    },
    /// Nothing left this process.
    NotSent {
        /// Why, as a stable word.
        why: &'static str,
    },
    /// It may have been sent.
    Unknown {
        /// Why nobody knows, as a stable word.
        why: &'static str,
    },
}

/// A body of the Graph API, as far as an answer needs it.
#[derive(Clone, PartialEq, Eq)]
pub enum GraphAnswer {
    /// It names a message id.
    Accepted {
        /// `messages[0].id`.
        id: String,
        /// `messages[0].message_status` of a template: `accepted`, `held_for_quality_assessment`, `paused`, or a later
        /// word. All of them come with an id whose fate callbacks tell, so all of them are *sent*.
        status: Option<String>,
    },
    /// It is a Graph error.
    Error {
        /// `error.code`.
        code: i32,
        /// `error.error_subcode`.
        subcode: Option<i32>,
        /// `error.error_data.details`, else `error.message`, as the provider wrote it.
        detail: String,
    },
    /// Neither: no JSON, HTML, another shape, too long.
    Unreadable,
}

/// What was seen of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// It was given up before a byte was written: the intent was not durable, the deadline had passed, the request could
    /// not be built, an idle connection turned out closed.
    NotWritten {
        /// Why, as a stable word.
        why: &'static str,
    },
    /// DNS, connect or TLS handshake failed.
    ConnectFailed,
    /// A complete HTTP answer.
    Answered {
        /// Its status.
        http: u16,
        /// Its body.
        body: GraphAnswer,
        /// `Retry-After`, milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The connection broke after a byte may have been written.
    BrokenAfterWrite {
        /// How, as a stable word (`reset`, `body`).
        why: &'static str,
    },
    /// No answer in time.
    TimedOut {
        /// Whether a byte may have been written.
        bytes_written: bool,
    },
    /// The process died, or lost its claim, between intent and outcome.
    Lost,
}

/// The classification table. Sources: Meta, "Error codes" (branch on the code, never on the status), and the rule above
/// for all that has no code.
///
/// | observation | answer |
/// | --- | --- |
/// | not written; DNS, connect or TLS failed; timeout before writing | not sent |
/// | 2xx with a message id | sent |
/// | Graph error, code in the table, not ambiguous | rejected, by class |
/// | Graph error, code in the table, ambiguous | unknown |
/// | 429, whatever else it says | rejected, `throttle:number` |
/// | 4xx with a Graph error, code not in the table | rejected, `request` |
/// | any other status with such an error; 5xx without one; 4xx without one; 2xx without an id; 1xx, 3xx | unknown |
/// | broken or timed out after writing; process lost | unknown |
#[must_use]
pub fn classify(table: &CodeTable, observation: Observation) -> Answer {
    match observation {
        Observation::NotWritten { why } => Answer::NotSent { why },
        Observation::ConnectFailed => Answer::NotSent { why: "connect" },
        Observation::TimedOut { bytes_written: false } => Answer::NotSent { why: "timeout" },
        Observation::TimedOut { bytes_written: true } => Answer::Unknown { why: "timeout" },
        Observation::BrokenAfterWrite { why } => Answer::Unknown { why },
        Observation::Lost => Answer::Unknown { why: "crashed" },
        Observation::Answered { http, body, retry_after_ms } => answered(table, http, body, retry_after_ms),
    }
}

fn answered(table: &CodeTable, http: u16, body: GraphAnswer, wait: Option<u64>) -> Answer {
    match body {
        GraphAnswer::Accepted { id, .. } if (200..300).contains(&http) => Answer::Sent { provider_id: id },
        GraphAnswer::Error { code, subcode, detail } => {
            let verdict = table.verdict(code, subcode, false).or_else(|| by_status(http));
            by_verdict(verdict, code, wait, &detail)
        }
        GraphAnswer::Unreadable if http == 429 => {
            by_verdict(by_status(http), 0, wait, "HTTP 429 without a Graph error")
        }
        GraphAnswer::Accepted { .. } | GraphAnswer::Unreadable => Answer::Unknown { why: unread(http) },
    }
}

/// The class of a refusal whose code the table does not hold. A 429 slows its own sender down: which bucket is full is
/// not said, and the others learn it from their own answers.
fn by_status(http: u16) -> Option<Verdict> {
    let class = match http {
        429 => FailureClass::Throttle(Bucket::Number),
        400..=499 => FailureClass::Request,
        _ => return None,
    };
    Some(Verdict { class, retry_after_ms: None })
}

fn by_verdict(verdict: Option<Verdict>, code: i32, wait: Option<u64>, detail: &str) -> Answer {
    match verdict {
        None => Answer::Unknown { why: "unknown_code" },
        Some(Verdict { class: FailureClass::Ambiguous, .. }) => Answer::Unknown { why: "ambiguous_code" },
        Some(verdict) => Answer::Rejected {
            code,
            class: verdict.class,
            // The longer of the two: the table's is what the documentation says, the header's is what this server says.
            retry_after_ms: verdict.retry_after_ms.max(wait.map(|ms| ms.min(RETRY_AFTER_MAX_MS))),
            detail: scrub(detail),
        },
    }
}

fn unread(http: u16) -> &'static str {
    match http {
        200..=299 => "malformed",
        400..=499 => "no_graph_error",
        500..=599 => "server_error",
        _ => "unexpected_status",
    }
}

/// Without the provider's id, which holds the recipient's number.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { .. } => f.write_str("Sent"),
            Self::Rejected { code, class, retry_after_ms, detail } => {
                write!(f, "Rejected({code}, {class}, {retry_after_ms:?}, {detail:?})")
            }
            Self::NotSent { why } => write!(f, "NotSent({why})"),
            Self::Unknown { why } => write!(f, "Unknown({why})"),
        }
    }
}

/// Without the id and without the provider's words, which are not scrubbed yet.
impl fmt::Debug for GraphAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { status, .. } => write!(f, "Accepted({status:?})"),
            Self::Error { code, subcode, .. } => write!(f, "Error({code}, {subcode:?})"),
            Self::Unreadable => f.write_str("Unreadable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CodeRow;
    use super::*;

    fn table() -> CodeTable {
        let row = |code, class, retry_after_ms| CodeRow {
            from: code,
            to: code,
            subcode: None,
            class,
            async_class: None,
            retry_after_ms,
            meaning: String::new(),
            action: String::new(),
        };
        CodeTable::new(vec![
            row(190, FailureClass::Auth, None),
            row(131_000, FailureClass::Ambiguous, None),
            row(131_016, FailureClass::Retry, None),
            row(131_057, FailureClass::Retry, Some(60_000)),
            row(131_056, FailureClass::Throttle(Bucket::Pair), None),
        ])
        .expect("distinct codes")
    }

    fn seen(http: u16, body: GraphAnswer) -> Answer {
        classify(&table(), Observation::Answered { http, body, retry_after_ms: None })
    }

    fn error(code: i32) -> GraphAnswer {
        GraphAnswer::Error { code, subcode: None, detail: "said so".into() }
    }

    fn rejected(code: i32, class: FailureClass) -> Answer {
        Answer::Rejected { code, class, retry_after_ms: None, detail: "said so".into() }
    }

    #[test]
    fn not_written_is_not_sent() {
        let answer = classify(&table(), Observation::NotWritten { why: "deadline" });
        assert_eq!(answer, Answer::NotSent { why: "deadline" });
    }

    #[test]
    fn a_failed_connect_is_not_sent() {
        assert_eq!(classify(&table(), Observation::ConnectFailed), Answer::NotSent { why: "connect" });
    }

    #[test]
    fn a_timeout_before_writing_is_not_sent() {
        let answer = classify(&table(), Observation::TimedOut { bytes_written: false });
        assert_eq!(answer, Answer::NotSent { why: "timeout" });
    }

    #[test]
    fn a_timeout_after_writing_is_unknown() {
        let answer = classify(&table(), Observation::TimedOut { bytes_written: true });
        assert_eq!(answer, Answer::Unknown { why: "timeout" });
    }

    #[test]
    fn a_connection_broken_after_writing_is_unknown() {
        let answer = classify(&table(), Observation::BrokenAfterWrite { why: "reset" });
        assert_eq!(answer, Answer::Unknown { why: "reset" });
    }

    #[test]
    fn a_process_that_died_leaves_an_unknown() {
        assert_eq!(classify(&table(), Observation::Lost), Answer::Unknown { why: "crashed" });
    }

    #[test]
    fn an_id_is_sent_whatever_the_template_status_says() {
        for status in [None, Some("accepted"), Some("held_for_quality_assessment"), Some("paused"), Some("new word")] {
            let body = GraphAnswer::Accepted { id: "wamid.1".into(), status: status.map(Into::into) };
            assert_eq!(seen(200, body), Answer::Sent { provider_id: "wamid.1".into() });
        }
    }

    #[test]
    fn a_success_without_an_id_is_unknown() {
        assert_eq!(seen(200, GraphAnswer::Unreadable), Answer::Unknown { why: "malformed" });
    }

    #[test]
    fn an_id_under_a_failing_status_is_unknown() {
        let body = GraphAnswer::Accepted { id: "wamid.1".into(), status: None };
        assert_eq!(seen(500, body), Answer::Unknown { why: "server_error" });
    }

    #[test]
    fn a_known_code_decides_under_every_status() {
        for http in [200, 400, 401, 429, 500, 503] {
            assert_eq!(seen(http, error(190)), rejected(190, FailureClass::Auth), "{http}");
            let pair = FailureClass::Throttle(Bucket::Pair);
            assert_eq!(seen(http, error(131_056)), rejected(131_056, pair), "{http}");
            assert_eq!(seen(http, error(131_016)), rejected(131_016, FailureClass::Retry), "{http}");
        }
    }

    #[test]
    fn an_ambiguous_code_is_unknown_under_every_status() {
        for http in [200, 400, 500] {
            assert_eq!(seen(http, error(131_000)), Answer::Unknown { why: "ambiguous_code" }, "{http}");
        }
    }

    #[test]
    fn an_unknown_code_is_a_refusal_only_under_a_client_error() {
        assert_eq!(seen(400, error(999_999)), rejected(999_999, FailureClass::Request));
        for http in [200, 302, 500, 503] {
            assert_eq!(seen(http, error(999_999)), Answer::Unknown { why: "unknown_code" }, "{http}");
        }
    }

    #[test]
    fn too_many_requests_is_a_throttle_with_or_without_a_code() {
        let number = FailureClass::Throttle(Bucket::Number);
        assert_eq!(seen(429, error(999_999)), rejected(999_999, number));
        let Answer::Rejected { code: 0, class, .. } = seen(429, GraphAnswer::Unreadable) else {
            panic!("a bare 429 is a refusal");
        };
        assert_eq!(class, number);
    }

    #[test]
    fn a_status_without_a_graph_error_is_unknown() {
        for (http, why) in [(404, "no_graph_error"), (502, "server_error"), (302, "unexpected_status")] {
            assert_eq!(seen(http, GraphAnswer::Unreadable), Answer::Unknown { why }, "{http}");
        }
    }

    #[test]
    fn the_longer_wait_counts_and_has_an_end() {
        let wait = |header| {
            let observed = Observation::Answered { http: 500, body: error(131_057), retry_after_ms: header };
            match classify(&table(), observed) {
                Answer::Rejected { retry_after_ms, .. } => retry_after_ms,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait(None), Some(60_000));
        assert_eq!(wait(Some(1_000)), Some(60_000));
        assert_eq!(wait(Some(90_000)), Some(90_000));
        assert_eq!(wait(Some(u64::MAX)), Some(RETRY_AFTER_MAX_MS));
    }

    #[test]
    fn debug_output_names_nobody() {
        let sent = Answer::Sent { provider_id: "wamid.HBgLMTIwMjU1NTAxMjMV".into() };
        let accepted = GraphAnswer::Accepted { id: "wamid.HBgLMTIwMjU1NTAxMjMV".into(), status: None };
        let error = GraphAnswer::Error { code: 1, subcode: None, detail: "12025550123".into() };
        let shown = format!("{sent:?} {accepted:?} {error:?}");
        assert_eq!(shown, "Sent Accepted(None) Error(1, None)");
    }
}
