//! Waybill as a target: its settings and declarations, through its own command line and API like anybody else's.

use super::child::Child;
use super::config::CompareConfig;
use super::rounds::CompareError;
use super::street::{APP_SECRET, CALLBACKS, SIGNING, Street};
use super::target::Target;
use crate::client::{Address, ClientError, Connection};
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The names callers use, the same for all targets.
pub(super) fn sender(n: usize) -> String {
    format!("s{n}")
}

/// No limit of ours in the way, everything else as it is shipped: every event sealed, synced and counted.
fn settings(street: &Street, addr: SocketAddr, data: &Path) -> String {
    let (data, graph) = (data.display(), street.simulator.base_url());
    let sink_port = street.sink.as_ref().map_or(443, |sink| sink.addr().port());
    format!(
        "[data]\ndir = \"{data}\"\n\
         [server]\nlisten = \"{addr}\"\n\
         [meta]\ngraph_url = \"{graph}\"\ncallback_path = \"{CALLBACKS}\"\napp_secrets = [\"literal:{APP_SECRET}\"]\n\
         [pacing]\nnumber_per_second = 1000\nnumber_burst = 1000\npair_interval = \"1ms\"\npair_burst = 1000\n\
         tenant_per_second = 100000\ntenant_burst = 100000\n\
         [webhooks]\nallow_private = true\nallowed_ports = [{sink_port}]\n\
         [telemetry]\nlog = \"warn\"\n"
    )
}

fn declarations(config: &CompareConfig, street: &Street) -> Value {
    let session = |n: usize| {
        json!({"tenant": "shop", "name": sender(n), "channel": "whatsapp", "phone_number_id": format!("9001002003{n:05}"),
            "token": "token", "test": false, "per_second": 1000, "burst": 1000})
    };
    let endpoint = |url: String| {
        json!({"tenant": "shop", "name": "sink", "url": url, "secret": SIGNING,
            "events": ["message.sent", "message.delivered"]})
    };
    json!({
        "tenants": [{"name": "shop", "display_name": "Shop", "per_second": 100_000, "burst": 100_000}],
        "sessions": (0..config.senders).map(session).collect::<Vec<_>>(),
        "endpoints": street.sink.iter().map(|sink| endpoint(sink.url())).collect::<Vec<_>>(),
        "keys": [{"tenant": "shop", "name": "load", "role": "sender", "test": false}],
        "dry_run": false,
    })
}

/// Starts a node in `folder`, declares tenant, sessions, endpoint and key, and waits until it takes messages.
pub(super) async fn start(
    config: &CompareConfig,
    street: &Street,
    addr: SocketAddr,
    folder: &Path,
) -> Result<Target, CompareError> {
    let (file, data) = (folder.join("waybill.toml"), folder.join("data"));
    std::fs::write(&file, settings(street, addr, &data)).map_err(CompareError::Folder)?;
    let arguments = ["serve".to_owned(), format!("--config={}", file.display())];
    let mut child = Child::start(&config.waybill, &arguments, &folder.join("waybill.log"))?;
    child.answers(addr, "/readyz").await?;
    let operator = std::fs::read_to_string(data.join("operator.key")).map_err(CompareError::Folder)?;
    let api_key = declare(addr, operator.trim(), &declarations(config, street)).await?;
    Ok(Target { child, addr, api_key })
}

/// Declares, and gives the key that was made.
async fn declare(addr: SocketAddr, operator: &str, declarations: &Value) -> Result<String, CompareError> {
    let mut connection = Connection::new(Address::parse(&format!("http://{addr}"))?, Duration::from_secs(30));
    let request = Request::put("/v1/admin/declarations")
        .header(header::AUTHORIZATION, format!("Bearer {operator}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(declarations.to_string()))
        .map_err(ClientError::from)?;
    let (status, body) = connection.send(request).await?;
    let said = || CompareError::Client(ClientError::Answer(status, String::from_utf8_lossy(&body).into_owned()));
    let answer: Value = serde_json::from_slice(&body).map_err(|_| said())?;
    key_in(&answer).ok_or_else(said)
}

/// The first text of an API key in an answer.
fn key_in(answer: &Value) -> Option<String> {
    match answer {
        Value::String(text) => text.starts_with("wb_live_").then(|| text.clone()),
        Value::Array(all) => all.iter().find_map(key_in),
        Value::Object(all) => all.values().find_map(key_in),
        _ => None,
    }
}
