//! Brokers and topics that are not as they should be: each says what is wrong.

use std::path::PathBuf;

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::config::FromClientConfig;

use super::super::super::contract::{durable, genesis, record};
use super::super::error::TopicError;
use super::super::{Login, Security, Tls};
use super::*;
use crate::config::Secret;

fn guarded() -> &'static Printed {
    static BROKER: OnceLock<Printed> = OnceLock::new();
    BROKER.get_or_init(|| up("main", "kafka-tls"))
}

/// As its users speak to the guarded broker.
fn secure(topic: String) -> KafkaOptions {
    let printed = tokio::task::block_in_place(guarded);
    let login = Login {
        mechanism: printed["KAFKA_TLS_MECHANISM"].clone(),
        user: printed["KAFKA_TLS_USER"].clone(),
        password: Secret::new(printed["KAFKA_TLS_PASSWORD"].clone()),
    };
    let tls = Tls { ca: Some(PathBuf::from(&printed["KAFKA_TLS_CA"])) };
    let brokers = vec![printed["KAFKA_TLS_BROKERS"].clone()];
    let security = Security { tls: Some(tls), login: Some(login) };
    KafkaOptions { replicas: 1, min_insync: 1, security, ..KafkaOptions::plain(brokers, topic) }
}

async fn topic_error(options: KafkaOptions) -> TopicError {
    match why_not(options).await {
        JournalError::Topic(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn with_tls_and_password_it_works_and_without_either_it_says_which() {
    let options = secure(fresh("secure"));
    init(&options, genesis()).await.expect("founded");
    let journal = open(&options).await;
    durable(&journal, 1, vec![record(1, 10)]).await;
    journal.close().await.expect("closed");

    let begun = SystemClock.steady();
    let mut wrong = options.clone();
    if let Some(login) = &mut wrong.security.login {
        login.password = Secret::new("guessed".to_owned());
    }
    let error = topic_error(wrong).await;
    assert!(matches!(&error, TopicError::Credentials { user, .. } if *user == "waybill"), "{error:?}");
    assert!(!error.to_string().contains("guessed"), "{error}");

    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, stranger.cert.pem()).expect("written");
    let mut wrong = options.clone();
    wrong.security.tls = Some(Tls { ca: Some(ca) });
    let error = topic_error(wrong).await;
    assert!(matches!(error, TopicError::Untrusted { .. }), "{error:?}");
    let waited = SystemClock.steady().saturating_sub(begun);
    assert!(waited < Duration::from_secs(20), "said at once, not when time was over: {waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn nobody_there_and_no_topic_are_two_things() {
    let options = options(tokio::task::block_in_place(calm), fresh("refused"));
    let error = topic_error(options.clone()).await;
    assert!(matches!(error, TopicError::NoTopic { .. }), "{error:?}");
    let nowhere = KafkaOptions { brokers: vec!["127.0.0.1:1".to_owned()], connect: Duration::from_secs(2), ..options };
    let error = topic_error(nowhere).await;
    assert!(matches!(&error, TopicError::Unreachable { brokers, .. } if brokers == "127.0.0.1:1"), "{error:?}");
}

/// Changes settings of a topic as an operator would.
async fn set(options: &KafkaOptions, name: &str, value: &str) {
    let admin: AdminClient<_> = AdminClient::from_config(&options.admin()).expect("an admin");
    let change = AlterConfig::new(ResourceSpecifier::Topic(&options.topic)).set(name, value);
    let done = admin.alter_configs([&change], &AdminOptions::new()).await.expect("altered");
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn a_topic_that_would_lose_events_is_refused() {
    let options = options(tokio::task::block_in_place(calm), fresh("refused"));
    init(&options, genesis()).await.expect("founded");
    let few = topic_error(KafkaOptions { replicas: 3, min_insync: 1, ..options.clone() }).await;
    let expected = TopicError::TooFewReplicas { topic: options.topic.clone(), partition: 0, found: 1, wanted: 3 };
    assert_eq!(few, expected);
    // Altering one setting puts the others back to the broker's defaults, which keep records for a week.
    set(&options, "cleanup.policy", "delete").await;
    let short = topic_error(options.clone()).await;
    let found = "604800000".to_owned();
    assert_eq!(short, TopicError::RetentionTooShort { topic: options.topic.clone(), setting: "retention.ms", found });
    set(&options, "retention.ms", "-1").await;
    let small = topic_error(options.clone()).await;
    assert!(matches!(small, TopicError::Setting { setting: "max.message.bytes", .. }), "{small:?}");
}
