//! Pages from anywhere in the topic: for tails that are behind the window, and for single reads. One consumer on one thread
//! reads for all of them, several partitions at a time; nobody waits for the thread itself.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::oneshot;

use super::super::error::JournalError;
use super::complaints::Ear;
use super::error::TopicError;
use super::message::{Message, decode};
use super::shared::Shared;
use crate::runtime::Clock;

/// Partitions that are read at once: a page of each in memory, 64 MiB at most.
const AT_ONCE: usize = 16;

/// Requests that may wait: more readers than sessions of a node read at once.
const WAITING: usize = 4096;

/// How long the thread waits for a message before it looks at new requests.
const TURN: Duration = Duration::from_millis(5);

/// How long it waits for a request when it has none; only stopping is later for it.
const IDLE: Duration = Duration::from_millis(200);

/// How long a broker is asked how far a partition goes.
const ASKING: Duration = Duration::from_secs(1);

type Page = Vec<Arc<Message>>;

/// Asks for pages.
pub struct Pager {
    topic: String,
    patience: Duration,
    queue: Mutex<Queue>,
    filled: Condvar,
}

/// Who waits to be read for.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Request>,
    /// Nobody reads any more.
    closed: bool,
}

struct Request {
    partition: u16,
    /// The message wanted first, and the one before which to end.
    offset: u64,
    until: u64,
    /// Bytes after which the page ends.
    bytes: usize,
    answer: oneshot::Sender<Result<Page, JournalError>>,
}

impl Pager {
    /// Asks nothing yet.
    pub fn new(topic: String, patience: Duration) -> Self {
        Self { topic, patience, queue: Mutex::default(), filled: Condvar::new() }
    }

    /// Reads from a message on, up to before `until`, about so many bytes: at least one message.
    ///
    /// # Errors
    /// What is wrong with a message; that no broker gave one in time.
    pub async fn page(&self, partition: u16, offset: u64, until: u64, bytes: usize) -> Result<Page, JournalError> {
        let (answer, answered) = oneshot::channel();
        {
            let mut queue = self.queue.lock();
            if queue.closed {
                return Err(JournalError::Closed);
            }
            if queue.waiting.len() >= WAITING {
                return Err(self.late(partition, offset, "too many readers wait").into());
            }
            queue.waiting.push_back(Request { partition, offset, until, bytes, answer });
        }
        self.filled.notify_one();
        answered.await.unwrap_or(Err(JournalError::Closed))
    }

    fn late(&self, partition: u16, offset: u64, why: &str) -> TopicError {
        TopicError::Late { doing: format!("read {}/{partition} from offset {offset}", self.topic), why: why.to_owned() }
    }
}

/// The thread behind a [`Pager`].
pub struct Reader {
    pager: Arc<Pager>,
    shared: Arc<Shared>,
    consumer: BaseConsumer<Ear>,
    clock: Arc<dyn Clock>,
    active: HashMap<u16, Active>,
}

struct Active {
    request: Request,
    page: Page,
    next: u64,
    room: usize,
    deadline: Duration,
}

/// However the thread ends: dropped requests answer that the journal is closed, and no others are taken.
impl Drop for Reader {
    fn drop(&mut self) {
        let mut queue = self.pager.queue.lock();
        queue.closed = true;
        queue.waiting.clear();
    }
}

impl Reader {
    /// Ready to run.
    pub fn new(pager: Arc<Pager>, shared: Arc<Shared>, consumer: BaseConsumer<Ear>, clock: Arc<dyn Clock>) -> Self {
        Self { pager, shared, consumer, clock, active: HashMap::new() }
    }

    /// Reads until the journal is dropped.
    pub fn run(mut self) {
        while !self.shared.abandoned.load(Ordering::Acquire) {
            self.admit();
            let turn = if self.active.is_empty() { Duration::ZERO } else { TURN };
            let polled = self.consumer.poll(turn).map(|polled| {
                polled.map(|message| {
                    let bytes = message.payload().unwrap_or_default();
                    let partition = u16::try_from(message.partition()).unwrap_or(u16::MAX);
                    let offset = u64::try_from(message.offset()).unwrap_or_default();
                    let expected = self.active.get(&partition).is_some_and(|active| active.next == offset);
                    (partition, offset, expected.then(|| decode(partition, offset, bytes)))
                })
            });
            match polled {
                Some(Ok((partition, offset, read))) => self.take(partition, offset, read),
                Some(Err(error)) => self.hear(&error),
                None => {}
            }
            self.give_up();
        }
    }

    /// Takes on requests of partitions that are not being read.
    fn admit(&mut self) {
        let mut begun = Vec::new();
        {
            let mut queue = self.pager.queue.lock();
            if self.active.is_empty() && queue.waiting.is_empty() {
                self.pager.filled.wait_for(&mut queue, IDLE);
            }
            let mut left = VecDeque::with_capacity(queue.waiting.len());
            while let Some(request) = queue.waiting.pop_front() {
                let busy = self.active.contains_key(&request.partition)
                    || begun.iter().any(|other: &Request| other.partition == request.partition);
                if busy || self.active.len() + begun.len() >= AT_ONCE {
                    left.push_back(request);
                } else if !request.answer.is_closed() {
                    begun.push(request);
                }
            }
            queue.waiting = left;
        }
        begun.into_iter().for_each(|request| self.begin(request));
    }

