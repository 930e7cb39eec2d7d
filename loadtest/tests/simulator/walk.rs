//! The whole street at once: generator, forwarder, simulator, sink, ledger.

use waybill_loadtest::forwarder::{Forwarder, ForwarderConfig, Synced, Webhook};
use waybill_loadtest::generator::{Pace, Report, RunConfig, Until, run};
use waybill_loadtest::graph::{CallbackConfig, Fault, Faults, RandomFault, Simulator, SimulatorConfig};
use waybill_loadtest::ledger::join_files;
use waybill_loadtest::sink::{Sink, SinkConfig};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Street {
    sim: Simulator,
    sink: Sink,
    forwarder: Forwarder,
}

impl Street {
    async fn open(synced: Option<Synced>, faults: Faults) -> Self {
        let callback = CallbackConfig { sent_ms: 1, delivered_ms: 5, read_ms: 5, ..CallbackConfig::default() };
        let app_secret = callback.app_secret.clone();
        let config = SimulatorConfig { callback, faults, ..SimulatorConfig::unlimited() };
        let sim = Simulator::start(config).await.expect("simulator");
        let sink = SinkConfig { secrets: vec![SECRET.into()], ..SinkConfig::default() };
        let sink = Sink::start(sink).await.expect("sink");
        let config = ForwarderConfig {
            graph: format!("{}/v25.0", sim.base_url()),
            synced,
            app_secret: Some(app_secret),
            webhook: Some(Webhook { url: sink.url(), secret: SECRET.into() }),
            ..ForwarderConfig::default()
        };
        let forwarder = Forwarder::start(config).await.expect("forwarder");
        let callbacks = format!("http://{}/callback", forwarder.addr());
        sim.set_callback(Some(&callbacks), None).expect("callback");
        Self { sim, sink, forwarder }
    }

    fn load(&self, pace: Pace) -> RunConfig {
        RunConfig {
            target: format!("http://{}", self.forwarder.addr()),
            api_key: "key".into(),
            pace,
            recipients: 20,
            simulator: Some(self.sim.base_url()),
            sink: Some(format!("http://{}", self.sink.addr())),
            until: Until::Notified,
            settle_s: 20,
            pid: Some(std::process::id()),
            ..RunConfig::default()
        }
    }
}

fn scratch(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("loadtest-walk-{}-{name}", std::process::id()));
    // Left over from an earlier process of the same number, if it is there at all.
    drop(std::fs::remove_file(&path));
    path
}

fn is_whole(report: &Report, count: u64) {
    let ledger = report.ledger.as_ref().expect("ledger");
    assert!(report.settled, "{report}");
    assert_eq!((report.accepted, report.arrived, report.answers["202"]), (count, count, count), "{report}");
    assert_eq!((ledger.sent, ledger.delivered, ledger.notified), (count, count, count), "{report}");
    assert!(ledger.is_clean(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synced_forwarder_forwards_everything() {
    let (file, acks) = (scratch("wal"), scratch("acks"));
    let street = Street::open(Some(Synced { path: file.clone(), ..Synced::default() }), Faults::default()).await;
    let load = RunConfig { acks: Some(acks.clone()), ..street.load(Pace::Closed { concurrency: 8, count: 200 }) };
    let report = run(load).await.expect("run");
    is_whole(&report, 200);
    assert!(report.cpu_s_per_10k.is_some_and(|cpu| cpu > 0.0) && report.accept_ms.p50 > 0.0);
    let stats = street.forwarder.stats();
    assert_eq!((stats.accepted, stats.forwarded, stats.failed), (200, 200, 0));
    assert_eq!(street.sink.stats().signatures_bad, 0);
    let synced = std::fs::metadata(&file).expect("file").len();
    assert!(synced > 200 * 600, "200 bodies of 600 bytes, and callbacks: {synced}");
    let requests = scratch("requests");
    let mut writer = waybill_loadtest::lines::LineWriter::open(&requests).expect("open");
    street.sim.requests(0, 1000).iter().for_each(|request| writer.push(request).expect("push"));
    writer.flush().expect("flush");
    let joined = join_files(&acks, &requests, None, &std::collections::HashSet::new()).expect("join");
    assert_eq!((joined.accepted, joined.sent, joined.lost), (200, 200, 0));
    [file, acks, requests].iter().for_each(|path| std::fs::remove_file(path).expect("remove"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_forwarder_keeps_up_with_an_open_loop() {
    let street = Street::open(None, Faults::default()).await;
    let report = run(street.load(Pace::Open { rate: 500.0, count: 150, in_flight: 32 })).await.expect("run");
    is_whole(&report, 150);
    assert!((0.29..10.0).contains(&report.load_s), "150 at 500/s are 0.3 s: {}", report.load_s);
}

/// The forwarder has no retries, so what a fault swallowed is lost, and the ledger must say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_finds_what_a_forwarder_loses() {
    let fault = Fault::Http { status: 503, body: Default::default(), accepted: false };
    let random = vec![RandomFault { share: 0.3, phone_number_id: None, fault }];
    let street = Street::open(None, Faults { seed: 1, random, ..Faults::default() }).await;
    let load =
        RunConfig { until: Until::CalledBack, settle_s: 1, ..street.load(Pace::Closed { concurrency: 4, count: 100 }) };
    let report = run(load).await.expect("run");
    let ledger = report.ledger.as_ref().expect("ledger");
    assert!(!report.settled && !ledger.is_clean());
    assert_eq!((ledger.accepted, ledger.lost), (100, street.sim.stats().faults["http"]));
    assert!(ledger.lost > 10 && ledger.sent + ledger.lost == 100, "{report}");
}

#[tokio::test]
async fn a_run_that_makes_no_sense_is_refused() {
    let retries = RunConfig { retry_s: 5, ..RunConfig::default() };
    assert!(run(retries).await.is_err_and(|e| e.to_string().contains("idempotency")));
    let waiting = RunConfig { until: Until::Arrived, ..RunConfig::default() };
    assert!(run(waiting).await.is_err_and(|e| e.to_string().contains("simulator")));
}
