//! The one table of routes. What does not stand here is not served.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing;

use super::codes::Code;
use super::guard::{ADMIN, AUDIT, Access, Guard, READ, SEND, guard};
use super::problem::Problem;
use super::state::App;
use super::{
    admin, campaigns, contacts, endpoints, failures, gates, graph, keys, messages, openapi, pools, portfolios, ready,
    sessions, tenant, usage,
};

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its method, lower case.
    pub method: &'static str,
    /// Its path, parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it does, one line.
    pub summary: &'static str,
}

macro_rules! routes {
    ($($method:ident $path:literal $access:expr, $handler:path, $summary:literal;)*) => {
        /// Every route of this room, in the order of the documentation.
        pub const ROUTES: &[Route] = &[
            $(Route { method: stringify!($method), path: $path, access: $access, summary: $summary },)*
        ];

        fn table(app: &Arc<App>) -> Router<Arc<App>> {
            Router::new()$(.route($path, routing::$method($handler).route_layer(from_fn_with_state(
                Guard { app: Arc::clone(app), access: $access },
                guard,
            ))))*
        }
    };
}

routes! {
    post "/v1/messages" SEND, messages::send, "Accept a message";
    get "/v1/messages" READ, messages::list, "List accepted messages";
    post "/v1/messages/bulk" SEND, messages::bulk, "Accept many messages, one JSON object a line";
    get "/v1/messages/{id}" READ, messages::show, "A message: state, facts and timeline";
    post "/v1/messages/{id}/cancel" SEND, messages::cancel, "Call a message off before it leaves";
    post "/v1/messages/{id}/resolve" ADMIN, messages::resolve, "Decide an unknown outcome";
    put "/v1/campaigns/{name}" ADMIN, campaigns::declare, "Declare a campaign";
    get "/v1/campaigns" READ, campaigns::list, "List campaigns";
    get "/v1/campaigns/{name}" READ, campaigns::show, "A campaign: where it is and how far";
    post "/v1/campaigns/{name}/audience" SEND, campaigns::audience, "Load people into a campaign, one JSON object a line";
    post "/v1/campaigns/{name}/validate" READ, campaigns::validate, "Count who could not be loaded, and load nobody";
    post "/v1/campaigns/{name}/plan" READ, campaigns::plan, "How long a campaign would take, and which limit binds when";
    post "/v1/campaigns/{name}/start" ADMIN, campaigns::start, "Let a campaign's messages leave";
    post "/v1/campaigns/{name}/pause" ADMIN, campaigns::pause, "Stop a campaign for a while";
    post "/v1/campaigns/{name}/resume" ADMIN, campaigns::resume, "Let a paused campaign go on";
    post "/v1/campaigns/{name}/cancel" ADMIN, campaigns::cancel, "End a campaign, and call off what has not left";
    get "/v1/failures" READ, failures::list, "List messages that failed, expired, or may have been sent";
    post "/v1/failures/retry" ADMIN, failures::retry, "Queue failed and expired messages again";
    post "/v1/failures/resolve" ADMIN, failures::resolve, "Decide many unknown outcomes";
    get "/v1/sessions" READ, sessions::list, "List sessions";
    get "/v1/sessions/{name}" READ, sessions::show, "A session and its standing";
    post "/v1/sessions/{name}/suspend" ADMIN, sessions::suspend, "Stop a session from sending";
    post "/v1/sessions/{name}/resume" ADMIN, sessions::resume, "Let a session send again, and take messages";
    post "/v1/sessions/{name}/release" ADMIN, sessions::release, "Lift a session's hold and lowered rate";
    post "/v1/sessions/{name}/rebind" ADMIN, sessions::rebind, "Move what waits at a session to another, or to a pool";
    post "/v1/sessions/{name}/drain" ADMIN, sessions::drain, "Empty a session: it takes no more messages";
    get "/v1/pools" READ, pools::list, "List pools: several sessions as one sender";
    get "/v1/pools/{name}" READ, pools::show, "A pool: its members and how they stand";
    get "/v1/portfolios" READ, portfolios::list, "List portfolios: how many people of a day are used up";
    get "/v1/gates" READ, gates::list, "List what is stopped, why, and how many messages wait for it";
    post "/v1/templates/{name}/suspend" ADMIN, gates::suspend_template, "Stop messages of a template";
    post "/v1/templates/{name}/resume" ADMIN, gates::resume_template, "Let messages of a template leave again";
    post "/v1/countries/{code}/suspend" ADMIN, gates::suspend_country, "Stop messages to a country's phone numbers";
    post "/v1/countries/{code}/resume" ADMIN, gates::resume_country, "Let messages to a country leave again";
    get "/v1/endpoints" READ, endpoints::list, "List endpoints";
    get "/v1/endpoints/{name}" READ, endpoints::show, "An endpoint: how far it was told, and what failed";
    post "/v1/endpoints/{name}/enable" ADMIN, endpoints::enable, "Tell an endpoint again";
    post "/v1/endpoints/{name}/disable" ADMIN, endpoints::disable, "Tell an endpoint nothing";
    get "/v1/keys" ADMIN, keys::list, "List keys";
    post "/v1/keys" ADMIN, keys::create, "Issue a key; its text is shown once";
    delete "/v1/keys/{id}" ADMIN, keys::revoke, "Revoke a key";
    get "/v1/tenant" READ, tenant::show, "The tenant of this key";
    post "/v1/tenant/suspend" ADMIN, gates::suspend_tenant, "Stop everything of the tenant";
    post "/v1/tenant/resume" ADMIN, gates::resume_tenant, "Let the tenant send again";
    get "/v1/usage" READ, usage::usage, "What became of messages, by day, category and outcome";
    put "/v1/contacts/consent" SEND, contacts::consent, "Record what a person said about marketing";
    post "/v1/contacts/erase" ADMIN, contacts::erase, "Forget a person";
    post "/v1/contacts/export" AUDIT, contacts::export, "Everything that is kept of a person";
    put "/v1/contacts/legal-hold" ADMIN, contacts::legal_hold, "Keep what is known of a person, or let it go";
    get "/v1/privacy/requests" READ, contacts::requests, "What people asked for by right, and what was done";
    post "/v1/contacts/show" READ, contacts::show, "What a person allowed, and the open service windows";
    put "/v1/admin/declarations" Access::Operator, admin::declare, "Declare tenants, sessions, endpoints and keys";
    delete "/v1/admin/keys/{tenant}/{name}" Access::Operator, admin::revoke_key, "Revoke a key of any tenant";
    post "/v1/admin/portfolios/{name}/release" Access::Operator, admin::release_portfolio, "Lift a portfolio's hold";
    get "/v1/admin/tenants" Access::Operator, admin::tenants, "List tenants";
    get "/v1/admin/messages/{id}" Access::Operator, admin::message, "A message of any tenant";
    get "/v1/admin/events" Access::Operator, admin::events, "Events of a partition, without sealed content";
    get "/v1/admin/audit/checkpoint" Access::Operator, admin::checkpoint, "What was signed last over all events";
    post "/v1/admin/audit/begin" Access::Operator, admin::begin_log, "Begin another audit log, after a backup was put back";
    get "/v1/admin/audit/records" Access::Operator, admin::records, "Records of a partition, byte by byte, bodies sealed";
    get "/v1/admin/status" Access::Operator, admin::status, "How far each partition is, and what is wrong";
    get "/healthz" Access::Public, ready::live, "Whether the process answers";
    get "/readyz" Access::Public, ready::ready, "Whether messages are taken";
    get "/v1/openapi.json" Access::Public, openapi::show, "This document";
}

