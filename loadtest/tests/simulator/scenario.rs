//! Whole scenarios against a forwarder: what holds, what does not, and what cannot be measured.

use std::path::PathBuf;
use waybill_loadtest::scenario::{Options, Scale, Scenario, ScenarioResult, run};

/// A calm second and a disturbed one. The forwarder retries nothing, so what the disturbance swallows is lost.
fn scenario(disturbed: &str, verdicts: &str) -> Scenario {
    let text = format!(
        r#"
name = "small"
about = "the runner itself"
target = "synced"
settle_s = 3
limit_s = 60

[sample]
every_ms = 20
disk_every_ms = 50
keep = 20

[simulator]
limits = {{ number_per_second = 0.0, pair_seconds = 0.0 }}
callback = {{ sent_ms = 1, delivered_ms = 5, read_share = 0.0 }}

[[sink]]
name = "customer"

[[tenant]]
name = "shop"
copies = 2
sessions = 2
sink = "customer"

[[phase]]
name = "calm"
seconds = 1

[[phase]]
name = "disturbed"
seconds = 1
{disturbed}

[[phase]]
name = "quiet"
until = ["rest"]
at_most_s = 20

[[stream]]
name = "steady"
tenant = "shop"
through = "disturbed"
rate = 100
callers = 16
people = 20

[[stream]]
name = "rest"
tenant = "shop"
from = "quiet"
count = 600
callers = 8
people = 50
over = "notified"

[[verdict]]
name = "lost"
value = "lost"
at_most = 0

{verdicts}"#
    );
    Scenario::parse(&text).unwrap_or_else(|why| panic!("{why}"))
}

fn verdict(name: &str, rest: &str) -> String {
    format!("[[verdict]]\nname = \"{name}\"\n{rest}\n")
}

async fn go(scenario: Scenario) -> ScenarioResult {
    let options = Options {
        waybill: PathBuf::from("no such program"),
        loadtest: PathBuf::from(env!("CARGO_BIN_EXE_loadtest")),
        target: None,
        folder: std::env::temp_dir(),
        rounds: 1,
        scale: Scale::default(),
    };
    run(scenario, &options).await.expect("a scenario that makes sense")
}

