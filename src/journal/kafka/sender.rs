//! Appends on their way to the brokers: bounded by ourselves, so that the client's own queue is never full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::statistics::{Statistics, Window};
use tokio::sync::Notify;

use super::super::error::{JournalError, Refusal};
use super::super::seam::{Answer, Appended, Appending};
use super::complaints::Ear;
use super::error::TopicError;
use super::message::encode;
use super::options::KafkaOptions;
use super::shared::Shared;
use crate::domain::record::Record;
use crate::runtime::Clock;
use crate::telemetry::{self, Brokers};

/// How long the thread that takes the brokers' answers waits for one.
const TURN: Duration = Duration::from_millis(50);

/// One append on its way, in the client's hands.
pub struct Sent {
    answer: Answer,
    partition: u16,
    records: usize,
    bytes: usize,
    /// When, steady time.
    begun: Duration,
}

/// What is on its way, and whether more is taken.
#[derive(Debug)]
struct Gate {
    records: usize,
    bytes: usize,
    calls: usize,
    shut: bool,
}

/// What the sender and the client's callbacks share.
struct Way {
    shared: Arc<Shared>,
    gate: Mutex<Gate>,
    emptied: Notify,
    clock: Arc<dyn Clock>,
    /// The last answer was doubtful: said once, not for each of the thousands that an outage leaves in doubt.
    in_doubt: AtomicBool,
}

impl Way {
    fn arrived(&self, records: usize, bytes: usize) {
        let mut gate = self.gate.lock();
        gate.records -= records;
        gate.bytes -= bytes;
        gate.calls -= 1;
        if gate.calls == 0 {
            self.emptied.notify_waiters();
        }
    }
}

/// Hears of deliveries, on the thread that polls.
pub struct Deliveries {
    way: Arc<Way>,
    ear: Ear,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.ear.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.way.shared.fail(&format!("the Kafka client gave up: {reason}"));
        }
        self.ear.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        telemetry::brokers(&summary(&statistics));
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        let Sent { answer, partition, records, bytes, begun } = *sent;
        let appended = match result.as_ref().map(|message| u64::try_from(message.offset())) {
            Ok(Ok(offset)) => match self.way.shared.landed(partition, offset, records) {
                Some((first, last)) => {
                    let took = self.way.clock.steady().saturating_sub(begun);
                    telemetry::committed(records as u64, bytes as u64, took);
                    self.way.in_doubt.store(false, Ordering::Relaxed);
                    Appended::Durable { first, last }
                }
                None => Appended::Doubtful,
            },
            Ok(Err(_)) => Appended::Doubtful,
            Err((error, _)) => {
                if !self.way.in_doubt.swap(true, Ordering::Relaxed) {
                    self.complain(partition, error);
                }
                Appended::Doubtful
            }
        };
        if appended == Appended::Doubtful {
            telemetry::doubtful();
        }
        self.way.arrived(records, bytes);
        answer.give(appended);
    }
}

impl Deliveries {
    /// Weather passes; what the brokers refuse stays refused until somebody does something.
    fn complain(&self, partition: u16, error: &KafkaError) {
        use RDKafkaErrorCode as Code;
        let topic = &self.way.shared.topic;
        match error.rdkafka_error_code() {
            Some(Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed) => {
                tracing::error!(partition, %error, %topic, "Kafka lets this user read the topic but not write to it; grant it \
                     that right. Nothing is accepted until then");
            }
            Some(Code::InvalidTimestamp) => {
                tracing::error!(partition, %error, %topic, "Kafka refuses the time of this node's clock; set the clock. Nothing \
                     is accepted until then");
            }
            _ => tracing::warn!(partition, %error, "appends are doubtful until Kafka takes one again"),
        }
    }
}

/// Appends.
pub struct Sender {
    way: Arc<Way>,
    producer: RwLock<Option<Arc<BaseProducer<Deliveries>>>>,
    most: (usize, usize),
}

