//! Projection: what an event changes, and whom it concerns.
//!
//! [`needs`] names the rows an event reads; once they are loaded, [`apply`] changes them and says what to append and whom
//! to tell. It reads its own partition and nothing else, never asks the time, and applying twice, the same position or
//! the same event at another one, is applying once. During a replay the notes are thrown away: no effect follows.

mod account;
pub mod audit;
mod campaign;
mod contact;
mod endpoint;
mod gate;
mod message;
mod moved;
mod outcome;
mod partition;
mod portfolio;
mod privacy;
mod session;
mod status;
mod tally;
mod tell;
#[cfg(test)]
mod tests;

use super::event::{AttemptRef, Event, LeaseAskedV1, LeaseGrantedV1, Priority};
use super::id::{BudgetId, EndpointId, EventId, KeyId, MessageId, SessionId, TenantId};
use super::notification::NotificationKind;
use super::record::{Header, Micros, Position};
use super::row::{FailingRow, OfContact, RequestRow, RowId, Rows};
use super::validity::Void;
pub use audit::AuditNote;
use tell::{About, tell};

/// One event at its place.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The partition.
    pub partition: u16,
    /// Its place there.
    pub position: Position,
    /// The record's header.
    pub header: &'a Header,
}

impl At<'_> {
    fn fact(&self) -> super::row::Fact {
        super::row::Fact { at: self.header.at, position: self.position }
    }
}

/// A row that is only ever appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// A public event, for the tenant's endpoints and lists.
    Feed {
        /// Whose feed.
        tenant: TenantId,
        /// What is told.
        row: FeedRow,
    },
    /// A message to send, in the order of acceptance.
    Outbox {
        /// By whom.
        session: SessionId,
        /// Among which.
        priority: Priority,
        /// Which.
        message: MessageId,
    },
    /// A message that fails, ran out of time, or may have been sent, for whoever looks after such.
    Failing {
        /// Whose.
        tenant: TenantId,
        /// Which, and why.
        row: FailingRow,
    },
    /// A message that enters the outbox when its time has come.
    Due {
        /// By our clock.
        at: Micros,
        /// Where it was accepted: what is due at the same time enters in this order.
        place: Position,
        /// Which.
        message: MessageId,
    },
    /// A message that left for a mailbox of that partition, until it has come there.
    Moved {
        /// Where it goes.
        to: u16,
        /// Which.
        message: MessageId,
    },
    /// A message that waits for an operator's gate, to be let out in this order.
    Gated {
        /// Since which closing.
        closing: EventId,
        /// Its place in the order.
        at: Position,
        /// Which.
        message: MessageId,
    },
    /// A name that leads to a declared thing.
    Name {
        /// What kind of name (`tenant`, `session`, `endpoint`, `key`, `portfolio`, `campaign`).
        kind: &'static str,
        /// Under whom it is unique; zero for the installation.
        scope: [u8; 16],
        /// The name.
        name: String,
        /// What it leads to.
        id: [u8; 16],
    },
    /// A hash of the instance's log: of a leaf, or of a full tile of the level below.
    AuditHash {
        /// The tile's level.
        level: u8,
        /// Which of that level.
        place: u64,
        /// The hash.
        hash: [u8; 32],
    },
    /// What concerns a person.
    OfContact {
        /// Whom.
        contact: KeyId,
        /// What it is to them.
        row: OfContact,
    },
    /// What was done for a person's right.
    Request {
        /// Whose contact it is.
        tenant: TenantId,
        /// What.
        row: RequestRow,
    },
    /// An event set aside.
    Quarantine {
        /// Which.
        position: Position,
        /// Why.
        why: String,
    },
}

/// A row of a feed: what happened to which message, and where to read the rest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeedRow {
    /// The notification's id, derived from what it names: also the `webhook-id`.
    pub id: EventId,
    /// What it is.
    pub kind: NotificationKind,
    /// The message, for notifications about one.
    pub message: Option<MessageId>,
    /// The session.
    pub session: Option<SessionId>,
    /// When, by our clock.
    pub at: Micros,
    /// The provider's or our code, 0 if none.
    pub code: i32,
    /// Failure class or reason as a word, empty if none.
    pub class: String,
}

