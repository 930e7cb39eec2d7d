//! `GET /v1/usage`: what became of a tenant's messages, by the UTC day of their acceptance, as JSON or CSV.
//!
//! One line for each day, category and outcome that occurred, and one for each price that Meta named. Outcomes are not
//! parts of a whole: what was read was delivered and sent as well. Messages of test keys are not counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::Caller;
use super::body::Query;
use super::codes::Code;
use super::problem::Problem;
use super::state::App;
use super::time::stamp;
use crate::domain::record::Micros;
use crate::domain::row::{CATEGORIES, OUTCOMES, Priced, TallyRow};
use crate::store::rows;

const DAY: Micros = 86_400_000_000;

/// Most days of one answer: with 64 partitions 23,424 small rows.
const DAYS_MAX: u32 = 366;

/// Days without being asked for any.
const DAYS: u32 = 30;

/// The columns, in both forms.
const COLUMNS: [&str; 8] =
    ["day", "category", "outcome", "price_category", "billable", "pricing_model", "pricing_type", "messages"];

/// The days, both included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    from: Option<String>,
    to: Option<String>,
}

/// Counts.
pub async fn usage(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response, Problem> {
    let (from, to) = span(&ask, app.clock.wall())?;
    let mut days: BTreeMap<u32, TallyRow> = BTreeMap::new();
    for partition in 0..app.partitions {
        for (day, row) in rows::tallies(&*app.store, caller.scope.tenant(), partition, (from, to)).await? {
            let sum = days.remove(&day).unwrap_or_default();
            days.insert(day, sum.and(&row));
        }
    }
    let lines: Vec<Value> = days.into_iter().flat_map(|(day, row)| lines(day, row)).collect();
    if wants_csv(&headers) {
        return Ok(([(header::CONTENT_TYPE, "text/csv")], csv(&lines)).into_response());
    }
    Ok(axum::Json(json!({"from": written(from), "to": written(to), "data": lines})).into_response())
}

fn span(ask: &Ask, now: Micros) -> Result<(u32, u32), Problem> {
    let today = u32::try_from(now.div_euclid(DAY)).unwrap_or(0);
    let to = ask.to.as_deref().map(|text| day("to", text)).transpose()?.unwrap_or(today);
    let default = to.saturating_sub(DAYS - 1);
    let from = ask.from.as_deref().map(|text| day("from", text)).transpose()?.unwrap_or(default);
    if from > to {
        return Err(Problem::new(Code::InvalidQuery, "`from` is after `to`").remedy("both days are included"));
    }
    if to - from >= DAYS_MAX {
        return Err(Problem::new(Code::InvalidQuery, "these are more than 366 days").remedy("ask for a year at a time"));
    }
    Ok((from, to))
}

fn day(name: &str, text: &str) -> Result<u32, Problem> {
    let whole = text.len() == 10;
    let read = format!("{text}T00:00:00Z").parse::<jiff::Timestamp>().ok().filter(|_| whole);
    let day = read.and_then(|at| u32::try_from(at.as_microsecond().div_euclid(DAY)).ok());
    day.ok_or_else(|| {
        Problem::new(Code::InvalidQuery, format!("`{name}` is not a day")).remedy("write it like 2026-01-31")
    })
}

fn written(day: u32) -> Value {
    let at = stamp(Micros::from(day) * DAY);
    at.as_str().and_then(|text| text.get(..10)).map_or(Value::Null, Value::from)
}

fn lines(day: u32, row: TallyRow) -> Vec<Value> {
    let mut lines = Vec::new();
    let day = written(day);
    for (category, counts) in CATEGORIES.iter().zip(row.counts) {
        for (outcome, messages) in OUTCOMES.iter().zip(counts).filter(|(_, messages)| *messages > 0) {
            lines.push(json!({
                "day": day, "category": category, "outcome": outcome, "price_category": null, "billable": null,
                "pricing_model": null, "pricing_type": null, "messages": messages,
            }));
        }
    }
    lines.extend(row.priced.into_iter().map(|Priced { category, price, messages }| {
        json!({
            "day": day, "category": category, "outcome": "priced", "price_category": price.category,
            "billable": price.billable, "pricing_model": price.model, "pricing_type": price.kind, "messages": messages,
        })
    }));
    lines
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = accepted.split(',').next().unwrap_or_default();
    first.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv")
}

/// Every cell is a word, a number or a day: none needs quotes, and none can be taken for a formula.
fn csv(lines: &[Value]) -> String {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut text = COLUMNS.join(",") + "\r\n";
    for line in lines {
        let cells: Vec<String> = COLUMNS.iter().map(|column| cell(&line[*column])).collect();
        text += &cells.join(",");
        text += "\r\n";
    }
    text
}
