//! Who is called what: tenants, sessions and endpoints by name, by the provider's account, by id.
//!
//! Read from the store's directory of names and held in memory. What is found may be five seconds old; what is not found
//! is looked for again, at most once a second. While somebody asks, [`keep`] reads ahead of them: whoever read it for
//! everybody would wait for that, for seconds on a busy machine. Names are never deleted, so an old answer is never a wrong
//! one, only an outdated declaration.

mod names;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use names::Names;

use super::problem::Problem;
use super::state::App;
use crate::domain::consent::OwnGates;
use crate::domain::id::{BudgetId, EndpointId, SessionId, TenantId};
use crate::domain::quiet::QuietHours;
use crate::domain::record::Position;
use crate::store::StoreError;

/// Names held, about 300 bytes each: 60 MB. Declarations beyond it are refused.
pub const MAX_NAMES: usize = 200_000;

/// How old what was found may be, microseconds.
const STALE: u64 = 5_000_000;

/// How soon it is read again when something is not found, microseconds.
const MISS: u64 = 1_000_000;

/// A tenant as the intake needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Messages a second it may hand in.
    pub per_second: u32,
    /// At once after a rest.
    pub burst: u32,
    /// Which gates it has otherwise than its installation.
    pub gates: OwnGates,
    /// When its marketing leaves people alone.
    pub quiet_hours: Option<QuietHours>,
    /// How many of its messages may wait, if it has a limit of its own.
    pub queue_max: Option<u32>,
}

/// A session as the intake needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Which channel speaks for it.
    pub channel: String,
    /// The provider's id of the sender.
    pub account: String,
    /// Never reaches the provider.
    pub test: bool,
    /// Position of the declaration in force.
    pub declared_at: Position,
    /// The portfolio it belongs to, by name.
    pub portfolio: Option<String>,
    /// Where its mailbox is.
    pub partition: u16,
    /// Why it takes no more messages, if it is being emptied.
    pub draining: Option<String>,
}

/// The names of this installation.
#[derive(Debug, Default)]
pub struct Directory {
    names: RwLock<Arc<Names>>,
    /// When they were read, microseconds of steady time plus one; 0: never.
    read_at: AtomicU64,
    reading: tokio::sync::Mutex<()>,
    /// Somebody asked since it was read.
    asked: AtomicBool,
}

/// Reads the directory anew while it is asked, until this is dropped: twice as often as what it says may be old.
pub async fn keep(app: Arc<App>) {
    loop {
        tokio::time::sleep(Duration::from_micros(STALE / 2)).await;
        if app.directory.asked.swap(false, Ordering::AcqRel)
            && let Err(error) = app.directory.refresh(&app).await
        {
            // Whoever asks next reads it, and is told.
            tracing::warn!(%error, "the directory of names cannot be read");
        }
    }
}

macro_rules! find {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty, |$names:ident| $find:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// When the store cannot be read.
        pub async fn $name(&self, app: &App, $($arg: $ty),*) -> Result<Option<$out>, StoreError> {
            self.freshen(app, STALE).await?;
            if let Some(found) = { let $names = self.now(); $find } {
                return Ok(Some(found));
            }
            self.freshen(app, MISS).await?;
            let $names = self.now();
            Ok($find)
        }
    };
}

impl Directory {
    /// The session that a list is to be narrowed to, if one is named.
    ///
    /// # Errors
    /// `not_found` when there is none of that name.
    pub async fn session_asked(
        &self,
        app: &App,
        tenant: TenantId,
        name: Option<&str>,
    ) -> Result<Option<Arc<Session>>, Problem> {
        let Some(name) = name else {
            return Ok(None);
        };
        let found = self.session_named(app, tenant, name).await?;
        found.map(Some).ok_or_else(|| Problem::not_found("session"))
    }

    find!(
        /// The tenant of this name.
        tenant_named(name: &str) -> Arc<Tenant>,
        |names| names.tenants.get(name).and_then(|id| names.by_tenant.get(id)).cloned()
    );
    find!(
        /// The tenant of this id.
        tenant(id: TenantId) -> Arc<Tenant>,
        |names| names.by_tenant.get(&id).cloned()
    );
    find!(
        /// The tenant's session of this name.
        session_named(tenant: TenantId, name: &str) -> Arc<Session>,
        |names| names.sessions.get(&(tenant, name.to_owned())).cloned()
    );
    find!(
        /// The session of this id.
        session(id: SessionId) -> Arc<Session>,
        |names| names.by_session.get(&id).cloned()
    );
    find!(
        /// The session of a provider's account: a phone number id on WhatsApp.
        session_of_account(account: &str) -> Arc<Session>,
        |names| names.by_account.get(account).cloned()
    );
    find!(
        /// The tenant's endpoint of this name.
        endpoint_named(tenant: TenantId, name: &str) -> EndpointId,
        |names| names.endpoints.get(&(tenant, name.to_owned())).copied()
    );
    find!(
        /// The portfolio of this name.
        portfolio_named(name: &str) -> BudgetId,
        |names| names.portfolios.get(name).copied()
    );

