//! Watching the house: what the hands say of themselves, what the disk has left, and the vault's high-water marks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::actors::hands::Hands;
use crate::config::Settings;
use crate::domain::record::Position;
use crate::runtime::Steps;
use crate::vault::OpenReport;

/// How often.
const EVERY: Duration = Duration::from_millis(250);

/// Watches until the node stops. `fatal` says why the process must exit: a journal that could not sync is read again
/// from the disk by the next process, never written to by this one.
pub async fn watch(hands: Hands, settings: Arc<Settings>, dir: PathBuf, fatal: watch::Sender<Option<String>>) {
    let mut turn = 0u32;
    let mut steps = Steps::new(hands.clock.as_ref());
    loop {
        let (_, set) = steps.look(hands.clock.as_ref());
        if set != 0 {
            let seconds = set as f64 / 1e6;
            tracing::warn!(seconds, "the wall clock was set; rates hold, scheduled times and expiry go by the clock");
        }
        if let Some(why) = hands.journal.failed() {
            hands.health.set("journal", Some(why.clone()));
            fatal.send_replace(Some(format!("the journal failed: {why}")));
        }
        if let Some(why) = hands.store.failed() {
            hands.health.set("store", Some(why.clone()));
            fatal.send_replace(Some(format!("the store failed: {why}")));
        }
        hands.health.set("vault", hands.vault.failed());
        hands.health.set("disk", disk(&settings, &dir));
        crate::telemetry::health(hands.health.is_well());
        crate::telemetry::in_flight(hands.registry.running() as f64);
        if turn.is_multiple_of(4) {
            raise_marks(&hands);
        }
        turn = turn.wrapping_add(1);
        tokio::time::sleep(EVERY).await;
    }
}

/// What the disk lacks, if it lacks something: intake stops before it is full.
fn disk(settings: &Settings, dir: &std::path::Path) -> Option<String> {
    let stat = match rustix::fs::statvfs(dir) {
        Ok(stat) => stat,
        Err(error) => return Some(format!("{} cannot be asked for its free space: {error}", dir.display())),
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    crate::telemetry::disk_free(free);
    let floor = settings.health.disk_free_min.bytes();
    if free < floor {
        return Some(format!("{free} bytes are free, `health.disk_free_min` asks for {floor}"));
    }
    let inodes = settings.health.inodes_free_min;
    // Some file systems have no fixed number of inodes and say 0 of 0.
    (stat.f_files > 0 && stat.f_favail < inodes)
        .then(|| format!("{} inodes are free, `health.inodes_free_min` asks for {inodes}", stat.f_favail))
}

/// The vault remembers how far each partition has got, so that a restored, older journal is noticed.
fn raise_marks(hands: &Hands) {
    let marks: Vec<(u16, Position)> = (0..hands.journal.genesis().count)
        .filter_map(|partition| Some((partition, Position(hands.journal.end(partition).0.checked_sub(1)?))))
        .collect();
    hands.vault.raise_marks(&marks);
}

/// Whether the vault's own files are of different times, which only a restored backup makes: it starts held.
pub fn put_together(report: &OpenReport) -> Option<String> {
    if report.missing_bytes > 0 {
        return Some(format!(
            "the vault's keys.wbv lacks {} bytes that it once had: an older copy was put back. Nothing is taken or sent, \
             because what was sealed since cannot be opened. Restore the newest vault",
            report.missing_bytes
        ));
    }
    report.marks_missing.then(|| {
        "the vault has no marks, which say how far the journal had got. Nothing is taken or sent, because the journal may \
         be a restored one and what was queued then may have been sent since. Make sure that it is the newest, then start \
         again: the marks are made anew"
            .to_owned()
    })
}

/// Whether the journal is older than what the vault has seen: a restored backup. It starts held: what was queued then may
/// have been sent since.
pub fn older_than_vault(hands: &Hands) -> Option<String> {
    let older = hands.vault.marks().into_iter().find(|(partition, mark)| hands.journal.end(*partition) <= *mark);
    older.map(|(partition, mark)| {
        format!(
            "the journal of partition {partition} ends at {} but the vault has seen {}: a backup was restored, or the \
             journal lost its end. Nothing is taken or sent, because what was queued then may have been sent since. \
             Restore the newest journal",
            hands.journal.end(partition).0,
            mark.0,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_of_different_times_is_held() {
        assert_eq!(put_together(&OpenReport::default()), None);
        let said = put_together(&OpenReport { missing_bytes: 120, ..OpenReport::default() }).expect("held");
        assert!(said.contains("lacks 120 bytes"), "{said}");
        assert!(put_together(&OpenReport { marks_missing: true, ..OpenReport::default() }).is_some());
    }
}
