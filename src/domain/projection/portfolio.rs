//! What events in a portfolio's mailbox change. Whom it admits is decided here, by the order of the questions in it.

use super::super::event::{Event, PeopleAskedV1, PortfolioDeclaredV1, PortfolioHeldV1};
use super::super::row::{PersonId, PersonRow, PortfolioRow, RowId, Rows};
use super::account::name;
use super::{Applied, At};

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::PortfolioDeclared(facts) => wanted.push(RowId::Portfolio(facts.portfolio)),
        Event::PortfolioHeld(facts) => wanted.push(RowId::Portfolio(facts.portfolio)),
        Event::PeopleAsked(PeopleAskedV1 { portfolio, people }) => {
            wanted.push(RowId::Portfolio(*portfolio));
            let person = |contact: &_| RowId::Person(PersonId { portfolio: *portfolio, contact: *contact });
            wanted.extend(people.iter().map(person));
        }
        _ => {}
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    match event {
        Event::PortfolioDeclared(facts) => declared(at, facts, rows, out),
        Event::PortfolioHeld(facts) => held(at, facts, rows),
        Event::PeopleAsked(facts) => asked(at, facts, rows),
        _ => {}
    }
}

fn declared(at: At<'_>, facts: &PortfolioDeclaredV1, rows: &mut Rows, out: &mut Applied) {
    let before = rows.portfolio(facts.portfolio);
    if before.is_some_and(|row| row.declared_at >= at.position || !row.controls.is_new(at.header.id)) {
        return;
    }
    let mut row = PortfolioRow::declared(facts, at.position, before);
    row.controls.remember(at.header.id);
    rows.put_portfolio(facts.portfolio, row);
    out.appends.push(name("portfolio", [0; 16], &facts.name, facts.portfolio.0));
}

fn held(at: At<'_>, facts: &PortfolioHeldV1, rows: &mut Rows) {
    let Some(mut row) = rows.portfolio(facts.portfolio).cloned() else {
        return;
    };
    if row.hold(facts, at.header.at) {
        rows.put_portfolio(facts.portfolio, row);
    }
}

/// A copy of the same question admits nobody twice: who is admitted is known by then.
fn asked(at: At<'_>, facts: &PeopleAskedV1, rows: &mut Rows) {
    let Some(mut row) = rows.portfolio(facts.portfolio).cloned() else {
        return;
    };
    for contact in &facts.people {
        let person = PersonId { portfolio: facts.portfolio, contact: *contact };
        let before = rows.person(person).map(|row| row.admitted);
        if let Some(admitted) = row.people.admit(before, row.limit, at.header.at) {
            rows.put_person(person, PersonRow { admitted });
        }
    }
    rows.put_portfolio(facts.portfolio, row);
}
