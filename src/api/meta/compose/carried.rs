//! What moves nothing here: kept, so that nothing Meta said is lost.

use super::super::append::Placed;
use super::Trouble;
use super::scene::{Scene, word};
use crate::domain::event::{CallbackCarriedV1, Event};
use crate::domain::id::KeyId;

/// `CallbackCarried` with this text under the contact's seal, else under that of the day.
pub(super) async fn compose(scene: &Scene<'_>, contact: Option<KeyId>, text: Vec<u8>) -> Result<Vec<Placed>, Trouble> {
    let tag = scene.tag("callback part", &[scene.part.dedup.as_bytes()]).await?;
    let event = Event::from(CallbackCarriedV1 {
        session: scene.sender.map(|sender| sender.session),
        field: word(&scene.part.field),
        tag,
    });
    scene.told(scene.mailbox(tag), &event, (contact, None), text).await
}
