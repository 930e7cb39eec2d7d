//! Examples of events in the mailbox of a budget.

use super::super::super::id::{BudgetId, KeyId};
use super::super::*;
use super::{AT, CONTACT, SESSION, TENANT};

pub(super) fn example(number: u16) -> Option<Event> {
    let portfolio = BudgetId([0x5a; 16]);
    Some(match number {
        96 => PortfolioDeclaredV1 { portfolio, name: "acme-group".into(), people_per_day: Some(2_000) }.into(),
        97 => PeopleAskedV1 { portfolio, people: vec![CONTACT, KeyId([0x34; 16])] }.into(),
        98 => PortfolioHeldV1 { portfolio, until: AT, code: 131_064 }.into(),
        99 => PortfolioReleasedV1 { portfolio, reason: "the restriction is lifted".into() }.into(),
        100 => LeaseAskedV1 { tenant: TENANT, session: SESSION, wanted: 32 }.into(),
        101 => LeaseGrantedV1 { session: SESSION, amount: 7, until: AT }.into(),
        _ => return None,
    })
}
