//! What a data folder can lose, and what it cannot: the store comes back from the journal, without a single send; a vault
//! that is gone and a journal that is damaged are refused, with words that say what to do.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use waybill_loadtest::graph::Rule;

use super::house::{House, Plan};

/// What `waybill serve` exits with when the data folder cannot be used.
const DATA_FOLDER: i32 = 5;

/// A house with a past: sent, refused, failed later, cancelled by nobody. Everything in it has come to its end.
async fn lived_in() -> (House, Vec<String>) {
    let mut plan = Plan::new();
    plan.simulator.callback.read_share = 1.0;
    plan.simulator.callback.read_ms = 50;
    plan.simulator.rules = vec![
        Rule { suffix: "07".into(), sync_code: Some(131_026), ..Rule::default() },
        Rule { suffix: "13".into(), async_code: Some(131_049), ..Rule::default() },
        // Some read and some do not, and the test knows which.
        Rule { suffix: "1".into(), reads: Some(true), ..Rule::default() },
        Rule { suffix: String::new(), reads: Some(false), ..Rule::default() },
    ];
    let house = House::open(plan).await;
    let mut ids = Vec::new();
    for n in 0..200 {
        let (from, to) = (format!("s{}", n % 5), format!("+4915550000{n:03}"));
        ids.push(house.accept(&from, &to, &format!("Order {n}")).await);
    }
    for (n, id) in ids.iter().enumerate() {
        let end: &[&str] = match n % 100 {
            7 | 13 => &["failed"],
            n if n % 10 == 1 => &["read"],
            _ => &["delivered"],
        };
        house.until(id, end).await;
    }
    (house, ids)
}

/// Every page of the list, and each message whole.
async fn everything(house: &House, ids: &[String]) -> (Vec<Value>, Vec<Value>) {
    let (mut list, mut path) = (Vec::new(), "/v1/messages?limit=100".to_owned());
    loop {
        let page = house.http.get(&path, &house.key).await.expect("an answer").json();
        list.extend(page["data"].as_array().expect("a page").iter().cloned());
        if page["more"] != true {
            break;
        }
        path = format!("/v1/messages?limit=100&cursor={}", page["next"].as_str().expect("a cursor"));
    }
    let mut whole = Vec::new();
    for id in ids {
        whole.push(house.http.get(&format!("/v1/messages/{id}"), &house.key).await.expect("an answer").json());
    }
    list.sort_by_key(|message| message["id"].to_string());
    (list, whole)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_gone_comes_back_without_a_single_send() {
    let (mut house, ids) = lived_in().await;
    let (list, whole) = everything(&house, &ids).await;
    assert_eq!(list.len(), ids.len());
    house.stop().await;
    let (sent, told) = (house.simulator.stats().requests, house.sink.stats().deliveries);
    fs::remove_dir_all(house.data().join("store")).expect("the store was there");
    house.start().await;
    // A new message goes the whole way: whatever the replay had left to do would have been done before it.
    let after = house.accept("s0", "+4915550009990", "after the rebuild").await;
    house.until(&after, &["delivered"]).await;
    let (list_again, mut whole_again) = everything(&house, &ids).await;
    let list_again: Vec<_> = list_again.into_iter().filter(|message| message["id"] != *after).collect();
    assert_eq!(list_again, list);
    for (now, before) in whole_again.drain(..).zip(whole) {
        assert_eq!(now, before);
    }
    assert_eq!(house.simulator.stats().requests, sent + 1, "the replay sent something");
    // Sent and delivered, of the one new message; what was settled before is not told again.
    let again = house.sink.stats();
    assert!(again.deliveries <= told + 2, "{} notifications for one message", again.deliveries - told);
    assert_eq!(again.duplicates, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_that_is_gone_is_refused_and_can_be_put_back() {
    let (mut house, ids) = lived_in().await;
    let (list, whole) = everything(&house, &ids).await;
    house.stop().await;
    let sent = house.simulator.stats().requests;
    let (vault, away) = (house.data().join("vault"), house.folder().join("vault.away"));
    fs::rename(&vault, &away).expect("the vault was there");
    let (code, said) = house.refused().await;
    assert_eq!(code, DATA_FOLDER, "{said}");
    for word in ["the vault is missing", "every message body", "lost for ever", "backup", "Restore"] {
        assert!(plain(&said).contains(word), "`{word}` is not said:\n{said}");
    }
    assert!(!vault.exists(), "a new vault in the place of a lost one would hide the loss");
    fs::rename(&away, &vault).expect("put back");
    house.start().await;
    assert_eq!(everything(&house, &ids).await, (list, whole));
    assert_eq!(house.simulator.stats().requests, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_byte_in_the_journal_is_refused_with_its_place() {
    let (mut house, ids) = lived_in().await;
    let (list, _) = everything(&house, &ids).await;
    house.stop().await;
    let sent = house.simulator.stats().requests;
    let (file, written) = longest(&house.data().join("journal"));
    let at = written / 2;
    flip(&file, at);
    let (code, said) = house.refused().await;
    assert_eq!(code, DATA_FOLDER, "{said}");
    let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    assert!(plain(&said).contains(name), "{name} is not named:\n{said}");
    let named = offsets(&said);
    let near = |offset: &u64| (at.saturating_sub(64 * 1024)..=at).contains(offset);
    assert!(named.iter().any(near), "byte {at} was flipped; {named:?} are named:\n{said}");
    flip(&file, at);
    house.start().await;
    assert_eq!(everything(&house, &ids).await.0, list);
    assert_eq!(house.simulator.stats().requests, sent, "something was sent by or after a refused start");
}

/// The text without the line breaks and frames that a terminal's width brings.
fn plain(said: &str) -> String {
    let words: Vec<&str> = said.split_whitespace().filter(|word| !matches!(*word, "│" | "×" | "help:")).collect();
    words.join(" ")
}

/// Whole numbers in a text.
fn offsets(said: &str) -> Vec<u64> {
    plain(said).split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// The file of a folder with the most bytes before its zeros, and how many those are.
fn longest(folder: &Path) -> (PathBuf, u64) {
    let files = fs::read_dir(folder).expect("the journal").map(|file| file.expect("a file").path());
    let written = |path: PathBuf| {
        let bytes = fs::read(&path).expect("it reads");
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        (path, end)
    };
    files.filter(|path| path.is_file()).map(written).max_by_key(|(_, end)| *end).expect("a segment")
}

fn flip(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).expect("it opens");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it reads");
    file.write_all_at(&[byte[0] ^ 0x40], at).expect("it writes");
    file.sync_all().expect("it syncs");
}
