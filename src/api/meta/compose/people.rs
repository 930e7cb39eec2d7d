//! What a callback says of a person: marketing stopped or resumed, another name.

use super::super::append::Placed;
use super::super::body;
use super::super::person::{self, Bound};
use super::scene::Scene;
use super::{Trouble, carried};
use crate::domain::callback::PartBody;
use crate::domain::event::{AliasAddedV1, ConsentChangedV1, ContactHeldV1, Event};
use crate::domain::id::KeyId;
use crate::domain::record::Micros;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// "User has stopped marketing messages from you on WhatsApp" (Cloud API, "Error codes").
pub(super) const OPTED_OUT: i32 = 131_050;

/// "This message was not delivered to maintain healthy ecosystem engagement": the person has enough marketing, of
/// whomever, and Meta asks to wait before the next try (Cloud API, "Error codes", "Per-user marketing template message
/// limits").
pub(super) const ENOUGH: i32 = 131_049;

/// How long: "do not retry sooner" than a day.
const ENOUGH_FOR: Micros = 24 * 60 * 60 * 1_000_000;

/// `ConsentChanged` in the person's mailbox. A person nobody knows is made: an opt-out counts before the first message.
pub(super) async fn preference(scene: &Scene<'_>) -> Result<Vec<Placed>, Trouble> {
    let PartBody::Preference { resume, at, .. } = scene.part.body else {
        return Err(Trouble::Part("it is no preference".to_owned()));
    };
    let names = scene.part.person.as_ref().map(person::names_of);
    let bound = person::meet(&*scene.app.vault, scene.tenant(), &names.unwrap_or_default()).await?;
    let contacts = person::contacts(&bound);
    let Some((first, others)) = contacts.split_first() else {
        return Err(Trouble::Part("the person has no name that can be kept".to_owned()));
    };
    let event = |contact| consent(contact, resume, "user_preferences", at);
    let mailbox = scene.mailbox_of(*first);
    let text = body::of(scene.part);
    let mut all = scene.told(mailbox, &event(*first), (Some(*first), None), text).await?;
    for contact in others {
        all.push(scene.beside(*contact, "consent", &event(*contact))?);
    }
    all.extend(names_learnt(scene, &bound).await?);
    Ok(all)
}

/// `ConsentChanged` for a refusal with [`OPTED_OUT`].
pub(super) fn opted_out(scene: &Scene<'_>, contacts: &[KeyId], at: Micros) -> Result<Vec<Placed>, Trouble> {
    let told = |contact: &KeyId| {
        let event = consent(*contact, false, &OPTED_OUT.to_string(), at);
        scene.beside(*contact, "consent", &event)
    };
    contacts.iter().map(told).collect()
}

/// `ContactHeld` for a refusal with [`ENOUGH`].
pub(super) fn held(scene: &Scene<'_>, contacts: &[KeyId], at: Micros) -> Result<Vec<Placed>, Trouble> {
    // A provider's clock that runs ahead holds nobody longer than a refusal of this moment would.
    let until = at.min(scene.now).saturating_add(ENOUGH_FOR);
    let told = |contact: &KeyId| {
        let event = Event::from(ContactHeldV1 { contact: *contact, until, code: ENOUGH });
        scene.beside(*contact, "held", &event)
    };
    contacts.iter().map(told).collect()
}

fn consent(contact: KeyId, marketing: bool, source: &str, said_at: Micros) -> Event {
    Event::from(ConsentChangedV1 { contact, marketing, source: source.to_owned(), said_at, evidence: None })
}

/// The update itself is carried; a person we know gets the new names. Makes nobody: it is no sign of life.
pub(super) async fn identity(scene: &Scene<'_>) -> Result<Vec<Placed>, Trouble> {
    let PartBody::IdentityChanged { before, now, .. } = &scene.part.body else {
        return Err(Trouble::Part("it is no change of identity".to_owned()));
    };
    let (vault, tenant) = (&*scene.app.vault, scene.tenant());
    let names = person::names_in(now);
    let mut known = scene.known().await?;
    for names in [&person::names_in(before), &names] {
        known.extend(person::find_all(vault, tenant, names).await?);
    }
    let contact = known.first().copied();
    let mut all = carried::compose(scene, contact, body::of(scene.part)).await?;
    let Some(contact) = contact else {
        return Ok(all);
    };
    // Told each time: a repeat is the same event, and a first try that failed half-way has told nobody.
    for bound in person::bind(vault, tenant, contact, &names).await? {
        if bound.contact == contact {
            all.push(name_added(scene, bound)?);
        } else {
            tracing::warn!(%contact, other = %bound.contact, "a new name is another contact's");
        }
    }
    Ok(all)
}

/// `AliasAdded` for each kind of name that the contact's row does not show yet. By the row and not by the vault: a try that
/// failed after the vault took the name would otherwise have told nobody.
pub(super) async fn names_learnt(scene: &Scene<'_>, bound: &[Bound]) -> Result<Vec<Placed>, Trouble> {
    let mut all = Vec::new();
    for bound in bound {
        let row = rows::get(&*scene.app.store, &RowId::Contact(bound.contact)).await?;
        let shown = match row {
            Some(Row::Contact(row)) => row.aliases,
            _ => 0,
        };
        if shown & (1 << (bound.kind as u8)) == 0 {
            all.push(name_added(scene, *bound)?);
        }
    }
    Ok(all)
}

fn name_added(scene: &Scene<'_>, Bound { contact, kind }: Bound) -> Result<Placed, Trouble> {
    let event = Event::from(AliasAddedV1 { contact, kind });
    scene.beside(contact, &format!("alias {}", kind as u8), &event)
}
