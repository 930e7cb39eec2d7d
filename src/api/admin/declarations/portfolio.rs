//! Planning a portfolio.

use super::super::super::problem::Problem;
use super::super::super::state::App;
use super::ask::PortfolioAsk;
use super::plan::{Change, Step};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, PortfolioDeclaredV1};
use crate::domain::id::{BudgetId, EventId};
use crate::domain::record::Principal;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// What a portfolio needs.
pub async fn plan(app: &App, it: &PortfolioAsk) -> Result<Step, Problem> {
    let portfolio = BudgetId::portfolio(app.journal.genesis().installation, &it.name);
    let facts = PortfolioDeclaredV1 { portfolio, name: it.name.clone(), people_per_day: it.people_per_day };
    let change = match rows::get(&*app.store, &RowId::Portfolio(portfolio)).await? {
        Some(Row::Portfolio(row)) if row.limit == it.people_per_day => Change::Unchanged,
        Some(Row::Portfolio(_)) => Change::Changed,
        _ => Change::Created,
    };
    let event = (change != Change::Unchanged).then(|| {
        let (id, at) = (EventId(app.entropy.id()), app.clock.wall());
        let draft = Draft::new(id, portfolio, &Event::from(facts), Principal::Operator, at);
        (app.partition_of(portfolio), draft)
    });
    Ok(Step {
        names: vec![("name", it.name.clone()), ("id", portfolio.to_string())],
        change,
        secret: None,
        event,
        reveal: None,
    })
}
