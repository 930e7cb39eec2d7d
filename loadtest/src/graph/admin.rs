//! `/_sim/...`: looking into the simulator and changing it while it runs. Only for loopback: nothing here asks who calls.

use super::answer::answer_error;
use super::error::GraphError;
use super::fault::Faults;
use super::payload::{Accepted, Status, StatusEvent};
use super::simulator::Shared;
use crate::clock::now_us;
use crate::server::{Answer, json};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json as value};

/// Records in one answer at most: 10,000 of about 300 bytes are 3 MB.
const PAGE_MAX: usize = 10_000;
const BODY_MAX: usize = 4 * 1024 * 1024;

/// `POST /_sim/callback`: where callbacks go from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallbackTarget {
    url: Option<String>,
    app_secret: Option<String>,
}

/// `POST /_sim/inbound`: a person writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inbound {
    phone_number_id: String,
    from: String,
    text: String,
}

/// `POST /_sim/status`: one status callback, out of turn.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneStatus {
    phone_number_id: String,
    wamid: String,
    to: String,
    status: String,
    code: Option<u32>,
    token: Option<String>,
}

pub(super) async fn route(shared: &Shared, name: &str, request: Request<Incoming>) -> Response<Answer> {
    let done = match (request.method(), name) {
        (&Method::GET, "stats") => Ok(value!(shared.stats())),
        (&Method::GET, "requests") => Ok(requests(shared, request.uri().query().unwrap_or_default())),
        (&Method::GET, "faults") => Ok(value!(*shared.faults())),
        (&Method::POST, "faults") => read(request).await.map(|faults: Faults| {
            shared.set_faults(faults);
            value!({"ok": true})
        }),
        (&Method::POST, "callback") => read(request).await.and_then(|to: CallbackTarget| {
            shared.callbacks.set_target(to.url.as_deref(), to.app_secret.as_deref()).map(|()| value!({"ok": true}))
        }),
        (&Method::POST, "inbound") => read(request).await.and_then(|i: Inbound| {
            let sent = shared.inbound(&i.phone_number_id, &i.from, &i.text).map_err(|e| e.to_string());
            sent.map(|id| value!({"id": id}))
        }),
        (&Method::POST, "status") => read(request).await.and_then(|one| status(shared, one)),
        _ => Err("there is GET stats, requests, faults and POST faults, callback, inbound, status".to_owned()),
    };
    match done {
        Ok(body) => json(StatusCode::OK, body.to_string()),
        Err(wrong) => json(StatusCode::BAD_REQUEST, value!({"error": wrong}).to_string()),
    }
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, String> {
    let body = Limited::new(request.into_body(), BODY_MAX).collect().await.map_err(|e| format!("body: {e}"))?;
    serde_json::from_slice(&body.to_bytes()).map_err(|e| format!("body: {e}"))
}

/// A number in a query string such as `after=10&limit=5`.
pub(crate) fn query_number(query: &str, name: &str) -> Option<u64> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, v)| v.parse().ok())
}

/// `after` counts records since the start; `next` is the `after` to go on with.
fn requests(shared: &Shared, query: &str) -> Value {
    let after = query_number(query, "after").unwrap_or(0);
    let limit =
        query_number(query, "limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1000).min(PAGE_MAX);
    let dropped = shared.journal.state().1;
    let found = shared.journal.after(after, limit);
    value!({"next": after.max(dropped) + found.len() as u64, "requests": found})
}

fn status(shared: &Shared, one: OneStatus) -> Result<Value, String> {
    let status = match (one.status.as_str(), one.code) {
        ("sent", _) => Status::Sent,
        ("delivered", _) => Status::Delivered,
        ("read", _) => Status::Read,
        ("failed", Some(code)) => Status::Failed(code),
        ("failed", None) => return Err("a failed status needs a code".to_owned()),
        (other, _) => {
            return Err(format!("status `{other}`: there is sent, delivered, read, failed"));
        }
    };
    let number =
        shared.number(&one.phone_number_id).map_err(|_| format!("no phone number id {}", one.phone_number_id))?;
    let message = Accepted {
        number,
        wamid: one.wamid.into(),
        phone: Some(one.to.into()),
        user_id: None,
        token: one.token.map(Into::into),
        category: "service",
        reads: true,
        only_sent: false,
    };
    shared.callbacks.status_now(StatusEvent { message: message.into(), status, at_s: now_us() / 1_000_000 });
    Ok(value!({"ok": true}))
}

/// `GET /{version}/{phone-number-id}`: enough for a caller that checks its number.
pub(super) fn phone_number(shared: &Shared, id: &str) -> Response<Answer> {
    let number = match shared.number(id) {
        Ok(number) => number,
        Err(_) => return answer_error(&GraphError::no_object(id), 0),
    };
    let body = value!({
        "id": number.phone_number_id,
        "display_phone_number": format!("+{}", number.display_phone_number),
        "verified_name": "Example Store",
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "is_on_biz_app": false,
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
    });
    json(StatusCode::OK, body.to_string())
}
