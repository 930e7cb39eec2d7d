//! Rules between keys: each is good by itself, but not together with the other.

use std::time::Duration;

use super::check::Complaint;
use super::mistake::Mistake;
use super::node::Node;
use super::section::{JournalKind, NodeRole, StoreKind, VaultKind};
use super::setting::Setting;
use super::settings::Settings;

/// One rule: the keys it is about, and what it says of settings that break it.
struct Rule {
    /// The first is the key to change where none of them was written by the operator.
    keys: &'static [&'static str],
    broken: fn(&Settings) -> Option<Complaint>,
}

/// Every rule. The comment says what breaks without it.
const RULES: &[Rule] = &[
    // Half of TLS is none: the listener would silently speak plain HTTP.
    Rule { keys: &["server.tls_cert", "server.tls_key"], broken: tls },
    // Both listeners would fight for one port.
    Rule {
        keys: &["server.admin_listen", "server.listen"],
        broken: |s| {
            says(s.server.admin_listen == Some(s.server.listen), || {
                (
                    "admin_listen is the same address as listen".into(),
                    "Choose another port, or leave admin_listen empty".into(),
                )
            })
        },
    },
    // A connection could spend the whole request's time on its headers.
    Rule {
        keys: &["server.header_timeout", "server.request_timeout"],
        broken: |s| {
            at_most("header_timeout", s.server.header_timeout, "server.request_timeout", s.server.request_timeout)
        },
    },
    // A line of a bulk request is one message and ends in the same record.
    Rule {
        keys: &["server.bulk_line_max", "server.max_body"],
        broken: |s| at_most("bulk_line_max", s.server.bulk_line_max, "server.max_body", s.server.max_body),
    },
    // A segment holds two batches and its own frame, or it would be closed after each of them.
    Rule { keys: &["journal.batch_bytes", "journal.segment_size"], broken: batch_fills_segment },
    // A batch must fit the memory that readers are served from.
    Rule {
        keys: &["journal.batch_bytes", "journal.tail_memory"],
        broken: |s| at_most("batch_bytes", s.journal.batch_bytes, "journal.tail_memory", s.journal.tail_memory),
    },
    // A node would look for its journal nowhere.
    Rule {
        keys: &["journal.kafka.brokers", "journal.kind"],
        broken: |s| {
            says(s.journal.kind == JournalKind::Kafka && s.journal.kafka.brokers.is_empty(), || {
                ("brokers is empty, and the journal is in Kafka".into(), "Name some brokers, \"host:port\"".into())
            })
        },
    },
    // A name without its password, or the other way round, would be refused by every broker.
    Rule {
        keys: &["journal.kafka.user", "journal.kafka.password"],
        broken: |s| {
            says(s.journal.kafka.user.is_empty() != s.journal.kafka.password.is_none(), || {
                ("one of user and password is set without the other".into(), "Set both, or leave both empty".into())
            })
        },
    },
    // Who names an authority expects TLS; the password would cross the network readable.
    Rule {
        keys: &["journal.kafka.tls_ca", "journal.kafka.tls"],
        broken: |s| {
            says(s.journal.kafka.tls_ca.is_some() && !s.journal.kafka.tls, || {
                ("tls_ca is set, but tls is false".into(), "Set tls = true, or leave tls_ca empty".into())
            })
        },
    },
    // More copies than there are would never be in sync: nothing would be taken.
    Rule {
        keys: &["journal.kafka.min_insync", "journal.kafka.replicas"],
        broken: |s| {
            let kafka = &s.journal.kafka;
            at_most("min_insync", kafka.min_insync, "journal.kafka.replicas", kafka.replicas)
        },
    },
    // Rows in a cluster are found again by whoever reads the same journal; one in a folder is read by one node alone.
    Rule {
        keys: &["store.kind", "journal.kind"],
        broken: |s| {
            says(s.store.kind == StoreKind::Cql && s.journal.kind != JournalKind::Kafka, || {
                (
                    "the rows are in a cluster and the journal is in a folder".into(),
                    "Set journal.kind = \"kafka\" too".into(),
                )
            })
        },
    },
    // As for the journal: nowhere to look, half a login, an authority without TLS.
    Rule {
        keys: &["store.cql.nodes", "store.kind"],
        broken: |s| {
            says(s.store.kind == StoreKind::Cql && s.store.cql.nodes.is_empty(), || {
                ("nodes is empty, and the rows are in a cluster".into(), "Name some nodes, \"host:port\"".into())
            })
        },
    },
    Rule {
        keys: &["store.cql.user", "store.cql.password"],
        broken: |s| {
            says(s.store.cql.user.is_empty() != s.store.cql.password.is_none(), || {
                ("one of user and password is set without the other".into(), "Set both, or leave both empty".into())
            })
        },
    },
    Rule {
        keys: &["store.cql.tls_ca", "store.cql.tls"],
        broken: |s| {
            says(s.store.cql.tls_ca.is_some() && !s.store.cql.tls, || {
                ("tls_ca is set, but tls is false".into(), "Set tls = true, or leave tls_ca empty".into())
            })
        },
    },
    // A read would be given up while its first request may still be answered.
    Rule {
        keys: &["store.cql.patience", "store.cql.request_timeout"],
        broken: |s| {
            let cql = &s.store.cql;
            at_most("request_timeout", cql.request_timeout, "store.cql.patience", cql.patience)
        },
    },
    // Nodes that share a vault share a journal too, or each would have marks of its own in it.
    Rule {
        keys: &["vault.kind", "journal.kind"],
        broken: |s| {
            says(s.vault.kind == VaultKind::Cql && s.journal.kind != JournalKind::Kafka, || {
                (
                    "the vault is in a cluster and the journal is in a folder".into(),
                    "Set journal.kind = \"kafka\" too".into(),
                )
            })
        },
    },
    Rule {
        keys: &["vault.cql.nodes", "vault.kind"],
        broken: |s| {
            says(s.vault.kind == VaultKind::Cql && s.vault.cql.nodes.is_empty(), || {
                ("nodes is empty, and the vault is in a cluster".into(), "Name some nodes, \"host:port\"".into())
            })
        },
    },
    // Beside the data folder it would be drawn anew on each node, and all but one would be refused.
    Rule {
        keys: &["vault.key_file", "vault.kind"],
        broken: |s| {
            says(s.vault.kind == VaultKind::Cql && s.vault.key_file.is_none(), || {
                (
                    "key_file is empty, and the vault is in a cluster".into(),
                    "Name the file with the instance key, the same on all nodes".into(),
                )
            })
        },
    },
    // Rows may be dropped and are rebuilt; keys that were dropped with them are lost for ever.
    Rule {
        keys: &["vault.cql.keyspace", "store.cql.keyspace", "vault.kind", "store.kind"],
        broken: |s| {
            let both = s.vault.kind == VaultKind::Cql && s.store.kind == StoreKind::Cql;
            says(both && s.vault.cql.keyspace == s.store.cql.keyspace, || {
                (
                    "keyspace is the one of the rows, which may be dropped and rebuilt; a vault may not".into(),
                    "Name another keyspace for the vault".into(),
                )
            })
        },
    },
    Rule {
        keys: &["vault.cql.user", "vault.cql.password"],
        broken: |s| {
            says(s.vault.cql.user.is_empty() != s.vault.cql.password.is_none(), || {
                ("one of user and password is set without the other".into(), "Set both, or leave both empty".into())
            })
        },
    },
    Rule {
        keys: &["vault.cql.tls_ca", "vault.cql.tls"],
        broken: |s| {
            says(s.vault.cql.tls_ca.is_some() && !s.vault.cql.tls, || {
                ("tls_ca is set, but tls is false".into(), "Set tls = true, or leave tls_ca empty".into())
            })
        },
    },
    Rule {
        keys: &["vault.cql.patience", "vault.cql.request_timeout"],
        broken: |s| {
            let cql = &s.vault.cql;
            at_most("request_timeout", cql.request_timeout, "vault.cql.patience", cql.patience)
        },
    },
    // What this node does not do nobody would.
    Rule {
        keys: &["runtime.roles", "journal.kind", "store.kind", "vault.kind"],
        broken: |s| {
            let whole = [NodeRole::Api, NodeRole::Worker].iter().all(|role| s.runtime.roles.contains(role));
            says(!whole && !s.is_shared(), || {
                (
                    "roles leaves one out, and journal, store and vault are not all in clusters that other nodes share".into(),
                    "Give this node both roles, or set journal.kind = \"kafka\", store.kind = \"cql\" and vault.kind = \"cql\"".into(),
                )
            })
        },
    },
    // A heartbeat that comes late twice would cost the node its partitions.
    Rule {
        keys: &["journal.kafka.group_heartbeat", "journal.kafka.group_session"],
        broken: |s| {
            let (beat, session) = (s.journal.kafka.group_heartbeat, s.journal.kafka.group_session);
            says(beat * 3 > session, || {
                let (beat, session) = (beat.spell(), session.spell());
                (
                    format!("group_heartbeat ({beat}) is more than a third of journal.kafka.group_session ({session})"),
                    "Lower group_heartbeat or raise group_session".into(),
                )
            })
        },
    },
    // An intent that ends while its call may still run would be called unknown each time Meta is slow.
    Rule {
        keys: &["delivery.intent_deadline", "meta.request_timeout", "meta.connect_timeout"],
        broken: intent_outlives_call,
    },
    // A message under way would be waited for less long than it may be acted on.
    Rule {
        keys: &["delivery.unknown_after", "delivery.intent_deadline"],
        broken: |s| {
            at_most("intent_deadline", s.delivery.intent_deadline, "delivery.unknown_after", s.delivery.unknown_after)
        },
    },
    // A window larger than the ring can never be filled.
    Rule {
        keys: &["delivery.ring", "delivery.window"],
        broken: |s| at_most("window", s.delivery.window, "delivery.ring", s.delivery.ring),
    },
    Rule {
        keys: &["delivery.windows_total", "delivery.window"],
        broken: |s| at_most("window", s.delivery.window, "delivery.windows_total", s.delivery.windows_total),
    },
    Rule {
        keys: &["delivery.retry_cap", "delivery.retry_base"],
        broken: |s| at_most("retry_base", s.delivery.retry_base, "delivery.retry_cap", s.delivery.retry_cap),
    },
    // A message that expires before one attempt can end is never sent.
    Rule {
        keys: &["delivery.expiry.utility", "delivery.intent_deadline"],
        broken: |s| expires("utility", s.delivery.expiry.utility, s),
    },
    Rule {
        keys: &["delivery.expiry.authentication", "delivery.intent_deadline"],
        broken: |s| expires("authentication", s.delivery.expiry.authentication, s),
    },
    Rule {
        keys: &["delivery.expiry.marketing", "delivery.intent_deadline"],
        broken: |s| expires("marketing", s.delivery.expiry.marketing, s),
    },
    Rule {
        keys: &["delivery.expiry.service", "delivery.intent_deadline"],
        broken: |s| expires("service", s.delivery.expiry.service, s),
    },
    // An endpoint would be disabled before its last attempt was due.
    Rule { keys: &["webhooks.disable_after", "webhooks.schedule", "webhooks.jitter"], broken: disabled_early },
    Rule {
        keys: &["runtime.backoff_cap", "runtime.backoff_base"],
        broken: |s| at_most("backoff_base", s.runtime.backoff_base, "runtime.backoff_cap", s.runtime.backoff_cap),
    },
];