/// The router of this room over its state.
pub fn router(app: Arc<App>) -> Router {
    finished(table(&app).with_state(Arc::clone(&app)), &app)
}

/// What is said where there is nothing: set once more over everything that is served on one address, for a router that is
/// merged later brings its routes without these.
pub fn finished(router: Router, app: &Arc<App>) -> Router {
    let (nothing, other) = (Arc::clone(app), Arc::clone(app));
    router
        .fallback(move |request: Request| async move { nothing_here(&nothing, &request) })
        .method_not_allowed_fallback(move |request: Request| async move { other_method(&other, &request) })
}

fn nothing_here(app: &App, request: &Request) -> Response {
    let path = request.uri().path();
    if graph::is_path(path) {
        return graph::unknown(app, request.method(), path);
    }
    let near = super::nearest::nearest(path, ROUTES.iter().map(|route| route.path));
    let problem = Problem::new(Code::NotFound, "there is no such route");
    match near {
        Some(path) => problem.remedy(format!("did you mean `{path}`?")),
        None => problem.remedy("GET /v1/openapi.json lists the routes"),
    }
    .into_response()
}

fn other_method(app: &App, request: &Request) -> Response {
    let path = request.uri().path();
    if graph::is_path(path) {
        return graph::unknown(app, request.method(), path);
    }
    Problem::new(Code::MethodNotAllowed, "this path does not offer this method")
        .remedy("GET /v1/openapi.json lists the routes")
        .into_response()
}
