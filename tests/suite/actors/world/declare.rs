//! What is declared in the house: tenants, sessions, endpoints.

use std::sync::Arc;

use waybill::domain::address::Address;
use waybill::domain::event::{EndpointDeclaredV1, MemberV1, SessionDeclaredV1, TenantDeclaredV1};
use waybill::domain::id::{EndpointId, InstallationId, SessionId, TenantId};
use waybill::domain::quiet::QuietHours;
use waybill::domain::record::Position;
use waybill::domain::routing;
use waybill::domain::secret_name;
use waybill::journal::{Entry, Journal};
use waybill::vault::SecretBytes;

use super::{PARTITIONS, World};

impl World {
    /// A tenant that may send so many a second.
    pub async fn tenant(&self, name: &str, per_second: u32) -> TenantId {
        self.tenant_with(name, per_second, (None, None)).await
    }

    /// A tenant with its own word on opt-ins and windows.
    pub async fn tenant_with(&self, name: &str, per_second: u32, gates: (Option<bool>, Option<bool>)) -> TenantId {
        self.quiet_tenant(name, per_second, gates, None).await
    }

    /// The same, with quiet hours.
    pub async fn quiet_tenant(
        &self,
        name: &str,
        per_second: u32,
        gates: (Option<bool>, Option<bool>),
        quiet_hours: Option<QuietHours>,
    ) -> TenantId {
        let tenant = TenantId::named(InstallationId([1; 16]), name);
        let facts = TenantDeclaredV1 {
            tenant,
            name: name.to_owned(),
            display_name: String::new(),
            per_second,
            burst: per_second,
            require_opt_in: gates.0,
            require_window: gates.1,
            quiet_hours,
            queue_max: None,
        };
        self.tell(tenant, tenant, facts).await;
        tenant
    }

    pub async fn session(&self, tenant: TenantId, name: &str) -> SessionId {
        self.session_at(tenant, name, "100000000000009", 100_000).await
    }

    /// A session of this account, at this rate.
    pub async fn session_at(&self, tenant: TenantId, name: &str, account: &str, per_second: u32) -> SessionId {
        self.session_of(tenant, (name, account, per_second), (None, None)).await
    }

    /// The same, of this business account and this portfolio.
    pub async fn session_of(
        &self,
        tenant: TenantId,
        (name, account, per_second): (&str, &str, u32),
        (waba, portfolio): (Option<&str>, Option<&str>),
    ) -> SessionId {
        let session = SessionId::named(tenant, name);
        let name_of_token = secret_name::session_token(session);
        let token = SecretBytes::new(b"token".to_vec());
        self.hands.vault.put_secret(Some(tenant), &name_of_token, &token).await.unwrap();
        let facts = SessionDeclaredV1 {
            session,
            tenant,
            name: name.to_owned(),
            channel: "whatsapp".to_owned(),
            account: account.to_owned(),
            waba: waba.map(str::to_owned),
            app: None,
            portfolio: portfolio.map(str::to_owned),
            per_second,
            burst: per_second.div_ceil(10),
            test: false,
            members: None,
        };
        self.tell(session, tenant, facts).await;
        session
    }

    /// A pool of these sessions, each with its weight.
    pub async fn pool(&self, tenant: TenantId, name: &str, members: &[(SessionId, u32)]) -> SessionId {
        let pool = SessionId::named(tenant, name);
        let members = members.iter().map(|(session, weight)| MemberV1 { session: *session, weight: *weight });
        let facts = SessionDeclaredV1 {
            session: pool,
            tenant,
            name: name.to_owned(),
            channel: "pool".to_owned(),
            account: String::new(),
            waba: None,
            app: None,
            portfolio: None,
            per_second: 1,
            burst: 1,
            test: false,
            members: Some(members.collect()),
        };
        self.tell(pool, tenant, facts).await;
        pool
    }

    pub async fn endpoint(&self, tenant: TenantId) -> EndpointId {
        self.endpoint_at(tenant, "hook", "https://customer.example/hook").await
    }

    /// An endpoint of this name at this address, told of everything.
    pub async fn endpoint_at(&self, tenant: TenantId, name: &str, url: &str) -> EndpointId {
        let endpoint = EndpointId::named(tenant, name);
        let secret = SecretBytes::new(format!("whsec_{}", "QUJD".repeat(11)).into_bytes());
        self.hands.vault.put_secret(Some(tenant), &secret_name::endpoint_secret(endpoint), &secret).await.unwrap();
        let facts = EndpointDeclaredV1 {
            endpoint,
            tenant,
            name: name.to_owned(),
            url: url.to_owned(),
            events: Vec::new(),
            since: None,
        };
        self.tell(endpoint, tenant, facts).await;
        endpoint
    }

    /// What stands in a partition now.
    pub async fn entries(&self, partition: u16) -> Vec<Arc<Entry>> {
        let (end, mut all) = (self.journal.end(partition), Vec::new());
        let mut tail = self.journal.tail(partition, Position(0));
        while tail.position() < end {
            all.extend(tail.next().await.expect("readable"));
        }
        all.retain(|entry: &Arc<Entry>| entry.position < end);
        all
    }

    /// How many events stand in a mailbox.
    pub async fn mail(&self, address: impl Into<Address>) -> usize {
        let address = address.into();
        let all = self.entries(routing::partition(&address, PARTITIONS)).await;
        all.iter().filter(|entry| entry.record.header.address == address).count()
    }
}
