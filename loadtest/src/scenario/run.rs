//! One round, all rounds.

use super::check::Wrong;
use super::evidence::Evidence;
use super::file::{Across, Scenario, VerdictSpec};
use super::measure::{Seen, measure};
use super::result::{RoundResult, ScenarioResult};
use super::sample::Sampler;
use super::scale::Scale;
use super::stage::Stage;
use super::streams::Streams;
use super::timeline::go;
use super::verdict::{Values, Verdict};
use crate::client::{Address, ClientError, Connection};
use crate::generator::RunError;
use crate::house::{HouseError, Kind};
use crate::proc::{disk_bytes, look};
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a round could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The scenario makes no sense.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// The target.
    #[error(transparent)]
    House(#[from] HouseError),
    /// Simulator or sink did not start.
    #[error("{0}")]
    Street(String),
    /// A generator.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The target cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What happened is not known any more.
    #[error("evidence: {0}")]
    Evidence(String),
    /// It took too long.
    #[error("{0}")]
    Late(String),
}

/// How scenarios are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `waybill` program.
    pub waybill: PathBuf,
    /// This program, which is also the forwarders.
    pub loadtest: PathBuf,
    /// Measure this instead of what the scenario says.
    pub target: Option<Kind>,
    /// Where folders of targets are made, on a real disk.
    pub folder: PathBuf,
    /// How often.
    pub rounds: usize,
    /// How much shorter.
    pub scale: Scale,
}

/// Runs a scenario and judges it. A round that cannot be finished is part of the result, and then nothing holds.
///
/// # Errors
/// [`Wrong`] when the scenario makes no sense, at this scale and with this target.
pub async fn run(scenario: Scenario, options: &Options) -> Result<ScenarioResult, Wrong> {
    let mut scenario = options.scale.apply(scenario)?;
    scenario.target = options.target.unwrap_or(scenario.target);
    scenario.check()?;
    let (mut rounds, mut all, mut error) = (Vec::new(), Vec::new(), None);
    for _ in 0..options.rounds.max(1) {
        let limit = Duration::from_secs(scenario.limit_s);
        let late = || ScenarioError::Late(format!("the round was not over after {limit:?}"));
        match tokio::time::timeout(limit, Box::pin(round(&scenario, options))).await.unwrap_or_else(|_| Err(late())) {
            Ok((result, values)) => {
                rounds.push(result);
                all.push(values);
            }
            Err(why) => {
                error = Some(why.to_string());
                break;
            }
        }
    }
    let verdicts = judge(&scenario, &all, error.as_deref());
    Ok(ScenarioResult {
        target: format!("{:?}", scenario.target).to_lowercase(),
        full: options.scale.is_full(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        pass: error.is_none() && verdicts.iter().all(|verdict| verdict.pass),
        error,
        verdicts,
        rounds,
        scenario: scenario.name,
        about: scenario.about,
    })
}

/// Every condition, and before them the one of every scenario: that it was over in time.
fn judge(scenario: &Scenario, rounds: &[Values], error: Option<&str>) -> Vec<Verdict> {
    let in_time = VerdictSpec {
        name: "everything is over in time".to_owned(),
        value: "settled".to_owned(),
        minus: None,
        over: None,
        at_most: None,
        at_least: Some(1.0),
        across: Across::Worst,
    };
    let all = std::iter::once(&in_time).chain(&scenario.verdicts);
    let unfinished = |verdict: Verdict| match error {
        None => verdict,
        Some(_) => {
            Verdict { value: None, pass: false, why: Some("a round could not be finished".to_owned()), ..verdict }
        }
    };
    all.map(|spec| unfinished(Verdict::of(spec, rounds))).collect()
}

async fn round(scenario: &Scenario, options: &Options) -> Result<(RoundResult, Values), ScenarioError> {
    let mut stage = Stage::set(scenario, options).await?;
    let disk_before = disk(&stage.target.data).await;
    let before = look(stage.target.pid()).map_err(|why| why.to_string());
    let sampler = Sampler::start(stage.target.pid(), stage.target.data.clone(), &scenario.sample);
    let mut streams = Streams::new();
    let phases = go(scenario, &mut stage, &sampler, &mut streams).await?;
    let mut evidence = Evidence::new(streams.over().await?);
    let (settled, settle) = evidence.settle(scenario, &mut stage).await?;
    let samples = sampler.samples();
    let after = look(stage.target.pid()).map_err(|why| why.to_string());
    let disk_after = disk(&stage.target.data).await;
    let unknowns_left = unknowns(scenario, &stage).await;
    let seen = Seen {
        scenario,
        evidence: &evidence,
        phases: &phases,
        samples: &samples,
        simulator: stage.simulator.stats(),
        bad_signatures: stage.sinks.values().map(|sink| sink.stats().signatures_bad).sum(),
        sessions: stage.members.iter().map(|member| member.tenant.sessions.len()).sum(),
        ready_s: stage.ready_s,
        settled,
        settle_s: settle.as_secs_f64(),
        rss_ready_bytes: stage.rss_ready_bytes.clone(),
        before,
        after,
        disk_before,
        disk_after,
        unknowns_left,
    };
    let (values, examples) = measure(&seen);
    let result = RoundResult::new(&values, examples, samples.kept);
    // From here on it is only in the way. That it ends in order is a promise as well.
    drop(sampler);
    stage.target.gone(false).await?;
    Ok((result, values))
}

async fn disk(path: &Path) -> Result<u64, String> {
    let path = path.to_owned();
    let walked = tokio::task::spawn_blocking(move || disk_bytes(&path)).await;
    walked.map_err(|died| died.to_string())?.map_err(|why| why.to_string())
}

/// Pages of 200 that are asked for at most: 400,000 messages of a tenant.
const PAGES_MAX: usize = 2_000;

#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    next: String,
    more: bool,
}

