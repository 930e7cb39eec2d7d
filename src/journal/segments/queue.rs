//! The queue between those that append and the one that writes: bounded, never blocking on the near side.

#![expect(clippy::disallowed_methods, reason = "the writer is a thread of its own, it may sleep")]

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::super::error::Refusal;
use super::super::seam::{Answer, Appended, Limits};
use crate::domain::record::Record;

/// One append on its way.
pub struct Job {
    /// Which partition.
    pub partition: u16,
    /// What to write: at least one record.
    pub records: Vec<Record>,
    /// Bytes with framing.
    pub bytes: usize,
    /// Who waits.
    pub answer: Answer,
}

/// What the writer is to do next.
pub enum Work {
    /// Write these, as one batch.
    Write(Vec<Job>),
    /// Everything is written: leave the clean-close marker and end.
    Close,
    /// End at once, as a crash would.
    Abandon,
}

/// The queue.
pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    most: (usize, usize),
}

struct State {
    jobs: VecDeque<Job>,
    records: usize,
    bytes: usize,
    door: Door,
}

/// Whether anything is taken.
enum Door {
    Open,
    /// Nothing new; what waits is written.
    Closing,
    /// Nothing new, and what waits is refused for this reason.
    Shut(Refusal),
}

impl Queue {
    /// An empty queue that holds so many records and bytes.
    pub fn new(records: usize, bytes: usize) -> Self {
        let state = State { jobs: VecDeque::new(), records: 0, bytes: 0, door: Door::Open };
        Self { state: Mutex::new(state), filled: Condvar::new(), most: (records, bytes) }
    }

    /// Takes a job in, or answers it with a refusal.
    pub fn push(&self, job: Job) {
        let mut state = self.state.lock();
        let refusal = match &state.door {
            Door::Open if state.records + job.records.len() > self.most.0 => Some(Refusal::Overloaded),
            Door::Open if state.bytes + job.bytes > self.most.1 => Some(Refusal::Overloaded),
            Door::Open => None,
            Door::Closing => Some(Refusal::Closed),
            Door::Shut(refusal) => Some(refusal.clone()),
        };
        if let Some(refusal) = refusal {
            drop(state);
            return job.answer.give(Appended::Refused(refusal));
        }
        state.records += job.records.len();
        state.bytes += job.bytes;
        state.jobs.push_back(job);
        let first = state.jobs.len() == 1;
        drop(state);
        // The writer only ever waits on an empty queue, so only the first job has to wake it.
        if first {
            self.filled.notify_one();
        }
    }

    /// Waits for work. With `linger` it sleeps that long once there is some, in one plain sleep: a timed wait would wake
    /// for every job.
    pub fn take(&self, limits: Limits, linger: Option<Duration>) -> Work {
        let mut state = self.state.lock();
        while state.jobs.is_empty() && matches!(state.door, Door::Open) {
            self.filled.wait(&mut state);
        }
        if let (Some(linger), Door::Open) = (linger, &state.door) {
            drop(state);
            std::thread::sleep(linger);
            state = self.state.lock();
        }
        match state.door {
            Door::Shut(_) => Work::Abandon,
            Door::Closing if state.jobs.is_empty() => Work::Close,
            _ => Work::Write(drain(&mut state, limits)),
        }
    }

    /// Takes nothing more; what waits is still written.
    pub fn close(&self) {
        let mut state = self.state.lock();
        if matches!(state.door, Door::Open) {
            state.door = Door::Closing;
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Takes nothing more, and refuses what waits: none of it was written.
    pub fn shut(&self, refusal: Refusal) {
        let mut state = self.state.lock();
        if !matches!(state.door, Door::Shut(_)) {
            state.door = Door::Shut(refusal.clone());
        }
        let waiting = std::mem::take(&mut state.jobs);
        (state.records, state.bytes) = (0, 0);
        drop(state);
        self.filled.notify_one();
        waiting.into_iter().for_each(|job| job.answer.give(Appended::Refused(refusal.clone())));
    }

    /// Records and bytes that wait.
    pub fn depth(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.records, state.bytes)
    }
}

fn drain(state: &mut State, limits: Limits) -> Vec<Job> {
    let (mut jobs, mut records, mut bytes) = (Vec::new(), 0, 0);
    while let Some(job) = state.jobs.front() {
        // Each job fits on its own, it was checked when it was taken.
        let full = records + job.records.len() > limits.records || bytes + job.bytes > limits.bytes;
        if full && !jobs.is_empty() {
            break;
        }
        records += job.records.len();
        bytes += job.bytes;
        jobs.extend(state.jobs.pop_front());
    }
    state.records -= records;
    state.bytes -= bytes;
    jobs
}
