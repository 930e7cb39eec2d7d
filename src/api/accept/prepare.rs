//! The first step of accepting: read, decide, seal. Nothing is durable yet but the contact's key.

use super::super::auth::Caller;
use super::super::backlog;
use super::super::codes::Code;
use super::super::directory::Session;
use super::super::problem::Problem;
use super::super::state::App;
use super::consent;
use super::settle::Pending;
use super::{Request, Sender, Taken};
use crate::config;
use crate::domain::admission::{self, Admitted, Asked, Defaults, Expiry, Refused, Standing};
use crate::domain::content::{BSUID_PREFIX, Content, calling_code};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageAcceptedV1, UnknownPolicy};
use crate::domain::id::{EventId, KeyId, MessageId, Tag};
use crate::domain::record::{Micros, Position, Principal, Record};
use crate::domain::row::{ContactRow, Row, RowId};
use crate::store::rows;
use crate::vault::Alias;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// What came of preparing.
pub enum Prepared {
    /// It was taken before.
    Replayed(Taken),
    /// It may be appended.
    Ready(Box<Ready>),
}

/// A sealed record, and what is needed to take it back.
pub struct Ready {
    pub(super) partition: u16,
    pub(super) record: Record,
    pub(super) message: MessageId,
    pub(super) nonce: u64,
    /// When preparing began, steady time.
    pub(super) began: Duration,
}

impl Ready {
    /// Hands the record to the journal, without waiting. Calls of one thread keep their order.
    pub fn submit(self, app: &App) -> Pending {
        let header = self.record.header.clone();
        header.tenant.into_iter().for_each(|tenant| app.backlogs.took(tenant));
        let appending = app.journal.append(self.partition, vec![self.record]);
        let since = (self.began, app.clock.steady());
        Pending::new(appending, header, (self.partition, self.message, self.nonce), since)
    }
}

/// Reads, decides and seals.
///
/// # Errors
/// `unhealthy`, `overloaded`, `unknown_sender`, `draining`, `idempotency_conflict`, `queue_full`, `consent_refused`,
/// `no_opt_in`, `window_closed`, `quiet_hours`, `invalid_request`, `too_large`, `unavailable`. Nothing was accepted.
pub async fn prepare(app: &App, caller: &Caller, request: Request) -> Result<Prepared, Problem> {
    let began = app.clock.steady();
    check_health(app)?;
    check_room(app)?;
    let session = sender(app, caller, &request.from).await?;
    if let Some(reason) = &session.draining {
        return Err(draining(reason));
    }
    let tags = tags(app, caller, &session, &request).await?;
    let id = admission::message_id(tags.map(|t| t.id), app.entropy.id(), session.partition);
    if let Some(taken) = before(app, tags, id, session.partition).await? {
        return Ok(Prepared::Replayed(taken));
    }
    backlog::check(app, caller).await?;
    let asked = asked(&request);
    let contact = contact(app, caller, &request.content).await?;
    let now = app.clock.wall();
    // A campaign's line leaves at an hour that nobody knows yet: the gate before the call looks at the clock.
    let quiet_until = match request.campaign {
        Some(_) => None,
        None => consent::quiet_until(app, caller, &asked, &request.content.to, now).await?,
    };
    let (admitted, row) = admit(app, caller, &session, asked, (contact, quiet_until), now).await?;
    let facts = MessageAcceptedV1 {
        message: id,
        session: session.id,
        contact,
        category: admitted.category,
        priority: admitted.priority,
        unknown: admitted.unknown,
        expires_at: admitted.expires_at,
        nonce: app.entropy.number(),
        idempotency: tags.map(|t| t.key),
        template: request.content.template().map(|(name, _)| name.to_owned()),
        consent: row.and_then(|row| row.marketing).map(|(.., at)| at),
        policy: Some(session.declared_at),
        test: admitted.test,
        ordered: admitted.ordered,
        send_at: admitted.send_at,
        country: calling_code(&request.content.to),
        campaign: request.campaign,
    };
    seal(app, caller, &session, facts, &request.content, (now, began)).await
}

/// # Errors
/// `unhealthy`, naming the parts and not their reasons: those are for the operator.
pub(in crate::api) fn check_health(app: &App) -> Result<(), Problem> {
    if app.health.is_well() {
        return Ok(());
    }
    let parts: Vec<&str> = app.health.reasons().iter().map(|(part, _)| *part).collect();
    Err(Problem::new(Code::Unhealthy, format!("not well: {}", parts.join(", "))).retry_after(5))
}

