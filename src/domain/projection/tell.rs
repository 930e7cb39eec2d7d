//! Telling a tenant's feed of a message.

use super::super::id::{EventId, MessageId, SessionId, TenantId, derive};
use super::super::notification::NotificationKind;
use super::{Append, Applied, At, FeedRow, Note};

/// Appends a public event about a message to its tenant's feed.
pub(super) fn tell(out: &mut Applied, at: At<'_>, about: About<'_>) {
    // A message that was queued again may fail again, which is another thing to tell; the first round is left unnamed.
    let number = about.round.to_be_bytes();
    let parts: [&[u8]; 4] = [&about.message.0, about.kind.word().as_bytes(), about.step, &number];
    let named = if about.round == 0 { &parts[..3] } else { &parts[..] };
    let row = FeedRow {
        id: EventId(derive("waybill notification", named)),
        kind: about.kind,
        message: Some(about.message),
        session: Some(about.session),
        at: at.header.at,
        code: about.code,
        class: about.class.to_owned(),
    };
    out.appends.push(Append::Feed { tenant: about.tenant, row });
    out.notes.push(Note::FeedGrew(about.tenant));
}

/// What [`tell`] tells: the id derives from message, kind and step, never from a position.
pub(super) struct About<'a> {
    pub tenant: TenantId,
    pub session: SessionId,
    pub message: MessageId,
    /// Which round of it.
    pub round: u16,
    pub kind: NotificationKind,
    /// Which time, for kinds that may happen more than once (`unknown` of attempt 2).
    pub step: &'a [u8],
    pub code: i32,
    pub class: &'a str,
}
