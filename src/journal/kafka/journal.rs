//! The journal in Kafka: its handle.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::BaseConsumer;

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::super::seam::{Appended, Appending, Entry, Journal, Tail, refusal};
use super::complaints::Ear;
use super::ends::Ends;
use super::error::TopicError;
use super::follower::Follower;
use super::kept::{self, Kept};
use super::message::rank;
use super::options::KafkaOptions;
use super::pager::{Pager, Reader};
use super::probe::Probe;
use super::sender::Sender;
use super::shared::{Phase, Shared};
use super::tail::TopicTail;
use super::topic;
use super::window::Look;
use crate::domain::record::{Micros, Position, Record};
use crate::runtime::{BoxFuture, Clock};

/// Bytes that the follower has the brokers send ahead.
const AHEAD: usize = 16 * 1024 * 1024;

/// How long a broker holds back its answer to the follower when it has nothing new; a partition that is followed from now
/// on waits so long.
const WAIT: Duration = Duration::from_millis(100);

/// How long closing waits for tails to be shown what was appended last.
const SHOWING: Duration = Duration::from_secs(5);

/// A journal in a topic of a Kafka cluster. Everything but appends needs a tokio runtime around it.
///
/// Dropping it without [`Journal::close`] ends it as a crash would: what is on its way becomes doubtful. Its threads end by
/// themselves, and nobody waits for them.
pub struct KafkaJournal {
    shared: Arc<Shared>,
    sender: Sender,
    pager: Arc<Pager>,
    kept: Kept,
    ends: Ends,
    delivery: Duration,
}

impl KafkaJournal {
    /// Makes the topic if there is none, and founds the installation's journal in it. What was cut short is finished by
    /// calling it again with the same genesis; see [`KafkaJournal::founded`].
    ///
    /// # Errors
    /// [`JournalError::Foreign`] when the topic is somebody else's; [`JournalError::Topic`], [`JournalError::Options`].
    pub async fn init(
        options: KafkaOptions,
        genesis: Genesis,
        at: Micros,
        clock: Arc<dyn Clock>,
    ) -> Result<(), JournalError> {
        blocking(move || topic::found(&options, genesis, at, clock)).await
    }

    /// Whose journal the topic is, also when its founding was cut short; `None` when it is nobody's, or not there.
    ///
    /// # Errors
    /// [`JournalError::Topic`], [`JournalError::Options`].
    pub async fn founded(options: KafkaOptions, clock: Arc<dyn Clock>) -> Result<Option<Genesis>, JournalError> {
        blocking(move || {
            options.check()?;
            let probe = Probe::connect(&options, clock)?;
            match probe.replicas()? {
                Some(_) => Ok(topic::genesis(&probe, &options, 0)?),
                None => Ok(None),
            }
        })
        .await
    }

    /// Opens the journal in a topic, after checking that it is one, and that it loses nothing.
    ///
    /// # Errors
    /// [`JournalError::Topic`] says what is wrong with brokers or topic; [`JournalError::Foreign`];
    /// [`JournalError::Options`].
    pub async fn open(options: KafkaOptions, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        blocking(move || Self::start(&options, clock)).await
    }

    fn start(options: &KafkaOptions, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        options.check()?;
        let probe = Probe::connect(options, Arc::clone(&clock))?;
        let found = topic::find(&probe, options)?;
        let shared = Arc::new(Shared::new(found.genesis, options.topic.clone(), &found.parts, options.tail_memory));
        let ear = Ear(Arc::clone(&probe.complaints));
        let follows = BaseConsumer::from_config_and_context(&options.consumer(WAIT, AHEAD), ear.clone())
            .map_err(|error| TopicError::Client(error.to_string()))?;
        let asks = BaseConsumer::from_config_and_context(&options.consumer(WAIT, AHEAD), ear.clone())
            .map_err(|error| TopicError::Client(error.to_string()))?;
        let sender = Sender::start(options, Arc::clone(&shared), ear, Arc::clone(&clock))?;
        let pager = Arc::new(Pager::new(options.topic.clone(), options.request));
        let kept = Kept::new(options.tail_memory / 2);
        let ends = Ends::new(options.topic.clone(), asks, options.request);
        let journal = Self { shared, sender, pager, kept, ends, delivery: options.delivery };
        let follower = Follower::new(Arc::clone(&journal.shared), follows, Arc::clone(&clock));
        let reader = Reader::new(Arc::clone(&journal.pager), Arc::clone(&journal.shared), probe.consumer, clock);
        begin("kafka-follower", move || follower.run())?;
        begin("kafka-pages", move || reader.run())?;
        Ok(journal)
    }

    /// Records and bytes on their way to the brokers.
    #[must_use]
    pub fn depth(&self) -> (usize, usize) {
        self.sender.depth()
    }

