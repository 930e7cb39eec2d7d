//! What makes no sense in a scenario: everything at once, before anything is started.

use super::file::{PhaseSpec, Scenario, StreamSpec, VerdictSpec};
use crate::house::{Kind, not_yours};
use std::collections::HashSet;
use std::fmt;

/// Messages of a round at most: as many requests as the simulator's journal keeps, less those it may refuse.
const MESSAGES_MAX: u64 = 1_500_000;
/// People there are: seven digits.
const PEOPLE_MAX: u64 = 10_000_000;
/// Sessions at most; Waybill takes 200,000 names.
const SESSIONS_MAX: usize = 150_000;
/// Each copy of a stream has its own callers.
const CALLERS_MAX: usize = 20_000;
/// Each sink listens for itself, and Waybill calls at most so many ports.
const SINKS_MAX: usize = 32;
const SECONDS_MAX: f64 = 24.0 * 3600.0;

/// Everything that is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(Vec<String>);

impl Wrong {
    pub(super) fn one(text: impl Into<String>) -> Self {
        Self(vec![text.into()])
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Wrong {}

impl Scenario {
    /// Reads a scenario and checks it.
    ///
    /// # Errors
    /// [`Wrong`].
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let scenario: Self = toml::from_str(text).map_err(|why| Wrong::one(why.to_string()))?;
        scenario.check()?;
        Ok(scenario)
    }

    pub(super) fn check(&self) -> Result<(), Wrong> {
        let mut wrong = Vec::new();
        names_are_good(self, &mut wrong);
        street(self, &mut wrong);
        sizes(self, &mut wrong);
        self.phases.iter().for_each(|phase| phase_is_good(self, phase, &mut wrong));
        self.streams.iter().for_each(|stream| stream_is_good(self, stream, &mut wrong));
        let known: HashSet<String> = self.quantities().into_iter().collect();
        self.verdicts.iter().for_each(|verdict| verdict_is_good(&known, verdict, &mut wrong));
        if wrong.is_empty() { Ok(()) } else { Err(Wrong(wrong)) }
    }

    pub(super) fn phase_at(&self, name: &str) -> Option<usize> {
        self.phases.iter().position(|phase| phase.name == name)
    }

    /// The first and the last phase of a stream.
    pub(super) fn span(&self, stream: &StreamSpec) -> Option<(usize, usize)> {
        let from = stream.from.as_ref().map_or(Some(0), |name| self.phase_at(name))?;
        let through = stream.through.as_ref().map_or(Some(from), |name| self.phase_at(name))?;
        (from <= through && through < self.phases.len()).then_some((from, through))
    }

    /// How many messages each copy of a stream has.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "checked to be a count of a round"
    )]
    pub(super) fn count(&self, stream: &StreamSpec) -> Option<u64> {
        if let Some(count) = stream.count {
            return Some(count);
        }
        let (from, through) = self.span(stream)?;
        let seconds: Option<f64> = self.phases[from..=through].iter().map(|phase| phase.seconds).sum();
        let messages = stream.rate? * seconds?;
        (0.0..=MESSAGES_MAX as f64).contains(&messages).then(|| messages.round() as u64)
    }

    /// Copies of a tenant.
    pub(super) fn copies(&self, tenant: &str) -> usize {
        self.tenants.iter().find(|it| it.name == tenant).map_or(0, |it| it.copies)
    }
}

