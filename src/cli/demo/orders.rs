//! The messages of the demo: the order notifications of `config/examples`, compiled in so that the program works anywhere.

use serde_json::Value;

const ACME_SHOP: &str = include_str!("../../../config/examples/orders.acme-shop.ndjson");
const NORDWIND: &str = include_str!("../../../config/examples/orders.nordwind.ndjson");

/// How many there are.
pub(super) const ALL: u64 = 3_000;
/// What every order number begins with; the simulator finds a message again by it.
const MARK: &str = "wbm-";

/// One message to hand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// The tenant it is of.
    pub(super) tenant: &'static str,
    /// Its order number: in the text, unique in a run.
    pub(super) marker: String,
    /// The session that sends.
    pub(super) from: String,
    /// The recipient.
    pub(super) to: String,
    /// The request, one line.
    pub(super) line: String,
}

/// The first so many. Three of the shop and two of the agency in turn, as the files have them; where more are wanted than
/// there are, they begin again under other order numbers.
pub(super) fn first(count: u64) -> Vec<Order> {
    let once: Vec<Order> = interleaved().collect();
    let rounds = (0..).flat_map(|round: u64| once.iter().map(move |order| again(order, round)));
    rounds.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
}

fn interleaved() -> impl Iterator<Item = Order> {
    let mut shop = ACME_SHOP.lines().map(|line| read("acme-shop", line));
    let mut agency = NORDWIND.lines().map(|line| read("nordwind", line));
    let turns = std::iter::repeat([true, false, true, false, true]).flatten();
    turns.map_while(
        move |of_shop| {
            if of_shop { shop.next().or_else(|| agency.next()) } else { agency.next().or_else(|| shop.next()) }
        },
    )
}

fn read(tenant: &'static str, line: &str) -> Order {
    let request: Value = serde_json::from_str(line).expect("a test reads every line that is compiled in");
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    Order { tenant, marker: marker(line).to_owned(), from: text("from"), to: text("to"), line: line.to_owned() }
}

/// The order number in a line.
fn marker(line: &str) -> &str {
    let from = &line[line.find(MARK).unwrap_or(line.len())..];
    let end = from.find(|c: char| !(c.is_ascii_digit() || c.is_ascii_lowercase() || c == '-')).unwrap_or(from.len());
    &from[..end]
}

/// The same order in a later round, under a number of its own.
fn again(order: &Order, round: u64) -> Order {
    if round == 0 {
        return order.clone();
    }
    let marker = format!("{}-{round}", order.marker);
    let line = order.line.replacen(&order.marker, &marker, 1);
    Order { marker, line, ..order.clone() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_order_is_read_and_has_a_number_of_its_own() {
        let orders = first(ALL);
        assert_eq!(orders.len(), 3_000);
        assert_eq!(interleaved().count(), orders.len());
        let markers: BTreeSet<_> = orders.iter().map(|order| &order.marker).collect();
        assert_eq!(markers.len(), orders.len());
        for order in &orders {
            assert!(order.line.contains(&order.marker) && order.marker.len() == 10, "{order:?}");
            assert!(!order.from.is_empty() && order.to.starts_with('+'), "{order:?}");
        }
    }

    #[test]
    fn a_few_are_of_both_tenants_and_many_begin_again_under_other_numbers() {
        let few: Vec<&str> = first(5).iter().map(|order| order.tenant).collect();
        assert_eq!(few, ["acme-shop", "nordwind", "acme-shop", "nordwind", "acme-shop"]);
        let many = first(ALL * 2 + 1);
        let markers: BTreeSet<_> = many.iter().map(|order| &order.marker).collect();
        assert_eq!(markers.len(), many.len());
        assert_eq!(many[6_000].marker, format!("{}-2", many[0].marker));
        assert!(many[6_000].line.contains(&many[6_000].marker));
    }
}
