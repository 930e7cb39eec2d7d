//! A person wrote to a session: the message, the service window it opens, the names it taught us.

use super::super::append::Placed;
use super::super::{body, person};
use super::Trouble;
use super::people;
use super::scene::{Scene, word};
use crate::domain::callback::PartBody;
use crate::domain::event::{Event, InboundReceivedV1, WindowOpenedV1};
use crate::domain::id::KeyId;
use crate::domain::record::Micros;

/// Free-form answers are allowed for 24 hours after the person's last message (Cloud API, "Customer service windows").
const WINDOW: Micros = 24 * 60 * 60 * 1_000_000;

/// `InboundReceived` in the session's mailbox, and in the person's: `WindowOpened`, `AliasAdded`.
pub(super) async fn compose(scene: &Scene<'_>) -> Result<Vec<Placed>, Trouble> {
    let PartBody::Inbound { content, provider_at, .. } = &scene.part.body else {
        return Err(Trouble::Part("it is no message".to_owned()));
    };
    let Some(sender) = scene.sender else {
        return Err(Trouble::Part("it is of no session".to_owned()));
    };
    let names = scene.part.person.as_ref().map(person::names_of);
    let bound = person::meet(&*scene.app.vault, sender.tenant, &names.unwrap_or_default()).await?;
    let contacts = person::contacts(&bound);
    let Some(contact) = contacts.first().copied() else {
        return Err(Trouble::Part("its sender has no name that can be kept".to_owned()));
    };
    let tag = scene.tag("inbound message", &[scene.part.dedup.as_bytes()]).await?;
    let event = Event::from(InboundReceivedV1 {
        session: sender.session,
        contact,
        tag,
        content: word(content),
        provider_at: *provider_at,
    });
    let text = body::of(scene.part);
    let mut all = scene.told(scene.mailbox(tag), &event, (Some(contact), None), text).await?;
    for contact in contacts {
        all.push(window(scene, contact, *provider_at)?);
    }
    all.extend(people::names_learnt(scene, &bound).await?);
    Ok(all)
}

fn window(scene: &Scene<'_>, contact: KeyId, provider_at: Micros) -> Result<Placed, Trouble> {
    let Some(sender) = scene.sender else {
        return Err(Trouble::Part("it is of no session".to_owned()));
    };
    // A provider's clock that runs ahead opens no longer window than a message of this moment would.
    let until = provider_at.min(scene.now).saturating_add(WINDOW);
    let event = Event::from(WindowOpenedV1 { contact, session: sender.session, until });
    scene.beside(contact, "window", &event)
}
