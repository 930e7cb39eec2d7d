//! What the handle, its tails, the one that appends and the ones that read share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::error::TopicError;
use super::message::{Message, offset_of, position, rank};
use super::window::{Look, Windows};
use crate::domain::record::Position;

/// What is known of a partition when the journal is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// How many messages at its beginning were copied one to one.
    pub copied: u64,
    /// Offset of the next message.
    pub offset: u64,
    /// One more than the position of the last record.
    pub end: Position,
}

/// How far closing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Appends are taken.
    Open,
    /// None is taken and none is on its way; tails give what stands.
    Drained,
    /// The readers have ended.
    Ended,
}

/// Shared by all parts of one open journal.
pub struct Shared {
    /// What the journal is.
    pub genesis: Genesis,
    /// The topic's name.
    pub topic: String,
    parts: Vec<Part>,
    windows: Mutex<Windows>,
    failed: Mutex<Option<String>>,
    phase: AtomicU8,
    /// Readers are to end at once.
    pub abandoned: AtomicBool,
    /// How many tails follow each partition; changed by tails, read by the follower.
    followed: Mutex<BTreeMap<u16, usize>>,
}

struct Part {
    copied: u64,
    /// Offset after that of the last append of ours that was acknowledged.
    landed: AtomicU64,
    end: Mutex<Position>,
    changed: Notify,
    broken: Mutex<Option<JournalError>>,
}

impl Shared {
    /// Of a topic as it was found.
    pub fn new(genesis: Genesis, topic: String, found: &[Known], memory: usize) -> Self {
        let part = |known: &Known| Part {
            copied: known.copied,
            landed: AtomicU64::new(known.offset),
            end: Mutex::new(known.end),
            changed: Notify::new(),
            broken: Mutex::new(None),
        };
        Self {
            genesis,
            topic,
            parts: found.iter().map(part).collect(),
            windows: Mutex::new(Windows::new(found.iter().map(|known| known.offset), memory)),
            failed: Mutex::new(None),
            phase: AtomicU8::new(Phase::Open as u8),
            abandoned: AtomicBool::new(false),
            followed: Mutex::default(),
        }
    }

    fn part(&self, partition: u16) -> Option<&Part> {
        self.parts.get(usize::from(partition))
    }

    /// The partition, or that there is none.
    pub fn check(&self, partition: u16) -> Result<(), JournalError> {
        let count = self.genesis.count;
        self.part(partition).map(|_| ()).ok_or(JournalError::NoSuchPartition { partition, count })
    }

    /// Wakes those who wait for a partition.
    pub fn waker(&self, partition: u16) -> Option<&Notify> {
        self.part(partition).map(|part| &part.changed)
    }

    fn wake_all(&self) {
        self.parts.iter().for_each(|part| part.changed.notify_waiters());
    }

    /// How many messages at a partition's beginning were copied one to one.
    pub fn copied(&self, partition: u16) -> u64 {
        self.part(partition).map_or(0, |part| part.copied)
    }

    /// The message at or after which a position stands.
    pub fn offset(&self, partition: u16, at: Position) -> u64 {
        offset_of(self.copied(partition), at)
    }

    /// Messages between two positions.
    pub fn distance(&self, partition: u16, from: Position, to: Position) -> u64 {
        let copied = self.copied(partition);
        rank(copied, to).saturating_sub(rank(copied, from))
    }

    /// One more than the position of the last record known of.
    pub fn end(&self, partition: u16) -> Position {
        self.part(partition).map_or(Position(0), |part| *part.end.lock())
    }

    /// A record stands that perhaps nobody knew of.
    pub fn raise(&self, partition: u16, last: Position) {
        if let Some(part) = self.part(partition) {
            let mut end = part.end.lock();
            *end = (*end).max(last.next());
        }
    }

    /// An append of ours stands: where its records are. `None` when that is a place that was taken already: the topic was made
    /// anew, or cut off, under our hands, and the latch falls.
    pub fn landed(&self, partition: u16, offset: u64, records: usize) -> Option<(Position, Position)> {
        let next = offset.saturating_add(1);
        if self.part(partition).is_some_and(|part| part.landed.fetch_max(next, Ordering::AcqRel) >= next) {
            self.fail(&format!(
                "{}/{partition} gave an append offset {offset}, where a message stood already: the topic was made anew, or \
                 lost its end. Restore it from a copy of the cluster",
                self.topic
            ));
            return None;
        }
        let last = u8::try_from(records.saturating_sub(1)).unwrap_or(u8::MAX);
        let stands = (position(offset, 0), position(offset, last));
        self.raise(partition, stands.1);
        Some(stands)
    }

    /// The offset that a partition's window waits for.
    pub fn awaited(&self, partition: u16) -> u64 {
        self.windows.lock().end(partition)
    }

    /// The follower has read the next message of a partition.
    pub fn publish(&self, partition: u16, message: Message) {
        if let Some(last) = message.last() {
            self.raise(partition, last);
        }
        self.windows.lock().push(partition, Arc::new(message));
        if let Some(waker) = self.waker(partition) {
            waker.notify_waiters();
        }
    }

    /// What the window holds from an offset on.
    pub fn look(&self, partition: u16, offset: u64, bytes: usize) -> Look {
        self.windows.lock().look(partition, offset, bytes)
    }

    /// A partition cannot be read any further.
    pub fn break_off(&self, partition: u16, error: &TopicError) {
        tracing::error!(partition, %error, "a partition cannot be read any further");
        if let Some(part) = self.part(partition) {
            part.broken.lock().get_or_insert_with(|| error.clone().into());
            part.changed.notify_waiters();
        }
    }

    /// Why a partition cannot be read any further.
    pub fn broken(&self, partition: u16) -> Option<JournalError> {
        self.part(partition).and_then(|part| part.broken.lock().clone())
    }

    /// The latch falls.
    pub fn fail(&self, why: &str) {
        tracing::error!(why, "the journal has failed");
        self.failed.lock().get_or_insert_with(|| why.to_owned());
        self.wake_all();
    }

    /// Why the latch has fallen.
    pub fn failed(&self) -> Option<String> {
        self.failed.lock().clone()
    }

    /// How far closing has come.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Open,
            1 => Phase::Drained,
            _ => Phase::Ended,
        }
    }

    /// Closing has come so far.
    pub fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
        self.wake_all();
    }

    /// Why a tail that has given everything known ends.
    pub fn ended(&self) -> Option<JournalError> {
        match self.failed() {
            Some(why) => Some(JournalError::Failed(why)),
            None => (self.phase() > Phase::Open).then_some(JournalError::Closed),
        }
    }

    /// A tail begins to follow a partition.
    pub fn follow(&self, partition: u16) {
        *self.followed.lock().entry(partition).or_default() += 1;
    }

    /// A tail follows no more.
    pub fn leave(&self, partition: u16) {
        let mut followed = self.followed.lock();
        if let Some(tails) = followed.get_mut(&partition) {
            *tails -= 1;
            if *tails == 0 {
                followed.remove(&partition);
            }
        }
    }

    /// Which partitions are followed.
    pub fn followed(&self) -> Vec<u16> {
        self.followed.lock().keys().copied().collect()
    }
}
