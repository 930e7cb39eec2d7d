//! An export of the real binary, made while it is killed under load, verified by a program of another maker's packages:
//! Go's own of transparency logs. 5 s of load and three kills, or with `WAYBILL_LONG` so many that there are 100,000 events.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::installed;
use crate::process::house::{House, Plan};
use crate::process::kill9::storm;
use crate::process::node::binary;

/// What `waybill audit` says, as JSON.
fn audit(house: &House, arguments: &[&str]) -> Output {
    let settings = house.settings();
    let mut command = Command::new(binary());
    command.args(["--json", "--config", settings.to_str().expect("UTF-8"), "audit"]).args(arguments);
    command.output().expect("the binary runs")
}

fn said(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn judged_by_go(scope: &[&str], dir: &Path, kept: &[&Path]) -> (bool, Value) {
    let verify = installed("audit").join("bin/verify");
    let output = Command::new(verify).args(scope).arg(dir).args(kept).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let said = serde_json::from_str(text.trim());
    (output.status.success(), said.unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// Waits until a checkpoint is the last one: nothing happens any more that is not signed for.
async fn settled(house: &House) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    let mut last = Value::Null;
    loop {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let now = said(&audit(house, &["checkpoint"]));
        if now["size"] == last["size"] {
            return now;
        }
        assert!(Instant::now() < until, "it goes on: {now}");
        last = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the Go program: tests/run foreign"]
async fn an_export_of_a_node_that_was_killed_under_load_is_verified_by_go() {
    let kills = if std::env::var_os("WAYBILL_LONG").is_some() { 100 } else { 3 };
    let mut house = House::open(Plan::new()).await;
    let mut seed = 20_261_123;
    storm(&mut house, "a", kills, &mut seed).await;
    let kept = house.folder().join("kept");
    let first = settled(&house).await;
    std::fs::write(&kept, first["checkpoint"].as_str().expect("a note")).expect("kept");
    storm(&mut house, "b", kills, &mut seed).await;
    settled(&house).await;
    let dir = house.folder().join("export");
    let (place, kept_at) = (dir.to_str().expect("UTF-8"), kept.to_str().expect("UTF-8"));
    let exported = said(&audit(&house, &["export", place]));
    let ours = said(&audit(&house, &["verify", place, "--all", "--checkpoint", kept_at]));
    let (good, theirs) = judged_by_go(&["-all"], &dir, &[&kept]);
    println!("{theirs}");
    assert!(good && ours["good"] == true, "{theirs}");
    for name in ["origin", "entries", "root", "trees", "events"] {
        assert_eq!(theirs[name], ours[name], "{name}");
    }
    assert_eq!(
        (&theirs["events"], &theirs["gaps"], &theirs["checkpoints"]),
        (&exported["events"], &0.into(), &1.into())
    );
    let events = theirs["events"].as_u64().expect("a number");
    assert!(events > u64::from(kills) * 1_000, "too few to prove anything: {events}");
    let leaves = events + theirs["entries"].as_u64().expect("a number");
    assert_eq!(theirs["inclusions"], leaves, "every leaf was proved");

    // Whose events there must be, is not what the export says.
    let nobody = "ten_00112233445566778899aabbccddeeff";
    assert!(!judged_by_go(&["-tenant", nobody], &dir, &[]).0, "more than was expected");
    assert!(!audit(&house, &["verify", place, "--tenant", nobody]).status.success());
    let manifest = dir.join("manifest.json");
    let whole = std::fs::read(&manifest).expect("a manifest");
    for (scope, ours, tenants) in [("-all", "--all", json!(["00".repeat(16)])), ("-all=false", "--json", json!([]))] {
        let mut list: Value = serde_json::from_slice(&whole).expect("JSON");
        list["trees"].as_array_mut().expect("trees").retain(|tree| tree["tenant"] == tenants[0]);
        list["tenants"] = tenants;
        std::fs::write(&manifest, list.to_string()).expect("changed");
        assert!(!judged_by_go(&[scope], &dir, &[]).0, "{scope}");
        assert!(!audit(&house, &["verify", place, ours]).status.success(), "{ours}");
    }
    std::fs::write(&manifest, whole).expect("put back");

    let path = dir.join("log/tile/0/000");
    let path = if path.is_file() { path } else { first_below(&dir.join("log/tile/0")) };
    let mut bytes = std::fs::read(&path).expect("a tile");
    bytes[0] ^= 1;
    std::fs::write(&path, bytes).expect("changed");
    assert!(!judged_by_go(&[], &dir, &[]).0, "a bit in a tile");
    assert!(!audit(&house, &["verify", place]).status.success());
}

fn first_below(dir: &Path) -> std::path::PathBuf {
    let first = std::fs::read_dir(dir).expect("a folder").next().expect("something").expect("readable").path();
    if first.is_dir() { first_below(&first) } else { first }
}
