//! Every class of mistake in a settings file, with its exact place and words.

use super::{lines, read};

/// A file and the beginnings of the mistakes that are expected in it, in order.
fn check(text: &str, expected: &[&str]) {
    let found = lines(read(text, &[]));
    let fits =
        found.len() == expected.len() && found.iter().zip(expected).all(|(found, start)| found.starts_with(start));
    assert!(fits, "in {text:?}\nexpected {expected:#?}\nfound {found:#?}");
}

const WRONG_KINDS: &[(&str, &str)] = &[
    (
        "[server]\nrequest_timeout = 30",
        "w.toml:2:19 server.request_timeout: expected a duration such as \"30s\", found the integer 30. Write a whole number and its unit",
    ),
    (
        "[server]\n\nrequest_timeout = \"30\"",
        "w.toml:3:19 server.request_timeout: expected a duration such as \"30s\", found the string \"30\". ",
    ),
    (
        "[server]\nmax_body = \"1MB\"",
        "w.toml:2:12 server.max_body: expected a size such as \"64MiB\", found the string \"1MB\". ",
    ),
    (
        "[server]\nmax_body = 1024",
        "w.toml:2:12 server.max_body: expected a size such as \"64MiB\", found the integer 1024. ",
    ),
    (
        "[server]\nlisten = \"localhost:8080\"",
        "w.toml:2:10 server.listen: expected an address and port such as \"127.0.0.1:8080\", found the string \"localhost:8080\". ",
    ),
    (
        "[server]\nmax_in_flight = \"80\"",
        "w.toml:2:17 server.max_in_flight: expected a whole number from 0 to 4294967295, found the string \"80\". Write digits without quotes.",
    ),
    (
        "[server]\nmax_in_flight = -1",
        "w.toml:2:17 server.max_in_flight: expected a whole number from 0 to 4294967295, found the integer -1. ",
    ),
    (
        "[journal]\npartitions = 99999999999999999999",
        "w.toml:2:14 journal.partitions: expected a whole number from 0 to 65535, found the integer 99999999999999999999. ",
    ),
    (
        "[journal]\npartitions = 1.5",
        "w.toml:2:14 journal.partitions: expected a whole number from 0 to 65535, found the float 1.5. ",
    ),
    (
        "[journal]\nverify = \"some\"",
        "w.toml:2:10 journal.verify: expected one of \"all\", \"tail\", found the string \"some\". ",
    ),
    (
        "[webhooks]\nallow_private = \"no\"",
        "w.toml:2:17 webhooks.allow_private: expected true or false, found the string \"no\". ",
    ),
    ("[webhooks]\njitter = nan", "w.toml:2:10 webhooks.jitter: expected a number such as 0.2, found the float NaN. "),
    (
        "[webhooks]\nallowed_ports = 443",
        "w.toml:2:17 webhooks.allowed_ports: expected a list, each element a whole number from 0 to 65535, found the integer 443. Write the elements in square brackets",
    ),
    (
        "[webhooks]\nschedule = [\"1s\",\n  2, \"3s\"]",
        "w.toml:3:3 webhooks.schedule[1]: expected a duration such as \"30s\", found the integer 2. ",
    ),
    ("[telemetry]\nlog = 2026-01-01", "w.toml:2:7 telemetry.log: expected a string, found the date-time 2026-01-01. "),
    ("[data]\ndir = \"\"", "w.toml:2:7 data.dir: expected a path such as \"./waybill-data\", found the string \"\". "),
    ("[data]\ndir = [\"a\"]", "w.toml:2:7 data.dir: expected a path such as \"./waybill-data\", found an array. "),
    ("[data.dir]\nx = 1", "w.toml:1:1 data.dir: expected a path such as \"./waybill-data\", found a table. "),
    (
        "[meta]\ngraph_url = \"graph\"",
        "w.toml:2:13 meta.graph_url: expected an absolute URL such as \"https://example.com/path\", found a string. ",
    ),
    ("server = 3", "w.toml:1:10 server: expected a table, found the integer 3. Write a header in square brackets"),
    ("[delivery]\nexpiry = \"1h\"", "w.toml:2:10 delivery.expiry: expected a table, found the string \"1h\". "),
];

