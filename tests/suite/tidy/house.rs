//! The tree itself: heads, door plates, names, and nothing that only works on one person's machine.

/// Names under which anything could be filed, so that everything is.
const VAGUE: &[&str] = &["util", "utils", "helper", "helpers", "manager", "common", "misc"];

/// Folders that exist on somebody's machine and on nobody else's. Written in two halves so that this
/// file does not find itself.
const HOMES: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// The only place that packages of Rust come from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A Rust file that does not say at its top what it is.
pub fn no_head(file: &str, text: &str) -> Option<String> {
    let head = text.lines().next().unwrap_or_default();
    let says = head.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty());
    (!says).then(|| format!("{file}:1: does not open with `//! what this file is`"))
}

/// A room whose `mod.rs` is missing or has no recipe.
pub fn no_recipe(plate: &str, text: Option<&str>) -> Option<String> {
    let Some(text) = text else {
        return Some(format!("{plate}: missing: a room has a door plate"));
    };
    let recipe = text.lines().any(|line| line.starts_with("//!") && line.to_lowercase().contains("to add"));
    (!recipe).then(|| format!("{plate}: no recipe: write `//! To add a ...: ...` into its head"))
}

/// Files and folders of Rust whose name says nothing.
pub fn vague_names(files: &[String]) -> Vec<String> {
    let rust = files.iter().filter(|file| file.ends_with(".rs"));
    let vague = rust.filter(|file| file.trim_end_matches(".rs").split('/').any(|part| VAGUE.contains(&part)));
    vague.map(|file| format!("{file}: name it by its subject")).collect()
}

/// Paths of a developer's machine, and registries other than the public ones.
pub fn somebodys_machine(file: &str, text: &str) -> Vec<String> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let mut findings = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let mut say = |what: String| findings.push(format!("{file}:{}: {what}", line + 1));
        for home in HOMES.iter().filter(|home| begins_a_path(content, home)) {
            say(format!("`{home}` is a folder of one machine: make the path relative or a setting"));
        }
        if let Some(what) = other_registry(name, content.trim_start()) {
            say(what);
        }
    }
    findings
}

/// Whether an absolute path in this line begins with the folder: `target/x/` and `https://host/x/` do not.
fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_.-~})]*>".contains(c))
    })
}

/// What a lock or requirements file says about where packages come from, if it is not the public registry.
fn other_registry(name: &str, line: &str) -> Option<String> {
    let says = match name {
        "package-lock.json" | "npm-shrinkwrap.json" => line.starts_with("\"resolved\""),
        "Cargo.lock" => line.starts_with("source = ") && !line.contains(CRATES_IO),
        ".npmrc" => line.contains("registry"),
        "config.toml" | "config" => line.starts_with("replace-with"),
        _ if name.starts_with("requirements") || name == "pip.conf" => {
            line.contains("index-url") || line.contains("find-links") || line.starts_with("-i ")
        }
        _ => false,
    };
    says.then(|| match name {
        "package-lock.json" | "npm-shrinkwrap.json" => {
            "a `resolved` address ties the lock to one registry: npm install --omit-lockfile-registry-resolved"
                .to_owned()
        }
        _ => "packages come from the public registries only: remove this line".to_owned(),
    })
}

#[test]
fn a_file_without_a_head_is_found() {
    for bad in ["", "use std::fmt;\n//! late", "//!\nfn f() {}", "// not a doc comment"] {
        assert!(no_head("src/x.rs", bad).is_some(), "{bad:?}");
    }
    assert_eq!(no_head("src/x.rs", "//! What it is.\n"), None);
}

#[test]
fn a_door_without_a_plate_is_found() {
    assert!(no_recipe("src/x/mod.rs", None).is_some());
    assert!(no_recipe("src/x/mod.rs", Some("//! A room.\nfn to_add() {} // to add")).is_some());
    assert_eq!(no_recipe("src/x/mod.rs", Some("//! A room.\n//!\n//! To add a row: ...")), None);
}

#[test]
fn vague_names_are_found() {
    let files = ["src/api/utils.rs", "tests/common/mod.rs", "src/api/uncommon.rs", "docs/misc.md"].map(str::to_owned);
    assert_eq!(vague_names(&files).len(), 2);
}

#[test]
fn a_machine_of_ones_own_is_found() {
    let [one, two, three, _] = HOMES else { panic!("four folders") };
    let bad = [
        ("a.md", format!("see {one}x")),
        ("a.sh", format!("PATH=\"{two}bin\"")),
        ("a.rs", format!("open(\"file://{three}x\")")),
        ("tests/foreign/x/package-lock.json", "    \"resolved\": \"https://mirror.example/x.tgz\",".to_owned()),
        ("Cargo.lock", "source = \"sparse+https://mirror.example/index/\"".to_owned()),
        ("tests/foreign/x/requirements.txt", "--index-url https://mirror.example/simple".to_owned()),
        (".cargo/config.toml", "replace-with = \"mirror\"".to_owned()),
        (".npmrc", "registry=https://mirror.example".to_owned()),
    ];
    for (file, text) in bad {
        assert_eq!(somebodys_machine(file, &text).len(), 1, "{file}: {text}");
    }
    let good = [
        ("a.md", format!("https://example.org{one}x, target{two}x, ${{HOME}}{three}x")),
        ("Cargo.lock", format!("source = \"{CRATES_IO}\"")),
        ("tests/foreign/x/requirements.txt", "cryptography==45.0.1 --hash=sha256:00".to_owned()),
    ];
    for (file, text) in good {
        assert_eq!(somebodys_machine(file, &text), Vec::<String>::new(), "{file}: {text}");
    }
}
