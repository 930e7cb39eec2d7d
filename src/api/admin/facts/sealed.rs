//! Facts of events in the audit's mailbox.

use serde_json::{Value, json};

use super::super::super::time::stamp;
use super::text;
use crate::domain::event::{Event, HeadV1};

pub(super) fn sealed(event: &Event) -> Value {
    match event {
        Event::HeadsReported(it) => {
            let head = |head: &HeadV1| json!({"tenant": text(&head.tenant), "size": head.size, "root": hex::encode(head.root)});
            json!({
                "partition": it.partition, "through": it.through.0, "part": it.part, "whole": it.whole,
                "since": stamp(it.since), "heads": it.heads.iter().map(head).collect::<Vec<_>>(),
            })
        }
        Event::CheckpointSealed(it) => json!({"era": it.era}),
        Event::CheckpointSigned(it) => json!({
            "origin": it.origin, "size": it.size, "root": hex::encode(it.root), "key": hex::encode(it.key),
            "signature": hex::encode(it.signature),
        }),
        Event::CheckpointPublished(it) => json!({
            "checkpoint": it.note, "size": it.size, "tenants": it.tenants.iter().map(text).collect::<Vec<_>>(),
        }),
        Event::LogBegun(it) => json!({"era": it.era, "reason": it.reason}),
        Event::HeadsLost(it) => json!({"partition": it.partition, "through": it.through.0, "found": it.found.0}),
        // Unreachable while every kind has its arm; a new kind shows its name until it gets one.
        _ => Value::Null,
    }
}