/// Names are parts of quantities, of session names and of markers.
fn names_are_good(scenario: &Scenario, wrong: &mut Vec<String>) {
    let plain = |name: &str| {
        (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let streams = scenario.streams.iter().map(|it| &it.name);
    let phases = scenario.phases.iter().map(|it| &it.name);
    let timed: Vec<&String> = streams.chain(phases).collect();
    let tenants: Vec<&String> = scenario.tenants.iter().map(|it| &it.name).collect();
    let sinks: Vec<&String> = scenario.sinks.iter().map(|it| &it.name).collect();
    for (kind, names) in
        [("stream or phase", timed), ("tenant", tenants), ("sink", sinks), ("scenario", vec![&scenario.name])]
    {
        let mut seen = HashSet::new();
        for name in names {
            if !plain(name) {
                wrong.push(format!("{kind} `{name}`: a name is 1 to 32 lower-case letters, digits and hyphens"));
            }
            if !seen.insert(name) {
                wrong.push(format!("{kind} `{name}` stands there twice"));
            }
        }
    }
}

/// What the runner itself decides: everything stays on loopback and in the round's folder.
fn street(scenario: &Scenario, wrong: &mut Vec<String>) {
    if let Some(key) = not_yours(&scenario.waybill) {
        wrong.push(format!("waybill: `{key}` is the runner's to choose"));
    }
    let simulator = &scenario.simulator;
    if simulator.callback.url.is_some() || simulator.journal_path.is_some() || !simulator.numbers.is_empty() {
        wrong.push("simulator: `callback.url`, `journal_path` and `numbers` are the runner's to choose".to_owned());
    }
    for tenant in &scenario.tenants {
        if let Some(sink) = tenant.sink.as_ref().filter(|name| scenario.sinks.iter().all(|sink| sink.name != **name)) {
            wrong.push(format!("tenant `{}`: there is no sink `{sink}`", tenant.name));
        }
    }
}

fn sizes(scenario: &Scenario, wrong: &mut Vec<String>) {
    let sum = |of: &dyn Fn(&StreamSpec) -> u64| -> u64 {
        scenario
            .streams
            .iter()
            .map(|it| of(it).saturating_mul(scenario.copies(&it.tenant) as u64))
            .fold(0, u64::saturating_add)
    };
    let sessions =
        scenario.tenants.iter().map(|it| it.sessions.saturating_mul(it.copies)).fold(0, usize::saturating_add);
    let (callers, people) = (sum(&|it| it.callers as u64), sum(&|it| it.people));
    let messages = sum(&|it| scenario.count(it).unwrap_or(0));
    let mut most = |what: &str, is: u64, most: u64| {
        if is > most {
            wrong.push(format!("{is} {what}: at most {most}"));
        }
    };
    most("sessions", sessions as u64, SESSIONS_MAX as u64);
    most("callers", callers, CALLERS_MAX as u64);
    most("people", people, PEOPLE_MAX);
    most("sinks", scenario.sinks.len() as u64, SINKS_MAX as u64);
    most("messages", messages, MESSAGES_MAX);
    let sample = &scenario.sample;
    if sample.every_ms < 10 || sample.disk_every_ms < sample.every_ms || !(10..=100_000).contains(&sample.keep) {
        wrong.push("sample: `every_ms` from 10, `disk_every_ms` from there, `keep` 10 to 100000".to_owned());
    }
    if scenario.tenants.iter().any(|tenant| tenant.copies == 0 || tenant.sessions == 0) {
        wrong.push("a tenant has at least one copy and one session".to_owned());
    }
    if scenario.phases.is_empty() || scenario.verdicts.is_empty() {
        wrong.push("there must be a phase and a verdict".to_owned());
    }
}

fn phase_is_good(scenario: &Scenario, phase: &PhaseSpec, wrong: &mut Vec<String>) {
    let mut say = |text: String| wrong.push(format!("phase `{}`: {text}", phase.name));
    match (phase.seconds, phase.until.is_empty()) {
        (None, true) | (Some(_), false) => say("give either `seconds` or `until`".to_owned()),
        (Some(seconds), true) if !(seconds > 0.0 && seconds <= SECONDS_MAX) => say("`seconds` is no time".to_owned()),
        _ => {}
    }
    let here = scenario.phase_at(&phase.name);
    for name in &phase.until {
        let stream = scenario.streams.iter().find(|stream| stream.name == *name);
        if stream.is_none_or(|stream| scenario.span(stream).map(|(from, _)| from) > here) {
            say(format!("`until` waits for `{name}`, which no stream before it is called"));
        }
    }
    for name in phase.sinks.keys().filter(|name| scenario.sinks.iter().all(|sink| sink.name != **name)) {
        say(format!("there is no sink `{name}`"));
    }
    let tenants = phase.suspend.iter().chain(&phase.resume).chain(phase.refuse.iter().map(|refusal| &refusal.tenant));
    for name in tenants.filter(|name| scenario.copies(name) == 0) {
        say(format!("there is no tenant `{name}`"));
    }
    let stops = !phase.suspend.is_empty() || !phase.resume.is_empty();
    if scenario.target != Kind::Waybill && (stops || phase.restart.is_some()) {
        say("a forwarder suspends nothing, and forgets what it has when it is started again".to_owned());
    }
}

fn stream_is_good(scenario: &Scenario, stream: &StreamSpec, wrong: &mut Vec<String>) {
    let mut say = |text: &str| wrong.push(format!("stream `{}`: {text}", stream.name));
    let Some(tenant) = scenario.tenants.iter().find(|tenant| tenant.name == stream.tenant) else {
        return say("there is no such tenant");
    };
    if stream.sessions.is_some_and(|sessions| sessions == 0 || sessions > tenant.sessions) {
        say("its tenant has not so many sessions");
    }
    if tenant.test {
        say("its tenant sends nothing: it has test sessions");
    }
    if stream.over == super::file::Over::Notified && tenant.sink.is_none() {
        say("it waits for notifications, and its tenant has no sink");
    }
    if stream.body.is_some() && (stream.priority.is_some() || stream.category.is_some()) {
        say("a `body` says its priority and its category itself");
    }
    if scenario.span(stream).is_none() {
        return say("`from` and `through` are two phases, the first not after the second");
    }
    match scenario.count(stream) {
        None => say("give `count`, or `rate` and phases of so many seconds"),
        Some(0) => say("it has no message"),
        Some(_) if stream.count.is_some() && stream.through.is_some() => {
            say("`through` is for streams that are not counted")
        }
        Some(_) => {}
    }
    if stream.rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) || stream.people == 0 || stream.callers == 0 {
        say("`rate`, `people` and `callers` must be above 0");
    }
}

fn verdict_is_good(known: &HashSet<String>, verdict: &VerdictSpec, wrong: &mut Vec<String>) {
    let mut say = |text: String| wrong.push(format!("verdict `{}`: {text}", verdict.name));
    if verdict.at_most.is_none() && verdict.at_least.is_none() {
        say("give `at_most` or `at_least`".to_owned());
    }
    if verdict.at_most.is_some_and(f64::is_nan) || verdict.at_least.is_some_and(f64::is_nan) {
        say("a limit is a number".to_owned());
    }
    for name in [Some(&verdict.value), verdict.minus.as_ref(), verdict.over.as_ref()].into_iter().flatten() {
        if !known.contains(name) {
            say(format!("there is no quantity `{name}`"));
        }
    }
}
