//! What events in a portfolio's mailbox change. Whom it admits is decided here, by the order of the questions in it.

use super::super::event::{Event, PeopleAskedV1, PortfolioDeclaredV1, PortfolioHeldV1, PortfolioReleasedV1};
use super::super::row::{PersonId, PersonRow, PortfolioRow, RowId, Rows};
use super::account::name;
use super::{Applied, At, Note};

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::PortfolioDeclared(facts) => wanted.push(RowId::Portfolio(facts.portfolio)),
        Event::PortfolioHeld(facts) => wanted.push(RowId::Portfolio(facts.portfolio)),
        Event::PortfolioReleased(facts) => wanted.push(RowId::Portfolio(facts.portfolio)),
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
        Event::PortfolioReleased(facts) => released(at, facts, rows),
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
    let most = |limit: Option<u32>| limit.unwrap_or(u32::MAX);
    if before.is_some_and(|before| most(before.limit) < most(row.limit)) {
        out.notes.push(Note::PortfolioRaised(facts.portfolio));
    }
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

/// A copy of it that lands late lifts nothing that was said since.
fn released(at: At<'_>, facts: &PortfolioReleasedV1, rows: &mut Rows) {
    let Some(mut row) = rows.portfolio(facts.portfolio).cloned() else {
        return;
    };
    if row.controls.is_new(at.header.id) {
        row.controls.remember(at.header.id);
        row.held = None;
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

#[cfg(test)]
mod tests {
    use super::super::super::draft::Draft;
    use super::super::super::id::{BudgetId, EventId, KeyId};
    use super::super::super::record::{Micros, Position, Principal};
    use super::*;

    const PORTFOLIO: BudgetId = BudgetId([7; 16]);
    const HOUR: Micros = 3_600_000_000;

    #[derive(Default)]
    struct Stage {
        rows: Rows,
        position: u64,
    }

    impl Stage {
        fn happens(&mut self, id: u8, now: Micros, event: impl Into<Event>) {
            let event = event.into();
            let draft = Draft::new(EventId([id; 16]), PORTFOLIO, &event, Principal::Operator, now);
            let record = draft.record().expect("small");
            let at = At { partition: 0, position: Position(self.position), header: &record.header };
            self.position += 1;
            for id in super::super::needs(at, &event, &self.rows) {
                self.rows.load(id, None);
            }
            super::super::apply(at, &event, &mut self.rows).expect("known");
        }

        fn asks(&mut self, id: u8, now: Micros, people: &[u8]) {
            let people = people.iter().map(|n| KeyId([*n; 16])).collect();
            self.happens(id, now, PeopleAskedV1 { portfolio: PORTFOLIO, people });
        }

        fn declares(&mut self, id: u8, people_per_day: Option<u32>) {
            let name = "group".to_owned();
            self.happens(id, 0, PortfolioDeclaredV1 { portfolio: PORTFOLIO, name, people_per_day });
        }

        fn row(&self) -> &PortfolioRow {
            self.rows.portfolio(PORTFOLIO).expect("declared")
        }

        fn admitted(&self, n: u8) -> bool {
            let id = RowId::Person(PersonId { portfolio: PORTFOLIO, contact: KeyId([n; 16]) });
            self.rows.knows(&id) && self.rows.get(&id).is_some()
        }
    }

    #[test]
    fn the_first_who_are_asked_for_are_admitted_and_a_question_repeated_admits_nobody_more() {
        let mut stage = Stage::default();
        stage.asks(1, HOUR, &[9]);
        assert!(!stage.admitted(9), "nobody keeps it yet");
        stage.declares(2, Some(3));
        stage.asks(3, HOUR, &[1, 2]);
        stage.asks(4, HOUR, &[2, 3, 4]);
        assert_eq!([1, 2, 3, 4].map(|n| stage.admitted(n)), [true, true, true, false]);
        let before = stage.row().clone();
        for id in [3, 4] {
            stage.asks(id, HOUR, &[1, 2, 3, 4]);
        }
        assert_eq!(stage.row(), &before);
        stage.declares(5, Some(4));
        stage.asks(6, HOUR, &[4]);
        assert!(stage.admitted(4) && stage.row().people.counted(HOUR) == 4);
        stage.declares(2, Some(3));
        assert_eq!(stage.row().limit, Some(4), "a copy of an earlier declaration that lands late");
    }

    #[test]
    fn a_hold_said_by_a_clock_that_was_ahead_is_not_believed_and_gives_way_to_the_next() {
        let mut stage = Stage::default();
        stage.declares(1, None);
        let year = 365 * 24 * HOUR;
        stage.happens(2, year, PortfolioHeldV1 { portfolio: PORTFOLIO, until: year + HOUR, code: 1 });
        assert_eq!(stage.row().held(HOUR), None);
        stage.happens(3, HOUR, PortfolioHeldV1 { portfolio: PORTFOLIO, until: year, code: 2 });
        let held = stage.row().held(2 * HOUR).expect("held");
        assert_eq!((held.code, held.until), (2, 74 * HOUR), "three days at most");
    }

    #[test]
    fn a_hold_lasts_as_long_as_the_longest_word_of_it() {
        let mut stage = Stage::default();
        stage.declares(1, None);
        for (id, until) in [(2, 5 * HOUR), (3, 4 * HOUR), (4, 6 * HOUR)] {
            stage.happens(id, HOUR, PortfolioHeldV1 { portfolio: PORTFOLIO, until, code: i32::from(id) });
        }
        let held = stage.row().held(2 * HOUR).expect("held");
        assert_eq!((held.since, held.until, held.code), (HOUR, 6 * HOUR, 4));
        assert_eq!(stage.row().held(6 * HOUR), None);
        stage.declares(5, Some(250));
        assert!(stage.row().held(2 * HOUR).is_some(), "another limit is no word of Meta's");
        let lifted = || PortfolioReleasedV1 { portfolio: PORTFOLIO, reason: "mended".to_owned() };
        stage.happens(6, 2 * HOUR, lifted());
        assert_eq!(stage.row().held(2 * HOUR), None);
        stage.happens(7, 3 * HOUR, PortfolioHeldV1 { portfolio: PORTFOLIO, until: 5 * HOUR, code: 7 });
        stage.happens(6, 3 * HOUR, lifted());
        assert_eq!(stage.row().held(3 * HOUR).map(|held| held.until), Some(5 * HOUR), "shorter than before, and news");
    }
}