impl Sender {
    /// Ready, with the thread that takes the brokers' answers.
    ///
    /// # Errors
    /// When the client refuses its settings, or there is no thread to be had.
    pub fn start(
        options: &KafkaOptions,
        shared: Arc<Shared>,
        ear: Ear,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, JournalError> {
        let gate = Mutex::new(Gate { records: 0, bytes: 0, calls: 0, shut: false });
        let way = Arc::new(Way { shared, gate, emptied: Notify::new(), clock, in_doubt: AtomicBool::new(false) });
        let deliveries = Deliveries { way: Arc::clone(&way), ear };
        let producer = BaseProducer::from_config_and_context(&options.producer(), deliveries)
            .map_err(|error| TopicError::Client(error.to_string()))?;
        let producer = Arc::new(producer);
        let polls = Arc::clone(&producer);
        let watched = Arc::clone(&way);
        std::thread::Builder::new()
            .name("kafka-answers".to_owned())
            .spawn(move || poll(polls, &watched))
            .map_err(|error| JournalError::Options(format!("no thread for the journal could be started: {error}")))?;
        let most = (options.queue_records, options.queue_bytes);
        Ok(Self { way, producer: RwLock::new(Some(producer)), most })
    }

    /// Sends an append of so many bytes on its way, or says why not.
    ///
    /// # Errors
    /// Refusals, which are true: what is refused was not given to the client.
    pub fn send(&self, partition: u16, records: &[Record], bytes: usize) -> Result<Appending, Refusal> {
        if let Some(why) = self.way.shared.failed() {
            return Err(Refusal::Failed(why));
        }
        self.enter(records.len(), bytes)?;
        let payload = encode(partition, self.way.shared.copied(partition), records);
        let (answer, appending) = Appending::pair();
        let begun = self.way.clock.steady();
        let sent = Box::new(Sent { answer, partition, records: records.len(), bytes, begun });
        let record: BaseRecord<'_, (), [u8], Box<Sent>> =
            BaseRecord::with_opaque_to(&self.way.shared.topic, sent).partition(i32::from(partition)).payload(&payload);
        let producer = self.producer.read();
        let refused = match producer.as_ref() {
            Some(producer) => producer.send(record).err().map(|(error, _)| self.refusal(&error)),
            None => Some(Refusal::Closed),
        };
        match refused {
            Some(refusal) => {
                self.way.arrived(records.len(), bytes);
                Err(refusal)
            }
            None => Ok(appending),
        }
    }

    fn enter(&self, records: usize, bytes: usize) -> Result<(), Refusal> {
        let mut gate = self.way.gate.lock();
        if gate.shut {
            return Err(Refusal::Closed);
        }
        if gate.records + records > self.most.0 || gate.bytes + bytes > self.most.1 {
            return Err(Refusal::Overloaded);
        }
        gate.records += records;
        gate.bytes += bytes;
        gate.calls += 1;
        Ok(())
    }

    /// The client took nothing.
    fn refusal(&self, error: &KafkaError) -> Refusal {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => Refusal::Overloaded,
            // Whatever else it says of an append that was checked here (no such topic, no such partition, fatal), it will say
            // of the next one too.
            _ => {
                self.way.shared.fail(&format!("the Kafka client gave up: {error}"));
                Refusal::Failed(error.to_string())
            }
        }
    }

    /// Records and bytes on their way.
    pub fn depth(&self) -> (usize, usize) {
        let gate = self.way.gate.lock();
        (gate.records, gate.bytes)
    }

    /// Takes no more.
    pub fn shut(&self) {
        self.way.gate.lock().shut = true;
    }

    /// Waits until everything on its way was answered.
    pub async fn drained(&self) {
        loop {
            let emptied = self.way.emptied.notified();
            if self.way.gate.lock().calls == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Lets the client go; its own thread takes it down, and what is still on its way becomes doubtful.
    pub fn end(&self) {
        self.shut();
        self.producer.write().take();
    }
}

/// The dozen figures of hundreds that say whether the brokers are the trouble.
fn summary(said: &Statistics) -> Brokers {
    // The addresses in the settings count once more, without a number, until the brokers have named themselves.
    let brokers: Vec<_> = said.brokers.values().filter(|broker| broker.nodeid >= 0).collect();
    let slowest = |window: fn(&rdkafka::statistics::Broker) -> Option<&Window>| {
        let micros = brokers.iter().filter_map(|broker| window(broker)).map(|window| window.p99).max();
        micros.unwrap_or_default().max(0) as f64 / 1e6
    };
    let up = brokers.iter().filter(|broker| broker.state == "UP").count();
    let waiting = brokers.iter().map(|broker| u64::try_from(broker.waitresp_cnt).unwrap_or_default()).sum();
    let throttle = brokers.iter().filter_map(|broker| broker.throttle.as_ref()).map(|window| window.p99).max();
    Brokers {
        brokers: (brokers.len() as u64, up as u64),
        queue: (said.msg_cnt, said.msg_size),
        waiting,
        // Throttling is said in milliseconds, everything else in microseconds.
        seconds: [
            slowest(|broker| broker.rtt.as_ref()),
            slowest(|broker| broker.outbuf_latency.as_ref()),
            throttle.unwrap_or_default().max(0) as f64 / 1e3,
        ],
        trouble: [
            brokers.iter().map(|broker| broker.txerrs + broker.rxerrs).sum(),
            brokers.iter().map(|broker| broker.txretries).sum(),
            brokers.iter().map(|broker| broker.req_timeouts).sum(),
        ],
    }
}

/// Takes the brokers' answers until nobody sends any more. The client is taken down on this thread.
fn poll(producer: Arc<BaseProducer<Deliveries>>, way: &Way) {
    loop {
        producer.poll(TURN);
        if let Some((code, why)) = producer.client().fatal_error()
            && way.shared.failed().is_none()
        {
            way.shared.fail(&format!("the Kafka client gave up ({code}): {why}"));
        }
        if Arc::strong_count(&producer) == 1 {
            return;
        }
    }
}
