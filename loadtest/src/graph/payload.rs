//! The bodies of webhooks as Meta writes them: `object`, `entry[]`, `changes[]`, with escaped unicode and escaped slashes.

use super::config::Number;
use super::error::GraphError;
use crate::clock::splitmix;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::{Value, json};
use std::io::{Result as IoResult, Write};
use std::sync::Arc;

/// What a status callback says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Sent,
    Delivered,
    Read,
    Failed(u32),
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

/// An accepted message, as far as its callbacks need it.
#[derive(Debug)]
pub(super) struct Accepted {
    pub number: Arc<Number>,
    pub wamid: Box<str>,
    /// The phone number, if the message went to one.
    pub phone: Option<Box<str>>,
    /// The business-scoped user id, if it is known.
    pub user_id: Option<Box<str>>,
    pub token: Option<Box<str>>,
    /// For `pricing`: `service` for free-form messages, the template's category otherwise.
    pub category: &'static str,
    /// Whether this person reads.
    pub reads: bool,
    /// Reactions are reported as sent and never further.
    pub only_sent: bool,
}

/// One status on its way.
#[derive(Debug, Clone)]
pub(super) struct StatusEvent {
    pub message: Arc<Accepted>,
    pub status: Status,
    /// Seconds since the epoch.
    pub at_s: u64,
}

/// A user id for a phone number: the same one every time.
pub(super) fn user_id_of(phone: &str) -> String {
    let seed = phone.bytes().fold(0_u64, |hash, byte| splitmix(hash ^ u64::from(byte)));
    format!("US.9{:019}", seed % 10_000_000_000_000_000_000)
}

fn profile(phone: Option<&str>) -> Value {
    let tail = phone.map_or("", |p| &p[p.len().saturating_sub(4)..]);
    json!({ "name": format!("Customer {tail}") })
}

fn contact(phone: Option<&str>, user_id: Option<&str>) -> Value {
    let mut contact = json!({ "profile": profile(phone) });
    if let Some(phone) = phone {
        contact["wa_id"] = phone.into();
    }
    if let Some(user_id) = user_id {
        contact["user_id"] = user_id.into();
    }
    contact
}

impl StatusEvent {
    fn value(&self) -> Value {
        let m = &self.message;
        let mut status = json!({"id": m.wamid, "status": self.status.name(), "timestamp": self.at_s.to_string()});
        if let Some(phone) = &m.phone {
            status["recipient_id"] = (**phone).into();
        }
        if let (Some(user_id), false) = (&m.user_id, matches!(self.status, Status::Failed(_))) {
            status["recipient_user_id"] = (**user_id).into();
        }
        if let Some(token) = &m.token {
            status["biz_opaque_callback_data"] = (**token).into();
        }
        match self.status {
            Status::Failed(code) => status["errors"] = json!([GraphError::new(code).webhook_entry()]),
            Status::Sent | Status::Delivered => status["pricing"] = pricing(m.category),
            Status::Read => {}
        }
        status
    }
}

fn pricing(category: &str) -> Value {
    let free = category == "service";
    let kind = if free { "free_customer_service" } else { "regular" };
    json!({"billable": !free, "pricing_model": "PMP", "type": kind, "category": category})
}

fn change(number: &Number, rest: impl FnOnce(&mut Value)) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.display_phone_number, "phone_number_id": number.phone_number_id},
    });
    rest(&mut value);
    json!({ "value": value, "field": "messages" })
}

fn status_change(events: &[&StatusEvent]) -> Value {
    change(&events[0].message.number, |value| {
        let mut contacts: Vec<Value> = Vec::new();
        // Failed statuses carry no contacts; everybody else stands there once.
        for event in events.iter().filter(|e| !matches!(e.status, Status::Failed(_))) {
            let one = contact(event.message.phone.as_deref(), event.message.user_id.as_deref());
            if !contacts.contains(&one) {
                contacts.push(one);
            }
        }
        if !contacts.is_empty() {
            value["contacts"] = contacts.into();
        }
        value["statuses"] = events.iter().map(|e| e.value()).collect();
    })
}

fn envelope(entries: Vec<Value>) -> Vec<u8> {
    as_meta_writes(&json!({"object": "whatsapp_business_account", "entry": entries}))
}

/// Statuses in a change hold up to this many; it keeps the search for known contacts short.
const PER_CHANGE: usize = 50;

/// The body for some statuses: one entry per account, one change per number and 50 statuses.
pub(super) fn statuses(events: &[StatusEvent]) -> Vec<u8> {
    let mut sorted: Vec<&StatusEvent> = events.iter().collect();
    // A stable sort: statuses of one number stay in the order they are given.
    sorted.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut entries: Vec<Value> = Vec::new();
    for account in sorted.chunk_by(|a, b| key(a).0 == key(b).0) {
        let numbers = account.chunk_by(|a, b| key(a).1 == key(b).1);
        let changes: Value = numbers.flat_map(|number| number.chunks(PER_CHANGE)).map(status_change).collect();
        entries.push(json!({ "id": account[0].message.number.waba_id, "changes": changes }));
    }
    envelope(entries)
}

fn key(event: &StatusEvent) -> (&str, &str) {
    let number = &event.message.number;
    (&number.waba_id, &number.phone_number_id)
}

/// The body for a text message from a person.
pub(super) fn inbound_text(number: &Number, from: &str, user_ids: bool, wamid: &str, at_s: u64, text: &str) -> Vec<u8> {
    let user_id = user_ids.then(|| user_id_of(from));
    let mut message =
        json!({"from": from, "id": wamid, "timestamp": at_s.to_string(), "type": "text", "text": {"body": text}});
    if let Some(user_id) = &user_id {
        message["from_user_id"] = user_id.as_str().into();
    }
    let change = change(number, |value| {
        value["contacts"] = json!([contact(Some(from), user_id.as_deref())]);
        value["messages"] = json!([message]);
    });
    envelope(vec![json!({ "id": number.waba_id, "changes": [change] })])
}

