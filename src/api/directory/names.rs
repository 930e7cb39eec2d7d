//! Reading the directory's names: page by page, with the rows that they lead to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{MAX_NAMES, Session, Tenant};
use crate::api::state::App;
use crate::domain::id::{BudgetId, EndpointId, SessionId, TenantId};
use crate::domain::row::{Row, RowId, TenantRow};
use crate::store::StoreError;
use crate::store::rows::{self, Named};

/// Names whose rows are read together: as many as the store reads at once without another thread. Few partitions hold more,
/// and there are hundreds of reads.
const CHUNK: usize = 256;

/// The kinds of name that stand here: those that an operator declares. Tenants make campaigns and keys themselves, and
/// those that are over keep their names; nobody else is to be forgotten for them, so they are looked up in the store.
const KINDS: [&str; 4] = ["tenant", "session", "endpoint", "portfolio"];

/// Everything that has a name, by name and by what it is found by otherwise.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) tenants: BTreeMap<String, TenantId>,
    pub(super) by_tenant: HashMap<TenantId, Arc<Tenant>>,
    pub(super) sessions: BTreeMap<(TenantId, String), Arc<Session>>,
    pub(super) by_session: HashMap<SessionId, Arc<Session>>,
    pub(super) by_account: HashMap<String, Arc<Session>>,
    pub(super) endpoints: BTreeMap<(TenantId, String), EndpointId>,
    pub(super) portfolios: BTreeMap<String, BudgetId>,
    pub(super) len: usize,
}

impl Names {
    /// All of them, from every partition.
    pub(super) async fn read(app: &App) -> Result<Self, StoreError> {
        let mut names = Self::default();
        for partition in 0..app.partitions {
            for kind in KINDS {
                names.take(app, kind, partition).await?;
            }
        }
        Ok(names)
    }

    async fn take(&mut self, app: &App, kind: &str, partition: u16) -> Result<(), StoreError> {
        let mut last: Option<Named> = None;
        while self.len < MAX_NAMES {
            let found = rows::names(&*app.store, kind, partition, last.as_ref(), CHUNK).await?;
            let Some(end) = found.last().cloned() else {
                break;
            };
            self.len += found.len();
            let whole = found.len() == CHUNK;
            match kind {
                "tenant" => self.take_tenants(app, found).await?,
                "session" => self.take_sessions(app, found, partition).await?,
                "endpoint" => {
                    self.endpoints.extend(found.into_iter().map(|n| ((TenantId(n.scope), n.name), EndpointId(n.id))))
                }
                _ => self.portfolios.extend(found.into_iter().map(|n| (n.name, BudgetId(n.id)))),
            }
            last = Some(end);
            if !whole {
                break;
            }
            // A long list is read without holding up who else is on this thread.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn take_tenants(&mut self, app: &App, found: Vec<Named>) -> Result<(), StoreError> {
        let ids: Vec<RowId> = found.iter().map(|n| RowId::Tenant(TenantId(n.id))).collect();
        for (named, row) in found.into_iter().zip(rows::get_many(&*app.store, &ids).await?) {
            let (id, Some(Row::Tenant(row))) = (TenantId(named.id), row) else {
                continue;
            };
            let name = named.name.clone();
            let TenantRow { per_second, burst, gates, quiet_hours, queue_max, .. } = row;
            let tenant = Tenant { id, name, per_second, burst, gates, quiet_hours, queue_max };
            self.by_tenant.insert(id, Arc::new(tenant));
            self.tenants.insert(named.name, id);
        }
        Ok(())
    }

    async fn take_sessions(&mut self, app: &App, found: Vec<Named>, partition: u16) -> Result<(), StoreError> {
        let ids: Vec<RowId> = found.iter().map(|n| RowId::Session(SessionId(n.id))).collect();
        for (named, row) in found.into_iter().zip(rows::get_many(&*app.store, &ids).await?) {
            let Some(Row::Session(row)) = row else {
                continue;
            };
            let session = Arc::new(Session {
                id: SessionId(named.id),
                tenant: row.tenant,
                name: named.name.clone(),
                channel: row.channel,
                account: row.account,
                test: row.test,
                declared_at: row.declared_at,
                portfolio: row.portfolio,
                partition,
                draining: row.draining,
            });
            self.by_session.insert(session.id, Arc::clone(&session));
            self.by_account.insert(session.account.clone(), Arc::clone(&session));
            self.sessions.insert((row.tenant, named.name), session);
        }
        Ok(())
    }
}
