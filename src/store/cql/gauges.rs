//! What the driver says of itself, shown to telemetry every few seconds.

use std::sync::Weak;
use std::time::Duration;

use super::shared::Shared;
use crate::telemetry::{self, Nodes};

/// How often.
const EVERY: Duration = Duration::from_secs(5);

/// Shows it until the store is gone.
pub async fn show(shared: Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        telemetry::nodes(&said(&shared));
        drop(shared);
        tokio::time::sleep(EVERY).await;
    }
}

fn said(shared: &Shared) -> Nodes {
    let (metrics, state) = (shared.cluster.session.get_metrics(), shared.cluster.session.get_cluster_state());
    let nodes = state.get_nodes_info();
    let up = nodes.iter().filter(|node| node.is_connected()).count();
    Nodes {
        nodes: (nodes.len() as u64, up as u64),
        connections: metrics.get_total_connections(),
        trouble: [
            metrics.get_errors_unpaged_num() + metrics.get_errors_manually_paged_num(),
            metrics.get_retries_num(),
            metrics.get_request_timeouts(),
        ],
    }
}
