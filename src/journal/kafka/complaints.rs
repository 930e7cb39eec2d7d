//! What the client library complains of while nobody asks it: a wrong password, a certificate that is not trusted and a
//! broker that is away show here alone; the calls themselves only run out of time.

use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::error::TopicError;
use super::options::KafkaOptions;

/// The last complaints of the clients of one journal.
#[derive(Debug, Default)]
pub struct Complaints(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What will not go away by waiting: the kind and the words.
    decisive: Option<(RDKafkaErrorCode, String)>,
    last: Option<String>,
}

impl Complaints {
    fn note(&self, code: Option<RDKafkaErrorCode>, words: &str) {
        let mut state = self.0.lock();
        state.last = Some(words.to_owned());
        let decisive = code.filter(|code| matches!(code, RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL));
        if let Some(code) = decisive {
            state.decisive = Some((code, words.to_owned()));
        }
    }

    /// An error that the library gave back.
    pub fn error(&self, error: &KafkaError) {
        let code = error.rdkafka_error_code();
        // A complaint of the log has the reason, the error itself has only its kind.
        let mut state = self.0.lock();
        let words = state.last.clone().unwrap_or_else(|| error.to_string());
        if let Some(code) = code
            && matches!(code, RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL)
            && state.decisive.is_none()
        {
            state.decisive = Some((code, words));
        }
    }

    /// What was said last.
    pub fn last(&self) -> String {
        self.0.lock().last.clone().unwrap_or_else(|| "no answer".to_owned())
    }

    /// Why waiting on will not help, if it will not.
    pub fn decisive(&self, options: &KafkaOptions) -> Option<TopicError> {
        let (code, why) = self.0.lock().decisive.clone()?;
        let brokers = options.addresses();
        Some(match code {
            RDKafkaErrorCode::SSL => TopicError::Untrusted { brokers, why },
            _ => {
                let user = options.security.login.as_ref().map_or_else(String::new, |login| login.user.clone());
                TopicError::Credentials { brokers, user, why }
            }
        })
    }
}

/// Hears what a client complains of.
#[derive(Debug, Clone, Default)]
pub struct Ear(pub Arc<Complaints>);

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                self.0.note(None, text);
                tracing::warn!(facility, "kafka: {text}");
            }
            RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => tracing::info!(facility, "kafka: {text}"),
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => tracing::debug!(facility, "kafka: {text}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.note(error.rdkafka_error_code(), reason);
        tracing::warn!(%error, "kafka: {reason}");
    }
}

impl ConsumerContext for Ear {}
