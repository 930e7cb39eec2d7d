//! A session with a cluster: how it is made, and what keeps it from being made.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::{OpenSsl010Config, Session, TlsContext};
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError, MetadataError,
    NewSessionError, PrepareError,
};
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::DefaultRetryPolicy;
use scylla::policies::speculative_execution::SimpleSpeculativeExecutionPolicy;
use scylla::response::query_result::QueryResult;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use super::error::CqlError;
use super::options::{CqlOptions, Tls};
use super::trouble::{Trouble, trouble};

/// How long a read waits for the first node before another one is asked as well. A healthy cluster answers in some
/// milliseconds; under load that makes all answers slow, one more request for each read is what this costs.
pub const SPECULATE: Duration = Duration::from_millis(100);

/// How often a silent connection is asked whether it lives, and how long it may take to say so: a node that went away
/// without a word is noticed after ten seconds.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Rows of one page of a read: some hundred kilobytes as a rule. The protocol's own limit for an answer is 256 MiB.
const PAGE: i32 = 1_000;

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It writes.
    Write,
    /// It reads.
    Read,
}

/// A session with a cluster.
pub struct Cluster {
    /// The driver's session.
    pub session: Session,
    /// As which it was made.
    pub options: CqlOptions,
    /// The datacenter that is asked.
    pub datacenter: String,
    reads: ExecutionProfile,
}

impl Cluster {
    /// Connects. Says at once what is wrong, and does not wait for nodes that are away.
    ///
    /// # Errors
    /// [`CqlError`].
    pub async fn connect(options: &CqlOptions) -> Result<Self, CqlError> {
        let tls = options.tls.as_ref().map(context).transpose()?;
        let (writes, reads) = profiles(options);
        let mut builder = SessionBuilder::new()
            .known_nodes(&options.nodes)
            .connection_timeout(options.connect)
            .hostname_resolution_timeout(Some(options.connect))
            .default_execution_profile_handle(writes.into_handle())
            .keepalive_interval(KEEPALIVE)
            .keepalive_timeout(KEEPALIVE)
            .fetch_full_schema_metadata(false)
            .tls_context(tls);
        if let Some(login) = &options.login {
            builder = builder.user(&login.user, login.password.as_str());
        }
        // The driver bounds each step; a node that accepts and says nothing could make of many steps a long time.
        let most = options.connect * 2 + options.request;
        let session = match tokio::time::timeout(most, builder.build()).await {
            Ok(Ok(session)) => session,
            Ok(Err(error)) => return Err(refused(options, &error)),
            Err(_) => return Err(unreachable(options, format!("no answer within {most:?}"))),
        };
        let datacenter = datacenter(options, &session)?;
        Ok(Self { session, options: options.clone(), datacenter, reads })
    }

    /// Prepares a statement, once, for the life of the session; `{keyspace}` in it is the keyspace's name. All ours may be repeated: their stamps come from outside.
    ///
    /// # Errors
    /// [`CqlError`].
    pub async fn prepare(&self, text: &str, for_what: Use) -> Result<PreparedStatement, CqlError> {
        let prepared = self.session.prepare(self.qualified(text)).await;
        let mut prepared = prepared.map_err(|error| self.said("prepare a statement", &prepared_error(error)))?;
        prepared.set_is_idempotent(true);
        if for_what == Use::Read {
            prepared.set_page_size(PAGE);
            prepared.set_execution_profile_handle(Some(self.reads.clone().into_handle()));
        }
        Ok(prepared)
    }

    /// The rows of an answer.
    ///
    /// # Errors
    /// [`CqlError::Refused`] when they are of another form than was asked for.
    pub fn rows<R>(&self, doing: &str, answer: QueryResult) -> Result<Vec<R>, CqlError>
    where
        R: for<'f, 'm> DeserializeRow<'f, 'm>,
    {
        let odd = |why: String| CqlError::Refused { doing: doing.to_owned(), why };
        let rows = answer.into_rows_result().map_err(|error| odd(error.to_string()))?;
        let rows = rows.rows::<R>().map_err(|error| odd(error.to_string()))?;
        rows.collect::<Result<_, _>>().map_err(|error| odd(error.to_string()))
    }

    /// What an error of a request means to who asked.
    #[must_use]
    pub fn said(&self, doing: &str, error: &ExecutionError) -> CqlError {
        let (doing, why) = (doing.to_owned(), error.to_string());
        match trouble(error) {
            Trouble::Passing => CqlError::Silent { nodes: self.options.addresses(), doing, why },
            Trouble::Unavailable => CqlError::Unavailable { doing, why },
            Trouble::Forbidden => CqlError::NotAllowed { doing, keyspace: self.options.keyspace.clone(), why },
            Trouble::Lasting => CqlError::Refused { doing, why },
        }
    }
}

