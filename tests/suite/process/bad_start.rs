//! Everything an operator can get wrong before the first message: each mistake ends the start with its exit code, and
//! words that say where it is and what to do.

use std::net::TcpListener;
use std::time::Duration;

use super::house::{House, Plan};
use super::node::{Node, binary};

/// The settings or the command line are wrong.
const USAGE: i32 = 2;
/// The data folder cannot be used.
const DATA_FOLDER: i32 = 5;

const PATIENCE: Duration = Duration::from_secs(30);

fn says(said: &str, words: &[&str]) {
    let plain: Vec<&str> = said.split_whitespace().filter(|word| !matches!(*word, "│" | "×")).collect();
    let plain = plain.join(" ");
    for word in words {
        assert!(plain.contains(word), "`{word}` is not said:\n{said}");
    }
}

#[tokio::test]
async fn wrong_settings_are_all_named_at_once() {
    let mut house = House::build(Plan::new()).await;
    house.set("server.max_bdy", "1MiB");
    house.set("journal.partitions", 0);
    house.set("delivery.window", "many");
    let (code, said) = house.refused().await;
    assert_eq!(code, USAGE, "{said}");
    says(&said, &["3 mistakes", "max_bdy", "max_body", "partitions", "window", "waybill.toml:"]);
    assert!(!house.data().exists(), "nothing is made before the settings are right");
}

#[tokio::test]
async fn a_settings_file_that_is_missing_or_no_toml_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nowhere.toml");
    let serve = ["serve", "--config", path.to_str().expect("UTF-8")];
    let log = folder.path().join("log");
    let mut node = Node::spawn(&binary(), &serve, &[], &log);
    assert_eq!(node.exit_code(PATIENCE).await, USAGE);
    says(&node.said(), &["nowhere.toml", "does not exist"]);
    std::fs::write(&path, "[server\nlisten = ").expect("it writes");
    let mut node = Node::spawn(&binary(), &serve, &[], &log);
    assert_eq!(node.exit_code(PATIENCE).await, USAGE);
    says(&node.said(), &["nowhere.toml:1"]);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let mut house = House::build(Plan::new()).await;
    let _taken = TcpListener::bind(("127.0.0.1", house.port)).expect("the port is free");
    let (code, said) = house.refused().await;
    assert_eq!(code, USAGE, "{said}");
    says(&said, &[&format!("127.0.0.1:{}", house.port), "server.listen"]);
}

#[tokio::test]
async fn a_certificate_or_secret_that_is_missing_is_all_that_is_said() {
    for (key, value, word) in [
        ("server.tls_cert", "/nowhere/chain.pem", "/nowhere/chain.pem"),
        ("meta.verify_token", "file:/nowhere/token", "/nowhere/token"),
    ] {
        let mut house = House::build(Plan::new()).await;
        house.set(key, value);
        if key == "server.tls_cert" {
            house.set("server.tls_key", "/nowhere/key.pem");
        }
        let (code, said) = house.refused().await;
        assert_eq!(code, USAGE, "{said}");
        says(&said, &[word]);
        for noise in ["died", "panicked", "ERROR", "\u{1b}["] {
            assert!(!said.contains(noise), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_in_use_is_refused_and_its_owner_goes_on() {
    let house = House::open(Plan::new()).await;
    let settings = house.settings();
    let other = [("WAYBILL_SERVER__LISTEN".to_owned(), "127.0.0.1:0".to_owned())];
    let serve = ["serve", "--config", settings.to_str().expect("UTF-8")];
    let mut second = Node::spawn(&binary(), &serve, &other, &house.folder().join("second.log"));
    let code = second.exit_code(PATIENCE).await;
    assert_eq!(code, DATA_FOLDER, "{}", second.said());
    says(&second.said(), &["LOCK", "held by process", "stop that process"]);
    let id = house.accept("s0", "+4915550000001", "undisturbed").await;
    house.until(&id, &["delivered"]).await;
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_is_refused() {
    let mut house = House::build(Plan::new()).await;
    // Below a file no folder can be made, whoever asks: the one way that also stops a superuser.
    house.set("data.dir", house.settings().join("data").display().to_string());
    let (code, said) = house.refused().await;
    assert_eq!(code, DATA_FOLDER, "{said}");
    says(&said, &["waybill.toml/data", "data.dir"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_number_of_partitions_is_refused() {
    let mut house = House::open(Plan::new()).await;
    let id = house.accept("s0", "+4915550000001", "before").await;
    house.until(&id, &["delivered"]).await;
    house.stop().await;
    house.set("journal.partitions", 16);
    let (code, said) = house.refused().await;
    assert_eq!(code, DATA_FOLDER, "{said}");
    says(&said, &["16", "8", "journal.partitions"]);
    house.set("journal.partitions", 8);
    house.start().await;
    house.until(&id, &["delivered"]).await;
}