/// A message id as Meta makes them: it embeds the recipient, and 72 random bits.
pub(super) fn wamid(recipient: &str, inbound: bool) -> String {
    let random: [u8; 9] = rand::random();
    let person = &recipient.as_bytes()[..recipient.len().min(100)];
    let mut raw = Vec::with_capacity(person.len() + 32);
    raw.extend_from_slice(&[0x1c, 0x18, u8::try_from(person.len()).unwrap_or(100)]);
    raw.extend_from_slice(person);
    raw.extend_from_slice(&[0x15, 0x02, 0x00, if inbound { 0x12 } else { 0x11 }, 0x18, 0x12]);
    raw.extend_from_slice(hex::encode_upper(random).as_bytes());
    raw.push(0);
    format!("wamid.{}", STANDARD.encode(raw))
}

/// Meta's serialisation: `\u00e9` for everything beyond ASCII, `\/` for a slash.
struct MetaFormatter;

impl Formatter for MetaFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> IoResult<()> {
        if fragment.bytes().all(|b| b.is_ascii() && b != b'/') {
            return CompactFormatter.write_string_fragment(out, fragment);
        }
        for c in fragment.chars() {
            match c {
                '/' => out.write_all(b"\\/")?,
                c if c.is_ascii() => write!(out, "{c}")?,
                c => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))?,
            }
        }
        Ok(())
    }
}

fn as_meta_writes(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, MetaFormatter);
    // A `Value` has string keys and a `Vec` takes every byte: neither can fail.
    value.serialize(&mut serializer).expect("a JSON value serialises into memory");
    out
}

#[cfg(test)]
mod tests {
    use super::{Accepted, Status, StatusEvent, inbound_text, statuses};
    use crate::graph::config::Number;
    use serde_json::Value;
    use std::sync::Arc;

    fn fixture(name: &str) -> Value {
        let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).expect("fixture")).expect("JSON")
    }

    /// Puts the one thing the simulator invents, the profile's name, in its place.
    fn named(mut body: Value) -> Value {
        body["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"] = "Ada Example".into();
        body
    }

    fn event(status: Status, at_s: u64) -> StatusEvent {
        let message = Accepted {
            number: Arc::new(Number::new("900100200300501")),
            wamid: "wamid.HBgLMTIwMjU1NTAxMjMVAgARGBJFM0RCRTRCMEE4RDM1MDU0OTYA".into(),
            phone: Some("12025550123".into()),
            user_id: Some("US.90010020030040050601".into()),
            token: Some("wb:01JD0000000000000000000001".into()),
            category: "service",
            reads: true,
            only_sent: false,
        };
        StatusEvent { message: Arc::new(message), status, at_s }
    }

    fn body(events: &[StatusEvent]) -> Value {
        serde_json::from_slice(&statuses(events)).expect("JSON")
    }

    #[test]
    fn statuses_are_as_the_fixtures_have_them() {
        let table = [(Status::Sent, 1_795_000_005), (Status::Delivered, 1_795_000_007), (Status::Read, 1_795_000_060)];
        for (status, at) in table {
            let expected = fixture(&format!("webhook.whatsapp.status.{}.json", status.name()));
            assert_eq!(named(body(&[event(status, at)])), expected, "{status:?}");
        }
        for code in [130_403, 130_472, 131_000, 131_026, 131_047, 131_049, 131_050, 131_053, 137_000] {
            let mut expected = fixture(&format!("webhook.whatsapp.status.failed.{code}.json"));
            expected["entry"][0]["changes"][0]["value"]["statuses"][0]["id"] =
                (*event(Status::Sent, 0).message.wamid).into();
            assert_eq!(body(&[event(Status::Failed(code), 1_795_000_005)]), expected, "{code}");
        }
    }

    #[test]
    fn a_batch_holds_every_status_once() {
        let events: Vec<_> = (0..120).map(|at| event(Status::Sent, at)).collect();
        let body = body(&events);
        let changes = body["entry"][0]["changes"].as_array().expect("changes");
        let found: Vec<_> = changes.iter().flat_map(|c| c["value"]["statuses"].as_array().expect("statuses")).collect();
        assert_eq!(found.len(), 120);
        assert!(found.iter().zip(0..).all(|(s, at)| s["timestamp"] == format!("{at}")), "the order is kept");
        assert_eq!(changes[0]["value"]["contacts"].as_array().map(Vec::len), Some(1), "a person stands there once");
    }

    #[test]
    fn inbound_text_is_as_the_fixture_has_it_and_escaped_as_meta_does() {
        let mut expected = fixture("webhook.whatsapp.message.text.json");
        let number = Number::new("900100200300501");
        let raw = inbound_text(&number, "12025550123", true, "wamid.X", 1_795_000_000, "Is my order ready? 😊");
        let text = String::from_utf8(raw.clone()).expect("ASCII");
        assert!(text.is_ascii() && text.contains("\\ud83d\\ude0a"));
        let ours = named(serde_json::from_slice(&raw).expect("JSON"));
        let value = &mut expected["entry"][0]["changes"][0]["value"];
        value["messages"][0]["id"] = "wamid.X".into();
        let user_id = super::user_id_of("12025550123");
        value["messages"][0]["from_user_id"] = user_id.as_str().into();
        value["contacts"][0]["user_id"] = user_id.into();
        assert_eq!(ours, expected);
        let slashes = inbound_text(&number, "12025550123", false, "w", 0, "https://é");
        assert!(String::from_utf8(slashes).expect("ASCII").contains(r"https:\/\/\u00e9"));
    }
}
