//! `POST /v1/admin/portfolios/{name}/release`: what the provider's answers brought about for a portfolio ends before its time.
//!
//! Portfolios are the operator's: their sessions may belong to several tenants. Nothing is forced: if the provider still
//! refuses, the hold comes back with its next answer.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::auth::Operator;
use super::super::body::Json;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::reason::Ask;
use super::super::state::App;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, PortfolioReleasedV1};
use crate::domain::id::EventId;
use crate::domain::record::Principal;

/// Lifts the hold.
pub async fn release_portfolio(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    let reason = ask.reason()?;
    let missing = || Problem::not_found("portfolio").remedy("check the spelling: names are as they were declared");
    let portfolio = app.directory.portfolio_named(&app, &name).await?.ok_or_else(missing)?;
    let event = Event::from(PortfolioReleasedV1 { portfolio, reason });
    let id = EventId(app.entropy.id());
    let draft = Draft::new(id, portfolio, &event, Principal::Operator, app.clock.wall());
    propose(&app, app.partition_of(portfolio), draft).await?.answer(&app).await
}
