//! Lines of messages that left for other mailboxes: one for each partition that they go to, in the order in which they
//! left, until it is durable that they have come there. A page of a line is on its way at a time, and no line waits for
//! another: a partition that cannot be written to keeps nobody back but those who go there.
//!
//! How far a line has come is written down with the rows, so a new life goes on there. A death between leaving and coming is
//! made good by the next life: what is proposed derives from the move, and a second copy changes nothing.

use std::collections::BTreeMap;

use super::Notice;
use super::actor::{Phase, State};
use crate::domain::id::MessageId;
use crate::domain::record::Position;
use crate::domain::row::{Row, RowId};
use crate::journal::Appended;
use crate::store::rows::MovedPlace as Place;
use crate::store::{Put, Store, StoreError, rows as stored};

/// Messages that are looked at, and taken in, at once: an append holds 256 records, and each may be called off too.
const PAGE: usize = 128;

/// What is dropped at once, in positions: 65,536 moves where they are dense.
const DROP_STEP: u64 = 1 << 16;

/// The lines of one partition.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    lines: BTreeMap<u16, Line>,
    /// Marks to be written with the next commit.
    marks: BTreeMap<u16, Option<Position>>,
}

/// Those who left for one partition.
#[derive(Debug)]
struct Line {
    /// Everybody up to here has come.
    read: Place,
    /// The end of the page that is on its way.
    page: Option<Place>,
    /// Somebody may stand behind what was read.
    more: bool,
    /// The mark says so.
    open: bool,
    /// The end of the journal there when this life looked first: before its rows show that, they do not say who has come.
    until: Option<Position>,
    current: bool,
    /// Everything before this is dropped.
    dropped: Position,
}

/// Right before a position.
fn before(at: Position) -> Place {
    (Position(at.0.saturating_sub(1)), MessageId([u8::MAX; 16]))
}

impl Line {
    fn from(at: Position) -> Self {
        Self { read: before(at), page: None, more: true, open: false, until: None, current: false, dropped: at }
    }
}

impl Arrivals {
    /// As the marks say.
    pub(super) async fn open(store: &dyn Store, partition: u16) -> Result<Self, StoreError> {
        let open = stored::moving(store, partition).await?.into_iter();
        let lines = open.map(|(to, low)| (to, Line { open: true, ..Line::from(low) })).collect();
        Ok(Self { lines, marks: BTreeMap::new() })
    }

    /// Marks that somebody else wrote are written again.
    pub(super) fn take_over(&mut self) {
        let open = self.lines.iter().filter(|(_, line)| line.open);
        for (to, line) in open {
            self.marks.entry(*to).or_insert(Some(line.read.0.next()));
        }
    }

    /// Somebody leaves.
    pub(super) fn note(&mut self, to: u16, at: Position) {
        let line = self.lines.entry(to).or_insert_with(|| Line::from(at));
        line.more = true;
        if !std::mem::replace(&mut line.open, true) {
            self.marks.insert(to, Some(at));
        }
    }

    /// Lines in which somebody may stand, and nothing is on its way.
    fn ready(&self) -> Vec<u16> {
        let ready = self.lines.iter().filter(|(_, line)| line.more && line.page.is_none());
        ready.map(|(to, _)| *to).collect()
    }

    /// A page was recorded where it goes; or not, and is read again.
    pub(super) fn recorded(&mut self, to: u16, recorded: bool) {
        let Some(line) = self.lines.get_mut(&to) else { return };
        if let Some(page) = line.page.take().filter(|_| recorded) {
            line.read = page;
            self.marks.insert(to, Some(page.0.next()));
        }
    }

    /// Nobody stands there any more.
    fn end(&mut self, to: u16) {
        if let Some(line) = self.lines.get_mut(&to) {
            (line.more, line.open) = (false, false);
            self.marks.insert(to, None);
        }
    }

    /// Whether marks are to be written.
    pub(super) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// The marks to be written, by now.
    pub(super) fn take_marks(&mut self, partition: u16, at: Position) -> impl Iterator<Item = Put> + use<> {
        let marks = std::mem::take(&mut self.marks).into_iter();
        marks.map(move |(to, low)| stored::put_moving(partition, to, low, at))
    }

    /// What lies far behind, by now.
    pub(super) fn take_drops(&mut self) -> Vec<(u16, Position)> {
        let far = self.lines.iter_mut().filter(|(_, line)| line.read.0.0.saturating_sub(line.dropped.0) >= DROP_STEP);
        far.map(|(to, line)| {
            line.dropped = line.read.0;
            (*to, line.dropped)
        })
        .collect()
    }
}

impl State {
    /// Takes in who left: a page of each line, the next one when that is recorded.
    pub(super) async fn arrive(&mut self) -> Result<(), StoreError> {
        for to in self.arrivals.ready() {
            self.arrive_at(to).await?;
        }
        Ok(())
    }

