//! The envelope of a POST: `{object, entry: [{id, time?, changes: [{field, value}] | messaging: […]}]}`.

use super::json::Object;
use super::value::{Place, parts};
use crate::domain::callback::{Part, PartBody, Person};
use crate::domain::id::derive;
use crate::domain::record::Micros;

/// A body that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// It is not JSON.
    #[error("the callback is not JSON: {why}")]
    NotJson {
        /// Where it stops being JSON. Nothing of the body.
        why: String,
    },
    /// It is JSON and no object.
    #[error("the callback is JSON, but not an object")]
    NotAnObject,
}

/// Splits a callback into parts; `received` is when it arrived. A well-formed object has at least one part.
///
/// # Errors
/// [`CallbackError`]: the body is not a JSON object. Everything else is read or carried.
pub fn parse(body: &[u8], received: Micros) -> Result<Vec<Part>, CallbackError> {
    let not_json = |why: String| CallbackError::NotJson { why };
    let text = std::str::from_utf8(body).map_err(|e| not_json(e.to_string()))?;
    // Position only: the message of a parser may quote what it read.
    let raw: &serde_json::value::RawValue = serde_json::from_str(text)
        .map_err(|e| not_json(format!("{:?} at line {} column {}", e.classify(), e.line(), e.column())))?;
    if !raw.get().starts_with('{') {
        return Err(CallbackError::NotAnObject);
    }
    let post = Post { received, raw: raw.get() };
    let parts = post.parts().unwrap_or_default();
    Ok(if parts.is_empty() { vec![carried(None, "unknown", None, raw.get())] } else { parts })
}

struct Post<'a> {
    received: Micros,
    raw: &'a str,
}

impl Post<'_> {
    /// `None` if the envelope is another than Meta's.
    fn parts(&self) -> Option<Vec<Part>> {
        let root = Object::read(self.raw)?;
        let product = root.short("object")?;
        let mut all = Vec::new();
        for raw in root.list("entry")? {
            match Object::read(raw) {
                Some(entry) => self.entry(&product, &entry, &mut all),
                None => all.push(carried(None, &product, None, raw)),
            }
        }
        let rest = root.only(|name| !["object", "entry"].contains(&name));
        all.extend(rest.map(|raw| carried(None, &product, None, &raw)));
        Some(all)
    }

    fn entry(&self, product: &str, entry: &Object<'_>, all: &mut Vec<Part>) {
        let id = entry.id("id");
        let mut taken = vec!["id", "time"];
        if let Some(changes) = entry.list("changes") {
            taken.push("changes");
            for raw in changes {
                self.change(product, id.as_deref(), entry.number("time"), raw, all);
            }
        }
        for name in ["messaging", "standby"] {
            let Some(events) = entry.list(name) else {
                continue;
            };
            taken.push(name);
            all.extend(events.into_iter().map(|raw| messaging(id.as_deref(), name, raw)));
        }
        let rest = entry.only(|name| !taken.contains(&name));
        all.extend(rest.map(|raw| carried(id.as_deref(), product, None, &raw)));
    }

    fn change(&self, product: &str, entry: Option<&str>, time: Option<i64>, raw: &str, all: &mut Vec<Part>) {
        let Some(change) = Object::read(raw) else {
            return all.push(carried(entry, product, None, raw));
        };
        let (Some(field), Some(value)) = (change.short("field"), change.get("value")) else {
            return all.push(carried(entry, product, None, raw));
        };
        // A field name means one thing on a WhatsApp account and another on a page or an Instagram account: those are
        // carried, with the account they came to.
        if product == "whatsapp_business_account" {
            all.extend(parts(&Place { entry, time, field: &field, received: self.received }, value));
        } else {
            all.push(Part { account: entry.map(str::to_owned), ..carried(entry, &field, None, value) });
        }
        let rest = change.only(|name| !["field", "value"].contains(&name));
        all.extend(rest.map(|raw| carried(entry, &field, None, &raw)));
    }
}

/// An event of Messenger or Instagram: one person each, carried. The person is whoever is not the account.
fn messaging(entry: Option<&str>, field: &str, raw: &str) -> Part {
    let event = Object::read(raw);
    let id = |side: &str| event.as_ref()?.object(side)?.id("id");
    let scoped = [id("sender"), id("recipient")].into_iter().flatten().find(|id| Some(id.as_str()) != entry);
    let person = scoped.map(|scoped| Person { scoped: Some(scoped), ..Person::default() });
    let mut part = carried(entry, field, person, raw);
    part.account = entry.map(str::to_owned);
    // A message, or the tap of a button: an unsent message keeps its id and is another event. A reaction has the id of the
    // message it is for, a read mark none of its own: those go by their digest.
    let message = event.as_ref().and_then(|event| event.object("message").or_else(|| event.object("postback")));
    if let Some((message, mid)) = message.and_then(|message| message.text("mid").map(|mid| (message, mid))) {
        let deleted = message.get("is_deleted") == Some("true");
        part.dedup = format!("mid|{}|{mid}|{deleted}", entry.unwrap_or_default());
    }
    part
}

fn carried(entry: Option<&str>, field: &str, person: Option<Person>, raw: &str) -> Part {
    let digest = derive("waybill callback", &[entry.unwrap_or_default().as_bytes(), field.as_bytes(), raw.as_bytes()]);
    Part {
        entry: entry.map(str::to_owned),
        account: None,
        field: field.to_owned(),
        dedup: format!("digest|{}", hex::encode(digest)),
        person,
        body: PartBody::Carried { raw: raw.to_owned() },
    }
}