    /// The portfolios that sessions of this tenant belong to, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn portfolios(&self, app: &App, tenant: TenantId) -> Result<BTreeMap<String, BudgetId>, StoreError> {
        self.freshen(app, STALE).await?;
        let names = self.now();
        let from = Bound::Included((tenant, String::new()));
        let own = names.sessions.range((from, Bound::Unbounded)).take_while(|((owner, _), _)| *owner == tenant);
        let named = own.filter_map(|(_, session)| session.portfolio.as_ref());
        Ok(named.filter_map(|name| Some((name.clone(), *names.portfolios.get(name)?))).collect())
    }

    /// The tenant's sessions by name, after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sessions(
        &self,
        app: &App,
        tenant: TenantId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Arc<Session>>, StoreError> {
        self.freshen(app, STALE).await?;
        Ok(page(&self.now().sessions, tenant, after, limit).into_iter().map(|(_, session)| session).collect())
    }

    /// The tenant's endpoints by name, after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn endpoints(
        &self,
        app: &App,
        tenant: TenantId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, EndpointId)>, StoreError> {
        self.freshen(app, STALE).await?;
        Ok(page(&self.now().endpoints, tenant, after, limit))
    }

    /// All tenants by name, after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tenants(&self, app: &App, after: &str, limit: usize) -> Result<Vec<Arc<Tenant>>, StoreError> {
        self.freshen(app, STALE).await?;
        let names = self.now();
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let ids = names.tenants.range::<str, _>(range).take(limit);
        Ok(ids.filter_map(|(_, id)| names.by_tenant.get(id).cloned()).collect())
    }

    /// Whether something of this kind is called so by now: a session or endpoint of a tenant, a tenant, a portfolio.
    #[must_use]
    pub fn knows(&self, kind: &str, tenant: TenantId, name: &str) -> bool {
        let (names, own) = (self.now(), (tenant, name.to_owned()));
        match kind {
            "tenant" => names.tenants.contains_key(name),
            "portfolio" => names.portfolios.contains_key(name),
            "session" => names.sessions.contains_key(&own),
            _ => names.endpoints.contains_key(&own),
        }
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.now().len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads everything again, now: after a declaration of this node.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn refresh(&self, app: &App) -> Result<(), StoreError> {
        let _one = self.reading.lock().await;
        self.read(app).await
    }

    fn now(&self) -> Arc<Names> {
        Arc::clone(&self.names.read())
    }

    /// Reads again what is older than `age`. While one caller reads, those who have something go on with it.
    async fn freshen(&self, app: &App, age: u64) -> Result<(), StoreError> {
        self.asked.store(true, Ordering::Release);
        if self.is_younger(app, age) {
            return Ok(());
        }
        let never = self.read_at.load(Ordering::Acquire) == 0;
        let one = if never || age == MISS { Some(self.reading.lock().await) } else { self.reading.try_lock().ok() };
        if one.is_none() || self.is_younger(app, age) {
            return Ok(());
        }
        self.read(app).await
    }

    fn is_younger(&self, app: &App, age: u64) -> bool {
        let read_at = self.read_at.load(Ordering::Acquire);
        read_at != 0 && steady(app).saturating_sub(read_at) < age
    }

    async fn read(&self, app: &App) -> Result<(), StoreError> {
        let read_at = steady(app);
        let names = Names::read(app).await?;
        if names.len >= MAX_NAMES {
            tracing::error!(limit = MAX_NAMES, "the directory is full; later names are not found");
        }
        *self.names.write() = Arc::new(names);
        self.read_at.store(read_at, Ordering::Release);
        Ok(())
    }
}

/// Never zero, which means never.
fn steady(app: &App) -> u64 {
    u64::try_from(app.clock.steady().as_micros()).unwrap_or(u64::MAX - 1).saturating_add(1)
}

fn page<T: Clone>(
    map: &BTreeMap<(TenantId, String), T>,
    tenant: TenantId,
    after: &str,
    limit: usize,
) -> Vec<(String, T)> {
    let from = Bound::Excluded((tenant, after.to_owned()));
    map.range((from, Bound::Unbounded))
        .take_while(|((owner, _), _)| *owner == tenant)
        .take(limit)
        .map(|((_, name), value)| (name.clone(), value.clone()))
        .collect()
}