/// What the partition's actors have to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A claim was read: the one now valid.
    Claimed {
        /// Its position.
        epoch: Position,
    },
    /// A session was declared, suspended, resumed, held, slowed down or released.
    SessionChanged(SessionId),
    /// Somebody lifted a session's holds: it need not wait for their end.
    SessionReleased(SessionId),
    /// A session's number received a message, which counts against its rate.
    Received(SessionId),
    /// A life of a session's actor began.
    SessionStarted {
        /// The session.
        session: SessionId,
        /// Its position.
        incarnation: Position,
    },
    /// A message's row changed: the session looks at it again.
    MessageChanged {
        /// The sender.
        session: SessionId,
        /// The message.
        message: MessageId,
    },
    /// A message left for another sender's mailbox: it is to be taken in there.
    MovedOut,
    /// A message is to be sent.
    Queued {
        /// The sender.
        session: SessionId,
        /// The message.
        message: MessageId,
    },
    /// Intents were read back, each with its judgement.
    Intents {
        /// The session.
        session: SessionId,
        /// The event.
        event: EventId,
        /// Each attempt and whether it may act.
        judged: Vec<(AttemptRef, Result<(), Void>)>,
    },
    /// A feed grew.
    FeedGrew(TenantId),
    /// A tenant was declared.
    TenantChanged(TenantId),
    /// An endpoint was declared, disabled, enabled, or its cursors moved.
    EndpointChanged(EndpointId),
    /// A contact's gates changed.
    ContactChanged(KeyId),
    /// An erasure was asked for, carried out, or is held or not any more.
    ErasuresChanged,
    /// A portfolio may write to more people than before.
    PortfolioRaised(BudgetId),
    /// An operator's gate was closed here, or opened.
    GatesChanged,
    /// Something was asked for of a tenant's gates, or is effective now.
    GatesAsked(TenantId),
    /// A campaign of a tenant was declared, or moved.
    CampaignsChanged(TenantId),
    /// What the audit hears.
    Audit(AuditNote),
    /// A session of another node asks a tenant's budget.
    LeaseAsked {
        /// Whose budget.
        tenant: TenantId,
        /// Who asks.
        session: SessionId,
        /// How many it would like.
        wanted: u32,
    },
    /// A tenant's budget of another node lends to a session.
    LeaseGranted {
        /// To whom.
        session: SessionId,
        /// How many.
        amount: u32,
        /// For how long.
        lasts: Micros,
    },
}

/// What came of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows to append.
    pub appends: Vec<Append>,
    /// Whom to tell.
    pub notes: Vec<Note>,
}

/// This version met an event that it may not skip and does not know, or that the partition's level does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotApply {
    /// Written by a newer version.
    #[error("event kind {kind} at position {position:?} needs feature level {feature}; this version knows {known}")]
    NewerVersion {
        /// Its number.
        kind: u16,
        /// Where it stands.
        position: Position,
        /// What it needs.
        feature: u16,
        /// What this version has.
        known: u16,
    },
}

/// The rows that `event` reads and that are not loaded yet. Ask again after loading: a row may lead to another.
#[must_use]
pub fn needs(at: At<'_>, event: &Event, rows: &Rows) -> Vec<RowId> {
    let mut wanted = vec![RowId::Partition(at.partition), RowId::Gates(at.partition)];
    partition::needs(event, &mut wanted);
    account::needs(event, &mut wanted);
    session::needs(event, &mut wanted);
    message::needs(event, &mut wanted);
    moved::needs(event, &mut wanted);
    status::needs(event, rows, &mut wanted);
    contact::needs(event, &mut wanted);
    privacy::needs(at, event, &mut wanted);
    endpoint::needs(event, &mut wanted);
    gate::needs(event, &mut wanted);
    portfolio::needs(event, &mut wanted);
    campaign::needs(at, event, &mut wanted);
    audit::needs(event, &mut wanted);
    tally::needs(at, event, rows, &mut wanted);
    wanted.retain(|id| !rows.knows(id));
    wanted
}

