//! A change's value: its lists are taken apart, its contacts joined to whom they belong, and what is left over is carried.

use super::element::{Scope, carried, hashed, read};
use super::json::Object;
use super::person::{Contacts, guess, person, phone};
use crate::domain::callback::{Part, Person};
use crate::domain::record::Micros;

/// Lists whose elements are one person's each.
const LISTS: [&str; 7] =
    ["messages", "statuses", "errors", "user_preferences", "user_id_update", "message_echoes", "state_sync"];
/// Largest frame of a history chunk that is repeated around each of its threads, bytes (Meta's are some 60).
const CHUNK_FRAME_MAX: usize = 4096;
/// What every value with such a list has beside it.
const FRAME: [&str; 2] = ["messaging_product", "metadata"];

/// Where a value stood.
pub(super) struct Place<'a> {
    /// The entry's id: the WhatsApp business account.
    pub(super) entry: Option<&'a str>,
    /// The entry's time, for the key of what has no id.
    pub(super) time: Option<i64>,
    /// Meta's field name.
    pub(super) field: &'a str,
    /// When the POST arrived.
    pub(super) received: Micros,
}

/// All parts of one value.
pub(super) fn parts(place: &Place<'_>, raw: &str) -> Vec<Part> {
    let Some(value) = Object::read(raw) else { return vec![whole(place, None, raw)] };
    let metadata = value.object("metadata");
    let account = metadata.as_ref().and_then(|metadata| metadata.id("phone_number_id"));
    let business = phone(metadata.and_then(|metadata| metadata.short("display_phone_number")));
    let scope = Scope {
        field: place.field,
        account: account.as_deref().unwrap_or_default(),
        business: business.as_deref(),
        received: place.received,
    };
    let mut split = Split { place, account: account.as_deref(), scope, parts: Vec::new(), taken: Vec::new() };
    split.lists(&value);
    split.history(&value);
    if split.taken.is_empty() {
        return vec![whole(place, account.as_deref(), raw)];
    }
    split.contacts(&value);
    split.rest(&value);
    split.parts
}

/// A value that is one part: nothing in it is known to be a person's.
fn whole(place: &Place<'_>, account: Option<&str>, raw: &str) -> Part {
    let scope =
        Scope { field: place.field, account: account.unwrap_or_default(), business: None, received: place.received };
    Part {
        entry: place.entry.map(str::to_owned),
        account: account.map(str::to_owned),
        field: place.field.to_owned(),
        dedup: format!("{}|{}", hashed(&scope, raw), place.time.unwrap_or_default()),
        person: None,
        body: carried(raw),
    }
}

struct Split<'a> {
    place: &'a Place<'a>,
    account: Option<&'a str>,
    scope: Scope<'a>,
    parts: Vec<Part>,
    /// Names of the value's pairs that have become parts.
    taken: Vec<&'static str>,
}

impl Split<'_> {
    fn push(&mut self, dedup: String, person: Option<Person>, body: crate::domain::callback::PartBody) {
        self.parts.push(Part {
            entry: self.place.entry.map(str::to_owned),
            account: self.account.map(str::to_owned),
            field: self.place.field.to_owned(),
            dedup,
            person,
            body,
        });
    }

    fn carry(&mut self, person: Option<Person>, raw: &str) {
        self.push(hashed(&self.scope, raw), person, carried(raw));
    }

    fn lists(&mut self, value: &Object<'_>) {
        for name in LISTS {
            let Some(list) = value.list(name) else { continue };
            self.taken.push(name);
            for raw in list {
                let element = read(&self.scope, name, raw);
                self.push(element.dedup, element.person, element.body);
            }
        }
    }

    /// `history[].threads[]`: one part per thread, each with the chunk's own frame around it.
    fn history(&mut self, value: &Object<'_>) {
        let Some(chunks) = value.list("history") else { return };
        self.taken.push("history");
        for raw in chunks {
            let chunk = Object::read(raw);
            let threads = chunk.as_ref().and_then(|chunk| Some((chunk, chunk.list("threads")?)));
            let fits = |chunk: &Object<'_>, threads: &[&str]| {
                !threads.is_empty() && chunk.with("threads", "").len() <= CHUNK_FRAME_MAX
            };
            let Some((chunk, threads)) = threads.filter(|(chunk, threads)| fits(chunk, threads)) else {
                self.carry(None, raw);
                continue;
            };
            for thread in threads {
                let who = Object::read(thread).and_then(|thread| person(phone(thread.short("id")), None, None));
                self.carry(who, &chunk.with("threads", &format!("[{thread}]")));
            }
        }
    }

    /// Joins contacts to the parts of whom they name; the others are parts themselves.
    fn contacts(&mut self, value: &Object<'_>) {
        let Some(list) = value.list("contacts") else { return };
        self.taken.push("contacts");
        let mut contacts = Contacts::read(list);
        let mut people: Vec<&mut Person> = self.parts.iter_mut().filter_map(|part| part.person.as_mut()).collect();
        if let [person] = people.as_mut_slice() {
            contacts.complete_sole(person);
        }
        for person in people {
            contacts.complete(person);
        }
        for (raw, person) in contacts.unused() {
            let person = person.or_else(|| guess(&Object::read(raw)?, None));
            self.carry(person, raw);
        }
    }

    /// Pairs of the value that nothing here knows.
    fn rest(&mut self, value: &Object<'_>) {
        let rest = value.only(|name| !FRAME.contains(&name) && !self.taken.contains(&name));
        if let Some(raw) = rest {
            self.carry(None, &raw);
        }
    }
}
