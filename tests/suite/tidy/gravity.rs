//! Gravity: a file imports from its own room and from lower floors, never upward and never sideways.

use super::paths::{Written, paths};
use super::source::tokens;

/// A floor and its rooms. A new room is a new name here: it is found a floor by what it has to know.
const FLOORS: &[(u8, &[&str])] = &[
    (0, &["domain"]),
    (1, &["config", "telemetry", "runtime", "cql"]),
    (2, &["journal", "store", "vault", "channel", "webhook", "audit"]),
    (3, &["api", "console", "actors"]),
    (4, &["cli", "node"]),
];

/// More rooms than this and the house can no longer be kept in mind.
const MOST_ROOMS: usize = 15;

/// `main.rs` and `lib.rs` assemble: they stand above every room.
const ROOF: &[&str] = &["src/main.rs", "src/lib.rs"];

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

/// The room of a file of the product: `src/api/meta.rs` is in `api`; `None` for the roof and for everything outside.
pub fn room(file: &str) -> Option<&str> {
    file.strip_prefix("src/")?.split_once('/').map(|(room, _)| room)
}

/// The rooms that exist in this tree.
pub fn rooms_present(files: &[String]) -> Vec<String> {
    let mut rooms: Vec<String> = files.iter().filter_map(|f| room(f)).map(str::to_owned).collect();
    rooms.sort();
    rooms.dedup();
    rooms
}

/// Folders of `src/` that have no floor, files of `src/` that lie in no room, and a house that has grown too many.
pub fn unknown_rooms(files: &[String]) -> Vec<String> {
    let rooms = rooms_present(files);
    let strangers = rooms.iter().filter(|room| floor(room).is_none());
    let mut findings: Vec<String> = strangers
        .map(|room| format!("src/{room}/: a room without a floor: add it to FLOORS in tests/suite/tidy/gravity.rs"))
        .collect();
    let loose = files.iter().filter(|f| f.starts_with("src/") && room(f).is_none());
    let loose = loose.filter(|f| f.ends_with(".rs") && !ROOF.contains(&f.as_str()));
    findings.extend(loose.map(|f| format!("{f}: lies in no room: move it into one")));
    if rooms.len() > MOST_ROOMS {
        findings.push(format!("src/: {} rooms, at most {MOST_ROOMS}: join some", rooms.len()));
    }
    findings
}

/// The module that a file is: `src/api/meta/sign.rs` is `api, meta, sign`; `mod.rs` is its folder.
fn module(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Which top-level name of this crate a path leads to, if it leads into this crate at all.
fn destination(path: &Written, file: &[String]) -> Option<String> {
    let mut at: Vec<String> = match path.segments[0].as_str() {
        "crate" | "waybill" => Vec::new(),
        "self" | "super" => file.iter().chain(&path.module).cloned().collect(),
        _ => return None,
    };
    for segment in &path.segments {
        match segment.as_str() {
            "crate" | "waybill" | "self" => {}
            "super" => drop(at.pop()),
            name => {
                at.push(name.to_owned());
                break;
            }
        }
    }
    at.into_iter().next()
}

/// Paths that leave the room upward or sideways, or lead to a name that is no room.
pub fn upward(file: &str, text: &str) -> Vec<String> {
    let Some(own) = room(file) else {
        return loadtest_pointing_back(file, text);
    };
    let Some(own_floor) = floor(own) else {
        return Vec::new();
    };
    let module = module(file);
    let mut findings = Vec::new();
    for path in paths(&tokens(text)) {
        let Some(to) = destination(&path, &module) else {
            continue;
        };
        let written = format!("{file}:{}: `{}`", path.line, path.segments.join("::"));
        match floor(&to) {
            _ if own == "domain" && path.segments[0] == "crate" => {
                findings.push(format!("{written}: domain is compiled alone: write super:: paths"));
            }
            _ if to == own => {}
            None => findings.push(format!("{written}: `{to}` is no room: import from the room that defines it")),
            Some(floor) if floor < own_floor => {}
            Some(floor) if floor == own_floor => {
                findings.push(format!("{written}: sideways from `{own}`: rooms of one floor meet only above it"));
            }
            Some(_) => findings.push(format!("{written}: upward from `{own}`: pass it in, or move it down")),
        }
    }
    findings
}

/// The load test shares no type with the product, so that neither can hide the other's mistake.
fn loadtest_pointing_back(file: &str, text: &str) -> Vec<String> {
    if !file.starts_with("loadtest/") {
        return Vec::new();
    }
    let back = paths(&tokens(text)).into_iter().filter(|path| path.segments[0] == "waybill");
    back.map(|path| format!("{file}:{}: loadtest must not use the product: speak HTTP to it", path.line)).collect()
}

#[test]
fn upward_and_sideways_are_found_however_they_are_written() {
    let bad = [
        ("src/store/mod.rs", "use crate::api::Status;"),
        ("src/store/mod.rs", "pub(crate) use crate::{\n domain::{ids, event::{A, B}},\n journal::Position,\n};"),
        ("src/store/fjall.rs", "fn f() { let x = crate::journal::open(); }"),
        ("src/store/mod.rs", "use super::vault;"),
        ("src/store/rows/mod.rs", "use super::super::{domain as d, node};"),
        ("src/store/rows.rs", "mod tests { use super::super::super::api; }"),
        ("src/config/mod.rs", "use waybill::telemetry::Handle;"),
        ("src/domain/ids.rs", "use crate::domain::event;"),
        ("src/api/mod.rs", "#[serde(with = \"crate::actors::hex\")] struct A;"),
        ("src/api/mod.rs", "use crate::Everything;"),
        ("src/api/mod.rs", "use crate::*;"),
        ("src/api/mod.rs", "pub(in crate::node) fn f() {}"),
        ("loadtest/src/lib.rs", "use waybill::domain::Id;"),
    ];
    for (file, text) in bad {
        assert_eq!(upward(file, text).len(), 1, "{file}: {text}: {:?}", upward(file, text));
    }
}

#[test]
fn downward_and_home_are_fine() {
    let good = [
        (
            "src/store/mod.rs",
            "use crate::domain::Id; use crate::runtime::{Clock, Entropy}; mod rows; use self::rows::Row;",
        ),
        ("src/store/rows/mod.rs", "use super::error::Error; use crate::store::Store;"),
        ("src/store/rows.rs", "mod tests { use super::*; use super::super::Store; }"),
        (
            "src/domain/ids.rs",
            "//! See [`crate::api`].\nuse super::event::Event; /* crate::node */ const S: &str = \"see crate::node\";",
        ),
        ("src/node/mod.rs", "use crate::{api, journal, store}; pub(crate) fn f() {}"),
        ("src/main.rs", "fn main() { waybill::cli::run() }"),
        ("src/lib.rs", "pub mod api; pub use api::Status;"),
        ("tests/suite/main.rs", "use waybill::node;"),
    ];
    for (file, text) in good {
        assert_eq!(upward(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}

#[test]
fn a_stranger_among_the_rooms_is_found() {
    let files = ["src/lib.rs", "src/api/mod.rs", "src/shed/mod.rs", "src/loose.rs"].map(str::to_owned);
    let findings = unknown_rooms(&files);
    assert_eq!(findings.len(), 2, "{findings:?}");
    let many: Vec<String> = (0..=MOST_ROOMS).map(|n| format!("src/room{n}/mod.rs")).collect();
    assert_eq!(unknown_rooms(&many).len(), MOST_ROOMS + 2);
}
