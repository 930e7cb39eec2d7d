//! The house rules as a test: gravity between rooms, sizes, heads, words, and what the tree may hold.
//!
//! Each rule is a function from text to a list of findings, so that each can be shown to fail on a bad snippet.
//! A finding reads `file:line: what is wrong: what to do`. The tables to edit stand at the top of their files:
//! rooms in `gravity`, borders and banned words in `words`, limits and exceptions in `sizes`.

mod gravity;
mod house;
mod paths;
mod settings;
mod sizes;
mod source;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds the root `Cargo.toml`.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the project, relative to its root: what git tracks, and what it would track if it were added now.
fn files() -> Vec<String> {
    // A checkout that belongs to another user (a container, a mounted folder) is still ours to read.
    let git = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .args(["--cached", "--others", "--exclude-standard"])
        .current_dir(repository())
        .output()
        .expect("git is needed to list the files of the project: install it");
    assert!(
        git.status.success(),
        "git ls-files failed in {}: {}",
        repository().display(),
        String::from_utf8_lossy(&git.stderr)
    );
    let names = String::from_utf8(git.stdout).expect("file names are UTF-8");
    let mut files: Vec<String> =
        names.split('\0').filter(|name| !name.is_empty() && absolute(name).is_file()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    assert!(files.iter().any(|f| f == "src/lib.rs"), "the list of files is wrong: no src/lib.rs");
    files
}

fn absolute(file: &str) -> PathBuf {
    repository().join(file)
}

/// The text of a file; bytes that are not UTF-8 (golden records) become replacement characters.
fn read(file: &str) -> String {
    let bytes = std::fs::read(absolute(file)).unwrap_or_else(|e| panic!("cannot read {file}: {e}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Our own Rust: all of it in the product, the load test, the tests and the benches.
fn rust() -> impl Iterator<Item = (String, String)> {
    let roots = ["src/", "loadtest/", "tests/", "benches/"];
    files().into_iter().filter(move |f| f.ends_with(".rs") && roots.iter().any(|root| f.starts_with(root))).map(
        |file| {
            let text = read(&file);
            (file, text)
        },
    )
}

#[track_caller]
fn none(rule: &str, findings: Vec<String>) {
    assert!(findings.is_empty(), "{rule}: {} finding(s)\n  {}", findings.len(), findings.join("\n  "));
}

#[test]
fn a_file_imports_from_its_own_room_and_from_lower_floors() {
    let files = files();
    let mut findings = gravity::unknown_rooms(&files);
    findings.extend(rust().flat_map(|(file, text)| gravity::upward(&file, &text)));
    none("gravity", findings);
}

#[test]
fn a_word_stays_in_its_rooms() {
    none("borders", rust().flat_map(|(file, text)| words::out_of_place(&file, &text)).collect());
}

#[test]
fn the_domain_touches_nothing() {
    none("domain", rust().flat_map(|(file, text)| words::not_in_domain(&file, &text)).collect());
}

#[test]
fn nothing_is_left_to_do_or_ignored_in_silence() {
    none("words", rust().flat_map(|(file, text)| words::banned(&file, &text)).collect());
}

#[test]
fn names_say_what_a_file_is_about() {
    none("names", house::vague_names(&files()));
}

#[test]
fn files_and_functions_can_be_read_in_one_sitting() {
    none("sizes", rust().flat_map(|(file, text)| sizes::too_long(&file, &text)).collect());
}

#[test]
fn every_file_opens_with_what_it_is() {
    none("heads", rust().flat_map(|(file, text)| house::no_head(&file, &text)).collect());
}

#[test]
fn every_room_has_a_door_plate() {
    let rooms = gravity::rooms_present(&files());
    let plates = rooms.iter().map(|room| format!("src/{room}/mod.rs"));
    let findings = plates.flat_map(|plate| {
        let text = absolute(&plate).is_file().then(|| read(&plate));
        house::no_recipe(&plate, text.as_deref())
    });
    none("door plates", findings.collect());
}

#[test]
fn every_setting_reaches_somebody() {
    let keys = settings::keys(&read("config/waybill.toml"));
    assert!(keys.len() > 70, "only {} keys were found", keys.len());
    none("settings", settings::unread(&keys, &rust().collect::<Vec<_>>()));
}

#[test]
fn the_tree_is_nobodys_machine() {
    none("machine", files().iter().flat_map(|file| house::somebodys_machine(file, &read(file))).collect());
}