#[test]
fn wrong_kinds_say_what_was_expected_and_what_was_found() {
    for &(text, expected) in WRONG_KINDS {
        check(text, &[expected]);
    }
}

#[test]
fn values_out_of_range_say_the_range() {
    let cases = [
        (
            "[journal]\npartitions = 1025",
            "w.toml:2:14 journal.partitions: 1025 is out of range. Choose from 1 to 1024.",
        ),
        (
            "[journal]\nlinger = \"11ms\"",
            "w.toml:2:10 journal.linger: \"11ms\" is out of range. Choose from \"0s\" to \"10ms\".",
        ),
        (
            "[journal]\nsegment_size = \"2GiB\"",
            "w.toml:2:16 journal.segment_size: \"2GiB\" is out of range. Choose from \"4MiB\" to \"1GiB\".",
        ),
        (
            "[vault]\nkey_cache = \"2m\"",
            "w.toml:2:13 vault.key_cache: \"2m\" is out of range. Choose from \"0s\" to \"1m\".",
        ),
        (
            "[auth]\nkey_cache = \"6s\"",
            "w.toml:2:13 auth.key_cache: \"6s\" is out of range. Choose from \"0s\" to \"5s\".",
        ),
        ("[webhooks]\njitter = 1.5", "w.toml:2:10 webhooks.jitter: 1.5 is out of range. Choose from 0.0 to 1.0."),
        (
            "[webhooks]\nallowed_ports = []",
            "w.toml:2:17 webhooks.allowed_ports: the list has 0 elements. Give 1 to 32.",
        ),
        (
            "[webhooks]\nallowed_ports = [80, 0]",
            "w.toml:2:17 webhooks.allowed_ports: element 1: port 0 cannot be called. Choose from 1 to 65535.",
        ),
        (
            "[webhooks]\nschedule = [\"2s\", \"1s\"]",
            "w.toml:2:12 webhooks.schedule: element 1 is shorter than the one before it. Order",
        ),
        (
            "[webhooks]\nschedule = [\"2s\", \"8d\"]",
            "w.toml:2:12 webhooks.schedule: element 1: \"192h\" is out of range. Choose from \"1ms\" to \"168h\".",
        ),
        (
            "[meta]\nversion = \"25\"",
            "w.toml:2:11 meta.version: \"25\" is not a version of the Graph API. Write it as \"v25.0\".",
        ),
        (
            "[meta]\ncallback_path = \"meta\"",
            "w.toml:2:17 meta.callback_path: \"meta\" is not a path. Begin with \"/\"",
        ),
        ("[meta]\ncallback_path = \"/v1/meta\"", "w.toml:2:17 meta.callback_path: paths under \"/v1\" are taken. "),
        ("[meta]\ngraph_url = \"ftp://a.b\"", "w.toml:2:13 meta.graph_url: the scheme is \"ftp\". "),
        (
            "[meta]\ngraph_url = \"http://graph.facebook.com\"",
            "w.toml:2:13 meta.graph_url: access tokens would cross a public network",
        ),
        ("[meta]\ngraph_url = \"https://a.b/?x=1\"", "w.toml:2:13 meta.graph_url: the URL has a query. "),
        ("[telemetry]\nlog = \"inof\"", "w.toml:2:7 telemetry.log: \"inof\" is not a level. Write a level"),
        (
            "[telemetry]\nlog = \"info,waybill=loud\"",
            "w.toml:2:7 telemetry.log: \"info,waybill=loud\" is not a filter: ",
        ),
    ];
    for (text, expected) in cases {
        check(text, &[expected]);
    }
}