    fn begin(&mut self, request: Request) {
        if let Err(error) = self.assign(request.partition, request.offset) {
            let late = self.pager.late(request.partition, request.offset, &error.to_string());
            drop(request.answer.send(Err(late.into())));
            return;
        }
        let (next, room) = (request.offset, request.bytes);
        let deadline = self.clock.steady() + self.pager.patience;
        self.active.insert(request.partition, Active { request, page: Vec::new(), next, room, deadline });
    }

    /// A message came; `read` is `None` when it is not the one that was waited for.
    fn take(&mut self, partition: u16, offset: u64, read: Option<Result<Message, String>>) {
        let Some(active) = self.active.get_mut(&partition) else { return };
        let topic = self.shared.topic.clone();
        match read {
            Some(Ok(message)) => {
                active.next += 1;
                let full = active.room.checked_sub(message.bytes);
                active.room = full.unwrap_or_default();
                active.page.push(Arc::new(message));
                if full.is_none() || active.next >= active.request.until {
                    self.end(partition, None);
                }
            }
            Some(Err(what)) => self.end(partition, Some(TopicError::Message { topic, partition, offset, what })),
            // What was asked for is gone. One from before is a leftover of an earlier page.
            None if offset > active.next => {
                let lost = TopicError::Lost { topic, partition, offset: active.next, found: offset.to_string() };
                self.end(partition, Some(lost));
            }
            None => {}
        }
    }

    fn end(&mut self, partition: u16, error: Option<TopicError>) {
        if let Err(error) = self.unassign(partition) {
            tracing::warn!(partition, %error, "kafka: a partition could not be let go after reading");
        }
        if let Some(Active { request, page, .. }) = self.active.remove(&partition) {
            self.share(partition, &page);
            // What is whole is given; what is wrong shows again when it is asked for first.
            let answer = error.filter(|_| page.is_empty()).map_or(Ok(page), |error| Err(error.into()));
            drop(request.answer.send(answer));
        }
    }

    /// Others wait for what stands in this page: contents of one session's messages lie side by side.
    fn share(&self, partition: u16, page: &Page) {
        let Some((first, last)) = page.first().zip(page.last()).map(|(first, last)| (first.offset, last.offset)) else {
            return;
        };
        let mut queue = self.pager.queue.lock();
        let (served, left): (VecDeque<Request>, _) = queue
            .waiting
            .drain(..)
            .partition(|request| request.partition == partition && (first..=last).contains(&request.offset));
        queue.waiting = left;
        drop(queue);
        for request in served {
            let from = page.partition_point(|message| message.offset < request.offset);
            let to = page.partition_point(|message| message.offset < request.until).max(from + 1);
            drop(request.answer.send(Ok(page[from..to.min(page.len())].to_vec())));
        }
    }

    fn hear(&mut self, error: &KafkaError) {
        self.consumer.context().0.error(error);
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AutoOffsetReset) {
            return;
        }
        // The library does not say for which partition: it is asked of each. One that it cannot be asked of is read anew.
        let active: Vec<(u16, u64)> = self.active.iter().map(|(partition, active)| (*partition, active.next)).collect();
        for (partition, offset) in active {
            let range = self.consumer.fetch_watermarks(&self.shared.topic, i32::from(partition), ASKING).ok();
            let range = range.and_then(|(low, high)| Some(u64::try_from(low).ok()?..u64::try_from(high).ok()?));
            if let Some(range) = range.filter(|range| !range.contains(&offset)) {
                let (topic, found) = (self.shared.topic.clone(), format!("{} to {} are there", range.start, range.end));
                self.end(partition, Some(TopicError::Lost { topic, partition, offset, found }));
            } else if let Err(error) = self.unassign(partition).and_then(|()| self.assign(partition, offset)) {
                let late = self.pager.late(partition, offset, &error.to_string());
                self.end(partition, Some(late));
            }
        }
    }

    fn assign(&self, partition: u16, offset: u64) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        let at = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
        list.add_partition_offset(&self.shared.topic, i32::from(partition), at)?;
        self.consumer.incremental_assign(&list)
    }

    fn unassign(&self, partition: u16) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.shared.topic, i32::from(partition));
        self.consumer.incremental_unassign(&list)
    }

    fn give_up(&mut self) {
        let now = self.clock.steady();
        let over = |active: &Active| active.deadline <= now || active.request.answer.is_closed();
        let over: Vec<(u16, u64)> = self
            .active
            .iter()
            .filter(|(_, active)| over(active))
            .map(|(partition, active)| (*partition, active.next))
            .collect();
        for (partition, offset) in over {
            let late = self.pager.late(partition, offset, &self.consumer.context().0.last());
            self.end(partition, Some(late));
        }
    }
}
