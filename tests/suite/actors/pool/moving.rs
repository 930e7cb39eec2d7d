//! Between leaving and coming: a clock that is set, and a partition that cannot be written to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use waybill::actors::hands::Limits;
use waybill::domain::event::Event;
use waybill::domain::id::SessionId;
use waybill::domain::message::State;
use waybill::domain::record::{Position, Record};
use waybill::domain::routing;
use waybill::journal::{Appended, Appending, Entry, Genesis, Journal, JournalError, Tail, Unruly};
use waybill::runtime::{BoxFuture, Clock};
use waybill::store::rows;

use super::super::clock_set::{HOUR, Settable};
use super::super::world::{PARTITIONS, limits};
use super::{SOON, Scene};

/// A journal with one partition that nothing can be appended to, from this node: not before the test says so.
pub(super) struct Cut {
    inner: Arc<Unruly>,
    partition: AtomicU16,
    held: Mutex<Vec<(u16, Vec<Record>)>>,
    /// The next append by which messages move finds the first one that was held right before it.
    overtaken: AtomicBool,
}

/// No partition.
const NONE: u16 = u16::MAX;

impl Cut {
    pub(super) fn cut(&self, partition: u16) {
        self.partition.store(partition, Ordering::SeqCst);
    }

    pub(super) fn mend(&self) {
        self.cut(NONE);
    }

    /// The first append by which messages were to move lands after all.
    fn land(&self) {
        let mut held = std::mem::take(&mut *self.held.lock()).into_iter();
        let (partition, records) = held.find(|(_, records)| moves(records)).expect("moves were held");
        drop(self.inner.append(partition, records));
    }
}

fn moves(records: &[Record]) -> bool {
    records.iter().any(|record| matches!(record.event(), Ok(Event::MessageMovedOut(_))))
}

impl Journal for Cut {
    fn genesis(&self) -> Genesis {
        self.inner.genesis()
    }

    fn append(&self, partition: u16, records: Vec<Record>) -> Appending {
        if self.partition.load(Ordering::SeqCst) == partition {
            self.held.lock().push((partition, records));
            return Appending::answered(Appended::Doubtful);
        }
        if moves(&records) && self.overtaken.swap(false, Ordering::SeqCst) {
            self.land();
        }
        self.inner.append(partition, records)
    }

    fn tail(&self, partition: u16, from: Position) -> Box<dyn Tail> {
        self.inner.tail(partition, from)
    }

    fn read(&self, partition: u16, at: Position) -> BoxFuture<'_, Result<Arc<Entry>, JournalError>> {
        self.inner.read(partition, at)
    }

    fn end(&self, partition: u16) -> Position {
        self.inner.end(partition)
    }

    fn fresh_end(&self, partition: u16) -> BoxFuture<'_, Result<Position, JournalError>> {
        self.inner.fresh_end(partition)
    }

    fn distance(&self, partition: u16, from: Position, to: Position) -> u64 {
        self.inner.distance(partition, from, to)
    }

    fn adjoins(&self, partition: u16, before: Position, after: Position) -> bool {
        self.inner.adjoins(partition, before, after)
    }

    fn failed(&self) -> Option<String> {
        self.inner.failed()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), JournalError>> {
        self.inner.close()
    }
}

pub(super) fn place(session: SessionId) -> u16 {
    routing::partition(&session.into(), PARTITIONS)
}

