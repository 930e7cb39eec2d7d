//! How far partitions go, asked of the brokers: what other nodes have appended is known from the log alone.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::Semaphore;

use super::super::error::JournalError;
use super::complaints::Ear;
use super::error::TopicError;

/// Questions on their way at once, each a thread that waits.
const AT_ONCE: usize = 4;

/// Asks.
pub struct Ends {
    topic: String,
    consumer: Arc<BaseConsumer<Ear>>,
    patience: Duration,
    places: Semaphore,
}

impl Ends {
    /// Asks nothing yet.
    pub fn new(topic: String, consumer: BaseConsumer<Ear>, patience: Duration) -> Self {
        Self { topic, consumer: Arc::new(consumer), patience, places: Semaphore::new(AT_ONCE) }
    }

    /// The offset that the next message of a partition will have.
    ///
    /// # Errors
    /// [`TopicError::Late`].
    pub async fn next_offset(&self, partition: u16) -> Result<u64, JournalError> {
        let _place = self.places.acquire().await.map_err(|_| JournalError::Closed)?;
        let (consumer, topic, patience) = (Arc::clone(&self.consumer), self.topic.clone(), self.patience);
        let asked = tokio::task::spawn_blocking(move || {
            // What the client wants to say beside answers is heard here; nothing is ever assigned to it.
            drop(consumer.poll(Duration::ZERO));
            consumer.fetch_watermarks(&topic, i32::from(partition), patience)
        });
        match asked.await {
            Ok(Ok((_, high))) => Ok(u64::try_from(high).unwrap_or_default()),
            Ok(Err(error)) => Err(self.late(partition, &error.to_string()).into()),
            Err(error) => Err(JournalError::Failed(format!("a thread ended: {error}"))),
        }
    }

    fn late(&self, partition: u16, why: &str) -> TopicError {
        TopicError::Late { doing: format!("say how far {}/{partition} goes", self.topic), why: why.to_owned() }
    }
}
