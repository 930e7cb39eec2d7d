//! What goes wrong in the demo, as it does in life.
//!
//! | recipients ending in | what happens | what Waybill does |
//! | --- | --- | --- |
//! | `77` | Meta refuses at once: not on WhatsApp (131026) | failed, without another try |
//! | `26` | Meta accepts, then cannot deliver (131026) | failed by the callback |
//! | `49` | Meta accepts, then holds back for a healthy ecosystem (131049) | failed by the callback |
//! | `58` | Meta accepts, and the answer is lost on the way | unknown, until the callback tells |
//!
//! And one number is throttled by Meta for the first seconds (130429): its messages wait, the other numbers go on.

use std::time::Duration;

use waybill_loadtest::graph::{Fault, Faults, Rule, Simulator};

/// The number that is throttled: `shipping` of acme-shop.
const THROTTLED: &str = "100000000000002";
/// For how long.
const THROTTLED_FOR: Duration = Duration::from_secs(2);

/// Outcomes by recipient.
pub(super) fn rules() -> Vec<Rule> {
    let rule = |suffix: &str| Rule { suffix: suffix.to_owned(), ..Rule::default() };
    vec![
        Rule { sync_code: Some(131_026), ..rule("77") },
        Rule { async_code: Some(131_026), sent_first: true, ..rule("26") },
        Rule { async_code: Some(131_049), ..rule("49") },
        Rule { fault: Some(Fault::AcceptedNoAnswer), ..rule("58") },
    ]
}

/// Faults at the start.
pub(super) fn faults() -> Faults {
    Faults { phone_number_overrides: [(THROTTLED.to_owned(), 130_429)].into(), ..Faults::default() }
}

/// Ends the throttling after a while.
pub(super) async fn calm_down(simulator: &Simulator) {
    tokio::time::sleep(THROTTLED_FOR).await;
    simulator.set_faults(Faults::default());
}