/// The rules that these settings break. Rules about keys that are faulty by themselves are not judged.
pub(super) fn mistakes(settings: &Settings, tree: &Node, faulty: &[Mistake]) -> Vec<Mistake> {
    // A faulty section covers its keys, a faulty element its list.
    let covers = |mistake: &Mistake, key: &str| {
        let stem = mistake.key.split('[').next().unwrap_or("");
        key == stem || key.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.'))
    };
    let judged =
        RULES.iter().filter(|rule| !rule.keys.iter().any(|key| faulty.iter().any(|mistake| covers(mistake, key))));
    judged.filter_map(|rule| (rule.broken)(settings).map(|complaint| place(rule, complaint, tree))).collect()
}

/// Puts the mistake where the operator wrote one of the keys; a default is nobody's place.
fn place(rule: &Rule, complaint: Complaint, tree: &Node) -> Mistake {
    let written = rule.keys.iter().filter_map(|key| Some((*key, tree.get(key)?)));
    let by_operator = written.clone().find(|(_, node)| &*node.place.origin != super::settings::BUILT_IN);
    let (key, node) = by_operator.or_else(|| written.clone().next()).unwrap_or((rule.keys[0], tree));
    Mistake::at(&node.place, complaint.what, complaint.remedy).under(key)
}

