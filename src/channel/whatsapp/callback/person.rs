//! Who a part is about. Names are matched by what they say, never by their place in a list.

use std::collections::HashMap;

use super::json::Object;
use crate::domain::callback::Person;
use crate::domain::content;

/// Largest contact object that is copied into its parts, bytes: a value may hold a thousand messages of one contact, and
/// a larger one (Meta's are some 200 bytes) is carried by itself.
const CONTACT_MAX: usize = 4096;
/// Longest profile name that is taken out, characters.
const NAME_MAX: usize = 256;

/// The one form of a phone number, if it is one (a group's id is not).
pub(super) fn phone(text: Option<String>) -> Option<String> {
    content::phone(&text?).ok()
}

/// A person with these names, if there is one.
pub(super) fn person(phone: Option<String>, bsuid: Option<String>, parent: Option<String>) -> Option<Person> {
    let named = phone.is_some() || bsuid.is_some();
    named.then_some(Person { phone, bsuid, parent_bsuid: parent, ..Person::default() })
}

/// Reads the names that stand under these keys of an element.
pub(super) fn named(of: &Object<'_>, phone_key: &str, bsuid_key: &str, parent_key: &str) -> Option<Person> {
    person(phone(of.short(phone_key)), of.short(bsuid_key), of.short(parent_key))
}

/// The person of an element whose kind is not known: the first pair of names that is there and is not the business.
pub(super) fn guess(of: &Object<'_>, business: Option<&str>) -> Option<Person> {
    const KEYS: [(&str, &str, &str); 5] = [
        ("from", "from_user_id", "from_parent_user_id"),
        ("to", "to_user_id", "to_parent_user_id"),
        ("recipient_id", "recipient_user_id", "recipient_parent_user_id"),
        ("wa_id", "user_id", "parent_user_id"),
        ("phone_number", "user_id", "parent_user_id"),
    ];
    KEYS.iter()
        .filter_map(|(phone, bsuid, parent)| named(of, phone, bsuid, parent))
        .find(|person| person.phone.is_none() || person.phone.as_deref() != business)
        .or_else(|| guess(&of.object("contact")?, business))
}

/// The contacts of a value: `{profile{name, username}, wa_id?, user_id?, parent_user_id?}`.
pub(super) struct Contacts<'a> {
    all: Vec<Contact<'a>>,
    by_phone: HashMap<String, usize>,
    by_bsuid: HashMap<String, usize>,
}

struct Contact<'a> {
    raw: &'a str,
    person: Person,
    used: bool,
}

impl<'a> Contacts<'a> {
    /// Reads the contacts; one that is no object is kept for [`Self::unused`].
    pub(super) fn read(list: Vec<&'a str>) -> Self {
        let mut contacts = Self { all: Vec::new(), by_phone: HashMap::new(), by_bsuid: HashMap::new() };
        for (index, raw) in list.into_iter().enumerate() {
            let person = Object::read(raw).map(|object| read(&object)).unwrap_or_default();
            if let Some(phone) = &person.phone {
                contacts.by_phone.entry(phone.clone()).or_insert(index);
            }
            if let Some(bsuid) = &person.bsuid {
                contacts.by_bsuid.entry(bsuid.clone()).or_insert(index);
            }
            contacts.all.push(Contact { raw, person, used: false });
        }
        contacts
    }

    /// Completes a person with what their contact object says; names that the element gave stay.
    pub(super) fn complete(&mut self, person: &mut Person) {
        let phone = person.phone.as_ref().and_then(|phone| self.by_phone.get(phone));
        let found = person.bsuid.as_ref().and_then(|bsuid| self.by_bsuid.get(bsuid)).or(phone).copied();
        if let Some(index) = found {
            self.join(index, person);
        }
    }

    /// A status of a group comes with one contact without any id: beside one person, it can be nobody else's.
    pub(super) fn complete_sole(&mut self, person: &mut Person) {
        if let [Contact { person: Person { phone: None, bsuid: None, .. }, .. }] = self.all.as_slice() {
            self.join(0, person);
        }
    }

    fn join(&mut self, index: usize, person: &mut Person) {
        let contact = &mut self.all[index];
        if contact.raw.len() > CONTACT_MAX {
            return;
        }
        contact.used = true;
        let of = &contact.person;
        person.phone = person.phone.take().or_else(|| of.phone.clone());
        person.bsuid = person.bsuid.take().or_else(|| of.bsuid.clone());
        person.parent_bsuid = person.parent_bsuid.take().or_else(|| of.parent_bsuid.clone());
        person.profile_name = person.profile_name.take().or_else(|| of.profile_name.clone());
        person.raw = Some(contact.raw.to_owned());
    }

    /// Contacts that no element named: each is a part of its own, so that nothing is lost.
    pub(super) fn unused(self) -> impl Iterator<Item = (&'a str, Option<Person>)> {
        self.all.into_iter().filter(|contact| !contact.used).map(|contact| {
            let named = contact.person.phone.is_some() || contact.person.bsuid.is_some();
            (contact.raw, named.then_some(contact.person))
        })
    }
}

fn read(contact: &Object<'_>) -> Person {
    let name = contact.object("profile").and_then(|profile| profile.text("name"));
    Person {
        phone: phone(contact.short("wa_id")),
        bsuid: contact.short("user_id"),
        parent_bsuid: contact.short("parent_user_id"),
        profile_name: name.map(|name| name.chars().take(NAME_MAX).collect()),
        ..Person::default()
    }
}