#[test]
fn what_lies_at_the_ends_of_a_range_is_taken() {
    for text in [
        "[journal]\npartitions = 1\nlinger = \"0us\"",
        "[journal]\npartitions = 1024\nlinger = \"10ms\"",
        "[telemetry]\nlog = \"info,waybill::journal=debug\"",
        "[meta]\ngraph_url = \"http://127.0.0.1:9000\"",
        "[meta]\ngraph_url = \"http://simulator:9000/\"",
        "[meta]\ngraph_url = \"http://[::1]:9000\"",
    ] {
        check(text, &[]);
    }
}

#[test]
fn unknown_keys_come_with_the_nearest_name() {
    let cases = [
        ("[server]\nlisen = \"x\"", "w.toml:2:1 server.lisen: unknown key \"lisen\". The nearest key is listen."),
        ("[servre]\nlisten = \"x\"", "w.toml:1:2 servre: unknown key \"servre\". The nearest key is server."),
        ("listen = \"x\"", "w.toml:1:1 listen: unknown key \"listen\". Move it to the section server."),
        (
            "[delivery]\nutility = \"1h\"",
            "w.toml:2:1 delivery.utility: unknown key \"utility\". Move it to the section expiry.",
        ),
        ("[auth]\nzzz = 1", "w.toml:2:1 auth.zzz: unknown key \"zzz\". Remove it; known here: key_cache."),
        (
            "[delivery.expiry]\nutilty = \"1h\"",
            "w.toml:2:1 delivery.expiry.utilty: unknown key \"utilty\". The nearest key is utility.",
        ),
    ];
    for (text, expected) in cases {
        check(text, &[expected]);
    }
}

#[test]
fn syntax_errors_have_line_and_column_and_are_all_reported() {
    check("[server]\nlisten = ", &["w.toml:2:10: this is not TOML: "]);
    check(
        "[server\nlisten = \"x\"",
        &["w.toml:1:8: this is not TOML: unclosed table, expected `]`. Correct the syntax here"],
    );
    check("[auth]\nkey_cache = \"1s\"\nkey_cache = \"2s\"", &["w.toml:3:1: this is not TOML: duplicate key"]);
    check("a = \n[server]\nb = \n", &["w.toml:1:5: this is not TOML: ", "w.toml:3:5: this is not TOML: "]);
    check("# ä\nä = 1", &["w.toml:2:1: this is not TOML: "]);
}

#[test]
fn columns_count_characters_and_windows_line_ends_do_not_shift_them() {
    check("[data]\r\ndir = 1\r\n", &["w.toml:2:7 data.dir: "]);
    check(
        "[webhooks]\nschedule = [\"ä\", 2]",
        &["w.toml:2:13 webhooks.schedule[0]: ", "w.toml:2:18 webhooks.schedule[1]: "],
    );
}

#[test]
fn all_mistakes_of_all_layers_come_at_once_in_order() {
    let file = "[server]\nlisen = 1\nmax_body = 2\n\n[journal]\npartitions = 0\n[delivery]\nwindow = 300\n[webhooks]\nschedule = [1, \"1s\", 2]";
    let found = lines(read(
        file,
        &[("WAYBILL_META__VERSION", "x"), ("WAYBILL_META__VERSIN", "x"), ("WAYBILL_AUTH__KEY_CACHE", "1h")],
    ));
    let starts: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap_or("")).collect();
    let expected = [
        "w.toml:2:1 server.lisen",
        "w.toml:3:12 server.max_body",
        "w.toml:6:14 journal.partitions",
        "w.toml:8:10 delivery.window",
        "w.toml:10:13 webhooks.schedule[0]",
        "w.toml:10:22 webhooks.schedule[2]",
        "WAYBILL_AUTH__KEY_CACHE auth.key_cache",
        "WAYBILL_META__VERSIN",
        "WAYBILL_META__VERSION meta.version",
    ];
    assert_eq!(starts, expected, "{found:#?}");
}

