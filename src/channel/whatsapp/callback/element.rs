//! One element of a value's list: what it says, of whom, and the key under which a repeat is the same.
//!
//! Keys: Meta repeats a callback for seven days and may batch it differently, so the key is made of what the element
//! says, never of its place.

use super::json::Object;
use super::person::{guess, named, person, phone};
use crate::domain::callback::{Names, PartBody, Person, Pricing};
use crate::domain::event::Status;
use crate::domain::id::derive;
use crate::domain::record::Micros;

/// What every element of a value shares.
pub(super) struct Scope<'a> {
    /// Meta's field name.
    pub(super) field: &'a str,
    /// The phone number id, empty if there is none.
    pub(super) account: &'a str,
    /// The business's own number in the one form.
    pub(super) business: Option<&'a str>,
    /// When the POST arrived.
    pub(super) received: Micros,
}

/// One element, read or carried.
pub(super) struct Element {
    pub(super) dedup: String,
    pub(super) person: Option<Person>,
    pub(super) body: PartBody,
}

/// Reads one element of the list `list`. What has not the expected shape is carried.
pub(super) fn read(scope: &Scope<'_>, list: &str, raw: &str) -> Element {
    let Some(object) = Object::read(raw) else {
        return Element { dedup: hashed(scope, raw), person: None, body: carried(raw) };
    };
    // Only the field `messages` is live traffic: history, echoes and threads that another app owns hold the same shapes
    // and must neither open a service window nor move a message.
    let element = match (scope.field, list) {
        ("messages", "messages") if object.short("type").as_deref() == Some("system") => system(scope, &object, raw),
        ("messages", "messages") => inbound(scope, &object, raw),
        ("messages", "statuses") => status(&object, raw),
        ("messages", "errors") => signal(scope, &object, raw),
        ("user_preferences", "user_preferences") => preference(scope, &object, raw),
        ("user_id_update", "user_id_update") => identity(scope, &object, raw),
        _ => None,
    };
    element.unwrap_or_else(|| other(scope, list, &object, raw))
}

fn inbound(scope: &Scope<'_>, message: &Object<'_>, raw: &str) -> Option<Element> {
    let id = message.text("id")?;
    let kind = message.short("type")?;
    let plain = kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    Some(Element {
        dedup: format!("message|{}|{id}|{kind}", scope.account),
        person: Some(named(message, "from", "from_user_id", "from_parent_user_id")?),
        body: PartBody::Inbound {
            provider_id: id,
            content: if plain { kind } else { "other".to_owned() },
            provider_at: time(message)?,
            raw: raw.to_owned(),
        },
    })
}

fn status(status: &Object<'_>, raw: &str) -> Option<Element> {
    let id = status.text("id")?;
    let word = status.short("status")?;
    // One status per participant of a group: the group's own id names no person.
    let member = named(status, "recipient_participant_id", "recipient_participant_user_id", "");
    let group = status.short("recipient_type").as_deref() == Some("group");
    let single = || named(status, "recipient_id", "recipient_user_id", "recipient_parent_user_id");
    let participant = member.as_ref().and_then(|member| member.bsuid.clone().or(member.phone.clone()));
    let error = status.list("errors").and_then(|errors| Object::read(errors.first()?)?.number("code"));
    let pricing = status.object("pricing").map(|pricing| Pricing {
        category: pricing.short("category"),
        billable: pricing.flag("billable"),
        model: pricing.short("pricing_model"),
        kind: pricing.short("type"),
    });
    Some(Element {
        dedup: format!("status|{id}|{word}|{}", participant.unwrap_or_default()),
        person: if group { member } else { member.or_else(single) },
        body: PartBody::Status {
            provider_id: id,
            token: status.text("biz_opaque_callback_data"),
            status: status_of(&word),
            provider_at: time(status)?,
            code: error.and_then(|code| i32::try_from(code).ok()).unwrap_or(0),
            pricing: pricing.unwrap_or_default(),
            raw: raw.to_owned(),
        },
    })
}

fn status_of(word: &str) -> Status {
    match word {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "played" => Status::Played,
        "failed" => Status::Failed,
        _ => Status::Other,
    }
}

