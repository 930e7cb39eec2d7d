//! The generators under way: one for each stream and copy of its tenant.

use super::file::{Scenario, StreamSpec};
use super::run::ScenarioError;
use super::stage::{Member, Stage};
use crate::generator::{Load, Pace, RunConfig, RunError, Until, load};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What one generator did.
pub(super) struct Loaded {
    /// Its stream.
    pub stream: usize,
    /// The name inside its markers.
    pub run: String,
    /// Messages it was to send.
    pub count: u64,
    pub load: Load,
}

struct Task {
    stream: usize,
    run: String,
    count: u64,
    handle: JoinHandle<Result<Load, RunError>>,
}

/// The generators. Those still under way when it is dropped are stopped.
pub(super) struct Streams {
    tasks: Vec<Task>,
    /// Marks this round apart from any other.
    seed: u32,
    /// The first person no stream writes to yet.
    next_person: u64,
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.tasks.iter().for_each(|task| task.handle.abort());
    }
}

impl Streams {
    pub(super) fn new() -> Self {
        Self { tasks: Vec::new(), seed: rand::random(), next_person: 0 }
    }

    /// Starts every stream that begins with this phase.
    pub(super) fn begin(&mut self, scenario: &Scenario, stage: &Stage, phase: usize) {
        for (at, stream) in scenario.streams.iter().enumerate() {
            if scenario.span(stream).is_some_and(|(from, _)| from == phase) {
                for (copy, member) in stage.copies(&stream.tenant).enumerate() {
                    self.start(scenario, stage, (at, stream), (copy, member));
                }
            }
        }
    }

    fn start(
        &mut self,
        scenario: &Scenario,
        stage: &Stage,
        (at, stream): (usize, &StreamSpec),
        (copy, member): (usize, &Member),
    ) {
        // The check has found a count for each stream.
        let count = scenario.count(stream).unwrap_or(0);
        let pace = match stream.rate {
            Some(rate) => Pace::Open { rate, count, in_flight: stream.callers },
            None => Pace::Closed { concurrency: stream.callers, count },
        };
        let senders = member.tenant.sessions.iter().take(stream.sessions.unwrap_or(usize::MAX));
        let run = format!("{:08x}x{at}x{copy}", self.seed);
        let config = RunConfig {
            target: format!("http://{}", stage.target.addr),
            api_key: member.key.clone(),
            pace,
            senders: senders.map(|session| session.name.clone()).collect(),
            recipients: stream.people,
            first_recipient: self.next_person,
            body_bytes: stream.body_bytes,
            body: stream.body.clone(),
            priority: stream.priority.clone(),
            category: stream.category.clone(),
            idempotency: stream.repeat_s > 0,
            retry_s: stream.repeat_s,
            until: Until::Answered,
            run: Some(run.clone()),
            ..RunConfig::default()
        };
        self.next_person += stream.people;
        self.tasks.push(Task { stream: at, run, count, handle: tokio::spawn(load(config)) });
    }

    /// Waits until the last message of these streams is answered; says whether that was in time.
    pub(super) async fn answered(&self, streams: &[usize], at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let under_way = || self.tasks.iter().any(|task| streams.contains(&task.stream) && !task.handle.is_finished());
        while under_way() {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    /// Waits for all of them.
    pub(super) async fn over(mut self) -> Result<Vec<Loaded>, ScenarioError> {
        let mut loaded = Vec::new();
        for task in std::mem::take(&mut self.tasks) {
            let Task { stream, run, count, handle } = task;
            let load = handle.await.map_err(|died| RunError::Caller(died.to_string()))??;
            loaded.push(Loaded { stream, run, count, load });
        }
        Ok(loaded)
    }
}
