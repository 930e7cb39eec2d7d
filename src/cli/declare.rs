//! A declaration as the server takes it: secrets fetched here, where the references mean something.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::config::{
    Declaration, EndpointDeclaration, KeyDeclaration, PortfolioDeclaration, SecretRef, SessionDeclaration,
    TenantDeclaration,
};

/// Where declarations are put.
pub const PATH: &str = "/v1/admin/declarations";

/// The body of `PUT /v1/admin/declarations`.
///
/// # Errors
/// Every secret that cannot be had, at once.
pub fn body(declaration: &Declaration, dry_run: bool) -> Result<Value, Failure> {
    let mut missing = Vec::new();
    let mut fetch = |reference: &SecretRef, owner: String| match reference.resolve() {
        Ok(secret) => Some(Zeroizing::new(secret.expose().to_owned())),
        Err(error) => {
            missing.push((owner, error.to_string()));
            None
        }
    };
    let sessions: Vec<Value> = declaration
        .session
        .iter()
        .map(|it| session(it, fetch(&it.token, format!("session {}/{}", it.tenant, it.name)).as_deref()))
        .collect();
    let endpoints: Vec<Value> = declaration
        .endpoint
        .iter()
        .map(|it| {
            let owner = || format!("endpoint {}/{}", it.tenant, it.name);
            let secret = it.secret.as_ref().and_then(|reference| fetch(reference, owner()));
            endpoint(it, secret.as_deref())
        })
        .collect();
    if !missing.is_empty() {
        return Err(unresolved(missing));
    }
    Ok(json!({
        "tenants": declaration.tenant.iter().map(tenant).collect::<Vec<_>>(),
        "portfolios": declaration.portfolio.iter().map(portfolio).collect::<Vec<_>>(),
        "sessions": sessions,
        "endpoints": endpoints,
        "keys": declaration.key.iter().map(key).collect::<Vec<_>>(),
        "dry_run": dry_run,
    }))
}

fn unresolved(missing: Vec<(String, String)>) -> Failure {
    let what = match missing.len() {
        1 => "a secret cannot be had; nothing was changed".to_owned(),
        many => format!("{many} secrets cannot be had; nothing was changed"),
    };
    let failure = Failure::usage(what);
    missing.into_iter().fold(failure, |failure, (owner, error)| {
        failure.part(format!("{owner}: {error}"), "Secrets are read on the machine where `waybill apply` runs.")
    })
}

fn tenant(it: &TenantDeclaration) -> Value {
    object([
        ("name", Some(json!(it.name.as_str()))),
        ("display_name", it.display_name.as_ref().map(|name| json!(name))),
        ("per_second", it.per_second.map(Into::into)),
        ("burst", it.burst.map(Into::into)),
        ("require_opt_in", it.require_opt_in.map(Into::into)),
        ("require_window", it.require_window.map(Into::into)),
        ("queue_max", it.queue_max.map(Into::into)),
        ("quiet_hours", it.quiet_hours.as_ref().map(|quiet| json!(quiet.to_string()))),
    ])
}

fn portfolio(it: &PortfolioDeclaration) -> Value {
    object([("name", Some(json!(it.name.as_str()))), ("people_per_day", it.people_per_day.map(Into::into))])
}

fn session(it: &SessionDeclaration, token: Option<&String>) -> Value {
    object([
        ("tenant", Some(json!(it.tenant.as_str()))),
        ("name", Some(json!(it.name.as_str()))),
        ("channel", Some(json!(it.channel.word()))),
        ("phone_number_id", Some(json!(it.phone_number_id))),
        ("waba_id", it.waba_id.as_ref().map(|id| json!(id))),
        ("app_id", it.app_id.as_ref().map(|id| json!(id))),
        ("portfolio", it.portfolio.as_ref().map(|name| json!(name.as_str()))),
        ("token", token.map(|token| json!(token))),
        ("test", Some(json!(it.test))),
        ("per_second", it.number_per_second.map(Into::into)),
        // Meta counts within one second, so a burst is one second's worth.
        ("burst", it.number_per_second.map(Into::into)),
    ])
}

fn endpoint(it: &EndpointDeclaration, secret: Option<&String>) -> Value {
    let events: Vec<&str> = it.events.iter().map(|pattern| pattern.as_str()).collect();
    object([
        ("tenant", Some(json!(it.tenant.as_str()))),
        ("name", Some(json!(it.name.as_str()))),
        ("url", Some(json!(it.url.as_str()))),
        ("secret", secret.map(|secret| json!(secret))),
        ("events", Some(json!(events))),
    ])
}

fn key(it: &KeyDeclaration) -> Value {
    json!({
        "tenant": it.tenant.as_str(),
        "name": it.name.as_str(),
        "role": it.role.word(),
        "test": it.test,
    })
}

/// An object of the fields that are there.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}
