//! Rules between keys: each is broken once, and reported where the operator wrote one of its keys.

use super::{lines, read};

const BROKEN_RULES: &[(&str, &str)] = &[
    ("[server]\ntls_cert = \"c.pem\"", "w.toml:2:12 server.tls_cert: tls_cert is set without tls_key. Set tls_key too"),
    ("[server]\ntls_key = \"k.pem\"", "w.toml:2:11 server.tls_key: tls_key is set without tls_cert. "),
    (
        "[server]\nadmin_listen = \"127.0.0.1:8080\"",
        "w.toml:2:16 server.admin_listen: admin_listen is the same address as listen. ",
    ),
    (
        "[server]\nrequest_timeout = \"5s\"",
        "w.toml:2:19 server.request_timeout: header_timeout (\"10s\") is more than server.request_timeout (\"5s\"). ",
    ),
    (
        "[server]\nmax_body = \"128KiB\"",
        "w.toml:2:12 server.max_body: bulk_line_max (\"256KiB\") is more than server.max_body (\"128KiB\"). ",
    ),
    (
        "[journal]\nsegment_size = \"4MiB\"\nbatch_bytes = \"8MiB\"",
        "w.toml:3:15 journal.batch_bytes: batch_bytes (\"8MiB\") is more than half of journal.segment_size (\"4MiB\"). ",
    ),
    (
        "[journal]\ntail_memory = \"4MiB\"\nbatch_bytes = \"8MiB\"",
        "w.toml:3:15 journal.batch_bytes: batch_bytes (\"8MiB\") is more than journal.tail_memory (\"4MiB\"). ",
    ),
    (
        "[journal]\nkind = \"kafka\"",
        "w.toml:2:8 journal.kind: brokers is empty, and the journal is in Kafka. Name some brokers",
    ),
    (
        "[journal.kafka]\nuser = \"waybill\"",
        "w.toml:2:8 journal.kafka.user: one of user and password is set without the other. ",
    ),
    ("[journal.kafka]\ntls_ca = \"ca.pem\"", "w.toml:2:10 journal.kafka.tls_ca: tls_ca is set, but tls is false. "),
    (
        "[journal.kafka]\nmin_insync = 4",
        "w.toml:2:14 journal.kafka.min_insync: min_insync (4) is more than journal.kafka.replicas (3). ",
    ),
    (
        "[store]\nkind = \"cql\"\ncql.nodes = [\"a:9042\"]",
        "w.toml:2:8 store.kind: the rows are in a cluster and the journal is in a folder. Set journal.kind",
    ),
    (
        "journal.kind = \"kafka\"\njournal.kafka.brokers = [\"a:9092\"]\n[store]\nkind = \"cql\"",
        "w.toml:4:8 store.kind: nodes is empty, and the rows are in a cluster. Name some nodes",
    ),
    (
        "[store.cql]\nuser = \"waybill\"",
        "w.toml:2:8 store.cql.user: one of user and password is set without the other. ",
    ),
    ("[store.cql]\ntls_ca = \"ca.pem\"", "w.toml:2:10 store.cql.tls_ca: tls_ca is set, but tls is false. "),
    (
        "[store.cql]\npatience = \"2s\"",
        "w.toml:2:12 store.cql.patience: request_timeout (\"5s\") is more than store.cql.patience (\"2s\"). ",
    ),
    (
        "[vault]\nkind = \"cql\"\nkey_file = \"k\"\ncql.nodes = [\"a:9042\"]",
        "w.toml:2:8 vault.kind: the vault is in a cluster and the journal is in a folder. Set journal.kind",
    ),
    (
        "journal.kind = \"kafka\"\njournal.kafka.brokers = [\"a:9092\"]\n[vault]\nkind = \"cql\"\nkey_file = \"k\"",
        "w.toml:4:8 vault.kind: nodes is empty, and the vault is in a cluster. Name some nodes",
    ),
    (
        "journal.kind = \"kafka\"\njournal.kafka.brokers = [\"a:9092\"]\n[vault]\nkind = \"cql\"\ncql.nodes = [\"a:9042\"]",
        "w.toml:4:8 vault.kind: key_file is empty, and the vault is in a cluster. Name the file",
    ),
    (
        "journal.kind = \"kafka\"\njournal.kafka.brokers = [\"a:9092\"]\nstore.kind = \"cql\"\nstore.cql.nodes = [\"a:9042\"]\n\
         [vault]\nkind = \"cql\"\nkey_file = \"k\"\ncql.nodes = [\"a:9042\"]\ncql.keyspace = \"waybill\"",
        "w.toml:9:16 vault.cql.keyspace: keyspace is the one of the rows",
    ),
    (
        "[vault.cql]\nuser = \"waybill\"",
        "w.toml:2:8 vault.cql.user: one of user and password is set without the other. ",
    ),
    ("[vault.cql]\ntls_ca = \"ca.pem\"", "w.toml:2:10 vault.cql.tls_ca: tls_ca is set, but tls is false. "),
    (
        "[vault.cql]\npatience = \"2s\"",
        "w.toml:2:12 vault.cql.patience: request_timeout (\"5s\") is more than vault.cql.patience (\"2s\"). ",
    ),
    (
        "[runtime]\nroles = [\"api\"]",
        "w.toml:2:9 runtime.roles: roles leaves one out, and journal, store and vault are not all in clusters",
    ),
    (
        "[journal.kafka]\ngroup_heartbeat = \"3s\"",
        "w.toml:2:19 journal.kafka.group_heartbeat: group_heartbeat (\"3s\") is more than a third of",
    ),
    (
        "[meta]\nrequest_timeout = \"25s\"",
        "w.toml:2:19 meta.request_timeout: intent_deadline (\"30s\") is not more than meta.request_timeout and meta.connect_timeout together (\"30s\"). Raise",
    ),
    (
        "[delivery]\nunknown_after = \"29s\"",
        "w.toml:2:17 delivery.unknown_after: intent_deadline (\"30s\") is more than delivery.unknown_after (\"29s\"). ",
    ),
    (
        "[delivery]\nring = 31",
        "w.toml:2:8 delivery.ring: window (32) is more than delivery.ring (31). Lower window or raise delivery.ring.",
    ),
    (
        "[delivery]\nwindows_total = 31",
        "w.toml:2:17 delivery.windows_total: window (32) is more than delivery.windows_total (31). ",
    ),
    (
        "[delivery]\nretry_cap = \"1s\"",
        "w.toml:2:13 delivery.retry_cap: retry_base (\"2s\") is more than delivery.retry_cap (\"1s\"). ",
    ),
    (
        "[delivery.expiry]\nutility = \"1s\"",
        "w.toml:2:11 delivery.expiry.utility: intent_deadline (\"30s\") is more than delivery.expiry.utility (\"1s\"). ",
    ),
    ("[delivery.expiry]\nauthentication = \"1s\"", "w.toml:2:18 delivery.expiry.authentication: "),
    ("[delivery.expiry]\nmarketing = \"1s\"", "w.toml:2:13 delivery.expiry.marketing: "),
    ("[delivery.expiry]\nservice = \"1s\"", "w.toml:2:11 delivery.expiry.service: "),
    (
        "[webhooks]\ndisable_after = \"1h\"",
        "w.toml:2:17 webhooks.disable_after: disable_after (\"1h\") ends before the last attempt of schedule with its jitter (5444m). Raise",
    ),
    (
        "[runtime]\nbackoff_cap = \"50ms\"",
        "w.toml:2:15 runtime.backoff_cap: backoff_base (\"100ms\") is more than runtime.backoff_cap (\"50ms\"). ",
    ),
];

