//! Watching the house: what the hands say of themselves, what the disk has left, and the vault's high-water marks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::forgotten::forget_again;
use crate::actors::hands::Hands;
use crate::config::Settings;
use crate::domain::record::Position;
use crate::runtime::Steps;
use crate::store::StoreError;
use crate::vault::OpenReport;

/// How often.
const EVERY: Duration = Duration::from_millis(250);

/// Watches until the node stops. `fatal` says why the process must exit: a journal that could not sync is read again
/// from the disk by the next process, never written to by this one.
pub async fn watch(hands: Hands, settings: Arc<Settings>, dir: PathBuf, fatal: watch::Sender<Option<String>>) {
    let mut turn = 0u32;
    let marks = hands.vault.marks();
    let (mut looking, mut looked) =
        (std::pin::pin!(forget_again(hands.journal.as_ref(), hands.vault.as_ref(), marks)), false);
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
        let store = hands.store.failed();
        if let Some(why) = &store {
            fatal.send_replace(Some(format!("the store failed: {why}")));
        }
        hands.health.set("store", store.or_else(|| hands.store.held()));
        hands.health.set("vault", hands.vault.failed());
        hands.health.set("disk", disk(&settings, &dir));
        hands.health.press("memory", memory(&settings));
        crate::telemetry::health(hands.health.is_well());
        crate::telemetry::in_flight(hands.registry.running() as f64);
        crate::telemetry::owned(hands.registry.owned() as f64);
        if turn.is_multiple_of(4) && looked {
            raise_marks(&hands);
        }
        turn = turn.wrapping_add(1);
        tokio::select! {
            () = &mut looking, if !looked => looked = true,
            () = tokio::time::sleep(EVERY) => {}
        }
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

/// What is in use, if it is more than may be. Where the system does not say, nothing is known and nothing is stopped.
fn memory(settings: &Settings) -> Option<String> {
    let most = settings.health.memory_max.bytes();
    let used =
        (most > 0).then(|| std::fs::read_to_string("/proc/self/statm").ok()).flatten().and_then(|it| resident(&it))?;
    (used > most).then(|| format!("{used} bytes are in use, `health.memory_max` asks for at most {most}"))
}

/// The second number of `/proc/self/statm`: resident pages.
fn resident(statm: &str) -> Option<u64> {
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
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
pub async fn older_than_vault(hands: &Hands) -> Option<String> {
    for (partition, mark) in hands.vault.marks() {
        let Some(end) = ends_at(hands, partition, mark).await else { continue };
        return Some(format!(
            "the journal of partition {partition} ends at {} but the vault has seen {}: a backup was restored, or the \
             journal lost its end. Nothing is taken or sent, because what was queued then may have been sent since. \
             Restore the newest journal",
            end.0, mark.0,
        ));
    }
    None
}

/// Where the journal of a partition ends, if that is not beyond what others have seen of it.
async fn ends_at(hands: &Hands, partition: u16, seen: Position) -> Option<Position> {
    if hands.journal.end(partition) > seen {
        return None;
    }
    // Others may have appended more since the journal was opened here.
    match hands.journal.fresh_end(partition).await {
        Ok(end) => Some(end).filter(|end| *end <= seen),
        Err(error) => {
            tracing::warn!(partition, %error, "nobody says how far the journal goes; what was seen of it is believed");
            None
        }
    }
}

/// Whether the journal is older than the rows of this node: it lost its end since they were written. What is appended now
/// would stand where they believe to have been, and never be read.
///
/// # Errors
/// When the store cannot be read.
pub async fn older_than_rows(hands: &Hands) -> Result<Option<String>, StoreError> {
    for partition in 0..hands.journal.genesis().count {
        let Some(applied) = hands.store.applied(partition).await? else { continue };
        let Some(end) = ends_at(hands, partition, applied).await else { continue };
        return Ok(Some(format!(
            "the journal of partition {partition} ends at {} but the rows have seen {}: the journal lost its end, or belongs \
             to another time than the store. Nothing is taken or sent, because it would be passed over. Restore the newest \
             journal; or, if what it lost is lost for good, stop, remove the store (it is rebuilt), and start again",
            end.0, applied.0,
        )));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_asked_for_only_where_there_is_a_limit() {
        let mut settings = Settings::defaults();
        assert_eq!(memory(&settings), None);
        settings.health.memory_max = crate::config::Size::mib(1);
        let said = memory(&settings).expect("a test needs more");
        assert!(said.contains("`health.memory_max`"), "{said}");
        settings.health.memory_max = crate::config::Size::gib(1024);
        assert_eq!(memory(&settings), None);
        assert_eq!(resident("100 3 2 1 0 9 0"), Some(3 * rustix::param::page_size() as u64));
        assert_eq!(resident("none"), None);
    }

    #[test]
    fn a_vault_of_different_times_is_held() {
        assert_eq!(put_together(&OpenReport::default()), None);
        let said = put_together(&OpenReport { missing_bytes: 120, ..OpenReport::default() }).expect("held");
        assert!(said.contains("lacks 120 bytes"), "{said}");
        assert!(put_together(&OpenReport { marks_missing: true, ..OpenReport::default() }).is_some());
    }
}
