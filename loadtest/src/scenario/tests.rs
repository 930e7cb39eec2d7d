//! Reading scenarios: the files that are there, a short run of one, and every mistake one can make.

use super::{Scale, Scenario};
use std::path::Path;

const SMALL: &str = r#"
name = "small"
about = "something"

[[sink]]
name = "customer"

[[tenant]]
name = "shop"
copies = 2
sessions = 3
scaled = true
sink = "customer"

[[phase]]
name = "calm"
seconds = 2

[[phase]]
name = "storm"
seconds = 4
limits = { number_per_second = 5.0 }
refuse = [{ tenant = "shop", code = 130429 }]

[[stream]]
name = "codes"
tenant = "shop"
through = "storm"
rate = 50

[[stream]]
name = "reminders"
tenant = "shop"
from = "storm"
count = 1_000

[[verdict]]
name = "lost"
value = "lost"
at_most = 0

[[verdict]]
name = "ratio"
value = "codes.storm.arrival_p99_ms"
over = "codes.calm.arrival_p99_ms"
at_most = 1.2
"#;

#[test]
fn every_scenario_that_is_there_makes_sense() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("scenarios") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let scenario = Scenario::parse(&text).unwrap_or_else(|why| panic!("{}:\n{why}", path.display()));
        assert_eq!(path.file_stem().and_then(|name| name.to_str()), Some(&*scenario.name), "the file has its name");
        assert!(scenario.verdicts.iter().any(|verdict| verdict.value == "lost" && verdict.at_most == Some(0.0)));
        assert!(scenario.verdicts.iter().any(|verdict| verdict.value == "doubled" && verdict.at_most == Some(0.0)));
        found.push(scenario.name);
    }
    assert!(found.len() >= 11, "{found:?}");
}

#[test]
fn counts_come_from_rates_and_phases_and_a_scale_makes_them_smaller() {
    let whole = Scenario::parse(SMALL).expect("a scenario");
    let counts = |it: &Scenario| it.streams.iter().map(|stream| it.count(stream).expect("a count")).collect::<Vec<_>>();
    assert_eq!(counts(&whole), [300, 1_000], "50 a second for 6 seconds");
    let tenth = Scale { scale: Some(0.1), count: None };
    let short = tenth.apply(whole.clone()).expect("a scale");
    assert_eq!((counts(&short), short.tenants[0].sessions), (vec![30, 100], 1));
    let counted = Scale { scale: None, count: Some(200) };
    assert_eq!(counts(&counted.apply(whole.clone()).expect("a count")), [300, 200], "only what is counted");
    assert_eq!(
        counts(&Scale { count: Some(7), ..counted }.apply(whole.clone()).expect("a count")),
        [300, 100],
        "not below 100"
    );
    assert!(Scale::default().is_full() && !tenth.is_full() && !counted.is_full());
    for bad in [
        Scale { scale: Some(0.0), count: None },
        Scale { scale: Some(1.5), count: None },
        Scale { scale: None, count: Some(0) },
    ] {
        assert!(bad.apply(whole.clone()).is_err(), "{bad:?}");
    }
}

/// One change to the good file, and what must be said of it.
#[test]
fn every_mistake_is_named() {
    let mistakes = [
        ("name = \"small\"", "name = \"Small\"", "lower-case"),
        ("about = \"something\"", "abuot = \"something\"", "abuot"),
        ("name = \"storm\"", "name = \"calm\"", "twice"),
        ("name = \"codes\"", "name = \"calm\"", "twice"),
        ("seconds = 2\n", "", "either `seconds` or `until`"),
        ("seconds = 2\n", "seconds = -2\n", "no time"),
        ("seconds = 2\n", "until = [\"reminders\"]\n", "no stream before it"),
        ("seconds = 2\n", "until = [\"nobody\"]\n", "no stream before it"),
        ("seconds = 4\n", "seconds = 4\nsuspend = [\"shoe\"]\n", "no tenant `shoe`"),
        ("seconds = 4\n", "seconds = 4\nsinks = { other = { hang = true } }\n", "no sink `other`"),
        ("seconds = 4\n", "seconds = 1e9\n", "no time"),
        ("sink = \"customer\"", "sink = \"costumer\"", "no sink `costumer`"),
        ("copies = 2", "copies = 0", "at least one copy"),
        ("sessions = 3", "sessions = 3_000_000", "sessions: at most"),
        ("tenant = \"shop\"\nthrough", "tenant = \"shoe\"\nthrough", "no such tenant"),
        ("through = \"storm\"", "through = \"gone\"", "two phases"),
        ("through = \"storm\"\nrate = 50", "from = \"storm\"\nthrough = \"calm\"\nrate = 50", "not after the second"),
        ("rate = 50", "rate = 0", "has no message"),
        ("rate = 50", "rate = 1e6", "give `count`, or `rate`"),
        ("count = 1_000", "count = 5_000_000", "messages: at most"),
        ("count = 1_000", "people = 1", "give `count`, or `rate`"),
        ("count = 1_000", "count = 10\nbody = '{}'\npriority = \"bulk\"", "says its priority"),
        ("count = 1_000", "count = 10\nsessions = 9", "not so many sessions"),
        ("count = 1_000", "count = 10\nthrough = \"storm\"", "not counted"),
        ("sink = \"customer\"", "test = true", "sends nothing"),
        ("value = \"lost\"", "value = \"lots\"", "no quantity `lots`"),
        ("codes.storm.arrival_p99_ms", "codes.strom.arrival_p99_ms", "no quantity `codes.strom.arrival_p99_ms`"),
        ("codes.calm.arrival_p99_ms", "calm.arrival_p99_ms", "no quantity `calm.arrival_p99_ms`"),
        ("at_most = 0\n", "", "`at_most` or `at_least`"),
        ("at_most = 0\n", "at_most = nan\n", "a limit is a number"),
        (
            "[[sink]]",
            "[waybill.meta]\ngraph_url = \"https://example.org\"\n[[sink]]",
            "`meta.graph_url` is the runner's",
        ),
        ("[[sink]]", "[simulator.callback]\nurl = \"http://example.org\"\n[[sink]]", "the runner's to choose"),
        ("[[sink]]", "[sample]\nevery_ms = 1\n[[sink]]", "sample:"),
        ("about = \"something\"", "about = \"something\"\ntarget = \"synced\"", ""),
        ("seconds = 4\n", "seconds = 4\nrestart = \"kill\"\n", ""),
    ];
    for (good, bad, said) in mistakes {
        assert!(SMALL.contains(good), "{good}");
        let read = Scenario::parse(&SMALL.replacen(good, bad, 1));
        match read {
            Ok(_) => assert!(said.is_empty(), "{bad} was taken"),
            Err(why) => assert!(!said.is_empty() && why.to_string().contains(said), "{bad}: {why}"),
        }
    }
    let both = SMALL.replacen("seconds = 4\n", "seconds = 4\nrestart = \"kill\"\n", 1);
    let forwarder = both.replacen("about", "target = \"plain\"\nabout", 1);
    assert!(Scenario::parse(&forwarder).is_err_and(|why| why.to_string().contains("a forwarder suspends nothing")));
}
