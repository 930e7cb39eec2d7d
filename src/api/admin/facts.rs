//! The facts of an event as JSON, one arm for each kind. Sealed bytes and hashes of keys are left out.

mod sealed;

use serde_json::{Value, json};

use super::super::time::{maybe, stamp};
use crate::domain::event::{
    AttemptRef, AttemptsStartedV1, ClosedV1, DeliveriesSettledV1, EndpointDeclaredV1, Event, MemberV1,
    MessageAcceptedV1, OutcomeV1, SessionDeclaredV1, Status, StatusReportedV1,
};
use crate::domain::gate::Gate;

/// The facts.
pub fn facts(event: &Event) -> Value {
    match event {
        Event::MessageAccepted(it) => accepted(it),
        Event::MessageWithdrawn(it) => json!({"message": text(&it.message), "nonce": it.nonce}),
        Event::MessageCancelled(it) => json!({"message": text(&it.message), "round": it.round}),
        Event::MessageExpired(it) => json!({"message": text(&it.message), "round": it.round}),
        Event::MessageRequeued(it) => json!({
            "message": text(&it.message), "round": it.round, "expires_at": stamp(it.expires_at), "reason": it.reason,
            "past_campaign": it.past_campaign,
        }),
        Event::MessageReleased(it) => {
            json!({"message": text(&it.message), "closing": it.closing.as_ref().map(text), "attempt": it.attempt})
        }
        Event::MessagesGated(it) => json!({
            "session": text(&it.session), "closing": text(&it.closing),
            "messages": it.messages.iter().map(text).collect::<Vec<_>>(),
        }),
        Event::AttemptsStarted(it) => started(it),
        Event::AttemptsClosed(it) => json!({
            "session": text(&it.session),
            "closed": it.closed.iter().map(closed).collect::<Vec<_>>(),
        }),
        Event::UnknownResolved(it) => json!({"of": of(&it.of), "resolution": it.resolution, "reason": it.reason}),
        Event::StatusReported(it) => reported(it),
        Event::InboundReceived(it) => json!({
            "session": text(&it.session), "contact": text(&it.contact), "tag": text(&it.tag),
            "content": it.content, "provider_at": stamp(it.provider_at),
        }),
        Event::CallbackCarried(it) => json!({
            "session": it.session.as_ref().map(text), "field": it.field, "tag": text(&it.tag),
        }),
        _ => standing(event),
    }
}

/// Events about things rather than messages.
fn standing(event: &Event) -> Value {
    match event {
        Event::SessionDeclared(it) => session(it),
        Event::SessionStarted(it) => json!({"session": text(&it.session)}),
        Event::SessionSuspended(it) => json!({"session": text(&it.session), "reason": it.reason}),
        Event::SessionResumed(it) => json!({"session": text(&it.session), "reason": it.reason}),
        Event::SessionDraining(it) => json!({"session": text(&it.session), "reason": it.reason}),
        Event::SessionHeld(it) => json!({
            "session": text(&it.session), "code": it.code, "until": stamp(it.until),
            "class": it.class, "bucket": it.bucket,
        }),
        Event::SessionPaced(it) => json!({
            "session": text(&it.session), "bucket": it.bucket, "per_second": it.per_second,
            "until": stamp(it.until), "code": it.code,
        }),
        Event::SessionReleased(it) => json!({"session": text(&it.session), "reason": it.reason}),
        Event::MessageMovedOut(_) | Event::MessageMovedIn(_) | Event::MessageMovedBack(_) => moved(event),
        Event::ConsentChanged(it) => json!({
            "contact": text(&it.contact), "marketing": it.marketing, "source": it.source,
            "said_at": stamp(it.said_at), "evidence": it.evidence,
        }),
        Event::WindowOpened(it) => json!({
            "contact": text(&it.contact), "session": text(&it.session), "until": stamp(it.until),
        }),
        Event::ContactHeld(it) => json!({
            "contact": text(&it.contact), "until": stamp(it.until), "code": it.code,
        }),
        Event::AliasAdded(it) => json!({"contact": text(&it.contact), "kind": it.kind}),
        Event::EndpointDeclared(it) => endpoint(it),
        Event::DeliveriesSettled(it) => settled(it),
        Event::EndpointDisabled(it) => {
            json!({"endpoint": text(&it.endpoint), "reason": it.reason})
        }
        Event::EndpointEnabled(it) => json!({"endpoint": text(&it.endpoint)}),
        _ => instance(event),
    }
}

