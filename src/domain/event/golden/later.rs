//! Fields that kinds gained after their first golden file.

use super::super::super::gate::Gate;
use super::super::super::id::{CampaignId, EventId, SessionId};
use super::super::super::quiet::QuietHours;
use super::super::super::record::Position;
use super::super::*;
use super::{AT, SESSION, TENANT, attempt, example};

/// Examples of kinds with the fields that were added after their first golden file, a further one for each time.
pub(super) fn later(number: u16) -> Vec<Event> {
    let second = second(number);
    let mut all: Vec<Event> = second.into_iter().collect();
    if let Some(Event::TenantDeclared(facts)) = all.first().cloned() {
        all.push(TenantDeclaredV1 { queue_max: Some(500_000), ..facts }.into());
    }
    if let Some(Event::MessageAccepted(facts)) = all.first().cloned() {
        let third = MessageAcceptedV1 { country: Some(49), ..facts };
        all.push(third.clone().into());
        all.push(MessageAcceptedV1 { campaign: Some(CampaignId([0x12; 16])), ..third }.into());
    }
    if let Some(Event::MessageReleased(facts)) = all.first().cloned() {
        all.push(MessageReleasedV1 { closing: None, attempt: Some(2), ..facts }.into());
    }
    let member = |n, weight| MemberV1 { session: SessionId([n; 16]), weight };
    match all.first().cloned() {
        Some(Event::SessionDeclared(facts)) => {
            let members = Some(vec![member(0x5b, 1), member(0x5c, 1_000)]);
            all.push(SessionDeclaredV1 { members, ..facts }.into());
        }
        Some(Event::GateSet(facts)) => {
            let gate =
                Gate::Campaign { tenant: TENANT, campaign: CampaignId([0x12; 16]), session: SESSION, pool: Some(true) };
            all.push(GateSetV1 { gate, ..facts }.into());
        }
        _ => {}
    }
    all
}

fn second(number: u16) -> Option<Event> {
    match example(number)? {
        Event::GateSet(facts) => {
            let gate =
                Gate::Campaign { tenant: TENANT, campaign: CampaignId([0x12; 16]), session: SESSION, pool: None };
            Some(GateSetV1 { gate, over: Some(true), ..facts }.into())
        }
        Event::TenantDeclared(facts) => {
            let quiet_hours = Some(QuietHours { from: 1_260, until: 480, zone: "Europe/Berlin".into() });
            let (require_opt_in, require_window) = (Some(true), Some(false));
            Some(TenantDeclaredV1 { require_opt_in, require_window, quiet_hours, ..facts }.into())
        }
        Event::SessionDeclared(facts) => {
            let (app, portfolio) = (Some("310290129340391".into()), Some("acme-group".into()));
            Some(SessionDeclaredV1 { app, portfolio, ..facts }.into())
        }
        Event::MessageMovedIn(facts) => Some(MessageMovedInV1 { round: Some(2), ..facts }.into()),
        Event::CampaignDeclared(facts) => Some(CampaignDeclaredV1 { pool: Some(true), ..facts }.into()),
        Event::SessionResumed(facts) => {
            Some(SessionResumedV1 { reason: Some("the number works again".into()), ..facts }.into())
        }
        Event::SessionHeld(facts) => {
            let (class, bucket) = (Some("throttle".into()), Some("number".into()));
            Some(SessionHeldV1 { class, bucket, ..facts }.into())
        }
        Event::MessageAccepted(facts) => Some(MessageAcceptedV1 { send_at: Some(AT), ..facts }.into()),
        Event::MessageReleased(facts) => Some(MessageReleasedV1 { closing: Some(EventId([0xaa; 16])), ..facts }.into()),
        Event::MessageCancelled(facts) => Some(MessageCancelledV1 { round: Some(3), ..facts }.into()),
        Event::MessageExpired(facts) => Some(MessageExpiredV1 { round: Some(3), ..facts }.into()),
        Event::CampaignMoved(facts) => {
            let (step, follows) = (CampaignStep::Finish, Some(Position(70_002)));
            Some(CampaignMovedV1 { step, follows, ..facts }.into())
        }
        Event::MessageRequeued(facts) => Some(MessageRequeuedV1 { past_campaign: Some(true), ..facts }.into()),
        Event::StatusReported(facts) => {
            let (model, kind) = (Some("PMP".into()), Some("regular".into()));
            let priced = StatusReportedV1 { billable: Some(true), pricing_model: model, pricing_type: kind, ..facts };
            Some(priced.into())
        }
        Event::UnknownResolved(facts) => {
            Some(UnknownResolvedV1 { reason: Some("seen on the phone".into()), ..facts }.into())
        }
        Event::AttemptsClosed(facts) => {
            let outcome = OutcomeV1::Retry { class: "throttle".into(), code: 4, not_before: AT, counts: Some(false) };
            let closed = vec![ClosedV1 { of: attempt(9), outcome, at: AT }];
            Some(AttemptsClosedV1 { closed, ..facts }.into())
        }
        Event::ConsentChanged(facts) => Some(ConsentChangedV1 { evidence: Some(2_048), ..facts }.into()),
        _ => None,
    }
}
