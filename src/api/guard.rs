//! The guard before every route: who is calling, whether they may, whether there is room.
//!
//! A route without an entry in the table does not exist, and an entry always has its access: nothing is open by
//! forgetting.

use std::sync::Arc;

use super::auth::{Caller, Operator, authenticate, authenticate_operator, bearer};
use super::codes::Code;
use super::problem::Problem;
use super::shares::Share;
use super::state::App;
use crate::domain::event::Role;
use crate::domain::id::TenantId;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody. Shows nothing of any tenant.
    Public,
    /// The operator's key only.
    Operator,
    /// Keys of these roles.
    Roles(&'static [Role]),
}

/// Everybody with a key.
pub const READ: Access = Access::Roles(&[Role::Admin, Role::Sender, Role::Auditor]);

/// Who may send.
pub const SEND: Access = Access::Roles(&[Role::Admin, Role::Sender]);

/// Who may see everything the tenant has.
pub const AUDIT: Access = Access::Roles(&[Role::Admin, Role::Auditor]);

/// Who may change what the tenant has.
pub const ADMIN: Access = Access::Roles(&[Role::Admin]);

/// One place among the requests that are worked on at once. A streamed answer keeps it until its end.
#[derive(Debug, Clone)]
pub struct Place(#[expect(dead_code, reason = "held, never read")] Arc<Share>);

impl Place {
    /// A place for a request of this tenant, or of the operator.
    ///
    /// # Errors
    /// `overloaded`.
    pub fn take(app: &App, tenant: Option<TenantId>) -> Result<Self, Problem> {
        let share = app.in_flight.take(tenant).map_err(|full| full.problem("requests"))?;
        Ok(Self(Arc::new(share)))
    }
}

/// A route's guard.
#[derive(Clone)]
pub struct Guard {
    /// The state.
    pub app: Arc<App>,
    /// Who may pass.
    pub access: Access,
}

/// Lets a request pass, or answers it. The place is held here until there is an answer: the request's own extensions are
/// dropped as soon as a handler has its arguments, before a body is read.
pub async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    match admit(&guard, &mut request).await {
        Ok(place) => {
            let answer = next.run(request).await;
            drop(place);
            answer
        }
        Err(problem) => problem.into_response(),
    }
}

/// The credential first: whoever has none takes no place from those who have. Whoever may be anybody takes none either.
async fn admit(guard: &Guard, request: &mut Request) -> Result<Option<Place>, Problem> {
    let tenant = match guard.access {
        Access::Public => return Ok(None),
        Access::Operator => {
            let operator = authenticate_operator(&guard.app, bearer(request.headers())?)?;
            request.extensions_mut().insert(operator);
            None
        }
        Access::Roles(roles) => {
            let caller = authenticate(&guard.app, bearer(request.headers())?).await?;
            if !roles.contains(&caller.role) {
                return Err(forbidden(caller.role, roles));
            }
            request.extensions_mut().insert(caller);
            Some(caller.scope.tenant())
        }
    };
    let place = Place::take(&guard.app, tenant)?;
    request.extensions_mut().insert(place.clone());
    Ok(Some(place))
}

fn forbidden(role: Role, roles: &[Role]) -> Problem {
    let words: Vec<&str> = roles.iter().map(|role| word(*role)).collect();
    Problem::new(Code::Forbidden, format!("a key with the role `{}` may not do this", word(role)))
        .remedy(format!("use a key with the role {}", words.join(" or ")))
}

/// The word for a role.
#[must_use]
pub fn word(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Sender => "sender",
        Role::Auditor => "auditor",
    }
}

macro_rules! from_guard {
    ($ty:ty) => {
        impl<S: Send + Sync> FromRequestParts<S> for $ty {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                parts.extensions.get::<Self>().cloned().ok_or_else(|| {
                    tracing::error!("a handler asks for a credential that its route does not check");
                    Problem::new(Code::Internal, "the route is not guarded as it should be")
                })
            }
        }
    };
}

from_guard!(Caller);
from_guard!(Operator);
from_guard!(Place);