/// Events of the instance: partitions, tenants, keys.
fn instance(event: &Event) -> Value {
    match event {
        Event::Genesis(it) => json!({
            "installation": text(&it.installation), "partition": it.partition, "count": it.count,
            "routing": it.routing,
        }),
        Event::Claimed(it) => json!({
            "node": text(&it.node), "supersedes": it.supersedes.map(|position| position.0),
        }),
        Event::FeatureLevelRaised(it) => json!({"level": it.level}),
        Event::Quarantined(it) => {
            json!({"position": it.position.0, "why": it.why, "tries": it.tries})
        }
        Event::Requeued(it) => json!({"position": it.position.0}),
        Event::TenantDeclared(it) => json!({
            "tenant": text(&it.tenant), "name": it.name, "display_name": it.display_name,
            "per_second": it.per_second, "burst": it.burst,
            "require_opt_in": it.require_opt_in, "require_window": it.require_window,
            "quiet_hours": it.quiet_hours.as_ref().map(ToString::to_string), "queue_max": it.queue_max,
        }),
        Event::ApiKeyIssued(it) => json!({
            "key": text(&it.key), "tenant": text(&it.tenant), "name": it.name, "role": it.role,
            "test": it.test,
        }),
        Event::ApiKeyRevoked(it) => json!({"key": text(&it.key)}),
        Event::GateAsked(it) => gate(&it.gate, json!({"closed": it.closed, "reason": it.reason})),
        Event::GateEffective(it) => gate(&it.gate, json!({"asked": text(&it.asked)})),
        Event::GateSet(it) => {
            let (asked, over) = (text(&it.asked), it.over.unwrap_or(false));
            let said = json!({"asked": asked, "at": it.at.0, "closed": it.closed, "reason": it.reason, "over": over});
            gate(&it.gate, said)
        }
        Event::CampaignDeclared(it) => json!({
            "campaign": text(&it.campaign), "name": it.name, "session": text(&it.session), "from": it.from,
            "template": it.template, "language": it.language, "category": it.category, "priority": it.priority,
            "expires_at": maybe(it.expires_at), "start_at": maybe(it.start_at), "pool": it.pool.unwrap_or(false),
        }),
        Event::CampaignMoved(it) => {
            let follows = it.follows.map(|place| place.0);
            json!({"campaign": text(&it.campaign), "step": it.step, "reason": it.reason, "follows": follows})
        }
        Event::PortfolioDeclared(it) => json!({
            "portfolio": text(&it.portfolio), "name": it.name, "people_per_day": it.people_per_day,
        }),
        Event::PeopleAsked(it) => json!({
            "portfolio": text(&it.portfolio), "people": it.people.iter().map(text).collect::<Vec<_>>(),
        }),
        Event::PortfolioHeld(it) => json!({
            "portfolio": text(&it.portfolio), "until": stamp(it.until), "code": it.code,
        }),
        Event::PortfolioReleased(it) => json!({"portfolio": text(&it.portfolio), "reason": it.reason}),
        Event::LeaseAsked(it) => json!({
            "tenant": text(&it.tenant), "session": text(&it.session), "wanted": it.wanted,
        }),
        Event::LeaseGranted(it) => json!({
            "session": text(&it.session), "amount": it.amount, "until": stamp(it.until),
        }),
        Event::Opaque { facts, .. } => json!({"bytes": facts.len()}),
        _ => sealed::sealed(event),
    }
}

/// What is said of a gate, and which one it is.
fn gate(gate: &Gate, mut said: Value) -> Value {
    said["gate"] = json!(gate.kind());
    said["name"] = json!(gate.name());
    said["tenant"] = json!(text(&gate.tenant()));
    said
}

fn text(id: &impl ToString) -> String {
    id.to_string()
}

fn of(of: &AttemptRef) -> Value {
    json!({"message": text(&of.message), "attempt": of.attempt})
}

fn accepted(it: &MessageAcceptedV1) -> Value {
    json!({
        "message": text(&it.message), "session": text(&it.session), "contact": text(&it.contact),
        "category": it.category, "priority": it.priority, "unknown": it.unknown,
        "expires_at": stamp(it.expires_at), "nonce": it.nonce,
        "idempotency": it.idempotency.as_ref().map(text), "template": it.template,
        "consent": it.consent.map(|position| position.0),
        "policy": it.policy.map(|position| position.0), "test": it.test, "ordered": it.ordered,
        "country": it.country, "campaign": it.campaign.as_ref().map(text),
    })
}