impl Scene {
    /// The same process, whose appends may be cut off.
    pub(super) async fn through_cut(&mut self) -> Arc<Cut> {
        let cut = Arc::new(Cut {
            inner: Arc::clone(&self.world.journal),
            partition: AtomicU16::new(NONE),
            held: Mutex::default(),
            overtaken: AtomicBool::new(false),
        });
        self.world.hands.journal = Arc::clone(&cut) as Arc<dyn Journal>;
        self.world.restart().await;
        // A partition that could not take over would not send for another reason.
        let begun = Instant::now();
        while self.world.hands.registry.owned() < usize::from(PARTITIONS) {
            assert!(begun.elapsed() < SOON, "{} are owned", self.world.hands.registry.owned());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for partition in 0..PARTITIONS {
            self.world.caught_up(partition).await;
        }
        cut
    }

    /// A partition of members in which neither the pool lives nor their tenant.
    pub(super) fn away(&self) -> u16 {
        let home = [place(self.pool), routing::partition(&self.tenant.into(), PARTITIONS)];
        let mut places = self.sessions.iter().map(|session| place(*session));
        places.find(|there| !home.contains(there)).expect("some member lives elsewhere")
    }

    /// To which session each message was handed on.
    pub(super) async fn handed(&self) -> Vec<SessionId> {
        let begun = Instant::now();
        let mut to = Vec::new();
        for message in &self.messages {
            loop {
                if let Some(moved) = self.world.row(*message).await.and_then(|row| row.moved) {
                    to.push(moved.to);
                    break;
                }
                assert!(begun.elapsed() < SOON, "{message} is not handed on");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        to
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_keeps_nobody_on_the_way() {
    let mut scene = Scene::new(&[1, 1], None).await;
    let clock = Arc::new(Settable::default());
    scene.world.hands.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    scene.world.restart().await;
    scene.send(20).await;
    scene.all_sent().await;
    clock.0.fetch_sub(HOUR, Ordering::SeqCst);
    scene.send(20).await;
    scene.all_sent().await;
    scene.once_and_in_order();
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_to_a_partition_that_cannot_be_written_to_keeps_nobody_else_waiting() {
    let mut scene = Scene::new(&[1; 6], None).await;
    let cut = scene.through_cut().await;
    let away = scene.away();
    cut.cut(away);
    // More than a page of those who cannot arrive, before and between the others.
    scene.send(500).await;
    let to = scene.handed().await;
    let others = to.iter().filter(|to| place(**to) != away).count();
    assert!(0 < others && others < to.len(), "{others} of {}", to.len());
    let begun = Instant::now();
    while scene.provider.taken().len() < others {
        assert!(begun.elapsed() < SOON, "{} of {others}", scene.provider.taken().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cut.mend();
    scene.all_sent().await;
    scene.once_and_in_order();
    scene.nothing_on_its_way().await;
    scene.world.stop().await;
}

impl Scene {
    /// Waits until the marks say that everybody has come: a new life has nothing to look after.
    async fn nothing_on_its_way(&self) {
        let begun = Instant::now();
        for partition in 0..PARTITIONS {
            while !rows::moving(self.world.hands.store.as_ref(), partition).await.unwrap().is_empty() {
                assert!(begun.elapsed() < SOON, "of partition {partition}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_its_way_to_a_number_that_is_left_does_not_come_after_what_is_new() {
    let mut scene = Scene::new(&[1; 6], None).await;
    let cut = scene.through_cut().await;
    scene.send(40).await;
    scene.all_sent().await;
    let away = scene.away();
    for session in scene.sessions.clone().into_iter().filter(|session| place(*session) == away) {
        scene.suspend(session).await;
    }
    // They left for it, and cannot come; meanwhile it is given up.
    cut.cut(away);
    scene.send(40).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    scene.send(40).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.in_order();
    cut.mend();
    scene.world.until(&scene.messages, SOON, &[State::Sent]).await;
    scene.once_and_in_order();
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_given_two_numbers_by_an_append_that_lands_late() {
    let mut scene = Scene::new(&[1; 6], None).await;
    let cut = scene.through_cut().await;
    // The pool lives before anything is cut off.
    scene.send(1).await;
    scene.all_sent().await;
    for round in 1..=6 {
        let people = || 100 * round..100 * round + 11;
        cut.cut(place(scene.pool));
        scene.send_to(people()).await;
        let begun = Instant::now();
        while !cut.held.lock().iter().any(|(_, records)| moves(records)) {
            assert!(begun.elapsed() < SOON, "nobody was handed on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.send_to(people()).await;
        scene.world.applied(scene.pool).await;
        cut.overtaken.store(true, Ordering::SeqCst);
        cut.mend();
        scene.all_sent().await;
    }
    scene.once_and_in_order();
    let numbers = scene.numbers();
    assert!(numbers.values().all(|of| of.len() == 1), "{numbers:?}");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_at_a_number_that_is_taken_out_of_the_pool_goes_to_the_others() {
    let patient = Limits { failover_after: 3_600_000_000, ..limits() };
    let mut scene = Scene::by(&[1; 3], None, patient).await;
    scene.send(12).await;
    scene.all_sent().await;
    scene.suspend(scene.sessions[1]).await;
    scene.send(12).await;
    assert!(scene.handed().await.contains(&scene.sessions[1]));
    let rest: Vec<(SessionId, u32)> = [0, 2].map(|n| (scene.sessions[n], 1)).to_vec();
    scene.world.pool(scene.tenant, "shop", &rest).await;
    scene.send(12).await;
    scene.all_sent().await;
    scene.once_and_in_order();
    scene.world.stop().await;
}