fn failing(result: &ScenarioResult) -> Vec<&str> {
    result.verdicts.iter().filter(|verdict| !verdict.pass).map(|verdict| verdict.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_holds_is_green_and_every_quantity_is_there() {
    let verdicts = [
        verdict("doubled", "value = \"doubled\"\nat_most = 0"),
        verdict("inversions", "value = \"inversions\"\nat_least = 0"),
        verdict("all", "value = \"accepted\"\nat_least = 1600\nat_most = 1600"),
        verdict("rate", "value = \"steady.calm.accepted_per_s\"\nat_least = 150\nat_most = 210"),
        verdict(
            "ratio",
            "value = \"steady.disturbed.accept_p99_ms\"\nover = \"steady.calm.accept_p99_ms\"\nat_least = 0.0",
        ),
        verdict("memory", "value = \"rss.peak_bytes\"\nminus = \"rss.start_bytes\"\nat_least = 0\nat_most = 1e9"),
        verdict("disk", "value = \"disk.bytes_per_message\"\nat_least = 600\nat_most = 4000"),
        verdict("told", "value = \"rest.notified_p99_ms\"\nat_least = 0"),
        verdict("signatures", "value = \"notices.bad_signatures\"\nat_most = 0"),
    ];
    let scenario = scenario("", &verdicts.concat());
    let quantities = scenario.quantities();
    let result = go(scenario).await;
    assert!(result.pass && failing(&result).is_empty(), "{result}");
    let round = &result.rounds[0];
    for name in quantities {
        let there = round.values.contains_key(&name) || round.unmeasured.contains_key(&name);
        assert!(there, "`{name}` is neither measured nor is it said why not");
    }
    assert_eq!(round.values.len() + round.unmeasured.len(), scenario_quantities());
    assert!(round.samples.len() > 5 && round.samples.len() <= 20, "{} samples", round.samples.len());
    assert!(round.samples.iter().any(|sample| sample.disk_bytes.is_some_and(|bytes| bytes > 0)));
    assert!(round.unmeasured["unknowns.left"].contains("no verdict asks"), "{:?}", round.unmeasured);
    let line = serde_json::to_string(&result.clone().without_samples()).expect("one line for programs");
    assert!(!line.contains('\n') && line.contains("\"pass\":true") && !line.contains("samples"), "{line}");
}

/// Nothing is computed that no verdict could speak of.
fn scenario_quantities() -> usize {
    scenario("", "").quantities().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_is_red_and_so_is_what_nobody_can_know() {
    let swallowed = "faults = { seed = 1, random = [{ share = 0.5, fault = { kind = \"http\", status = 503 } }] }";
    let verdicts = [
        verdict("unknowns", "value = \"unknowns.left\"\nat_most = 1e9"),
        verdict("restart", "value = \"calm.ready_s\"\nat_most = 1e9"),
        verdict("percentile", "value = \"steady.disturbed.arrival_p99_ms\"\nat_most = 1e9"),
        verdict("zero", "value = \"accepted\"\nover = \"doubled\"\nat_most = 1e9"),
        verdict("fine", "value = \"steady.calm.arrival_p99_ms\"\nat_most = 1e9"),
    ];
    let result = go(scenario(swallowed, &verdicts.concat())).await;
    assert!(!result.pass, "{result}");
    assert_eq!(failing(&result), ["everything is over in time", "lost", "unknowns", "restart", "percentile", "zero"]);
    let lost = result.rounds[0].values["lost"];
    assert!((60.0..140.0).contains(&lost), "half of 200: {lost}");
    assert!((result.rounds[0].values["steady.lost"] - lost).abs() < 0.5, "the other stream lost nothing");
    assert_eq!(result.rounds[0].examples["lost"].len(), 10);
    let text = result.to_string();
    assert!(text.contains("a forwarder does not know") && text.contains("never came"), "{text}");
}

/// A target that takes nothing loses nothing and doubles nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_nothing_keeps_no_promise() {
    let verdicts = [
        verdict("doubled", "value = \"doubled\"\nat_most = 0"),
        verdict("refused", "value = \"steady.refused\"\nat_most = 0"),
        verdict("unexplained", "value = \"steady.unexplained\"\nat_most = 0"),
    ];
    let mut scenario = scenario("", &verdicts.concat());
    // The forwarder wants a sender and a text: each call is refused.
    scenario.streams.iter_mut().for_each(|stream| stream.body = Some("{}".to_owned()));
    let result = go(scenario).await;
    assert_eq!(failing(&result), ["lost", "doubled", "refused", "unexplained"], "{result}");
    assert!(result.rounds[0].unmeasured["lost"].contains("nothing of `steady` was accepted"), "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_refusals_count_by_phase() {
    let wall = "limits = { number_per_second = 10.0 }\nrefuse = [{ tenant = \"shop\", sessions = 1, code = 131056 }]";
    let verdicts = [
        verdict("walls", "value = \"limits.exceeded_after_answer\"\nat_most = 0"),
        verdict("calm", "value = \"calm.refused\"\nat_most = 0"),
        verdict("refused", "value = \"disturbed.refused_per_number_s\"\nat_most = 1"),
    ];
    let result = go(scenario(wall, &verdicts.concat())).await;
    assert_eq!(failing(&result), ["everything is over in time", "lost", "walls", "refused"]);
    assert!(
        result.rounds[0].values["rest.lost"] < 0.5,
        "a phase without limits of its own has the scenario's: {result}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_that_cannot_be_finished_holds_nothing() {
    let mut scenario = scenario("", "");
    scenario.target = waybill_loadtest::compare::Kind::Waybill;
    let result = go(scenario).await;
    assert!(!result.pass && result.rounds.is_empty(), "{result}");
    assert_eq!(failing(&result).len(), result.verdicts.len(), "nothing holds");
    assert!(result.error.as_deref().is_some_and(|why| why.contains("no such program does not start")), "{result}");
}
