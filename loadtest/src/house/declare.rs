//! Tenants, sessions, endpoints and keys, declared through Waybill's API like anybody else's.

use super::error::HouseError;
use super::place::SIGNING;
use super::target::Target;
use crate::client::{Address, ClientError, Connection};
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Sessions in one call: of each the token is synced into the vault, so 500 stay far below the 30 s a call may take.
const WITH_TOKEN: usize = 500;
/// Test sessions have no token; 3,000 of about 170 bytes stay below the 1 MiB a call may have.
const WITHOUT_TOKEN: usize = 3_000;
/// Longer than the target's own limit for a call.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tenant to declare.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tenant {
    pub name: String,
    /// Messages a second it may hand in; absent leaves it to the settings.
    pub per_second: Option<u32>,
    pub burst: Option<u32>,
    pub sessions: Vec<Session>,
    pub endpoint: Option<Endpoint>,
    /// Its sessions share a portfolio that may write to so many people a day.
    pub portfolio_people: Option<u32>,
    /// Test sessions and a test key: nothing of it leaves.
    pub test: bool,
}

/// A session to declare.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub name: String,
    pub phone_number_id: String,
    pub per_second: Option<u32>,
    pub burst: Option<u32>,
}

/// Where a tenant is notified.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoint {
    pub url: String,
    pub events: Vec<String>,
}

/// Declares everything and gives a key for each tenant.
pub(crate) async fn declare(target: &Target, tenants: &[Tenant]) -> Result<BTreeMap<String, String>, HouseError> {
    let operator = std::fs::read_to_string(target.data.join("operator.key")).map_err(HouseError::Folder)?;
    let connection = Connection::new(Address::parse(&format!("http://{}", target.addr))?, PATIENCE);
    let mut desk = Desk { connection, operator: operator.trim().to_owned() };
    let mut keys = BTreeMap::new();
    for tenant in tenants {
        desk.put(&of_tenant(tenant)).await?;
        let most = if tenant.test { WITHOUT_TOKEN } else { WITH_TOKEN };
        for some in tenant.sessions.chunks(most) {
            desk.put(&json!({"sessions": of_sessions(tenant, some), "dry_run": false})).await?;
        }
        let key = json!([{"tenant": tenant.name, "name": "load", "role": "admin", "test": tenant.test}]);
        let answer = desk.put(&json!({"keys": key, "dry_run": false})).await?;
        let key = key_in(&answer).ok_or_else(|| HouseError::Settings(format!("no key in {answer}")))?;
        keys.insert(tenant.name.clone(), key);
    }
    Ok(keys)
}

fn of_tenant(tenant: &Tenant) -> Value {
    let Tenant { name, per_second, burst, .. } = tenant;
    let endpoint =
        |it: &Endpoint| json!({"tenant": name, "name": "sink", "url": it.url, "secret": SIGNING, "events": it.events});
    let mut about = json!({"name": name, "display_name": name});
    put(&mut about, "per_second", *per_second);
    put(&mut about, "burst", *burst);
    let portfolio = |people| json!({"name": name, "people_per_day": people});
    let portfolios: Vec<Value> = tenant.portfolio_people.map(portfolio).into_iter().collect();
    json!({"tenants": [about], "portfolios": portfolios, "endpoints": tenant.endpoint.iter().map(endpoint).collect::<Vec<_>>(), "dry_run": false})
}

fn of_sessions(tenant: &Tenant, sessions: &[Session]) -> Vec<Value> {
    let session = |it: &Session| {
        let mut about = json!({"tenant": tenant.name, "name": it.name, "channel": "whatsapp",
            "phone_number_id": it.phone_number_id, "test": tenant.test});
        put(&mut about, "token", (!tenant.test).then_some("token"));
        put(&mut about, "per_second", it.per_second);
        put(&mut about, "burst", it.burst);
        put(&mut about, "portfolio", tenant.portfolio_people.map(|_| tenant.name.clone()));
        about
    };
    sessions.iter().map(session).collect()
}

fn put(object: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object[name] = value.into();
    }
}

/// The operator's connection.
struct Desk {
    connection: Connection,
    operator: String,
}

impl Desk {
    async fn put(&mut self, declarations: &Value) -> Result<Value, HouseError> {
        let request = Request::put("/v1/admin/declarations")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.operator))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(declarations.to_string()))
            .map_err(ClientError::from)?;
        let (status, body) = self.connection.send(request).await?;
        let said = || ClientError::Answer(status, String::from_utf8_lossy(&body).into_owned());
        if !status.is_success() {
            return Err(said().into());
        }
        serde_json::from_slice(&body).map_err(|_| said().into())
    }
}

/// The first text of an API key in an answer.
fn key_in(answer: &Value) -> Option<String> {
    match answer {
        Value::String(text) => (text.starts_with("wb_live_") || text.starts_with("wb_test_")).then(|| text.clone()),
        Value::Array(all) => all.iter().find_map(key_in),
        Value::Object(all) => all.values().find_map(key_in),
        _ => None,
    }
}
