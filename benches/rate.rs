//! What CPU time does not say: how many a second on the wall, and which threads had the CPU. Not a bench itself.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use crate::cpu::spent;

/// Adds up the timed parts of one benchmark.
pub struct Rate {
    done: u64,
    wall: Duration,
    cpu: Duration,
    threads: BTreeMap<String, u64>,
}

impl Rate {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { done: 0, wall: Duration::ZERO, cpu: Duration::ZERO, threads: BTreeMap::new() }
    }

    /// Does work on `count` things and gives back the CPU time it took.
    pub fn time(&mut self, count: u64, work: impl FnOnce()) -> Duration {
        let (threads, wall, cpu) = (threads(), Instant::now(), spent());
        work();
        let cpu = spent() - cpu;
        self.wall += wall.elapsed();
        self.cpu += cpu;
        self.done += count;
        for (name, nanos) in self::threads() {
            let before = threads.get(&name).copied().unwrap_or(0);
            // A thread that ended meanwhile takes what it had with it.
            *self.threads.entry(name).or_default() += nanos.saturating_sub(before);
        }
        cpu
    }

    /// One line a benchmark: the rate on the wall, and CPU a thing by thread.
    pub fn print(&self, of: &str, what: &str) {
        if self.done == 0 {
            return;
        }
        let each = |nanos: u128| nanos as f64 / 1_000.0 / self.done as f64;
        let rate = self.done as f64 / self.wall.as_secs_f64();
        print!("{of}: {rate:.0} {what}/s on the wall, {:.2} µs CPU each:", each(self.cpu.as_nanos()));
        let known: u128 = self.threads.values().map(|nanos| u128::from(*nanos)).sum();
        for (name, nanos) in self.threads.iter().filter(|(_, nanos)| each(u128::from(**nanos)) >= 0.01) {
            print!(" {name} {:.2}", each(u128::from(*nanos)));
        }
        println!(", threads that ended {:.2}\n", each(self.cpu.as_nanos().saturating_sub(known)));
    }
}

/// Nanoseconds of CPU by the name of the thread, numbers at the end of names left out.
fn threads() -> BTreeMap<String, u64> {
    let mut threads = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let name = read("comm").trim().trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let nanos = read("schedstat").split(' ').next().and_then(|text| text.parse::<u64>().ok());
        *threads.entry(name).or_default() += nanos.unwrap_or(0);
    }
    threads
}