/// A preparation that failed, as the error of a request: both are judged alike.
fn prepared_error(error: PrepareError) -> ExecutionError {
    match error {
        PrepareError::AllAttemptsFailed { first_attempt } => ExecutionError::LastAttemptError(first_attempt),
        other => ExecutionError::PrepareError(other),
    }
}

fn profiles(options: &CqlOptions) -> (ExecutionProfile, ExecutionProfile) {
    let mut policy = DefaultPolicy::builder();
    if let Some(datacenter) = &options.datacenter {
        policy = policy.prefer_datacenter(datacenter.clone());
    }
    let base = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .request_timeout(Some(options.request))
        .retry_policy(Arc::new(DefaultRetryPolicy::new()))
        .load_balancing_policy(policy.build());
    let writes = base.build();
    let second = SimpleSpeculativeExecutionPolicy { max_retry_count: 1, retry_interval: SPECULATE };
    let reads = writes.to_builder().speculative_execution_policy(Some(Arc::new(second))).build();
    (writes, reads)
}

fn context(tls: &Tls) -> Result<TlsContext, CqlError> {
    let own = |why: String| CqlError::Ca { path: tls.ca.clone().unwrap_or_default(), why };
    let stack = |error: openssl::error::ErrorStack| own(error.to_string());
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(stack)?;
    if let Some(path) = &tls.ca {
        // In place of the authorities that the system trusts: who names one means that one alone.
        let pem = fs::read(path).map_err(|error| own(error.to_string()))?;
        let certificates = X509::stack_from_pem(&pem).map_err(stack)?;
        if certificates.is_empty() {
            return Err(own("there is no certificate in it".to_owned()));
        }
        let mut store = X509StoreBuilder::new().map_err(stack)?;
        for certificate in certificates {
            store.add_cert(certificate).map_err(stack)?;
        }
        builder.set_cert_store(store.build());
    }
    Ok(TlsContext::OpenSsl010Config(OpenSsl010Config::new(builder)))
}

/// The datacenter that is asked: the one that is named, or the only one.
fn datacenter(options: &CqlOptions, session: &Session) -> Result<String, CqlError> {
    let state = session.get_cluster_state();
    let known: BTreeSet<&str> = state.get_nodes_info().iter().filter_map(|node| node.datacenter.as_deref()).collect();
    let (nodes, all) = (options.addresses(), known.iter().copied().collect::<Vec<_>>().join(", "));
    match (&options.datacenter, known.len()) {
        (Some(wanted), _) if known.contains(wanted.as_str()) => Ok(wanted.clone()),
        (Some(wanted), _) => Err(CqlError::NoDatacenter { nodes, wanted: wanted.clone(), known: all }),
        (None, 1) => Ok(all),
        (None, _) => Err(CqlError::ManyDatacenters { nodes, known: all }),
    }
}

fn unreachable(options: &CqlOptions, why: String) -> CqlError {
    CqlError::Unreachable { nodes: options.addresses(), why }
}

/// Why no session came about.
fn refused(options: &CqlOptions, error: &NewSessionError) -> CqlError {
    let NewSessionError::MetadataError(MetadataError::ConnectionPoolError(ConnectionPoolError::Broken {
        last_connection_error,
    })) = error
    else {
        return unreachable(options, error.to_string());
    };
    let (nodes, why) = (options.addresses(), last_connection_error.to_string());
    match last_connection_error {
        ConnectionError::ConnectionSetupRequestError(setup) => match setup.get_error() {
            ConnectionSetupRequestErrorKind::MissingAuthentication => {
                let why = "they ask for a user and a password".to_owned();
                CqlError::Credentials { nodes, user: String::new(), why }
            }
            ConnectionSetupRequestErrorKind::DbError(DbError::AuthenticationError, said) => {
                let user = options.login.as_ref().map(|login| login.user.clone()).unwrap_or_default();
                CqlError::Credentials { nodes, user, why: said.clone() }
            }
            _ => unreachable(options, why),
        },
        // The connection itself stands before TLS is spoken; what OpenSSL says comes as an error of the system.
        ConnectionError::IoError(error) if options.tls.is_some() && of_tls(error) => CqlError::Untrusted { nodes, why },
        _ => unreachable(options, why),
    }
}

/// Whether OpenSSL said it, and not the system.
fn of_tls(error: &std::io::Error) -> bool {
    let inner = error.get_ref();
    inner.is_some_and(|inner| inner.is::<openssl::ssl::Error>() || inner.is::<openssl::error::ErrorStack>())
}
