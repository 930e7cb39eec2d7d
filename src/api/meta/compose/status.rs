//! A status: what became of a message we sent.

use super::super::append::Placed;
use super::super::body;
use super::Trouble;
use super::people::{self, ENOUGH, OPTED_OUT};
use super::scene::{Scene, word};
use super::shared;
use crate::domain::callback::PartBody;
use crate::domain::event::{AttemptRef, Event, SealedV1, Status, StatusReportedV1};
use crate::domain::id::{KeyId, Tag};

/// `StatusReported` in the session's mailbox. Makes no contact: whom we wrote to is known, or the status is not ours.
pub(super) async fn compose(scene: &Scene<'_>, of: Option<AttemptRef>) -> Result<Vec<Placed>, Trouble> {
    let PartBody::Status { provider_id, status, provider_at, code, pricing, .. } = &scene.part.body else {
        return Err(Trouble::Part("it is no status".to_owned()));
    };
    let Some(sender) = scene.sender else {
        return Err(Trouble::Part("it is of no session".to_owned()));
    };
    let known = scene.known().await?;
    let contact = known.first().copied();
    let tag = scene.tag("provider message", &[provider_id.as_bytes()]).await?;
    let failed = *status == Status::Failed;
    let event = Event::from(StatusReportedV1 {
        session: sender.session,
        of,
        tag,
        status: *status,
        provider_at: *provider_at,
        code: if failed { *code } else { 0 },
        class: if failed { class(scene, *code) } else { String::new() },
        pricing: pricing.category.as_deref().map(word),
        provider_id: sealed_id(scene, contact, of, provider_id).await?,
        billable: pricing.billable,
        pricing_model: pricing.model.as_deref().map(model),
        pricing_type: pricing.kind.as_deref().map(word),
    });
    let mut all = told(scene, contact, of, tag, &event).await?;
    if failed && *code == OPTED_OUT {
        all.extend(people::opted_out(scene, &known, *provider_at)?);
    }
    if failed && *code == ENOUGH {
        all.extend(people::held(scene, &known, *provider_at)?);
    }
    if failed {
        all.extend(shared::refused(scene, sender, of, (*code, *provider_at)).await?);
    }
    Ok(all)
}

async fn told(
    scene: &Scene<'_>,
    contact: Option<KeyId>,
    of: Option<AttemptRef>,
    tag: Tag,
    event: &Event,
) -> Result<Vec<Placed>, Trouble> {
    let about = (contact, of.map(|of| of.message));
    scene.told(scene.mailbox(tag), event, about, body::of(scene.part)).await
}

/// A pricing model is written in capitals (`PMP`); what is none is not kept.
fn model(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let good = !text.is_empty() && text.len() <= 64 && text.bytes().all(plain);
    if good { text.to_owned() } else { "other".to_owned() }
}

fn class(scene: &Scene<'_>, code: i32) -> String {
    scene.codes.class(code, true).word().to_owned()
}

/// The provider's id under the contact's seal, in the context of its message. Without either it stands in the body only.
async fn sealed_id(
    scene: &Scene<'_>,
    contact: Option<KeyId>,
    of: Option<AttemptRef>,
    provider_id: &str,
) -> Result<Option<SealedV1>, Trouble> {
    let (Some(contact), Some(of)) = (contact, of) else {
        return Ok(None);
    };
    let vault = &scene.app.vault;
    let sealed = vault.seal(scene.tenant(), contact, &of.message.0, provider_id.as_bytes());
    match sealed.await {
        Ok(sealed) => Ok(Some(SealedV1 { key: sealed.key, bytes: sealed.bytes })),
        Err(error) if super::super::seal::is_of_one_person(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
