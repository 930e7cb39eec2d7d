//! The compiled-in defaults: complete, explained, and what the typed settings say.

use std::time::Duration;

use super::read;
use crate::config::setting::{Setting, Shape};
use crate::config::{DEFAULTS, JournalKind, LogFormat, Mechanism, Settings, Size, StoreKind, UnknownPolicy, Verify};

/// The dotted names of all keys of a table.
fn keys(shape: &Shape, prefix: &str) -> Vec<String> {
    match shape {
        Shape::Key => vec![prefix.trim_start_matches('.').to_owned()],
        Shape::Table(inner) => inner.iter().flat_map(|(key, shape)| keys(shape, &format!("{prefix}.{key}"))).collect(),
    }
}

/// The dotted names of all keys of a document.
fn written(table: &toml::Table, prefix: &str) -> Vec<String> {
    let name = |key: &str| {
        if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
    };
    let inner = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(table) => written(table, &name(key)),
        _ => vec![name(key)],
    };
    table.iter().flat_map(inner).collect()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn the_file_writes_every_key_and_no_other() {
    let document: toml::Table = toml::from_str(DEFAULTS).expect("the defaults parse");
    let (mut known, mut written) = (keys(&Settings::SHAPE, ""), written(&document, ""));
    known.sort();
    written.sort();
    assert_eq!(known, written);
    assert!(known.len() > 60, "the table of keys is walked: {}", known.len());
}

#[test]
fn every_key_is_explained_right_above_it() {
    let lines: Vec<_> = DEFAULTS.lines().collect();
    for (number, pair) in lines.windows(2).enumerate() {
        let is_key = pair[1].starts_with(|c: char| c.is_ascii_lowercase());
        assert!(!is_key || pair[0].starts_with("# "), "line {}: {}", number + 2, pair[1]);
    }
}

#[test]
fn the_file_and_the_typed_defaults_are_the_same() {
    let defaults = Settings::defaults();
    assert_eq!(read(DEFAULTS, &[]).as_ref(), Ok(&defaults));
    assert_eq!(read("", &[]).as_ref(), Ok(&defaults));
    assert_eq!(Settings::load(None, std::iter::empty()).as_ref(), Ok(&defaults));
}