    async fn one(&self, partition: u16, at: Position) -> Result<Arc<Entry>, JournalError> {
        self.shared.check(partition)?;
        let mut end = self.shared.end(partition);
        if at >= end {
            // Where nobody here reads along, others may have written further.
            end = self.look_at_end(partition).await?;
        }
        let missing = JournalError::Missing { partition, position: at, end };
        if at >= end {
            return Err(missing);
        }
        let offset = self.shared.offset(partition, at);
        let message = match self.shared.look(partition, offset, 1) {
            Look::Here(page) => page.into_iter().next(),
            Look::Behind(_) | Look::Ahead => match self.kept.get(partition, offset) {
                Some(message) => Some(message),
                None => {
                    let until = rank(self.shared.copied(partition), end);
                    let page = self.pager.page(partition, offset, until, kept::PAGE).await?;
                    let first = page.first().cloned();
                    self.kept.put(partition, page);
                    first
                }
            },
        };
        let found = message.and_then(|message| message.entries.iter().find(|entry| entry.position == at).cloned());
        found.ok_or(missing)
    }

    /// The end is that of the last record, and how many a message holds only the message says.
    async fn look_at_end(&self, partition: u16) -> Result<Position, JournalError> {
        self.shared.check(partition)?;
        let mut next = self.ends.next_offset(partition).await?;
        while next > rank(self.shared.copied(partition), self.shared.end(partition)) {
            let page = self.pager.page(partition, next - 1, next, 1).await?;
            match page.last().and_then(|message| message.last()) {
                Some(last) => self.shared.raise(partition, last),
                // One without records: a genesis that was written twice.
                None => next -= 1,
            }
        }
        Ok(self.shared.end(partition))
    }

    async fn finish(&self) -> Result<(), JournalError> {
        self.sender.shut();
        // The client answers everything within the delivery time; a little more is for a busy machine.
        let patience = self.delivery + Duration::from_secs(2);
        let drained = tokio::time::timeout(patience, self.sender.drained()).await.is_ok();
        self.sender.end();
        if !drained {
            tracing::warn!("closing did not wait for all answers of the brokers; what was on its way is doubtful");
        }
        self.shared.enter(Phase::Drained);
        let shown = tokio::time::timeout(SHOWING, async {
            while self.shared.phase() < Phase::Ended {
                // Nobody tells: the follower looks every few milliseconds itself.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        if shown.await.is_err() {
            tracing::warn!("closing did not wait for all readers");
            self.shared.enter(Phase::Ended);
        }
        self.shared.failed().map_or(Ok(()), |why| Err(JournalError::Failed(why)))
    }
}

/// Starts a thread. It ends by itself when the journal is dropped; nobody waits for it, because taking a client down can
/// take as long as the brokers are away.
pub(super) fn begin(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), JournalError> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(run);
    started
        .map(drop)
        .map_err(|error| JournalError::Options(format!("no thread for the journal could be started: {error}")))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| JournalError::Failed(format!("a thread ended: {error}")))?
}

impl Journal for KafkaJournal {
    fn genesis(&self) -> Genesis {
        self.shared.genesis
    }

    fn append(&self, partition: u16, records: Vec<Record>) -> Appending {
        let sent = refusal(self.shared.genesis, KafkaOptions::limits(), partition, &records)
            .and_then(|bytes| self.sender.send(partition, &records, bytes));
        sent.unwrap_or_else(|refusal| Appending::answered(Appended::Refused(refusal)))
    }

    fn tail(&self, partition: u16, from: Position) -> Box<dyn Tail> {
        Box::new(TopicTail::new(Arc::clone(&self.shared), Arc::clone(&self.pager), partition, from))
    }

    fn read(&self, partition: u16, at: Position) -> BoxFuture<'_, Result<Arc<Entry>, JournalError>> {
        Box::pin(self.one(partition, at))
    }

    fn end(&self, partition: u16) -> Position {
        self.shared.end(partition)
    }

    fn fresh_end(&self, partition: u16) -> BoxFuture<'_, Result<Position, JournalError>> {
        Box::pin(self.look_at_end(partition))
    }

    fn distance(&self, partition: u16, from: Position, to: Position) -> u64 {
        self.shared.distance(partition, from, to)
    }

    /// A message may hold nothing (a genesis that was written twice), so offsets that are left out say nothing.
    fn adjoins(&self, _: u16, before: Position, after: Position) -> bool {
        before < after
    }

    fn failed(&self) -> Option<String> {
        self.shared.failed()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(self.finish())
    }
}

impl Drop for KafkaJournal {
    fn drop(&mut self) {
        self.sender.end();
        self.shared.enter(Phase::Ended);
        self.shared.abandoned.store(true, Ordering::Release);
    }
}