#[test]
fn mistakes_in_variables_name_the_variable() {
    let cases = [
        (
            ("WAYBILL_SERVER__LISTN", "x"),
            "WAYBILL_SERVER__LISTN: no setting has this variable. The nearest variable is WAYBILL_SERVER__LISTEN.",
        ),
        (("WAYBILL_server__listen", "x"), "WAYBILL_server__listen: no setting has this variable. "),
        (("WAYBILL_DELIVERY__EXPIRY", "1h"), "WAYBILL_DELIVERY__EXPIRY: no setting has this variable. "),
        (
            ("WAYBILL_QQ__ZZ", "1"),
            "WAYBILL_QQ__ZZ: no setting has this variable. Remove it, or write WAYBILL_SECTION__KEY",
        ),
        (
            ("WAYBILL_JOURNAL__PARTITIONS", "many"),
            "WAYBILL_JOURNAL__PARTITIONS journal.partitions: expected a whole number from 0 to 65535, found \"many\". ",
        ),
        (("WAYBILL_DATA__DIR", "a\u{fffd}b"), "WAYBILL_DATA__DIR: the value is not UTF-8 text. "),
        (
            ("WAYBILL_WEBHOOKS__SCHEDULE", "1s,soon"),
            "WAYBILL_WEBHOOKS__SCHEDULE webhooks.schedule[1]: expected a duration such as \"30s\", found \"soon\". ",
        ),
        (("WAYBILL_WEBHOOKS__SCHEDULE", "[\"1s\""), "WAYBILL_WEBHOOKS__SCHEDULE webhooks.schedule: expected a list"),
    ];
    for (variable, expected) in cases {
        let found = lines(read("", &[variable]));
        assert!(found.len() == 1 && found[0].starts_with(expected), "expected {expected}\nfound {found:#?}");
    }
}

#[test]
fn mistakes_serialize_for_machines() {
    let mistakes = read("[auth]\nkey_cache = 5", &[("WAYBILL_A__B", "1")]).expect_err("two mistakes");
    assert_eq!(mistakes.len(), 2);
    let json = serde_json::to_value(&mistakes).expect("mistakes serialize");
    assert_eq!(json[0]["origin"], "w.toml");
    assert_eq!((&json[0]["line"], &json[0]["column"]), (&serde_json::json!(2), &serde_json::json!(13)));
    assert_eq!(json[0]["key"], "auth.key_cache");
    assert_eq!(json[0]["what"], "expected a duration such as \"30s\", found the integer 5");
    assert_eq!((&json[1]["origin"], &json[1]["line"]), (&serde_json::json!("WAYBILL_A__B"), &serde_json::Value::Null));
    assert_eq!(mistakes.to_string().lines().count(), 2, "one line each");
}

proptest::proptest! {
    /// Whatever stands in a file or a variable, the answer is settings or mistakes with places inside the file.
    #[test]
    fn no_text_breaks_the_reader(parts in proptest::collection::vec(fragment(), 0..12), value in ".{0,20}") {
        let text = parts.concat();
        let last = text.split('\n').count();
        if let Err(mistakes) = read(&text, &[("WAYBILL_WEBHOOKS__SCHEDULE", &value), ("WAYBILL_META__APP_SECRETS", &value)]) {
            for mistake in mistakes.iter() {
                proptest::prop_assert!(mistake.line.is_none_or(|line| (1..=last).contains(&line)), "{mistake}");
                proptest::prop_assert_eq!(mistake.line.is_some(), mistake.origin == "w.toml");
            }
        }
    }
}

/// Pieces of TOML, whole and broken, and any text.
fn fragment() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::strategy::{Just, Strategy};
    let pieces = [
        "[server]\n",
        "[[server]]\n",
        "listen = ",
        "\"1s\"",
        "a.b = 1\n",
        "[webhooks]\nschedule = [",
        "]",
        "\n",
        "ä = 'ö'\r\n",
        "\"\"\"",
        "{ x = [[1]] }\n",
    ];
    proptest::prop_oneof![
        proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        ".{0,8}",
        Just("data = 1e999\n".to_owned())
    ]
}