#[test]
fn where_it_listens_and_what_it_takes_in() {
    let d = Settings::defaults();
    assert_eq!(d.data.dir.to_str(), Some("./waybill-data"));
    assert_eq!(d.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((d.server.admin_listen, &d.server.tls_cert, &d.server.tls_key), (None, &None, &None));
    assert_eq!((d.server.max_body, d.server.callback_max_body), (Size::mib(1), Size::mib(4)));
    assert_eq!((d.server.bulk_line_max, d.server.max_in_flight), (Size::kib(256), 1024));
    assert_eq!((d.server.request_timeout, d.server.header_timeout), (seconds(30), seconds(10)));
    assert_eq!(d.auth.key_cache, seconds(5));
}

#[test]
fn what_is_kept() {
    let d = Settings::defaults();
    assert_eq!((d.journal.partitions, d.journal.segment_size), (64, Size::mib(64)));
    assert_eq!((d.journal.batch_events, d.journal.batch_bytes), (256, Size::mib(4)));
    assert_eq!((d.journal.linger, d.journal.verify), (Duration::from_micros(500), Verify::All));
    assert_eq!((d.journal.tail_memory, d.store.cache, d.store.memtable), (Size::mib(16), Size::mib(32), Size::mib(8)));
    assert_eq!((d.journal.kind, d.journal.kafka.replicas, d.journal.kafka.min_insync), (JournalKind::Embedded, 3, 2));
    assert!(d.journal.kafka.brokers.is_empty() && d.journal.kafka.password.is_none() && !d.journal.kafka.tls);
    assert_eq!((d.journal.kafka.topic.as_str(), d.journal.kafka.mechanism), ("waybill", Mechanism::Sha512));
    assert_eq!((d.journal.kafka.delivery_timeout, d.journal.kafka.linger), (seconds(10), Duration::from_millis(1)));
    assert_eq!((d.store.kind, d.store.cql.replicas, d.store.cql.writes), (StoreKind::Embedded, 3, 128));
    assert!(d.store.cql.nodes.is_empty() && d.store.cql.password.is_none() && !d.store.cql.tls);
    assert_eq!((d.store.cql.keyspace.as_str(), d.store.cql.datacenter.as_str()), ("waybill", ""));
    assert_eq!((d.store.cql.connect_timeout, d.store.cql.request_timeout), (seconds(5), seconds(5)));
    assert_eq!(d.store.cql.patience, seconds(10));
    assert_eq!((&d.vault.key_file, d.vault.key_cache, d.vault.key_cache_entries), (&None, seconds(60), 50_000));
    assert_eq!((d.health.disk_free_min, d.health.inodes_free_min), (Size::gib(1), 10_000));
    assert_eq!(d.health.memory_max, Size::gib(0));
}

#[test]
fn how_meta_is_spoken_to() {
    let d = Settings::defaults();
    assert_eq!((d.meta.graph_url.as_str(), d.meta.version.as_str()), ("https://graph.facebook.com/", "v25.0"));
    assert_eq!(
        (d.meta.request_timeout, d.meta.connect_timeout, d.meta.max_connections),
        (seconds(20), seconds(5), 1024)
    );
    assert_eq!(d.meta.callback_path, "/callbacks/meta");
    assert!(d.meta.verify_token.is_none() && d.meta.app_secrets.is_empty());
}

#[test]
fn how_messages_leave() {
    let d = Settings::defaults().delivery;
    assert_eq!((d.window, d.windows_total, d.ring, d.max_attempts), (32, 2048, 256, 6));
    assert_eq!(d.queue_max, 2_000_000);
    assert_eq!((d.intent_deadline, d.unknown_after), (seconds(30), seconds(900)));
    assert_eq!((d.retry_base, d.retry_cap), (seconds(2), seconds(600)));
    assert_eq!((d.expiry.utility, d.expiry.authentication), (seconds(86_400), seconds(600)));
    assert_eq!((d.expiry.marketing, d.expiry.service), (seconds(259_200), seconds(86_400)));
    assert_eq!((d.unknown.marketing, d.unknown.utility), (UnknownPolicy::Hold, UnknownPolicy::Resend));
    assert_eq!((d.unknown.authentication, d.unknown.service), (UnknownPolicy::Expire, UnknownPolicy::Resend));
    let p = Settings::defaults().pacing;
    assert_eq!((p.number_per_second, p.number_burst, p.pair_interval, p.pair_burst), (80, 80, seconds(6), 45));
    assert_eq!((p.tenant_per_second, p.tenant_burst), (1000, 1000));
    let consent = Settings::defaults().consent;
    assert!(consent.require_opt_in && consent.require_window, "strict unless somebody says otherwise");
}

#[test]
fn how_customers_are_told_and_actors_restarted() {
    let w = Settings::defaults().webhooks;
    assert_eq!((w.timeout, w.response_max), (seconds(15), Size::kib(64)));
    assert_eq!((w.concurrency_per_endpoint, w.batch, w.allow_private), (8, 64, false));
    assert_eq!(w.allowed_ports, [80, 443, 8080, 8443]);
    let hours = [7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    assert_eq!(w.schedule, [&[5, 60, 300, 1_800][..], &hours].concat().into_iter().map(seconds).collect::<Vec<_>>());
    assert_eq!((w.jitter, w.disable_after), (0.2, seconds(432_000)));
    let r = Settings::defaults().runtime;
    assert_eq!((r.workers, r.restart_budget, r.restart_window), (0, 5, seconds(60)));
    assert_eq!((r.backoff_base, r.backoff_cap), (Duration::from_millis(100), seconds(10)));
    let t = Settings::defaults().telemetry;
    assert_eq!((t.log.as_str(), t.log_format), ("info", LogFormat::Text));
}

#[test]
fn what_is_serialized_reads_back_as_the_same_settings() {
    let changed = read("[webhooks]\njitter = 0.5\n[meta]\nverify_token = \"env:TOKEN\"", &[]).expect("good settings");
    for settings in [Settings::defaults(), changed] {
        let text = toml::to_string(&settings).expect("settings serialize");
        assert_eq!(read(&text, &[]), Ok(settings));
    }
}
