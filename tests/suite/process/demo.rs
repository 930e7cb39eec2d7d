//! `waybill demo`: what people see first. Its own verdict, read as a program reads it.

use std::time::Duration;

use serde_json::Value;

use super::node::{Node, binary};

#[tokio::test]
async fn the_accounts_of_the_demo_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = Node::spawn(&binary(), &["demo", "--once", "--json"], &[], &folder.path().join("demo.log"));
    let code = demo.exit_code(Duration::from_secs(180)).await;
    let said = demo.said();
    assert_eq!(code, 0, "{said}");
    let last = said.lines().last().expect("a line");
    let counts: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"));
    println!("{counts}");
    let count = |name: &str| counts[name].as_u64().unwrap_or_else(|| panic!("no `{name}` in {counts}"));
    assert_eq!(count("accepted"), 3_000);
    assert_eq!((count("lost"), count("duplicated"), count("unknown")), (0, 0, 0));
    assert_eq!(count("delivered") + count("failed"), count("accepted"));
    assert!(count("failed") > 0, "life went too smoothly: nothing failed");
    assert_eq!(count("notified"), count("accepted"));
}
