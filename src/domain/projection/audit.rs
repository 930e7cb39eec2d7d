//! Events as leaves of the trees, and what events in the audit's mailbox change.

use super::super::address::AddressKind;
use super::super::audit::entry::{self, Entry, Head};
use super::super::audit::{hash, leaf};
use super::super::event::{CheckpointPublishedV1, CheckpointSignedV1, Event, HeadsLostV1, HeadsReportedV1, LogBegunV1};
use super::super::id::{EventId, derive};
use super::super::notification::NotificationKind;
use super::super::record::{Micros, Position, Record};
use super::super::row::{InstanceRow, ReportedRow, RowId, Rows, SealedRow, SignedRow, TreeId};
use super::{Append, Applied, At, FeedRow, Note};

/// What the audit's actor hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditNote {
    /// A partition said how far its trees are; the oldest event that is new in it happened then.
    Grew {
        /// By its writer's clock.
        since: Micros,
    },
    /// The log is to be signed as it was then.
    Sealed(SealedRow),
    /// It was signed.
    Signed {
        /// With so many entries.
        size: u64,
    },
    /// Another log begins.
    Begun {
        /// Which.
        era: u32,
    },
}

/// Whether an event is something to be sealed: all are leaves, but those of the sealing itself wait for the next of others.
#[must_use]
pub fn stirs(record: &Record) -> bool {
    record.header.address.kind != AddressKind::Audit
}

/// The tree that a record is a leaf of.
#[must_use]
pub fn tree_of(record: &Record, partition: u16) -> TreeId {
    TreeId { partition, tenant: leaf::owner(record) }
}

/// Appends a record to its tree, whatever else came of it: also what could not be applied stands in the journal. The tree's
/// row is loaded.
pub fn grow(record: &Record, partition: u16, at: Position, rows: &mut Rows) {
    let tree = rows.tree_mut(tree_of(record, partition));
    let leaf = leaf::Leaf::of(record, partition, tree.range.size());
    tree.grow(&leaf, at, stirs(record));
}

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::HeadsReported(facts) => wanted.extend([RowId::Instance(()), RowId::Reported(facts.partition)]),
        Event::HeadsLost(facts) => wanted.extend([RowId::Instance(()), RowId::Reported(facts.partition)]),
        Event::CheckpointSealed(_)
        | Event::CheckpointSigned(_)
        | Event::CheckpointPublished(_)
        | Event::LogBegun(_) => {
            wanted.push(RowId::Instance(()));
        }
        _ => {}
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    let mut row = rows.instance(()).cloned().unwrap_or_default();
    if row.through.is_some_and(|through| at.position <= through) {
        return;
    }
    let changed = match event {
        Event::HeadsReported(facts) => take(facts, &mut row, rows, out),
        Event::CheckpointSealed(facts) => facts.era == row.era && seal(at, &mut row, out),
        Event::CheckpointSigned(facts) => signed(at, facts, &mut row, out),
        Event::CheckpointPublished(facts) => {
            publish(at, facts, out);
            row.published = row.published.max(Some(at.header.at));
            true
        }
        Event::HeadsLost(facts) => lose(facts, row.era, rows),
        Event::LogBegun(facts) => begins(facts, row.era) && begin(facts.era, &mut row, out),
        _ => false,
    };
    if changed {
        row.through = Some(at.position);
        rows.put_instance((), row);
    }
}

/// The entry of the instance's log that a report is, if it is one.
#[must_use]
pub fn entry_of(facts: &HeadsReportedV1) -> Option<Entry> {
    let good = (1..=entry::MAX_HEADS).contains(&facts.heads.len());
    let head = |head: &super::super::event::HeadV1| Head {
        tag: entry::tag(head.tenant, facts.partition),
        size: head.size,
        root: head.root,
    };
    good.then(|| Entry { partition: facts.partition, heads: facts.heads.iter().map(head).collect() })
}

/// What is said last of a partition in the log of this era once this was, if it counts after `last`.
#[must_use]
pub fn follows(facts: &HeadsReportedV1, era: u32, last: Option<&ReportedRow>) -> Option<ReportedRow> {
    let (through, part) = (facts.through, facts.part);
    let last = last.filter(|last| last.era == era);
    if facts.era != era || last.is_some_and(|last| last.lost || (through, part) <= (last.through, last.part)) {
        return None;
    }
    let whole = if facts.whole { Some(through) } else { last.and_then(|last| last.whole) };
    Some(ReportedRow { era, through, part, whole, lost: false })
}

/// Whether this begins another log after that of this era. Those between may have been published by a journal that was lost.
#[must_use]
pub fn begins(facts: &LogBegunV1, era: u32) -> bool {
    facts.era > era
}

/// What was reported of the partition is ahead of it.
fn lose(facts: &HeadsLostV1, era: u32, rows: &mut Rows) -> bool {
    let last = rows.reported(facts.partition).copied();
    let Some(last) = last.filter(|last| last.era == era && last.through == facts.through && !last.lost) else {
        return false;
    };
    rows.put_reported(facts.partition, ReportedRow { lost: true, ..last });
    true
}

