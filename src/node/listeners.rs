//! Where a node listens: the API with Meta's callbacks, and, if the settings ask for it, metrics and health apart.
//!
//! Both are bound before anything is opened, so that a port in use leaves no trace in the data folder.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::error::StartError;
use crate::api::{self, App};
use crate::config::{Server, Settings};
use crate::telemetry::Exporter;

/// Bound, not serving yet.
pub(super) struct Listeners {
    /// Where the API is found.
    pub(super) addr: SocketAddr,
    api: TcpListener,
    admin: Option<TcpListener>,
}

impl Listeners {
    /// Binds what the settings name.
    pub(super) async fn bind(server: &Server) -> Result<Self, StartError> {
        let api = listen("server.listen", server.listen).await?;
        let admin = match server.admin_listen {
            Some(addr) => Some(listen("server.admin_listen", addr).await?),
            None => None,
        };
        let refused = |why| StartError::Listen { key: "server.listen", addr: server.listen, why };
        Ok(Self { addr: api.local_addr().map_err(refused)?, api, admin })
    }

    /// Serves until `stopping` says so; without a router health and metrics alone. Metrics stand on one of the two addresses only; health stands on both, because
    /// load balancers ask where the traffic goes. The admin address speaks plain HTTP: it is for the inner network.
    pub(super) fn serve(
        self,
        tls: Option<Arc<ServerConfig>>,
        router: Option<Router>,
        app: Arc<App>,
        exporter: Exporter,
        settings: &Settings,
        stopping: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let apart = self.admin.map(|admin| {
            let inside = api::admin_router(Arc::clone(&app), exporter.clone());
            api::serve(admin, None, inside, settings, stopping.clone())
        });
        let router = match router {
            None => api::admin_router(app, exporter),
            Some(router) if apart.is_some() => api::finished(router, &app),
            Some(router) => api::finished(router.merge(api::metrics_route(exporter)), &app),
        };
        let api = api::serve(self.api, tls, router, settings, stopping);
        async move {
            let apart = async {
                if let Some(apart) = apart {
                    apart.await;
                }
            };
            tokio::join!(api, apart);
        }
    }
}

async fn listen(key: &'static str, addr: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(addr).await.map_err(|why| StartError::Listen { key, addr, why })
}
