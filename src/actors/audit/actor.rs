//! The actor: what it hears → what is proposed, signed and published.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::keep::KeepError;
use super::unsealed::AUDIT;
use super::{keep, log, publish};
use crate::actors::append::{self, Persist};
use crate::actors::hands::Hands;
use crate::actors::inbox::{Inbox, Nudge};
use crate::audit::Signer;
use crate::domain::address::Address;
use crate::domain::audit::{Checkpoint, Hash, checkpoint};
use crate::domain::draft::Draft;
use crate::domain::event::{CheckpointSealedV1, CheckpointSignedV1, Event};
use crate::domain::id::EventId;
use crate::domain::projection::AuditNote;
use crate::domain::record::{Micros, Principal};
use crate::domain::row::{InstanceRow, Row, RowId, SealedRow};
use crate::store::{applied, rows};

/// Entries that are signed for before the second is over.
const ENTRIES: u32 = 1_024;

/// The least time between two checkpoints otherwise.
const EVERY: Duration = Duration::from_secs(1);

/// How long one that was proposed is waited for before it is proposed again.
const LOST: Duration = Duration::from_secs(10);

/// How often the vault is told what was signed: a record of its file each time, 10 MB a year.
const KEEP_EVERY: Duration = Duration::from_secs(600);

/// How long the rows may take to show what was read back.
const PATIENCE: Duration = Duration::from_secs(2);

/// The actor.
pub struct Audit;

/// What it is born with.
pub struct AuditArgs {
    /// Where it lives.
    pub partition: u16,
    /// The log.
    pub row: Box<InstanceRow>,
    /// Its inbox.
    pub inbox: Arc<Inbox<AuditNote>>,
    /// Everything else.
    pub hands: Hands,
}

/// What it remembers.
pub struct State {
    pub(super) args: AuditArgs,
    /// The key, once it was needed.
    signer: Option<Signer>,
    /// What was signed last, and what the vault says of it.
    head: Option<(u64, Hash)>,
    /// Entries that are not signed for.
    waiting: u32,
    /// When the oldest event of them happened, by its writer's clock.
    since: Option<Micros>,
    /// Of those in the one that is under way.
    sealing: Option<Micros>,
    /// Read back, and to be signed.
    sealed: Option<SealedRow>,
    /// When the last one was proposed, steady time.
    proposed: Option<Duration>,
    /// One is under way.
    under_way: bool,
    /// When the vault was told, steady time.
    kept: Option<Duration>,
    /// Why nothing is signed any more.
    refused: bool,
    /// When customers were told, by our clock.
    pub(super) published: Option<Micros>,
}

impl Actor for Audit {
    type Msg = Nudge;
    type State = Box<State>;
    type Arguments = AuditArgs;

    async fn pre_start(&self, myself: ActorRef<Nudge>, args: AuditArgs) -> Result<Box<State>, ActorProcessingErr> {
        args.inbox.attach(myself);
        Ok(Box::new(State::of(args).await?))
    }

    async fn handle(&self, _: ActorRef<Nudge>, _: Nudge, state: &mut Box<State>) -> Result<(), ActorProcessingErr> {
        for note in state.args.inbox.take() {
            state.args.hands.trip("audit:mail");
            state.hear(note);
        }
        state.sign().await?;
        state.propose();
        publish::look(state).await?;
        Ok(())
    }
}

/// The part of the health that speaks of the audit's log.
const PART: &str = "audit";

fn allow(hands: &Hands) {
    crate::telemetry::audit_refused(false);
    hands.health.warn(PART, None);
}

/// The audit lives in this process no more: another one says since when entries wait, and whether it signs.
pub fn end(hands: &Hands) {
    hands.registry.unsealed.set(AUDIT, None);
    allow(hands);
}

fn origin(hands: &Hands, era: u32) -> String {
    checkpoint::origin(hands.journal.genesis().installation, era)
}

