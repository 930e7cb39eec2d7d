//! The life of one send request: read, judge, write it down, then answer (or not).
//!
//! Whatever the fault, the request stands in the journal before the first byte of an answer leaves.

use super::answer::{answer_error, finish};
use super::config::{Number, Rule};
use super::error::GraphError;
use super::fault::{Fault, Faults};
use super::journal::Recorded;
use super::limits::When;
use super::payload::{Accepted, StatusEvent, user_id_of, wamid};
use super::request::{Decoded, Message, Recipient, SendRequest};
use super::simulator::Shared;
use crate::clock::now_us;
use crate::server::{Answer, Cut, empty};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use std::sync::Arc;

/// A send is a few KiB; a megabyte is someone else's mistake.
const BODY_MAX: usize = 1024 * 1024;

/// What became of a request, faults of the wire aside.
pub(super) enum Outcome {
    Accepted {
        body: Vec<u8>,
        early: Option<StatusEvent>,
    },
    MarkedRead,
    Refused(GraphError),
    /// A fault kept it from being looked at.
    Withheld,
}

/// A request that was judged and written down.
pub(super) struct Turn {
    pub n: u64,
    pub outcome: Outcome,
    pub fault: Option<Fault>,
}

/// `POST /{version}/{phone-number-id}/messages`.
pub(super) async fn messages(
    shared: Arc<Shared>,
    id: String,
    request: Request<Incoming>,
    cut: Arc<Cut>,
) -> Response<Answer> {
    let n = shared.count.next_request();
    let faults = shared.faults();
    let drawn = faults.decide(n, &id);
    if drawn == Some(Fault::ResetBeforeBody) {
        let record = Recorded { n, at_us: now_us(), phone_number_id: id, ..Recorded::default() };
        write_down(&shared, record, &Outcome::Withheld, drawn.as_ref());
        cut.arm(0, true);
        return empty(StatusCode::OK);
    }
    let authorised = authorise(&shared, &id, request.headers());
    let body = match Limited::new(request.into_body(), BODY_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            shared.count.aborted();
            return answer_error(&GraphError::with(100, "The body could not be read, or is larger than 1 MiB."), n);
        }
    };
    let turn = judge(&shared, &faults, Arrival { n, id: &id, authorised, body: &body, drawn });
    finish(&shared, &faults, turn, &cut).await
}

struct Arrival<'a> {
    n: u64,
    id: &'a str,
    authorised: Result<(), GraphError>,
    body: &'a [u8],
    drawn: Option<Fault>,
}

fn authorise(shared: &Shared, id: &str, headers: &HeaderMap) -> Result<(), GraphError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = given.and_then(|value| value.strip_prefix("Bearer ")).filter(|token| !token.is_empty()) else {
        return Err(GraphError::new(104));
    };
    let of_number = shared.known_number(id).and_then(|number| number.access_token.as_deref());
    let listed = shared.config.access_tokens.iter().any(|known| known == token);
    let open = shared.config.access_tokens.is_empty() && of_number.is_none();
    if listed || open || of_number == Some(token) { Ok(()) } else { Err(GraphError::new(190)) }
}

/// Decides, and writes the record down.
fn judge(shared: &Shared, faults: &Faults, arrival: Arrival<'_>) -> Turn {
    let Arrival { n, id, authorised, body, drawn } = arrival;
    let mut record = Recorded { n, at_us: now_us(), phone_number_id: id.to_owned(), ..Recorded::default() };
    let mut token = None;
    let checked = SendRequest::decode(body).and_then(|request| {
        record.marker = request.marker().map(str::to_owned);
        record.token = request.biz_opaque_callback_data.as_deref().map(str::to_owned);
        record.to = request.written_recipient().to_owned();
        record.kind = request.written_kind().to_owned();
        token = request.biz_opaque_callback_data.as_deref().map(Box::from);
        request.check()
    });
    let rule = match &checked {
        Ok(Decoded::Message(message)) => shared.rule_for(message.recipient.key()),
        _ => None,
    };
    let fault = drawn.or_else(|| rule.and_then(|rule| rule.fault.clone()));
    if fault.as_ref().is_some_and(|fault| !fault.accepts()) {
        write_down(shared, record, &Outcome::Withheld, fault.as_ref());
        return Turn { n, outcome: Outcome::Withheld, fault };
    }
    let decided = authorised.and_then(|()| shared.number(id)).and_then(|number| Ok((number, checked?)));
    let outcome = match decided {
        Err(refused) => Outcome::Refused(refused),
        Ok((_, Decoded::MarkRead)) => {
            record.kind = "read".to_owned();
            Outcome::MarkedRead
        }
        Ok((number, Decoded::Message(message))) => {
            record.to = message.recipient.key().to_owned();
            let case = Case { shared, faults, rule, number, message, n, now_us: record.at_us, token };
            return case.settle(record, fault);
        }
    };
    write_down(shared, record, &outcome, fault.as_ref());
    Turn { n, outcome, fault }
}

