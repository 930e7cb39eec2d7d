//! `GET /metrics`: what telemetry renders, for Prometheus. No tenant's data stands in it.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;

use super::ready;
use super::routes::finished;
use super::state::App;
use crate::telemetry::Exporter;

/// What `server.admin_listen` serves: metrics and health, nothing that a tenant's key opens.
pub fn admin_router(app: Arc<App>, exporter: Exporter) -> Router {
    let health = Router::new().route("/healthz", get(ready::live)).route("/readyz", get(ready::ready));
    finished(health.with_state(Arc::clone(&app)).merge(metrics_route(exporter)), &app)
}

/// The route, to be merged beside the others or served alone.
pub fn metrics_route(exporter: Exporter) -> Router {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Router::new().route("/metrics", get(move || async move { (kind, render(exporter).await) }))
}

/// Off the async threads: with many series it takes milliseconds.
async fn render(exporter: Exporter) -> String {
    tokio::task::spawn_blocking(move || exporter.render()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "metrics could not be rendered");
        String::new()
    })
}
