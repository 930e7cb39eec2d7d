//! From a status line, or from a failure, to what became of the attempt. Pure.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::error::Refusal;
use super::post::{Delivered, UnreachableReason};
use crate::domain::text::calm;

/// How much of a refusing endpoint's body is kept for the customer to read.
pub(super) const EXCERPT_BYTES: usize = 4 * 1024;
/// An error text is for a person; the innermost one fits.
const DETAIL_CHARS: usize = 200;

/// Status codes as Standard Webhooks 1.0.0 reads them ("Delivery success and failure"); 503 throttles like 502 and 504.
pub(super) fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Delivered {
    match status {
        200..=299 => Delivered::Acknowledged { status },
        300..=399 => Delivered::Redirected { status },
        410 => Delivered::Gone,
        429 | 502 | 503 | 504 => Delivered::Throttled { status, retry_after },
        _ => Delivered::Rejected { status, retry_after, excerpt: excerpt(body) },
    }
}

/// The first 4 KiB as text. Line breaks become blanks; control and direction-changing characters are dropped, since
/// this text ends up in terminals and consoles.
pub(super) fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(EXCERPT_BYTES)];
    calm(&String::from_utf8_lossy(head)).trim().to_owned()
}

/// A failed call. `is_timeout` and `is_dns` are the client's own verdicts; the rest is read off the chain of causes.
pub(super) fn failure(error: &(dyn Error + 'static), is_timeout: bool, is_dns: bool) -> Delivered {
    let causes = causes(error);
    if let Some(refusal) = find::<Refusal>(&causes) {
        return Delivered::Refused(refusal.clone());
    }
    if is_timeout {
        return Delivered::TimedOut;
    }
    let reason = if is_dns { UnreachableReason::NameNotResolved } else { reason(&causes) };
    let detail = causes.last().map(|cause| cause.to_string()).unwrap_or_default();
    Delivered::Unreachable { reason, detail: detail.chars().take(DETAIL_CHARS).collect() }
}

type Cause<'a> = &'a (dyn Error + 'static);

/// Outermost first. An `io::Error` hides what it wraps from `source()`, so it is opened; the number of links is
/// bounded, because nothing promises that a chain ends.
fn causes<'a>(error: Cause<'a>) -> Vec<Cause<'a>> {
    std::iter::successors(Some(error), |cause| beneath(*cause)).take(16).collect()
}

fn beneath<'a>(cause: Cause<'a>) -> Option<Cause<'a>> {
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => cause.source(),
    }
}

fn find<'a, E: Error + 'static>(causes: &[Cause<'a>]) -> Option<&'a E> {
    causes.iter().find_map(|cause| cause.downcast_ref::<E>())
}

fn reason(causes: &[Cause<'_>]) -> UnreachableReason {
    if find::<rustls::Error>(causes).is_some() {
        return UnreachableReason::Tls;
    }
    if let Some(kind) = find::<io::Error>(causes).map(io::Error::kind) {
        return of_io(kind);
    }
    match find::<hyper::Error>(causes) {
        Some(error) if error.is_incomplete_message() || error.is_canceled() => UnreachableReason::ConnectionLost,
        Some(error) if error.is_parse() || error.is_parse_too_large() => UnreachableReason::Protocol,
        _ => UnreachableReason::Other,
    }
}

fn of_io(kind: io::ErrorKind) -> UnreachableReason {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable,
        UnexpectedEof,
    };
    match kind {
        ConnectionRefused => UnreachableReason::ConnectionRefused,
        HostUnreachable | NetworkUnreachable => UnreachableReason::NoRoute,
        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof => UnreachableReason::ConnectionLost,
        _ => UnreachableReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_status_has_its_outcome() {
        let wait = Some(Duration::from_secs(3));
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(classify(status, wait, b"x"), Delivered::Acknowledged { status });
        }
        for status in [300, 301, 302, 304, 307, 308, 399] {
            assert_eq!(classify(status, wait, b"x"), Delivered::Redirected { status });
        }
        assert_eq!(classify(410, wait, b"x"), Delivered::Gone);
        for status in [429, 502, 503, 504] {
            assert_eq!(classify(status, wait, b"x"), Delivered::Throttled { status, retry_after: wait });
        }
        for status in [199, 400, 401, 403, 404, 409, 418, 500, 501, 505, 599, 999] {
            let expected = Delivered::Rejected { status, retry_after: wait, excerpt: "x".to_owned() };
            assert_eq!(classify(status, wait, b"x"), expected);
        }
    }

    #[test]
    fn an_excerpt_is_plain_text() {
        assert_eq!(excerpt(b"line\r\nnext\tcell"), "line  next cell");
        assert_eq!(excerpt(b"\x1b[31mred\x07\x00"), "[31mred");
        assert_eq!(excerpt("abc\u{202e}fed\u{9b}".as_bytes()), "abcfed");
        assert_eq!(excerpt(b"bad \xff byte"), "bad \u{fffd} byte");
        assert_eq!(excerpt(&[b'a'; 10_000]).len(), EXCERPT_BYTES);
    }

    #[test]
    fn a_refusal_is_found_however_deep_it_lies() {
        let refusal = Refusal::Port(25);
        let wrapped = io::Error::other(io::Error::other(refusal.clone()));
        assert_eq!(failure(&wrapped, true, true), Delivered::Refused(refusal));
    }

    proptest! {
        #[test]
        fn no_bytes_leave_a_control_character(body in proptest::collection::vec(any::<u8>(), 0..6_000)) {
            prop_assert!(!excerpt(&body).chars().any(char::is_control));
        }
    }
}
