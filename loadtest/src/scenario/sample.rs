//! Memory, CPU and disk of the target over time. Bounded: when there are too many samples, every second one goes and the next come half as often.

use super::file::Sampling;
use crate::clock::now_us;
use crate::proc::{disk_bytes, look};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// One look at the target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When, microseconds since the epoch.
    pub at_us: u64,
    /// Memory it held, bytes.
    pub rss_bytes: u64,
    /// CPU seconds since its start.
    pub cpu_s: f64,
    /// What it took on disk when that was last looked at, bytes.
    pub disk_bytes: Option<u64>,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    pub kept: Vec<Sample>,
    /// The most memory that any process of the target ever held, by the system's own count.
    pub peak_rss_bytes: u64,
    /// The first look that failed.
    pub failed: Option<String>,
}

impl Samples {
    /// Keeps a sample; says whether the next ones shall come half as often.
    fn keep(&mut self, sample: Sample, most: usize) -> bool {
        self.kept.push(sample);
        if self.kept.len() < most {
            return false;
        }
        let mut n = 0;
        self.kept.retain(|_| {
            n += 1;
            n % 2 == 1
        });
        true
    }
}

#[derive(Default)]
struct State {
    /// Nobody while the target is being started again.
    pid: Option<u32>,
    disk_bytes: Option<u64>,
    samples: Samples,
}

/// Looks at the target until it is dropped.
pub(super) struct Sampler {
    state: Arc<Mutex<State>>,
    most: usize,
    tasks: [JoinHandle<()>; 2],
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sampler {
    pub(super) fn start(pid: u32, data: PathBuf, sampling: &Sampling) -> Self {
        let state = Arc::new(Mutex::new(State { pid: Some(pid), ..State::default() }));
        let most = sampling.keep;
        let memory = tokio::spawn(look_on(state.clone(), Duration::from_millis(sampling.every_ms), most));
        let disk = tokio::spawn(walk_on(state.clone(), data, Duration::from_millis(sampling.disk_every_ms)));
        Self { state, most, tasks: [memory, disk] }
    }

    /// Looks once, and then at another process or at none.
    pub(super) fn turn_to(&self, pid: Option<u32>) {
        let mut state = lock(&self.state);
        // The last look at a process that is about to go: its peak would be lost otherwise.
        glance(&mut state, self.most);
        state.pid = pid;
    }

    /// Everything seen so far, with one more look.
    pub(super) fn samples(&self) -> Samples {
        let mut state = lock(&self.state);
        glance(&mut state, self.most);
        state.samples.clone()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Looks once; says whether the next looks shall come half as often.
fn glance(state: &mut State, most: usize) -> bool {
    let Some(pid) = state.pid else {
        return false;
    };
    match look(pid) {
        Ok(look) => {
            let sample =
                Sample { at_us: now_us(), rss_bytes: look.rss_bytes, cpu_s: look.cpu_s, disk_bytes: state.disk_bytes };
            state.samples.peak_rss_bytes = state.samples.peak_rss_bytes.max(look.peak_rss_bytes);
            state.samples.keep(sample, most)
        }
        Err(why) => {
            state.samples.failed.get_or_insert(format!("process {pid}: {why}"));
            false
        }
    }
}

async fn look_on(state: Arc<Mutex<State>>, mut every: Duration, most: usize) {
    loop {
        if glance(&mut lock(&state), most) {
            every *= 2;
        }
        tokio::time::sleep(every).await;
    }
}

fn note(state: &mut State, walked: Result<u64, String>) {
    match walked {
        Ok(bytes) => state.disk_bytes = Some(bytes),
        Err(why) => drop(state.samples.failed.get_or_insert(format!("its folder: {why}"))),
    }
}

async fn walk_on(state: Arc<Mutex<State>>, data: PathBuf, every: Duration) {
    loop {
        let path = data.clone();
        let walked = tokio::task::spawn_blocking(move || disk_bytes(&path)).await;
        note(
            &mut lock(&state),
            walked.map_err(|died| died.to_string()).and_then(|it| it.map_err(|why| why.to_string())),
        );
        tokio::time::sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Sample, Samples};

    #[test]
    fn samples_are_bounded_and_spread_over_the_whole_time() {
        let (mut samples, mut halved) = (Samples::default(), 0);
        for at_us in 0..1_000 {
            halved += u64::from(samples.keep(Sample { at_us, rss_bytes: 1, cpu_s: 0.0, disk_bytes: None }, 10));
        }
        assert!(samples.kept.len() < 10 && halved > 100, "{} kept", samples.kept.len());
        assert_eq!(samples.kept[0].at_us, 0, "the first is never thrown away");
        assert_eq!(samples.kept.last().map(|sample| sample.at_us / 10), Some(99));
    }
}
