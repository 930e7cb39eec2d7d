//! The phases, one after the other: what is changed at the start of each, which streams begin with it, how long it lasts.

use super::file::{PhaseSpec, Restart, Scenario};
use super::run::ScenarioError;
use super::sample::Sampler;
use super::stage::{Member, Stage};
use super::streams::Streams;
use crate::client::{Address, ClientError, Connection};
use crate::clock::now_us;
use crate::proc::look;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use std::time::Duration;

/// A phase that is over.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    /// Messages due from here on are its messages.
    pub start_us: u64,
    /// And until here.
    pub end_us: u64,
    /// CPU seconds of the target over wall seconds, from when everything was changed.
    pub cpu_cores: Result<f64, String>,
    /// If it was started again: how long it took until it was ready.
    pub ready_s: Option<f64>,
}

/// Goes through all phases.
pub(super) async fn go(
    scenario: &Scenario,
    stage: &mut Stage,
    sampler: &Sampler,
    streams: &mut Streams,
) -> Result<Vec<Phase>, ScenarioError> {
    let mut phases = Vec::new();
    for (at, spec) in scenario.phases.iter().enumerate() {
        let start_us = now_us();
        let ready_s = change(scenario, spec, stage, sampler).await?;
        let (before, changed_us) = (cpu_s(stage), now_us());
        streams.begin(scenario, stage, at);
        wait(scenario, spec, streams).await?;
        let (after, end_us) = (cpu_s(stage), now_us());
        stage.target.is_there()?;
        let cpu_cores = before.and_then(|before| after.map(|after| (after - before) / seconds(changed_us, end_us)));
        phases.push(Phase { start_us, end_us, cpu_cores, ready_s });
    }
    Ok(phases)
}

/// Seconds between two times; never 0, so that it can be divided by.
#[allow(clippy::cast_precision_loss, reason = "microseconds below 2^53")]
pub(super) fn seconds(from_us: u64, until_us: u64) -> f64 {
    (until_us.saturating_sub(from_us) as f64 / 1e6).max(1e-6)
}

fn cpu_s(stage: &Stage) -> Result<f64, String> {
    look(stage.target.pid()).map(|look| look.cpu_s).map_err(|why| why.to_string())
}

async fn wait(scenario: &Scenario, spec: &PhaseSpec, streams: &Streams) -> Result<(), ScenarioError> {
    if let Some(seconds) = spec.seconds {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        return Ok(());
    }
    let named = |name: &String| scenario.streams.iter().position(|stream| stream.name == *name);
    let all: Vec<usize> = spec.until.iter().filter_map(named).collect();
    match streams.answered(&all, Duration::from_secs(spec.at_most_s)).await {
        true => Ok(()),
        false => Err(ScenarioError::Late(format!("phase `{}` was not over after {} s", spec.name, spec.at_most_s))),
    }
}

/// Brings about what a phase asks for; what it does not name is as the scenario has it.
async fn change(
    scenario: &Scenario,
    spec: &PhaseSpec,
    stage: &mut Stage,
    sampler: &Sampler,
) -> Result<Option<f64>, ScenarioError> {
    let faults = spec.faults.as_ref().unwrap_or(&scenario.simulator.faults).clone();
    stage.simulator.set_faults(stage.refusing(faults, &spec.refuse));
    stage.simulator.set_limits(spec.limits.as_ref().unwrap_or(&scenario.simulator.limits).clone());
    for sink in &scenario.sinks {
        let behaviour = spec.sinks.get(&sink.name).unwrap_or(&sink.behaviour);
        stage.sinks.get(&sink.name).into_iter().for_each(|it| it.set_behaviour(behaviour.clone()));
    }
    let ready_s = match spec.restart {
        Some(how) => Some(start_again(stage, sampler, how).await?),
        None => None,
    };
    for (tenants, verb) in [(&spec.suspend, "suspend"), (&spec.resume, "resume")] {
        for member in tenants.iter().flat_map(|name| stage.copies(name)) {
            tell_sessions(stage, member, verb).await?;
        }
    }
    Ok(ready_s)
}

async fn start_again(stage: &mut Stage, sampler: &Sampler, how: Restart) -> Result<f64, ScenarioError> {
    sampler.turn_to(None);
    stage.target.gone(how == Restart::Kill).await?;
    let took = stage.target.again().await?;
    sampler.turn_to(Some(stage.target.pid()));
    Ok(took.as_secs_f64())
}

/// Suspends or resumes all sessions of a tenant; each is effective when it is answered.
async fn tell_sessions(stage: &Stage, member: &Member, verb: &str) -> Result<(), ScenarioError> {
    let address = Address::parse(&format!("http://{}", stage.target.addr))?;
    let mut connection = Connection::new(address, Duration::from_secs(30));
    let body = r#"{"reason":"a scenario says so"}"#;
    for session in &member.tenant.sessions {
        let request = Request::post(format!("/v1/sessions/{}/{verb}", session.name))
            .header(header::AUTHORIZATION, format!("Bearer {}", member.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(ClientError::from)?;
        let (status, said) = connection.send(request).await?;
        if status != StatusCode::OK {
            return Err(ClientError::Answer(status, String::from_utf8_lossy(&said).into_owned()).into());
        }
    }
    Ok(())
}