/// Messages alone are refused: an operator's word, and what Meta reports, make room.
fn check_room(app: &App) -> Result<(), Problem> {
    if app.health.has_room() {
        return Ok(());
    }
    let parts: Vec<&str> = app.health.pressure().iter().map(|(part, _)| *part).collect();
    Err(Problem::new(Code::Overloaded, format!("no room: {}", parts.join(", "))).retry_after(5))
}

async fn sender(app: &App, caller: &Caller, from: &Sender) -> Result<Arc<Session>, Problem> {
    let tenant = caller.scope.tenant();
    let found = match from {
        Sender::Name(name) => app.directory.session_named(app, tenant, name).await?,
        Sender::Account(account) => app.directory.session_of_account(app, account).await?,
    };
    found.filter(|session| caller.scope.owns(session.tenant)).ok_or_else(no_sender)
}

/// What is taken already goes out, and nothing more is taken.
fn draining(reason: &str) -> Problem {
    Problem::new(Code::Draining, format!("it takes no more messages: {reason}"))
        .remedy("send from another session, or wait until this one is resumed")
}

fn no_sender() -> Problem {
    let mut problem = Problem::field("/from", "names no session of this tenant", "GET /v1/sessions lists them");
    problem.code = Code::UnknownSender;
    problem
}

/// What an idempotency key comes down to.
#[derive(Clone, Copy)]
struct Tags {
    /// Of sender, key and body: the message.
    id: Tag,
    /// Of sender and key: which body won.
    key: Tag,
}

async fn tags(app: &App, caller: &Caller, session: &Session, request: &Request) -> Result<Option<Tags>, Problem> {
    let Some(key) = &request.idempotency else {
        return Ok(None);
    };
    let tenant = caller.scope.tenant();
    let from = request.from.as_written();
    // The session too: a number that moved to another session is another mailbox, whose rows are its own.
    let scope: [&[u8]; 3] = [from.as_bytes(), &session.id.0, key.as_bytes()];
    let whole = [scope[0], scope[1], scope[2], &request.fingerprint];
    // A test under the same key must not be taken for the message itself, which would then never leave.
    let (id, key) = match caller.test {
        false => ("message id", "idempotency"),
        true => ("test message id", "test idempotency"),
    };
    Ok(Some(Tags { id: app.vault.tag(tenant, id, &whole).await?, key: app.vault.tag(tenant, key, &scope).await? }))
}

/// The acceptance of an earlier request with the same key and body.
async fn before(app: &App, tags: Option<Tags>, id: MessageId, partition: u16) -> Result<Option<Taken>, Problem> {
    let Some(tags) = tags else {
        return Ok(None);
    };
    let ids = [RowId::Idempotency(tags.key), RowId::Message(id)];
    let mut found = rows::get_many(&*app.store, &ids).await?.into_iter();
    if let Some(Some(Row::Idempotency(winner))) = found.next()
        && winner.message != id
    {
        return Err(Problem::new(Code::IdempotencyConflict, "this idempotency key was used for another request")
            .remedy("use a new key for a new message; keys are never reusable"));
    }
    let Some(Some(Row::Message(row))) = found.next() else {
        return Ok(None);
    };
    Ok(row.accepted.map(|accepted| Taken { id, partition, position: accepted.fact.position, replayed: true }))
}

fn asked(request: &Request) -> Asked {
    Asked {
        kind: request.content.kind,
        category: request.category,
        priority: request.priority,
        unknown: request.unknown,
        expiry: request.expiry,
        send_at: request.send_at,
        ordered: request.ordered,
    }
}

/// Whether a message would be taken now, as far as that can be said without making anything: nobody becomes a contact by
/// it, no key of idempotency is looked up.
///
/// # Errors
/// As [`prepare`].
pub(in crate::api) async fn would_take(app: &App, caller: &Caller, request: &Request) -> Result<(), Problem> {
    let session = sender(app, caller, &request.from).await?;
    if let Some(reason) = &session.draining {
        return Err(draining(reason));
    }
    let asked = asked(request);
    let contact = app.vault.find(caller.scope.tenant(), &alias(&request.content.to)?).await?;
    // Of who is no contact nothing is recorded: the row of nobody says the same.
    let contact = contact.unwrap_or_default();
    admit(app, caller, &session, asked, (contact, None), app.clock.wall()).await.map(drop)
}

async fn contact(app: &App, caller: &Caller, content: &Content) -> Result<KeyId, Problem> {
    let alias = alias(&content.to)?;
    Ok(app.vault.contact(caller.scope.tenant(), &alias).await?)
}