/// Applies one event to rows that are loaded.
///
/// # Errors
/// [`CannotApply::NewerVersion`]: nothing beyond this event may be applied.
pub fn apply(at: At<'_>, event: &Event, rows: &mut Rows) -> Result<Applied, CannotApply> {
    let mut out = Applied::default();
    match event {
        Event::Opaque { kind, .. } if !at.header.may_skip => {
            return Err(CannotApply::NewerVersion {
                kind: *kind,
                position: at.position,
                feature: at.header.feature,
                known: super::event::FEATURE_LEVEL,
            });
        }
        Event::Opaque { .. } => {}
        Event::Genesis(_) | Event::Claimed(_) | Event::FeatureLevelRaised(_) | Event::Quarantined(_) => {
            partition::apply(at, event, rows, &mut out);
        }
        Event::TenantDeclared(_) | Event::ApiKeyIssued(_) | Event::ApiKeyRevoked(_) => {
            account::apply(at, event, rows, &mut out);
        }
        Event::SessionDeclared(_)
        | Event::SessionStarted(_)
        | Event::SessionSuspended(_)
        | Event::SessionResumed(_)
        | Event::SessionDraining(_)
        | Event::SessionHeld(_)
        | Event::SessionPaced(_)
        | Event::SessionReleased(_) => session::apply(at, event, rows, &mut out),
        Event::StatusReported(_) | Event::InboundReceived(_) | Event::CallbackCarried(_) => {
            status::apply(at, event, rows, &mut out);
        }
        Event::ConsentChanged(_) | Event::WindowOpened(_) | Event::AliasAdded(_) | Event::ContactHeld(_) => {
            contact::apply(at, event, rows, &mut out);
        }
        Event::ErasureAsked(_) | Event::ContactErased(_) | Event::LegalHoldSet(_) | Event::AccessGiven(_) => {
            privacy::apply(at, event, rows, &mut out);
        }
        Event::EndpointDeclared(_)
        | Event::DeliveriesSettled(_)
        | Event::EndpointDisabled(_)
        | Event::EndpointEnabled(_) => endpoint::apply(at, event, rows, &mut out),
        Event::GateSet(_) | Event::GateAsked(_) | Event::GateEffective(_) | Event::MessagesGated(_) => {
            gate::apply(at, event, rows, &mut out);
        }
        Event::PortfolioDeclared(_) | Event::PeopleAsked(_) | Event::PortfolioHeld(_) | Event::PortfolioReleased(_) => {
            portfolio::apply(at, event, rows, &mut out);
        }
        Event::MessageMovedOut(_) | Event::MessageMovedIn(_) | Event::MessageMovedBack(_) => {
            moved::apply(at, event, rows, &mut out);
        }
        Event::CampaignDeclared(_) | Event::CampaignMoved(_) => campaign::apply(at, event, rows, &mut out),
        Event::HeadsReported(_)
        | Event::CheckpointSealed(_)
        | Event::CheckpointSigned(_)
        | Event::CheckpointPublished(_)
        | Event::HeadsLost(_)
        | Event::LogBegun(_) => audit::apply(at, event, rows, &mut out),
        Event::LeaseAsked(_) | Event::LeaseGranted(_) => lease(at, event, &mut out),
        // The partition's actor applies the event that was set aside, at this place.
        Event::Requeued(_) => {}
        _ => message::apply(at, event, rows, &mut out),
    }
    partition::count(at, rows);
    name_by_origin(rows, &mut out);
    // By our clock, whatever a provider's said: a list goes by the time at which it was known.
    let known = |row: FailingRow| FailingRow { at: at.header.at, ..row };
    let failing = rows.take_failing().into_iter();
    out.appends.extend(failing.map(|(tenant, row)| Append::Failing { tenant, row: known(row) }));
    Ok(out)
}

/// Leases change nothing: whoever asked, or is asked, is told.
fn lease(at: At<'_>, event: &Event, out: &mut Applied) {
    match *event {
        Event::LeaseAsked(LeaseAskedV1 { tenant, session, wanted }) => {
            out.notes.push(Note::LeaseAsked { tenant, session, wanted });
        }
        Event::LeaseGranted(LeaseGrantedV1 { session, amount, until }) => {
            let lasts = until.saturating_sub(at.header.at);
            out.notes.push(Note::LeaseGranted { session, amount, lasts });
        }
        _ => {}
    }
}

/// The customer is told of the message by the id that was answered at its acceptance, in whatever mailbox it is.
fn name_by_origin(rows: &Rows, out: &mut Applied) {
    for append in &mut out.appends {
        let Append::Feed { row, .. } = append else { continue };
        let accepted = row.message.and_then(|message| rows.loaded_message(message)?.accepted.as_ref());
        if let (Some(message), Some(accepted)) = (row.message, accepted) {
            row.message = Some(accepted.origin(message));
        }
    }
}