/// Messages whose outcome the target itself calls unknown. Reading them all takes a while, so it is done where a verdict asks for it.
async fn unknowns(scenario: &Scenario, stage: &Stage) -> Result<u64, String> {
    let asks = |it: &VerdictSpec| {
        [Some(&it.value), it.minus.as_ref(), it.over.as_ref()].contains(&Some(&"unknowns.left".to_owned()))
    };
    if !scenario.verdicts.iter().any(asks) {
        return Err("no verdict asks for it".to_owned());
    }
    if scenario.target != Kind::Waybill {
        return Err("a forwarder does not know".to_owned());
    }
    let mut left = 0;
    for member in stage.members.iter().filter(|member| !member.tenant.test) {
        left += unknowns_of(&stage.target.addr.to_string(), &member.key).await?;
    }
    Ok(left)
}

async fn unknowns_of(target: &str, key: &str) -> Result<u64, String> {
    let address = Address::parse(&format!("http://{target}")).map_err(|why| why.to_string())?;
    let mut connection = Connection::new(address, Duration::from_secs(30));
    let (mut found, mut cursor) = (0, String::new());
    for _ in 0..PAGES_MAX {
        let page = page(&mut connection, key, &cursor).await.map_err(|why| why.to_string())?;
        found += page.data.len() as u64;
        if !page.more {
            return Ok(found);
        }
        cursor = format!("&cursor={}", page.next);
    }
    Err(format!("more than {PAGES_MAX} pages of messages"))
}

async fn page(connection: &mut Connection, key: &str, cursor: &str) -> Result<Page, ClientError> {
    let request = Request::get(format!("/v1/messages?state=unknown&limit=200{cursor}"))
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .body(Full::default())?;
    let (status, body) = connection.send(request).await?;
    let said = || ClientError::Answer(status, String::from_utf8_lossy(&body).into_owned());
    if status != StatusCode::OK {
        return Err(said());
    }
    serde_json::from_slice(&body).map_err(|_| said())
}