fn write_down(shared: &Shared, mut record: Recorded, outcome: &Outcome, fault: Option<&Fault>) {
    if let Outcome::Refused(refused) = outcome {
        record.error = Some(refused.code);
    }
    record.fault = fault.map(|fault| fault.name().to_owned());
    shared.count.outcome(&record);
    shared.journal.record(&record);
}

/// A well-formed message of an authorised caller.
struct Case<'a> {
    shared: &'a Shared,
    faults: &'a Faults,
    rule: Option<&'a Rule>,
    number: Arc<Number>,
    message: Message<'a>,
    n: u64,
    now_us: u64,
    token: Option<Box<str>>,
}

impl Case<'_> {
    fn settle(self, mut record: Recorded, fault: Option<Fault>) -> Turn {
        let n = self.n;
        let category = match self.refusal() {
            Ok(category) => category,
            Err(refused) => {
                let outcome = Outcome::Refused(refused);
                write_down(self.shared, record, &outcome, fault.as_ref());
                return Turn { n, outcome, fault };
            }
        };
        let wamid = wamid(self.message.recipient.key(), false);
        let body = self.success(&wamid);
        record.wamid = Some(wamid.clone());
        // The record first: a callback may be on its way the moment the message is accepted.
        let placeholder = Outcome::Accepted { body: Vec::new(), early: None };
        write_down(self.shared, record, &placeholder, fault.as_ref());
        let early = self.report(wamid, category);
        Turn { n, outcome: Outcome::Accepted { body, early }, fault }
    }

    /// Why it is refused; or the category it is billed under.
    fn refusal(&self) -> Result<&'static str, GraphError> {
        let category = match (&self.message.template, &self.shared.config.templates) {
            (Some(call), Some(templates)) => category(&call.check_against(templates)?.category),
            (Some(_), None) => "utility",
            (None, _) => "service",
        };
        if let Some(code) = self.faults.phone_number_overrides.get(&self.number.phone_number_id) {
            return Err(GraphError::new(*code));
        }
        if let Some(code) = self.rule.and_then(|rule| rule.sync_code) {
            return Err(GraphError::new(code));
        }
        let when = When { now_us: self.now_us, answer_us: self.now_us + self.faults.latency(self.n) * 1000 };
        self.shared.meter.outbound(&self.number.phone_number_id, self.message.recipient.key(), when)?;
        Ok(category)
    }

    fn success(&self, wamid: &str) -> Vec<u8> {
        let message = &self.message;
        let (wa_id, user_id, group_id) = match &message.recipient {
            Recipient::Phone(digits) => (Some(&**digits), None, None),
            Recipient::UserId(id) => (None, Some(&**id), None),
            Recipient::Group(id) => (Some(&**id), None, Some(&**id)),
        };
        let held = self.rule.and_then(|rule| rule.message_status.as_deref());
        let message_status = message.template.as_ref().map(|_| held.unwrap_or("accepted"));
        let success = Success {
            messaging_product: "whatsapp",
            contacts: [SuccessContact { input: &message.input, wa_id, user_id }],
            messages: [SuccessMessage { id: wamid, group_id, message_status }],
        };
        // Strings into memory: neither can fail.
        serde_json::to_vec(&success).expect("a struct of strings serialises into memory")
    }

    /// Queues the callbacks. Groups get none: theirs have another shape, and no caller sends to groups yet.
    fn report(self, wamid: String, category: &'static str) -> Option<StatusEvent> {
        let silent = self.rule.is_some_and(|rule| rule.silent);
        if silent || !self.shared.callbacks.has_target() {
            return None;
        }
        let user_ids = self.shared.config.callback.user_ids;
        let (phone, user_id) = match self.message.recipient {
            Recipient::Phone(digits) => (Some(digits.as_str().into()), user_ids.then(|| user_id_of(&digits).into())),
            Recipient::UserId(id) => (None, Some(id.into())),
            Recipient::Group(_) => return None,
        };
        let accepted = Accepted {
            number: self.number,
            wamid: wamid.into(),
            phone,
            user_id,
            token: self.token,
            category,
            reads: self.rule.and_then(|rule| rule.reads).unwrap_or(true),
            only_sent: self.message.kind == "reaction",
        };
        let failed = self.rule.and_then(|rule| rule.async_code.map(|code| (code, rule.sent_first)));
        self.shared.callbacks.accepted(self.n, accepted, failed, self.faults.twist(self.n))
    }
}

fn category(written: &str) -> &'static str {
    match written {
        "MARKETING" => "marketing",
        "AUTHENTICATION" => "authentication",
        _ => "utility",
    }
}

#[derive(Serialize)]
struct Success<'a> {
    messaging_product: &'static str,
    contacts: [SuccessContact<'a>; 1],
    messages: [SuccessMessage<'a>; 1],
}

#[derive(Serialize)]
struct SuccessContact<'a> {
    input: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wa_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

#[derive(Serialize)]
struct SuccessMessage<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_status: Option<&'a str>,
}