fn says(broken: bool, complaint: impl FnOnce() -> (String, String)) -> Option<Complaint> {
    broken.then(complaint).map(|(what, remedy)| Complaint::new(what, remedy))
}

fn at_most<T: Setting + PartialOrd>(name: &str, value: T, limit_name: &str, limit: T) -> Option<Complaint> {
    says(value > limit, || {
        let (value, limit) = (value.spell(), limit.spell());
        (format!("{name} ({value}) is more than {limit_name} ({limit})"), format!("Lower {name} or raise {limit_name}"))
    })
}

fn tls(s: &Settings) -> Option<Complaint> {
    let (given, missing) = match (&s.server.tls_cert, &s.server.tls_key) {
        (Some(_), None) => ("tls_cert", "tls_key"),
        (None, Some(_)) => ("tls_key", "tls_cert"),
        _ => return None,
    };
    Some(Complaint::new(
        format!("{given} is set without {missing}"),
        format!("Set {missing} too, or leave both empty for plain HTTP"),
    ))
}

fn intent_outlives_call(s: &Settings) -> Option<Complaint> {
    let call = s.meta.request_timeout + s.meta.connect_timeout;
    says(s.delivery.intent_deadline <= call, || {
        let (deadline, call) = (s.delivery.intent_deadline.spell(), call.spell());
        let what = format!(
            "intent_deadline ({deadline}) is not more than meta.request_timeout and meta.connect_timeout together ({call})"
        );
        (what, format!("Raise delivery.intent_deadline above {call}, or lower the timeouts of [meta]"))
    })
}

fn batch_fills_segment(s: &Settings) -> Option<Complaint> {
    let (batch, segment) = (s.journal.batch_bytes, s.journal.segment_size);
    says(batch.bytes() * 2 > segment.bytes(), || {
        let (batch, segment) = (batch.spell(), segment.spell());
        let what = format!("batch_bytes ({batch}) is more than half of journal.segment_size ({segment})");
        (what, "Lower batch_bytes or raise journal.segment_size".to_owned())
    })
}

fn expires(category: &str, expiry: Duration, s: &Settings) -> Option<Complaint> {
    at_most("intent_deadline", s.delivery.intent_deadline, &format!("delivery.expiry.{category}"), expiry)
}

fn disabled_early(s: &Settings) -> Option<Complaint> {
    let longest: Duration = s.webhooks.schedule.iter().sum::<Duration>().mul_f64(1.0 + s.webhooks.jitter);
    says(s.webhooks.disable_after < longest, || {
        let (after, minutes) = (s.webhooks.disable_after.spell(), longest.as_secs().div_ceil(60));
        let what =
            format!("disable_after ({after}) ends before the last attempt of schedule with its jitter ({minutes}m)");
        (what, format!("Raise disable_after to \"{minutes}m\" or more, or shorten schedule"))
    })
}
