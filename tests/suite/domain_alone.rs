//! The domain compiles alone: `src/domain` as a library of its own, with the few crates it may know.
//!
//! The compiler is the wall: whatever the domain reaches for outside of itself does not exist here. Versions and
//! features are those of the root `Cargo.toml`, so this cannot drift from the product.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tidy::repository;

/// What the domain may know. To add one: it computes, and neither waits, reads, writes, draws nor logs.
const CRATES: &[&str] =
    &["base64", "bincode", "bytes", "governor", "hex", "hmac", "minicbor", "serde", "serde_json", "sha2", "thiserror"];

#[test]
fn the_domain_compiles_alone() {
    let door = repository().join("src/domain/mod.rs");
    assert!(door.is_file(), "{} is missing: the domain is floor 0", door.display());
    let package = target().join("domain-alone");
    write_package(&package, &manifest(&door, &root_manifest()));
    let (ok, said) = check(&package);
    assert!(ok, "src/domain does not compile alone, with only {CRATES:?}:\n{said}");
}

#[test]
fn a_domain_that_reaches_out_does_not_compile() {
    let package = target().join("domain-reaching-out");
    let door = package.join("lib.rs");
    write_package(&package, &manifest(&door, &root_manifest()));
    std::fs::write(&door, "pub use tokio::spawn;\npub use crate::journal::Position;\n").unwrap();
    let (ok, said) = check(&package);
    assert!(!ok, "a domain with tokio and the journal in it compiled");
    assert!(said.contains("tokio") && said.contains("journal"), "failed for another reason:\n{said}");
}

/// The target folder that this test was built into.
fn target() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().expect("cargo puts its tmp folder into the target folder").to_owned()
}

fn root_manifest() -> toml::Table {
    let text = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    text.parse().expect("the root Cargo.toml is TOML")
}

/// A manifest with `door` as its library, and the crates of the table as the root manifest has them.
fn manifest(door: &Path, root: &toml::Table) -> String {
    let shared = &root["workspace"]["dependencies"];
    let mut crates = toml::Table::new();
    for name in CRATES {
        let own = root["dependencies"].get(name);
        let own = own.unwrap_or_else(|| panic!("{name} is no longer a dependency: drop it from CRATES"));
        let inherited = own.get("workspace").is_some();
        crates.insert((*name).to_owned(), if inherited { &shared[*name] } else { own }.clone());
    }
    let lib = toml::Table::from_iter([("path".to_owned(), door.display().to_string().into())]);
    let mut manifest = toml::Table::new();
    manifest.insert("package".to_owned(), package(root).into());
    manifest.insert("lib".to_owned(), lib.into());
    manifest.insert("dependencies".to_owned(), crates.into());
    // An empty workspace of its own: otherwise cargo looks for one further up and finds ours.
    manifest.insert("workspace".to_owned(), toml::Table::new().into());
    manifest.to_string()
}

fn package(root: &toml::Table) -> toml::Table {
    let mut package = toml::Table::new();
    package.insert("name".to_owned(), "domain-alone".into());
    package.insert("edition".to_owned(), root["workspace"]["package"]["edition"].clone());
    package
}

fn write_package(package: &Path, manifest: &str) {
    std::fs::create_dir_all(package).unwrap();
    std::fs::write(package.join("Cargo.toml"), manifest).unwrap();
    // The lock of the product pins the same versions; cargo drops from this copy what is not needed.
    std::fs::copy(repository().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
}

/// Runs `cargo check` there, without a network; whether it succeeded, and what it said.
fn check(package: &Path) -> (bool, String) {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let run = Command::new(&cargo)
        .args(["check", "--offline", "--quiet", "--target-dir"])
        // One folder for both packages: their dependencies are the same.
        .arg(target().join("domain-alone").join("target"))
        .current_dir(package)
        .output();
    let run = run.unwrap_or_else(|e| panic!("cannot run {cargo}: {e}: this test needs cargo"));
    (run.status.success(), String::from_utf8_lossy(&run.stderr).into_owned())
}