fn take(facts: &HeadsReportedV1, row: &mut InstanceRow, rows: &mut Rows, out: &mut Applied) -> bool {
    let (Some(entry), Some(last)) = (entry_of(facts), follows(facts, row.era, rows.reported(facts.partition))) else {
        return false;
    };
    rows.put_reported(facts.partition, last);
    row.range.push_with(hash::leaf(&entry.bytes()), |level, place, root| {
        if level.is_multiple_of(8) {
            out.appends.push(Append::AuditHash { level: level / 8, place, hash: *root });
        }
    });
    out.notes.push(Note::Audit(AuditNote::Grew { since: facts.since }));
    true
}

fn seal(at: At<'_>, row: &mut InstanceRow, out: &mut Applied) -> bool {
    let (size, root) = (row.range.size(), row.range.root());
    let is_signed = row.signed.as_ref().is_some_and(|signed| signed.size == size);
    if size == 0 || is_signed {
        // Whoever waits for it waits no longer.
        out.notes.push(Note::Audit(AuditNote::Signed { size }));
        return false;
    }
    let sealed = SealedRow { size, root, position: at.position };
    row.sealed = Some(sealed);
    out.notes.push(Note::Audit(AuditNote::Sealed(sealed)));
    true
}

fn signed(at: At<'_>, facts: &CheckpointSignedV1, row: &mut InstanceRow, out: &mut Applied) -> bool {
    let Some(sealed) = row.sealed.filter(|sealed| (sealed.size, sealed.root) == (facts.size, facts.root)) else {
        return false;
    };
    // One log has one key: of two nodes that each drew one, who signs first has drawn it.
    if row.signed.as_ref().is_some_and(|signed| signed.key != facts.key) {
        return false;
    }
    let (origin, signature) = (facts.origin.clone(), facts.signature.to_vec());
    let (size, root, key) = (facts.size, facts.root, facts.key);
    let (at, position, sealed_at) = (at.header.at, at.position, sealed.position);
    row.signed = Some(SignedRow { origin, size, root, key, signature, at, position, sealed_at });
    out.notes.push(Note::Audit(AuditNote::Signed { size }));
    true
}

/// What was said before belongs to another log, and may contradict what the journal holds now.
fn begin(era: u32, row: &mut InstanceRow, out: &mut Applied) -> bool {
    *row = InstanceRow { era, ..InstanceRow::default() };
    out.notes.push(Note::Audit(AuditNote::Begun { era }));
    true
}

fn publish(at: At<'_>, facts: &CheckpointPublishedV1, out: &mut Applied) {
    for tenant in &facts.tenants {
        let id =
            EventId(derive("waybill checkpoint", &[&tenant.0, &facts.era.to_be_bytes(), &facts.size.to_be_bytes()]));
        out.appends.push(Append::Feed { tenant: *tenant, row: row(at, id) });
        out.notes.push(Note::FeedGrew(*tenant));
    }
}

fn row(at: At<'_>, id: EventId) -> FeedRow {
    let kind = NotificationKind::Checkpoint;
    FeedRow { id, kind, message: None, session: None, at: at.header.at, code: 0, class: String::new() }
}

#[cfg(test)]
mod tests {
    use super::super::super::event::{CheckpointSealedV1, HeadV1};
    use super::super::super::id::{InstallationId, NodeId, TenantId};
    use super::super::super::record::{Header, Principal};
    use super::super::super::{address::Address, draft::Draft};
    use super::*;

    struct Mailbox {
        rows: Rows,
        next: u64,
    }

    impl Mailbox {
        fn new() -> Self {
            let mut rows = Rows::default();
            rows.load(RowId::Instance(()), None);
            for partition in 0..3 {
                rows.load(RowId::Reported(partition), None);
            }
            Self { rows, next: 0 }
        }

        fn header(event: &Event) -> Header {
            let audit = Address::audit(InstallationId([1; 16]));
            Draft::new(EventId([2; 16]), audit, event, Principal::Node(NodeId([3; 16])), 5)
                .record()
                .expect("small")
                .header
        }

        fn read(&mut self, event: impl Into<Event>) -> Applied {
            let event = event.into();
            let (header, position, mut out) = (Self::header(&event), Position(self.next), Applied::default());
            self.next += 1;
            apply(At { partition: 0, position, header: &header }, &event, &mut self.rows, &mut out);
            out
        }

        fn size(&self) -> u64 {
            self.rows.instance(()).map_or(0, |row| row.range.size())
        }
    }

    fn report(partition: u16, through: u64, part: u16, whole: bool) -> HeadsReportedV1 {
        let heads = vec![HeadV1 { tenant: TenantId([9; 16]), size: through, root: [through as u8; 32] }];
        HeadsReportedV1 { partition, through: Position(through), part, whole, since: 7, heads, era: 0 }
    }

