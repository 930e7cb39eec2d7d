//! The Prometheus recorder: buckets, upkeep and the text of `/metrics`.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::names;

/// Seconds: 0.1 ms to 10 s, about three a decade, where answers and syncs lie.
const SECONDS: [f64; 16] =
    [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Records of one commit: up to the batch limit.
const RECORDS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What renders `/metrics`.
#[derive(Clone)]
pub struct Exporter(PrometheusHandle);

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exporter")
    }
}

impl Exporter {
    /// The text of `/metrics`. Takes a millisecond or so: call it off the async threads.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds samples into buckets until it is dropped. Without it histograms keep every sample.
    pub async fn upkeep(self) {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            self.0.run_upkeep();
        }
    }
}

/// Installs the process-wide recorder. Installed already (a second node in one process, in tests): its own registry is
/// returned, which then stays empty.
///
/// # Errors
/// When the buckets are refused.
pub fn install() -> Result<Exporter, BuildError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(names::JOURNAL_BATCH.to_owned()), &RECORDS)?
        .build_recorder();
    let exporter = Exporter(recorder.handle());
    if metrics::set_global_recorder(recorder).is_ok() {
        names::describe();
    }
    Ok(exporter)
}