/// An error of the account has no id and no time of its own: the same one is the same within a minute of arrival.
fn signal(scope: &Scope<'_>, error: &Object<'_>, raw: &str) -> Option<Element> {
    let code = i32::try_from(error.number("code")?).ok()?;
    let minute = scope.received.div_euclid(60_000_000);
    Some(Element {
        dedup: format!("{}|{minute}", hashed(scope, raw)),
        person: None,
        body: PartBody::Signal { code, raw: raw.to_owned() },
    })
}

/// `stop` and `resume` of marketing messages. Another word or another category is carried: consent is never guessed.
fn preference(scope: &Scope<'_>, preference: &Object<'_>, raw: &str) -> Option<Element> {
    let value = preference.short("value")?;
    let resume = match (preference.short("category")?.as_str(), value.as_str()) {
        ("marketing_messages", "stop") => false,
        ("marketing_messages", "resume") => true,
        _ => return None,
    };
    let at = time(preference)?;
    let person = named(preference, "wa_id", "user_id", "parent_user_id")?;
    let user = person.bsuid.as_ref().or(person.phone.as_ref())?;
    Some(Element {
        dedup: format!("preference|{}|{user}|{value}|{at}", scope.account),
        person: Some(person),
        body: PartBody::Preference { resume, at, raw: raw.to_owned() },
    })
}

/// `user_id_update`: the business-scoped id changes when the person changes their number.
fn identity(scope: &Scope<'_>, update: &Object<'_>, raw: &str) -> Option<Element> {
    let ids = update.object("user_id")?;
    let (before, now) = (ids.short("previous")?, ids.short("current")?);
    let at = time(update)?;
    let phone = phone(update.short("wa_id"));
    Some(Element {
        dedup: format!("identity|{}|{before}|{now}|{at}", scope.account),
        person: person(phone.clone(), Some(before.clone()), update.short("parent_user_id")),
        body: PartBody::IdentityChanged {
            before: Names { phone: phone.clone(), bsuid: Some(before) },
            now: Names { phone, bsuid: Some(now) },
            at,
            raw: raw.to_owned(),
        },
    })
}

/// A system message: Meta's word about a person, not the person's. Never inbound, so it opens no service window.
fn system(scope: &Scope<'_>, message: &Object<'_>, raw: &str) -> Option<Element> {
    let id = message.text("id")?;
    let system = message.object("system")?;
    let now = match system.short("type")?.as_str() {
        "user_changed_number" => Names { phone: Some(phone(system.short("wa_id"))?), bsuid: system.short("user_id") },
        "user_changed_user_id" => Names { phone: phone(system.short("wa_id")), bsuid: Some(system.short("user_id")?) },
        _ => return None,
    };
    let person = named(message, "from", "from_user_id", "from_parent_user_id")?;
    Some(Element {
        dedup: format!("message|{}|{id}|system", scope.account),
        body: PartBody::IdentityChanged {
            before: Names { phone: person.phone.clone(), bsuid: person.bsuid.clone() },
            now,
            at: time(message)?,
            raw: raw.to_owned(),
        },
        person: Some(person),
    })
}

fn other(scope: &Scope<'_>, list: &str, object: &Object<'_>, raw: &str) -> Element {
    // An echo is from the business to the person.
    let echo = if list == "message_echoes" { named(object, "to", "to_user_id", "to_parent_user_id") } else { None };
    let dedup = match (object.text("id"), object.short("type")) {
        (Some(id), Some(kind)) => format!("{}|{}|{id}|{kind}", scope.field, scope.account),
        _ => hashed(scope, raw),
    };
    Element { dedup, person: echo.or_else(|| guess(object, scope.business)), body: carried(raw) }
}

pub(super) fn carried(raw: &str) -> PartBody {
    PartBody::Carried { raw: raw.to_owned() }
}

/// A key for what has no id: its digest.
pub(super) fn hashed(scope: &Scope<'_>, raw: &str) -> String {
    let digest = derive("waybill callback part", &[scope.field.as_bytes(), scope.account.as_bytes(), raw.as_bytes()]);
    format!("digest|{}", hex::encode(digest))
}

/// `timestamp`: seconds, as a string or a number.
fn time(of: &Object<'_>) -> Option<Micros> {
    let seconds = of.number("timestamp").filter(|seconds| *seconds >= 0)?;
    seconds.checked_mul(1_000_000)
}
