//! Planning an endpoint.

use serde_json::Value;
use zeroize::Zeroizing;

use super::super::super::codes::Code;
use super::super::super::problem::Problem;
use super::super::super::state::App;
use super::super::super::time;
use super::ask::EndpointAsk;
use super::check::secret;
use super::plan::{Change, Step};
use crate::domain::draft::Draft;
use crate::domain::event::{EndpointDeclaredV1, Event};
use crate::domain::id::{EndpointId, EventId, TenantId};
use crate::domain::record::{Micros, Principal};
use crate::domain::row::{Row, RowId};
use crate::domain::secret_name::endpoint_secret;
use crate::store::rows;
use crate::vault::SecretBytes;
use crate::webhook::{Secret, newest, rotated};

/// Bytes of a secret made here: as many as the signature's hash.
const SECRET_BYTES: usize = 32;

/// What an endpoint needs. A new secret is a new declaration too: whoever signs hears of it.
pub async fn plan(app: &App, tenant: TenantId, it: &EndpointAsk) -> Result<Step, Problem> {
    let endpoint = EndpointId::named(tenant, &it.name);
    let before = match rows::get(&*app.store, &RowId::Endpoint(endpoint)).await? {
        Some(Row::Endpoint(row)) => Some(row),
        _ => None,
    };
    let name = endpoint_secret(endpoint);
    let kept = app.vault.secret(Some(tenant), &name).await?;
    let made = match (&it.secret, &before, &kept) {
        // Also when a secret is kept for an endpoint that never came to be: nobody was shown it.
        (None, None, _) | (None, _, None) => Some(draw(app)?),
        _ => None,
    };
    let now = app.clock.wall();
    let given = made.as_ref().or(it.secret.as_ref());
    let new_secret = given.and_then(|given| replaced(given, kept.as_ref(), now));
    let change = match &before {
        None => Change::Created,
        Some(row) if row.url == it.url && row.events == it.events && new_secret.is_none() => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    let event = (change != Change::Unchanged).then(|| {
        let event = Event::from(EndpointDeclaredV1 {
            endpoint,
            tenant,
            name: it.name.clone(),
            url: it.url.clone(),
            events: it.events.clone(),
            since: since(it.since.as_ref(), now),
        });
        let id = EventId(app.entropy.id());
        let draft = Draft::new(id, endpoint, &event, Principal::Operator, now).tenant(tenant);
        (app.partition_of(endpoint), draft)
    });
    Ok(Step {
        names: vec![("tenant", it.tenant.clone()), ("name", it.name.clone()), ("id", endpoint.to_string())],
        change,
        secret: new_secret.map(|value| (tenant, name, value)),
        event,
        reveal: made.map(|text| ("secret", text)),
    })
}

/// What the vault is to keep, if that is not yet in force. The former secret goes on signing for a day, so that the
/// receiver needs no cut-over.
fn replaced(given: &str, kept: Option<&SecretBytes>, now: Micros) -> Option<SecretBytes> {
    let kept = Zeroizing::new(kept.map(SecretBytes::to_text).unwrap_or_default());
    let seconds = u64::try_from(now / 1_000_000).unwrap_or(0);
    (newest(&kept) != given).then(|| secret(&rotated(given, &kept, seconds)))
}

fn draw(app: &App) -> Result<Zeroizing<String>, Problem> {
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    app.entropy.fill(bytes.as_mut());
    let secret = Secret::from_random(bytes.as_slice());
    secret.map(|secret| secret.to_text()).map_err(|error| Problem::new(Code::Internal, error.to_string()))
}

/// The check has refused what is neither a time nor `beginning`.
fn since(asked: Option<&Value>, now: Micros) -> Option<Micros> {
    match asked {
        None => Some(now),
        Some(value) => time::read("/since", value).ok(),
    }
}