    /// The same of one line.
    pub(super) async fn arrive_at(&mut self, to: u16) -> Result<(), StoreError> {
        // What is applied and not committed is not in the index yet.
        self.commit().await?;
        // Nor will it be, where somebody else writes the rows: who does takes them in.
        if !matches!(self.phase, Phase::Owning(_)) || self.is_written_by_others() || !self.shows(to).await? {
            return Ok(());
        }
        let Some(line) = self.arrivals.lines.get_mut(&to).filter(|line| line.more && line.page.is_none()) else {
            return Ok(());
        };
        let page = stored::moved(self.store.as_ref(), self.number, to, line.read, PAGE).await?;
        let Some(last) = page.last().copied() else {
            self.arrivals.end(to);
            return Ok(());
        };
        line.page = Some(last);
        let records = self.arrivals_of(to, &page).await?;
        let notices = std::sync::Arc::clone(&self.notices);
        if records.is_empty() {
            // All of them came before, as after a rebuild: others have their turn in between.
            notices.push(Notice::Arrived(to, true));
            return Ok(());
        }
        let appending = self.hands.journal.append(to, records);
        crate::runtime::spawn("arrive", async move {
            let recorded = matches!(appending.await, Appended::Durable { .. });
            notices.push(Notice::Arrived(to, recorded));
        });
        Ok(())
    }

    /// Whether the rows of a partition show what stood in its journal when this life asked first: those of a rebuild would
    /// have everybody come once more who ever went there.
    async fn shows(&mut self, to: u16) -> Result<bool, StoreError> {
        let journal = self.hands.journal.as_ref();
        let Some(line) = self.arrivals.lines.get_mut(&to).filter(|line| !line.current) else {
            return Ok(true);
        };
        let end = match line.until {
            Some(end) => end,
            // Others may append there.
            None => match journal.fresh_end(to).await {
                Ok(end) => *line.until.insert(end),
                Err(_) => return Ok(false),
            },
        };
        let from = self.store.applied(to).await?.map_or(Position(0), Position::next);
        line.current = journal.distance(to, from, end) == 0;
        Ok(line.current)
    }

    async fn arrivals_of(&self, to: u16, page: &[Place]) -> Result<Vec<crate::domain::record::Record>, StoreError> {
        let ids: Vec<RowId> = page.iter().map(|(_, message)| RowId::Message(*message)).collect();
        let found = stored::get_many(self.store.as_ref(), &ids).await?;
        // One that was called off on its way stands here twice, and is looked at once. By now it may have gone elsewhere.
        let mut moved = Vec::new();
        for ((_, message), row) in page.iter().zip(found) {
            if let Some(Row::Message(row)) = row
                && row.moved.is_some_and(|moved| moved.leg.partition() == to)
                && !moved.iter().any(|(known, _)| known == message)
            {
                moved.push((*message, row));
            }
        }
        self.missing(to, moved).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn place(at: u64) -> Place {
        (Position(at), MessageId([1; 16]))
    }

    fn marks(arrivals: &mut Arrivals) -> Vec<(u16, Option<Position>)> {
        std::mem::take(&mut arrivals.marks).into_iter().collect()
    }

    #[test]
    fn no_line_waits_for_another() {
        let mut arrivals = Arrivals::default();
        arrivals.note(1, Position(10));
        arrivals.note(2, Position(11));
        assert_eq!(arrivals.ready(), [1, 2]);
        arrivals.lines.get_mut(&1).expect("a line").page = Some(place(10));
        assert_eq!(arrivals.ready(), [2], "a page is on its way");
        arrivals.recorded(1, false);
        assert_eq!(arrivals.ready(), [1, 2]);
        assert_eq!(arrivals.lines[&1].read, before(Position(10)), "what was not recorded is read again");
    }

    #[test]
    fn a_new_life_goes_on_where_the_last_one_was() {
        let mut arrivals = Arrivals::default();
        arrivals.note(1, Position(10));
        arrivals.note(1, Position(12));
        assert_eq!(marks(&mut arrivals), [(1, Some(Position(10)))]);
        arrivals.lines.get_mut(&1).expect("a line").page = Some(place(10));
        arrivals.recorded(1, true);
        assert_eq!(marks(&mut arrivals), [(1, Some(Position(11)))]);
        arrivals.end(1);
        assert_eq!((marks(&mut arrivals), arrivals.ready()), (vec![(1, None)], Vec::new()));
        arrivals.note(1, Position(20));
        assert_eq!((marks(&mut arrivals), arrivals.ready()), (vec![(1, Some(Position(20)))], vec![1]));
    }

    #[test]
    fn what_lies_far_behind_is_dropped_once() {
        let mut arrivals = Arrivals::default();
        arrivals.note(1, Position(10));
        arrivals.lines.get_mut(&1).expect("a line").read = place(9 + DROP_STEP);
        assert_eq!(arrivals.take_drops(), []);
        arrivals.lines.get_mut(&1).expect("a line").read = place(10 + DROP_STEP);
        assert_eq!(arrivals.take_drops(), [(1, Position(10 + DROP_STEP))]);
        assert_eq!(arrivals.take_drops(), []);
    }
}