/// The person's name in the vault: a phone number, or `bsuid:` and an id.
///
/// # Errors
/// `invalid_request` at `/to`.
pub(in crate::api) fn alias(to: &str) -> Result<Alias, Problem> {
    match to.strip_prefix(BSUID_PREFIX) {
        Some(id) => Alias::bsuid(id),
        None => Alias::phone(to),
    }
    .map_err(|error| Problem::field("/to", format!("is {error}"), "write `+`, country code and number"))
}

async fn admit(
    app: &App,
    caller: &Caller,
    session: &Session,
    asked: Asked,
    (contact, quiet_until): (KeyId, Option<Micros>),
    now: Micros,
) -> Result<(Admitted, Option<ContactRow>), Problem> {
    let standing = Standing {
        tenant: caller.scope.tenant(),
        test_key: caller.test,
        sender: Some(admission::Sender { session: session.id, tenant: session.tenant, test: session.test }),
        contact: None,
        quiet_until,
        now,
    };
    let defaults = defaults(&app.settings.delivery);
    let (admitted, row) = consent::admit(app, caller, asked, (standing, contact), &defaults).await?;
    Ok((admitted.map_err(refused)?, row))
}

fn refused(refused: Refused) -> Problem {
    let expiry =
        |what: &str| Problem::field("/expires_at", what, "choose 1 second to 30 days from now, or from `send_at`");
    match refused {
        Refused::NoSender => no_sender(),
        Refused::ExpiresTooSoon => expiry("is not at least one second ahead"),
        Refused::ExpiresTooLate => expiry("is more than 30 days ahead"),
        Refused::SendsTooLate => {
            Problem::field("/send_at", "is more than 30 days ahead", "choose a time within 30 days from now")
        }
        Refused::Quiet(until) => consent::quiet(until),
        Refused::Consent(gate) => consent::refused(gate),
    }
}

/// When messages of each category expire that are queued again now: after `span`, or else as if they were new.
///
/// # Errors
/// `invalid_request` for a span that a new message could not have either.
pub fn renewed(app: &App, span: Option<Micros>, now: Micros) -> Result<[Micros; 4], Problem> {
    let spans = defaults(&app.settings.delivery).expiry;
    let expiries = spans.map(|default| admission::expires_at(span.map(Expiry::In), now, default));
    let wrong = |what: &str| Problem::field("/expires_in", what, "choose 1 second to 30 days");
    let mut renewed = [now; 4];
    for (at, expiry) in renewed.iter_mut().zip(expiries) {
        *at = expiry.map_err(|refused| match refused {
            Refused::ExpiresTooSoon => wrong("is less than a second"),
            _ => wrong("is more than 30 days"),
        })?;
    }
    Ok(renewed)
}

fn defaults(delivery: &config::Delivery) -> Defaults {
    let micros = |time: Duration| Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX);
    let policy = |policy| match policy {
        config::UnknownPolicy::Hold => UnknownPolicy::Hold,
        config::UnknownPolicy::Resend => UnknownPolicy::Resend,
        config::UnknownPolicy::Expire => UnknownPolicy::Expire,
    };
    let (expiry, unknown) = (&delivery.expiry, &delivery.unknown);
    // In the order of `Category`.
    Defaults {
        expiry: [expiry.authentication, expiry.utility, expiry.marketing, expiry.service].map(micros),
        unknown: [unknown.authentication, unknown.utility, unknown.marketing, unknown.service].map(policy),
    }
}

async fn seal(
    app: &App,
    caller: &Caller,
    session: &Session,
    facts: MessageAcceptedV1,
    content: &Content,
    (now, began): (Micros, Duration),
) -> Result<Prepared, Problem> {
    let tenant = caller.scope.tenant();
    let id = EventId(app.entropy.id());
    let text = Zeroizing::new(serde_json::to_vec(content).map_err(|error| {
        tracing::error!(%error, "a checked message does not encode");
        Problem::new(Code::Internal, "the message could not be encoded")
    })?);
    let sealed = app.vault.seal(tenant, facts.contact, &id.0, text.as_slice()).await?;
    let (message, nonce) = (facts.message, facts.nonce);
    let record = Draft::new(id, session.id, &Event::from(facts), Principal::Key(caller.key), now)
        .tenant(tenant)
        .subject(message)
        .sealed(sealed.key, sealed.commitment, sealed.bytes)
        .record()
        .map_err(|error| Problem::new(Code::TooLarge, error.to_string()))?;
    Ok(Prepared::Ready(Box::new(Ready { partition: session.partition, record, message, nonce, began })))
}

/// The position a replayed acceptance stands at is its row's; a fresh one's is the journal's answer.
impl Taken {
    pub(super) fn fresh(id: MessageId, partition: u16, position: Position) -> Self {
        Self { id, partition, position, replayed: false }
    }
}