impl State {
    async fn of(args: AuditArgs) -> Result<Self, ActorProcessingErr> {
        let (row, hands) = (&args.row, &args.hands);
        let signed = row.signed.as_ref().map(|signed| (signed.size, signed.root));
        let origin = origin(hands, row.era);
        let kept = keep::last(hands.vault.as_ref()).await?;
        let later = keep::known_era(hands.vault.as_ref()).await?.filter(|kept| *kept > row.era);
        let kept = kept.filter(|kept| kept.origin == origin).map(|kept| (kept.size, kept.root));
        // Of two of one size that differ neither is extended, and nothing is signed: the vault's stands.
        let head = kept.into_iter().chain(signed).reduce(|a, b| if b.0 > a.0 { b } else { a });
        let waits = row.range.size() > signed.map_or(0, |(size, _)| size);
        let sealed = row.sealed.filter(|sealed| sealed.size > signed.map_or(0, |(size, _)| size));
        // What an earlier life in this process knew to be waiting still does.
        let now = hands.clock.wall();
        let now = hands.registry.unsealed.since(AUDIT).map_or(now, |since| since.min(now));
        let mut state = Self {
            signer: None,
            head,
            waiting: u32::from(waits),
            since: waits.then_some(now),
            sealing: sealed.map(|_| now),
            under_way: sealed.is_some(),
            sealed,
            proposed: None,
            kept: None,
            refused: false,
            published: row.published,
            args,
        };
        if let Some(kept) = later {
            state.refuse(&log::NotExtended::Older { era: state.args.row.era, kept });
        }
        Ok(state)
    }

    fn hear(&mut self, note: AuditNote) {
        match note {
            AuditNote::Grew { since } => {
                self.waiting = self.waiting.saturating_add(1);
                self.since = Some(self.since.map_or(since, |known| known.min(since)));
                self.measure();
            }
            AuditNote::Sealed(sealed) => self.sealed = Some(sealed),
            AuditNote::Signed { size } => self.signed(size),
            AuditNote::Begun { era } => self.begun(era),
        }
    }

    /// What was signed under another origin is not extended.
    fn begun(&mut self, era: u32) {
        self.args.row.era = era;
        (self.head, self.sealed, self.kept, self.proposed, self.published) = (None, None, None, None, None);
        (self.refused, self.under_way) = (false, false);
        self.waiting = self.waiting.max(1);
        self.since = self.since.or(self.sealing.take()).or(Some(self.args.hands.clock.wall()));
        self.signer = None;
        allow(&self.args.hands);
        tracing::warn!(origin = origin(&self.args.hands, era), "another log begins");
    }

    fn measure(&self) {
        // Where the partition is lost already another process says so.
        let is_here = self.args.hands.registry.owns(self.args.partition);
        let oldest = self.since.into_iter().chain(self.sealing).min().filter(|_| is_here);
        self.args.hands.registry.unsealed.set(AUDIT, oldest);
    }

    /// Proposes that the log be signed, if it grew and it is time.
    fn propose(&mut self) {
        let hands = &self.args.hands;
        let now = hands.clock.steady();
        let passed = self.proposed.map_or(Duration::MAX, |at| now.saturating_sub(at));
        let is_lost = self.under_way && self.sealed.is_none() && passed >= LOST;
        let due = passed >= EVERY || self.waiting >= ENTRIES;
        let free = !self.under_way && self.waiting > 0 && due;
        if self.refused || !(free || is_lost) || !hands.health.is_well() {
            return;
        }
        hands.trip("audit:propose");
        self.proposed = Some(now);
        self.under_way = true;
        self.sealing = self.sealing.into_iter().chain(self.since.take()).min();
        self.waiting = 0;
        self.append(&Event::from(CheckpointSealedV1 { era: self.args.row.era }));
    }