fn moved(event: &Event) -> Value {
    match event {
        Event::MessageMovedOut(it) => json!({
            "message": text(&it.message), "session": text(&it.session), "number": it.number, "to": text(&it.to),
            "leg": text(&it.leg), "person": it.person.as_ref().map(text), "reason": it.reason,
        }),
        Event::MessageMovedIn(it) => {
            let mut said = accepted(&it.accepted);
            said["origin"] = json!(text(&it.origin));
            said["from"] = json!(text(&it.from));
            said["sender"] = json!(text(&it.sender));
            said["number"] = json!(it.number);
            said["content"] = json!(format!("{}:{}", it.partition, it.position.0));
            said["event"] = json!(text(&it.event));
            said["accepted_at"] = stamp(it.at);
            said["depth"] = json!(it.depth);
            said
        }
        Event::MessageMovedBack(it) => {
            json!({"message": text(&it.message), "leg": text(&it.leg), "number": it.number})
        }
        _ => Value::Null,
    }
}

fn started(it: &AttemptsStartedV1) -> Value {
    json!({
        "session": text(&it.session), "incarnation": it.incarnation.0,
        "deadline_ms": it.deadline_ms, "attempts": it.attempts.iter().map(of).collect::<Vec<_>>(),
    })
}

fn closed(it: &ClosedV1) -> Value {
    let outcome = match &it.outcome {
        OutcomeV1::Sent { tag, .. } => json!({"how": "sent", "tag": text(tag)}),
        OutcomeV1::Retry { class, code, not_before, counts } => json!({
            "how": "retry", "class": class, "code": code, "not_before": stamp(*not_before),
            "counts": counts.unwrap_or(true),
        }),
        OutcomeV1::Failed { class, code } => {
            json!({"how": "failed", "class": class, "code": code})
        }
        OutcomeV1::Unknown { why } => json!({"how": "unknown", "why": why}),
        OutcomeV1::Withdrawn { why } => json!({"how": "withdrawn", "why": why}),
    };
    json!({"of": of(&it.of), "at": stamp(it.at), "outcome": outcome})
}

fn reported(it: &StatusReportedV1) -> Value {
    let status = match it.status {
        Status::Sent => "sent",
        Status::Delivered => "delivered",
        Status::Read => "read",
        Status::Played => "played",
        Status::Failed => "failed",
        Status::Other => "other",
    };
    json!({
        "session": text(&it.session), "of": it.of.as_ref().map(of), "tag": text(&it.tag),
        "status": status, "provider_at": stamp(it.provider_at), "code": it.code,
        "class": it.class, "pricing": it.pricing, "billable": it.billable,
        "pricing_model": it.pricing_model, "pricing_type": it.pricing_type,
    })
}

fn session(it: &SessionDeclaredV1) -> Value {
    json!({
        "session": text(&it.session), "tenant": text(&it.tenant), "name": it.name,
        "channel": it.channel, "account": it.account, "waba": it.waba,
        "per_second": it.per_second, "burst": it.burst, "test": it.test,
        "app": it.app, "portfolio": it.portfolio,
        "members": it.members.as_ref().map(|members| {
            let member = |it: &MemberV1| json!({"session": text(&it.session), "weight": it.weight});
            members.iter().map(member).collect::<Vec<_>>()
        }),
    })
}

fn endpoint(it: &EndpointDeclaredV1) -> Value {
    json!({
        "endpoint": text(&it.endpoint), "tenant": text(&it.tenant), "name": it.name,
        "url": it.url, "events": it.events, "since": maybe(it.since),
    })
}

fn settled(it: &DeliveriesSettledV1) -> Value {
    let failing = it.failing.iter().map(|failing| {
        json!({
            "notification": text(&failing.notification), "tries": failing.tries,
            "next": maybe(failing.next), "why": failing.why,
        })
    });
    json!({
        "endpoint": text(&it.endpoint), "delivered": it.delivered,
        "cursors": it.cursors.iter().map(|c| json!([c.partition, c.position.0])).collect::<Vec<_>>(),
        "failing": failing.collect::<Vec<_>>(),
        "recovered": it.recovered.iter().map(text).collect::<Vec<_>>(),
    })
}
