//! Medians and ratios, for people and for programs.

use super::config::Legs;
use crate::generator::Report;
use crate::house::Kind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One measurement.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub legs: Legs,
    pub target: Kind,
    pub report: Report,
}

/// A target's medians with one choice of legs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which part of the way.
    pub legs: Legs,
    /// What was measured.
    pub target: Kind,
    /// Measurements.
    pub rounds: usize,
    /// Acknowledged per second.
    pub accepted_per_s: f64,
    /// Arrived at the counterpart per second.
    pub delivered_per_s: f64,
    /// Acknowledgement, milliseconds.
    pub accept_p50_ms: f64,
    /// The same, 99 of 100 were faster.
    pub accept_p99_ms: f64,
    /// From sending to arrival at the counterpart, milliseconds.
    pub arrival_p50_ms: f64,
    /// The same, 99 of 100 were faster.
    pub arrival_p99_ms: f64,
    /// CPU seconds for 10,000 messages.
    pub cpu_s_per_10k: f64,
    /// Peak memory, MiB.
    pub peak_rss_mib: f64,
    /// Messages lost, all rounds together.
    pub lost: u64,
    /// Messages duplicated, all rounds together.
    pub duplicated: u64,
    /// Rounds in which not everything arrived in time.
    pub late: usize,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// A row of each target with each choice of legs.
    pub rows: Vec<Row>,
}

/// The middle one; of two, the worse one is not known, so their mean.
fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    match (of.len(), of.len() / 2) {
        (0, _) => 0.0,
        (len, middle) if len % 2 == 1 => of[middle],
        (_, middle) => f64::midpoint(of[middle - 1], of[middle]),
    }
}

impl Row {
    fn of(legs: Legs, target: Kind, reports: &[&Report]) -> Self {
        let middle = |number: fn(&Report) -> f64| median(reports.iter().map(|report| number(report)).collect());
        let sum = |number: fn(&crate::ledger::Ledger) -> u64| {
            reports.iter().filter_map(|report| report.ledger.as_ref()).map(number).sum()
        };
        Self {
            legs,
            target,
            rounds: reports.len(),
            accepted_per_s: middle(|report| report.accepted_per_s),
            delivered_per_s: middle(|report| report.delivered_per_s),
            accept_p50_ms: middle(|report| report.accept_ms.p50),
            accept_p99_ms: middle(|report| report.accept_ms.p99),
            arrival_p50_ms: middle(|report| report.arrival_ms.p50),
            arrival_p99_ms: middle(|report| report.arrival_ms.p99),
            cpu_s_per_10k: middle(|report| report.cpu_s_per_10k.unwrap_or_default()),
            peak_rss_mib: middle(|report| report.peak_rss_mib.unwrap_or_default()),
            lost: sum(|ledger| ledger.lost),
            duplicated: sum(|ledger| ledger.duplicated),
            late: reports.iter().filter(|report| !report.settled).count(),
        }
    }
}

impl Comparison {
    pub(super) fn of(measured: &[Measured]) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        for one in measured {
            if rows.iter().any(|row| (row.legs, row.target) == (one.legs, one.target)) {
                continue;
            }
            let same = measured.iter().filter(|other| (other.legs, other.target) == (one.legs, one.target));
            let reports: Vec<&Report> = same.map(|other| &other.report).collect();
            rows.push(Row::of(one.legs, one.target, &reports));
        }
        rows.sort_by_key(|row| row.legs != Legs::Send);
        Self { rows }
    }

    /// Whether every target kept what it promised.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.lost == 0 && row.duplicated == 0 && row.late == 0)
    }

    /// The synced forwarder with the same legs.
    fn base(&self, legs: Legs) -> Option<&Row> {
        self.rows.iter().find(|row| row.legs == legs && row.target == Kind::Synced)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut legs = None;
        for row in &self.rows {
            if legs != Some(row.legs) {
                legs = Some(row.legs);
                let what = match row.legs {
                    Legs::Send => "accepted and sent",
                    Legs::All => "accepted, sent, called back twice, notified twice",
                };
                writeln!(f, "\n{what} (medians of {}; in brackets: ratio to the synced forwarder)", row.rounds)?;
                writeln!(
                    f,
                    "{:<8} {:>15} {:>15} {:>12} {:>16} {:>18} {:>16} {:>9} {:>5} {:>8}",
                    "",
                    "accepted/s",
                    "delivered/s",
                    "accept p50",
                    "accept p99 ms",
                    "arrival p50/p99",
                    "CPU s / 10k",
                    "peak MiB",
                    "lost",
                    "doubled"
                )?;
            }
            line(f, row, self.base(row.legs))?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, row: &Row, base: Option<&Row>) -> fmt::Result {
    let beside = |number: fn(&Row) -> f64, digits: usize| match base.map(number) {
        Some(of) if of > 0.0 => format!("{:.digits$} ({:.2})", number(row), number(row) / of),
        _ => format!("{:.digits$}", number(row)),
    };
    let name = match row.target {
        Kind::Plain => "plain",
        Kind::Synced => "synced",
        Kind::Waybill => "waybill",
    };
    let late = if row.late > 0 { format!("  {} not over in time", row.late) } else { String::new() };
    writeln!(
        f,
        "{name:<8} {:>15} {:>15} {:>12.1} {:>16} {:>18} {:>16} {:>9.0} {:>5} {:>8}{late}",
        beside(|row| row.accepted_per_s, 0),
        beside(|row| row.delivered_per_s, 0),
        row.accept_p50_ms,
        beside(|row| row.accept_p99_ms, 1),
        format!("{:.0} / {:.0}", row.arrival_p50_ms, row.arrival_p99_ms),
        beside(|row| row.cpu_s_per_10k, 2),
        row.peak_rss_mib,
        row.lost,
        row.duplicated,
    )
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Measured, median};
    use crate::compare::{Kind, Legs};
    use crate::generator::Report;

    fn measured(target: Kind, delivered_per_s: f64, settled: bool) -> Measured {
        Measured { legs: Legs::Send, target, report: Report { delivered_per_s, settled, ..Report::default() } }
    }

    #[test]
    fn the_middle_of_rounds_counts() {
        assert!((median(vec![3.0, 1.0, 9.0]) - 3.0).abs() < 1e-9);
        assert!((median(vec![1.0, 3.0]) - 2.0).abs() < 1e-9);
        assert!(median(Vec::new()).abs() < 1e-9);
    }

    #[test]
    fn a_ratio_stands_beside_the_number_and_lateness_is_said() {
        let rounds = [
            measured(Kind::Synced, 1000.0, true),
            measured(Kind::Waybill, 700.0, true),
            measured(Kind::Waybill, 800.0, false),
            measured(Kind::Waybill, 750.0, true),
        ];
        let comparison = Comparison::of(&rounds);
        let text = comparison.to_string();
        assert!(text.contains("750 (0.75)"), "{text}");
        assert!(text.contains("1 not over in time"), "{text}");
        assert!(!comparison.is_clean());
    }
}
