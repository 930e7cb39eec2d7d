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
        super::words::touch();
    }
    Ok(exporter)
}

/// Metrics of this thread alone, for a test that asks what is counted.
#[cfg(test)]
pub struct Watched {
    handle: PrometheusHandle,
    _guard: metrics::LocalRecorderGuard<'static>,
}

#[cfg(test)]
impl Watched {
    /// From here on, until it is dropped. The recorder outlives the test.
    pub fn begin() -> Self {
        let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let handle = recorder.handle();
        Self { handle, _guard: metrics::set_default_local_recorder(recorder) }
    }

    /// Panics unless the text has this line.
    #[track_caller]
    pub fn has(&self, line: &str) {
        let text = self.handle.render();
        assert!(text.lines().any(|one| one == line), "no {line} in {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notification::NotificationKind;

    /// The text of the metrics after this, from a recorder of its own.
    fn rendered(act: impl FnOnce()) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            names::describe();
            super::super::words::touch();
            super::super::touch_codes(["overloaded"].into_iter());
            act();
        });
        handle.render()
    }

    #[test]
    fn counters_are_there_before_their_first_event_and_say_what_they_are() {
        let text = rendered(|| {});
        for series in [
            r#"waybill_outcomes_total{outcome="delivered",class=""} 0"#,
            r#"waybill_outcomes_total{outcome="failed",class="recipient"} 0"#,
            r#"waybill_requests_refused_total{code="overloaded"} 0"#,
            r#"waybill_dropin_refused_total{code="131009"} 0"#,
            r#"waybill_callbacks_total{outcome="unauthorized"} 0"#,
            r#"waybill_callback_events_total{kind="carried"} 0"#,
        ] {
            assert!(text.contains(series), "no {series} in {text}");
        }
        let helped = text.lines().filter(|line| line.starts_with("# HELP")).count();
        assert_eq!(helped, text.lines().filter(|line| line.starts_with("# TYPE")).count(), "{text}");
    }

    #[test]
    fn what_is_counted_adds_no_series_of_its_own_making() {
        let names = |text: &str| -> Vec<String> {
            let series = text.lines().filter(|line| line.contains("_total"));
            series.filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name.to_owned()).collect()
        };
        let mut before = names(&rendered(|| {}));
        let after = rendered(|| {
            super::super::became(NotificationKind::Failed, "recipient");
            super::super::became(NotificationKind::Failed, "+12025550123");
            super::super::became(NotificationKind::Received, "a word of Meta's");
            super::super::dropin_refused(131_009);
            super::super::callback_answered(200);
            super::super::callback_answered(503);
            super::super::callback_written([54, 57, 9_999].into_iter());
        });
        assert!(after.contains(r#"waybill_outcomes_total{outcome="failed",class="recipient"} 1"#), "{after}");
        assert!(after.contains(r#"waybill_callbacks_total{outcome="refused"} 1"#), "{after}");
        before.push(r#"waybill_outcomes_total{outcome="failed",class="other"}"#.to_owned());
        let mut after = names(&after);
        before.sort();
        after.sort();
        assert_eq!(after, before);
    }

    #[test]
    fn a_survey_is_shown_whole() {
        let mut found = super::super::Survey { set_aside: 3, sessions: [1, 2, 4], ..super::super::Survey::default() };
        found.held[super::super::held("auth")] = 2;
        found.held[super::super::held("a word of a later version")] = 1;
        let text = rendered(|| super::super::surveyed(&found));
        for line in [
            r#"waybill_unsettled_messages{state="held"} 0"#,
            r#"waybill_sessions{standing="suspended"} 4"#,
            r#"waybill_sessions_held{class="auth"} 2"#,
            r#"waybill_sessions_held{class="other"} 1"#,
            r#"waybill_sessions_held{class="paced"} 0"#,
            "waybill_quarantined_events 3",
            "waybill_endpoint_lag_seconds 0",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
    }
}
