//! What the Cloud API can do.

use super::super::seam::{Capabilities, Inbound, Lifecycle, Media, Pacing, Placement};
use crate::domain::event::Status;

/// The record of it. Editing and taking back exist in callbacks only; groups (at most 8 people, by invitation) are not
/// sent to.
#[must_use]
pub fn capabilities() -> Capabilities {
    Capabilities {
        channel: "whatsapp".to_owned(),
        inbound: Inbound::SignedCallback,
        lifecycle: Lifecycle::Token,
        free_form_outside_window: false,
        templates: true,
        statuses: vec![Status::Sent, Status::Delivered, Status::Read, Status::Played, Status::Failed],
        returns_token: true,
        repeat_is_same: false,
        edit: false,
        revoke: false,
        typing: true,
        groups: false,
        pacing: Pacing::Provider,
        media: Media::IdOrLink,
        placement: Placement::AnyNode,
    }
}
