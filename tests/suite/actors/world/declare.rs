//! What is declared in the house: tenants, sessions, endpoints.

use waybill::domain::event::{EndpointDeclaredV1, SessionDeclaredV1, TenantDeclaredV1};
use waybill::domain::id::{EndpointId, InstallationId, SessionId, TenantId};
use waybill::domain::quiet::QuietHours;
use waybill::domain::secret_name;
use waybill::vault::SecretBytes;

use super::World;

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
        };
        self.tell(session, tenant, facts).await;
        session
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
}
