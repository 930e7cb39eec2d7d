//! Order, twists, bounds and batches of callbacks.

use super::{Callbacks, Item};
use crate::clock::now_us;
use crate::graph::config::{CallbackConfig, Number};
use crate::graph::fault::Twist;
use crate::graph::payload::{Accepted, Status};
use std::sync::Arc;

fn message() -> Accepted {
    Accepted {
        number: Arc::new(Number::new("1")),
        wamid: "wamid.A".into(),
        phone: Some("49151".into()),
        user_id: None,
        token: None,
        category: "service",
        reads: true,
        only_sent: false,
    }
}

fn callbacks(config: CallbackConfig) -> Callbacks {
    let config = CallbackConfig { url: Some("http://127.0.0.1:9/cb".into()), read_share: 1.0, ..config };
    Callbacks::new(config, 1).expect("callbacks")
}

fn order(callbacks: &Callbacks) -> Vec<Status> {
    let mut queue = callbacks.queue.lock().expect("lock");
    std::iter::from_fn(|| queue.pop())
        .map(|item| match item {
            Item::Status(event) => event.status,
            Item::Post(_) => panic!("no posts yet"),
        })
        .collect()
}

#[tokio::test]
async fn statuses_come_in_order_unless_twisted() {
    let life = [Status::Sent, Status::Delivered, Status::Read];
    let calm = callbacks(CallbackConfig::default());
    assert!(calm.accepted(1, message(), None, Twist::default()).is_none());
    assert_eq!(order(&calm), life);
    calm.accepted(1, message(), None, Twist { reordered: true, ..Twist::default() });
    assert_eq!(order(&calm), [Status::Read, Status::Delivered, Status::Sent]);
    calm.accepted(1, message(), None, Twist { doubled: true, ..Twist::default() });
    assert_eq!(order(&calm).len(), 6);
    let early = calm.accepted(1, message(), None, Twist { early: true, ..Twist::default() });
    assert_eq!(early.map(|e| e.status), Some(Status::Sent));
    assert_eq!(order(&calm), life[1..]);
    calm.accepted(1, message(), Some((131_026, true)), Twist::default());
    assert_eq!(order(&calm), [Status::Sent, Status::Failed(131_026)]);
}

#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let full = callbacks(CallbackConfig { queue_capacity: 2, ..CallbackConfig::default() });
    full.accepted(1, message(), None, Twist::default());
    let stats = full.stats();
    assert_eq!((stats.pending, stats.overflowed), (2, 1));
}

#[tokio::test]
async fn what_is_due_together_goes_together() {
    let config = CallbackConfig {
        max_batch: 10,
        sent_ms: 0,
        delivered_ms: 0,
        read_ms: 0,
        jitter: 0.0,
        ..CallbackConfig::default()
    };
    let batching = callbacks(config);
    for n in 0..4 {
        batching.accepted(n, message(), None, Twist::default());
    }
    let taken = |callbacks: &Callbacks| {
        let batch = callbacks.queue.lock().expect("lock").take_due(now_us(), 10);
        batch.map_or(0, |batch| batch.into_post().counts.iter().sum())
    };
    let sizes: [u32; 2] = [taken(&batching), taken(&batching)];
    assert_eq!(sizes, [10, 2]);
}

#[tokio::test]
async fn only_plain_http_targets() {
    let callbacks = callbacks(CallbackConfig::default());
    assert!(callbacks.set_target(Some("https://x/"), None).is_err());
    assert!(callbacks.set_target(None, None).is_ok() && !callbacks.has_target());
}