    /// Signs what was read back.
    async fn sign(&mut self) -> Result<(), ActorProcessingErr> {
        let Some(sealed) = self.sealed.filter(|_| !self.refused && self.args.hands.health.is_well()) else {
            return Ok(());
        };
        let hands = self.args.hands.clone();
        if !applied::reached(hands.store.as_ref(), self.args.partition, sealed.position, PATIENCE).await? {
            // The next sweep looks again.
            return Ok(());
        }
        let head = (sealed.size, sealed.root);
        if let Some(old) = self.head.filter(|old| *old != head)
            && let Err(why) = log::prove(hands.store.as_ref(), old, head).await
        {
            self.not_extended(&why);
            return Ok(());
        }
        let Some(signer) = self.key().await? else { return Ok(()) };
        let checkpoint = Checkpoint { origin: origin(&hands, self.args.row.era), size: sealed.size, root: sealed.root };
        self.keep(&checkpoint).await?;
        let (key, signature) = (signer.public(), signer.sign(&checkpoint));
        hands.trip("audit:signed");
        (self.head, self.sealed, self.signer) = (Some(head), None, Some(signer));
        let Checkpoint { origin, size, root } = checkpoint;
        self.append(&Event::from(CheckpointSignedV1 { origin, size, root, key, signature }));
        Ok(())
    }

    /// The key that the log was signed with, as its row has it now: another node may have signed first, with one that it drew.
    async fn key(&mut self) -> Result<Option<Signer>, ActorProcessingErr> {
        let hands = self.args.hands.clone();
        let log = match rows::get(hands.store.as_ref(), &RowId::Instance(())).await? {
            Some(Row::Instance(row)) if row.era == self.args.row.era => row.signed.map(|signed| signed.key),
            _ => None,
        };
        if let Some(signer) = self.signer.take().filter(|signer| log.is_none_or(|log| log == signer.public())) {
            return Ok(Some(signer));
        }
        match keep::signer(&hands, log).await {
            Ok(signer) => Ok(Some(signer)),
            Err(KeepError::Vault(error)) => Err(error.into()),
            Err(why) => {
                self.refuse(&why);
                Ok(None)
            }
        }
    }

    /// The vault is told before the signature is made: at first, and then now and again.
    async fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), ActorProcessingErr> {
        let now = self.args.hands.clock.steady();
        if self.kept.is_none_or(|kept| now.saturating_sub(kept) >= KEEP_EVERY) {
            keep::put(self.args.hands.vault.as_ref(), checkpoint).await?;
            self.kept = Some(now);
        }
        Ok(())
    }

    fn not_extended(&mut self, why: &log::NotExtended) {
        match why {
            log::NotExtended::Store(_) => tracing::warn!(%why, "a checkpoint waits to be signed"),
            why => self.refuse(why),
        }
    }

    fn refuse(&mut self, why: &dyn std::fmt::Display) {
        let why = format!(
            "no checkpoint is signed any more: {why}. If journal or vault was put back from a backup on purpose, or the key is \
             lost, `waybill audit begin --reason TEXT` begins another log; otherwise put the right one back and start again"
        );
        self.refused = true;
        crate::telemetry::audit_refused(true);
        tracing::error!("{why}");
        self.args.hands.health.warn(PART, Some(why));
    }

    /// What was signed was read back.
    fn signed(&mut self, size: u64) {
        let oldest = self.sealing.take();
        self.under_way = false;
        let hands = &self.args.hands;
        let lag = oldest.and_then(|oldest| u64::try_from(hands.clock.wall() - oldest).ok());
        crate::telemetry::checkpoint(size, lag.map(Duration::from_micros));
        self.measure();
    }

    pub(super) fn append(&self, event: &Event) {
        let hands = &self.args.hands;
        let audit = Address::audit(hands.journal.genesis().installation);
        let draft =
            Draft::new(EventId(hands.entropy.id()), audit, event, Principal::Node(hands.node), hands.clock.wall());
        append::persist(hands, Persist { partition: self.args.partition, draft });
    }
}