    #[test]
    fn what_a_partition_says_counts_once_and_in_its_order() {
        let mut mailbox = Mailbox::new();
        assert!(!mailbox.read(report(1, 10, 0, false)).appends.is_empty());
        assert!(mailbox.read(report(1, 10, 0, false)).notes.is_empty(), "a second copy");
        assert!(mailbox.read(report(1, 9, 4, true)).notes.is_empty(), "of a late one");
        assert_eq!(mailbox.rows.reported(1).expect("said").whole, None);
        assert!(!mailbox.read(report(1, 10, 1, true)).notes.is_empty(), "the rest of it");
        assert!(!mailbox.read(report(2, 3, 0, true)).notes.is_empty(), "another partition");
        assert_eq!((mailbox.size(), mailbox.rows.reported(1).expect("said").whole), (3, Some(Position(10))));
        let none = HeadsReportedV1 { heads: Vec::new(), ..report(1, 99, 0, true) };
        assert!(mailbox.read(none).notes.is_empty() && mailbox.size() == 3, "nothing is no entry");
    }

    #[test]
    fn what_is_signed_is_the_log_at_the_place_that_says_so() {
        let mut mailbox = Mailbox::new();
        assert_eq!(mailbox.read(CheckpointSealedV1 { era: 0 }).notes, [Note::Audit(AuditNote::Signed { size: 0 })]);
        mailbox.read(report(1, 10, 0, true));
        let root = mailbox.rows.instance(()).expect("a log").range.root();
        let sealed = SealedRow { size: 1, root, position: Position(2) };
        assert_eq!(mailbox.read(CheckpointSealedV1 { era: 0 }).notes, [Note::Audit(AuditNote::Sealed(sealed))]);
        mailbox.read(report(1, 11, 0, true));
        assert!(mailbox.read(CheckpointSealedV1 { era: 1 }).notes.is_empty(), "another log's");
        let signed =
            |size, root| CheckpointSignedV1 { origin: "o".into(), size, root, key: [0; 32], signature: [1; 64] };
        assert!(mailbox.read(signed(1, [8; 32])).notes.is_empty(), "another root");
        assert_eq!(mailbox.read(signed(1, root)).notes, [Note::Audit(AuditNote::Signed { size: 1 })]);
        let row = mailbox.rows.instance(()).expect("a log").clone();
        assert_eq!(row.signed.map(|signed| (signed.size, signed.sealed_at)), Some((1, Position(2))));
        assert_eq!(row.range.size(), 2, "it grew meanwhile");
        mailbox.read(CheckpointSealedV1 { era: 0 });
        let other_key = CheckpointSignedV1 { key: [9; 32], ..signed(2, row.range.root()) };
        assert!(mailbox.read(other_key).notes.is_empty(), "one log has one key");
        assert!(!mailbox.read(signed(2, row.range.root())).notes.is_empty());
    }

    #[test]
    fn another_log_begins_with_nothing_that_was_said_before() {
        let mut mailbox = Mailbox::new();
        mailbox.read(report(1, 10, 0, true));
        let begun = |era| LogBegunV1 { era, reason: "put back".into() };
        assert_eq!(mailbox.read(begun(1)).notes, [Note::Audit(AuditNote::Begun { era: 1 })]);
        assert!(mailbox.read(begun(1)).notes.is_empty(), "a second copy");
        assert_eq!(mailbox.size(), 0, "what was said belongs to the other log");
        assert!(mailbox.read(CheckpointSealedV1 { era: 0 }).notes.is_empty(), "the old one's");
        assert!(mailbox.read(report(1, 11, 0, true)).notes.is_empty(), "what was on its way for the old one");
        let anew = |through| HeadsReportedV1 { era: 1, ..report(1, through, 0, true) };
        assert!(!mailbox.read(anew(4)).notes.is_empty(), "it begins with what is there");
        assert_eq!(mailbox.rows.reported(1).map(|row| (row.era, row.whole)), Some((1, Some(Position(4)))));
        assert!(
            matches!(mailbox.read(CheckpointSealedV1 { era: 1 }).notes[..], [Note::Audit(AuditNote::Sealed(sealed))] if sealed.size == 1)
        );
        assert!(!mailbox.read(begun(7)).notes.is_empty(), "those between may have been published");
        assert!(mailbox.read(begun(6)).notes.is_empty(), "never back");
    }

    #[test]
    fn a_partition_that_lost_its_end_says_nothing_more_in_this_log() {
        let mut mailbox = Mailbox::new();
        mailbox.read(report(1, 10, 0, true));
        let lost = |through| HeadsLostV1 { partition: 1, through: Position(through), found: Position(5) };
        mailbox.read(lost(9));
        assert!(!mailbox.rows.reported(1).expect("said").lost, "of what was said before");
        mailbox.read(lost(10));
        assert!(mailbox.rows.reported(1).expect("said").lost);
        assert!(mailbox.read(report(1, 11, 0, true)).notes.is_empty(), "its trees are others");
        assert!(!mailbox.read(report(2, 11, 0, true)).notes.is_empty(), "others go on");
        mailbox.read(LogBegunV1 { era: 1, reason: "put back".into() });
        assert!(!mailbox.read(HeadsReportedV1 { era: 1, ..report(1, 6, 0, true) }).notes.is_empty());
    }
}