#[test]
fn every_rule_is_reported_at_the_key_that_was_written() {
    for &(text, expected) in BROKEN_RULES {
        let found = lines(read(text, &[]));
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "in {text:?}\nexpected {expected}\nfound {found:#?}"
        );
    }
}

#[test]
fn the_example_of_a_cluster_can_be_used_and_is_shared() {
    let text = include_str!("../../../deploy/cluster.toml");
    let settings = crate::config::Settings::parse(text, "cluster.toml", std::iter::empty()).expect("it can be used");
    assert!(settings.is_shared());
}

#[test]
fn the_environment_is_a_place_too() {
    let found = lines(read("", &[("WAYBILL_DELIVERY__RING", "1")]));
    assert!(found[0].starts_with("WAYBILL_DELIVERY__RING delivery.ring: window (32)"), "{found:#?}");
}

#[test]
fn rules_are_judged_beside_faulty_keys_but_not_about_them() {
    let found = lines(read("[delivery]\nring = 31\nretry_cap = 1\n[server]\nbogus = 1", &[]));
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("w.toml:2:8 delivery.ring: window"));
    assert!(found[1].starts_with("w.toml:3:13 delivery.retry_cap: expected a duration"));
    assert!(found[2].starts_with("w.toml:5:1 server.bogus: unknown key"));
    let faulty = lines(read("[delivery]\nring = \"x\"\nwindow = 1000", &[]));
    assert_eq!(faulty.len(), 1, "a window above the default ring is not judged while the ring is faulty: {faulty:#?}");
}

#[test]
fn no_rule_is_judged_of_a_file_that_could_not_be_read_whole() {
    let found = lines(read("[delivery]\nwindow = \n", &[("WAYBILL_DELIVERY__RING", "1")]));
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn equal_values_break_no_rule_but_an_intent_must_outlive_its_call() {
    let equal = "[server]\nmax_body = \"256KiB\"\nrequest_timeout = \"10s\"\n[delivery]\nring = 32\nwindows_total = 32\n\
                 unknown_after = \"30s\"\nretry_cap = \"2s\"\n[delivery.expiry]\nutility = \"30s\"\n[runtime]\nbackoff_cap = \"100ms\"";
    assert_eq!(lines(read(equal, &[])), Vec::<String>::new());
    assert_eq!(lines(read("[delivery]\nintent_deadline = \"25s\"", &[])).len(), 1);
    assert_eq!(lines(read("[delivery]\nintent_deadline = \"25001ms\"", &[])), Vec::<String>::new());
}
