//! What callbacks change: statuses find their message by our token, else by the provider's id, else they wait as
//! orphans; inbound messages and carried parts are taken once.

use super::super::event::{AttemptRef, Event, Status, StatusReportedV1};
use super::super::id::{EventId, MessageId, Tag};
use super::super::message::State;
use super::super::notification::NotificationKind;
use super::super::row::{
    Accepted, Ended, Fact, How, MessageRow, OfContact, OrphanStatus, Price, ProviderRow, RowId, Rows,
};
use super::{About, Append, Applied, At, FeedRow, Note, tell};

/// Orphans kept for one provider id: a message has at most five different statuses.
const MAX_ORPHANS: usize = 8;

pub(super) fn needs(event: &Event, rows: &Rows, wanted: &mut Vec<RowId>) {
    match event {
        Event::StatusReported(facts) => {
            let provider = RowId::Provider(facts.tag);
            wanted.push(provider);
            wanted.extend(facts.of.map(|of| RowId::Message(of.message)));
            if facts.of.is_none()
                && rows.knows(&provider)
                && let Some(ProviderRow::Attempt(message, _)) = rows.provider(facts.tag)
            {
                wanted.push(RowId::Message(*message));
            }
        }
        Event::InboundReceived(facts) => wanted.push(RowId::Provider(facts.tag)),
        Event::CallbackCarried(facts) => wanted.push(RowId::Provider(facts.tag)),
        _ => {}
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    match event {
        Event::StatusReported(facts) => reported(at, facts, rows, out),
        Event::InboundReceived(facts) => {
            if rows.provider(facts.tag).is_some() {
                return;
            }
            rows.put_provider(facts.tag, ProviderRow::Inbound(at.position));
            out.notes.push(Note::Received(facts.session));
            let Some(tenant) = at.header.tenant else {
                return;
            };
            let row = FeedRow {
                id: EventId(facts.tag.0),
                kind: NotificationKind::Received,
                message: None,
                session: Some(facts.session),
                at: at.header.at,
                code: 0,
                class: facts.content.clone(),
            };
            out.appends.push(Append::Feed { tenant, row });
            out.appends.push(Append::OfContact { contact: facts.contact, row: OfContact::Received });
            out.notes.push(Note::FeedGrew(tenant));
        }
        Event::CallbackCarried(facts) if rows.provider(facts.tag).is_none() => {
            rows.put_provider(facts.tag, ProviderRow::Inbound(at.position));
        }
        _ => {}
    }
}

fn reported(at: At<'_>, facts: &StatusReportedV1, rows: &mut Rows, out: &mut Applied) {
    let of = facts.of.or_else(|| match rows.provider(facts.tag) {
        Some(ProviderRow::Attempt(message, attempt)) => Some(AttemptRef { message: *message, attempt: *attempt }),
        _ => None,
    });
    let known = of.and_then(|of| {
        let row = rows.message(of.message)?;
        Some((of, row.clone(), row.accepted.clone()?))
    });
    let Some((of, mut row, accepted)) = known else {
        return keep_orphan(at, facts, rows);
    };
    let orphans = adopt(facts.tag, of, rows);
    let before = row.clone();
    let status = OrphanStatus {
        status: facts.status,
        provider_at: facts.provider_at,
        code: facts.code,
        class: facts.class.clone(),
        position: at.position,
        event: at.header.id,
        at: at.header.at,
    };
    take(at, &accepted, of, &status, &mut row, out);
    replay_orphans(at, &accepted, of, &orphans, &mut row, out);
    if row.provider.is_none() {
        row.provider = Some((facts.tag, facts.provider_id.clone()));
    }
    if row.price.is_none() {
        row.price = price(facts);
    }
    if row == before {
        return;
    }
    row.through = at.position;
    // Statuses of a message that was settled before concern nobody who sends.
    if !(before.state().is_settled() && row.state().is_settled()) {
        out.notes.push(Note::MessageChanged { session: accepted.session, message: of.message });
    }
    rows.put_message(of.message, row);
}

/// The price, if the provider named one.
fn price(facts: &StatusReportedV1) -> Option<Price> {
    let price = Price {
        category: facts.pricing.clone(),
        billable: facts.billable,
        model: facts.pricing_model.clone(),
        kind: facts.pricing_type.clone(),
    };
    (price != Price::default()).then_some(price)
}

fn keep_orphan(at: At<'_>, facts: &StatusReportedV1, rows: &mut Rows) {
    let mut waiting = match rows.provider(facts.tag) {
        Some(ProviderRow::Orphan(waiting)) => waiting.clone(),
        Some(_) => return,
        None => Vec::new(),
    };
    if waiting.len() == MAX_ORPHANS || waiting.iter().any(|orphan| orphan.status == facts.status) {
        return;
    }
    waiting.push(OrphanStatus {
        status: facts.status,
        provider_at: facts.provider_at,
        code: facts.code,
        class: facts.class.clone(),
        position: at.position,
        event: at.header.id,
        at: at.header.at,
    });
    rows.put_provider(facts.tag, ProviderRow::Orphan(waiting));
}

/// Binds a provider's id to an attempt; what waited for it comes back.
pub(super) fn adopt(tag: Tag, of: AttemptRef, rows: &mut Rows) -> Vec<OrphanStatus> {
    let waiting = match rows.provider(tag) {
        Some(ProviderRow::Attempt(..)) => return Vec::new(),
        Some(ProviderRow::Orphan(waiting)) => waiting.clone(),
        _ => Vec::new(),
    };
    rows.put_provider(tag, ProviderRow::Attempt(of.message, of.attempt));
    waiting
}

pub(super) fn replay_orphans(
    at: At<'_>,
    accepted: &Accepted,
    of: AttemptRef,
    orphans: &[OrphanStatus],
    row: &mut MessageRow,
    out: &mut Applied,
) {
    for orphan in orphans {
        take(at, accepted, of, orphan, row, out);
    }
}

/// One status onto one row: closes the attempt it names (it was sent, whatever we thought), sets the fact, tells it.
fn take(
    at: At<'_>,
    accepted: &Accepted,
    of: AttemptRef,
    status: &OrphanStatus,
    row: &mut MessageRow,
    out: &mut Applied,
) {
    let fact = Fact { at: status.provider_at, position: status.position };
    let round = row.round;
    let about = |message: MessageId, kind, step, code, class| About {
        tenant: accepted.tenant,
        session: accepted.session,
        message,
        round,
        kind,
        step,
        code,
        class,
    };
    if status.status == Status::Other {
        return;
    }
    let (was_sent, step) = (row.sent.is_some(), of.attempt.to_be_bytes());
    // That it failed, or was sent and failed later, is past once it was queued again. That it arrived all the same is not.
    let past = row.is_past(of) && matches!(status.status, Status::Sent | Status::Failed);
    if status.status == Status::Failed {
        row.close(of, Ended { fact, how: How::Sent, code: status.code, class: Box::default() });
    } else if row.mark_sent(of, fact) && row.delivered.is_none() && row.read.is_none() {
        let kind = if was_sent { NotificationKind::Duplicated } else { NotificationKind::Sent };
        tell(out, at, about(of.message, kind, if was_sent { &step } else { &[] }, 0, ""));
    }
    if past || !row.report(status.status, fact, &status.class, status.code) {
        return;
    }
    let kind = match (status.status, row.state()) {
        (Status::Delivered, _) => NotificationKind::Delivered,
        (Status::Read | Status::Played, _) => NotificationKind::Read,
        (Status::Failed, State::Failed) => NotificationKind::Failed,
        _ => return,
    };
    tell(out, at, about(of.message, kind, &[], status.code, &status.class));
}
