//! Exports: what the actors made is exported and verifies, and whatever is changed in it is found out.

mod forged;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use waybill::api::describe;
use waybill::audit::export::{Export, Log, Scope};
use waybill::audit::layout::{self, File, MANIFEST, Manifest};
use waybill::audit::sign::note;
use waybill::audit::verify::{Asked, Report, verify};
use waybill::channel::{Channel, Scripted};
use waybill::domain::address::Address;
use waybill::domain::audit::note::NoteKey;
use waybill::domain::id::{InstallationId, TenantId};
use waybill::domain::message::State;
use waybill::domain::record::{Position, Record};
use waybill::domain::routing;
use waybill::domain::row::SignedRow;
use waybill::domain::secret_name::AUDIT_KEY;
use waybill::runtime::{Entropy, SeededEntropy, SystemClock};
use waybill::vault::Vault;

use super::sealed::signed;
use super::world::{PARTITIONS, World, limits};

/// A house that did something, and what was signed of it.
struct Scene {
    /// What is covered, with its place.
    records: BTreeMap<u16, Vec<(Position, Record)>>,
    signed: SignedRow,
    /// The log's own key: what whoever runs the installation has.
    seed: Vec<u8>,
    tenants: [TenantId; 2],
}

impl Scene {
    async fn new() -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let world = World::new(channel as Arc<dyn Channel>, limits(), None).await;
        let mut tenants = Vec::new();
        for name in ["acme", "other"] {
            let tenant = world.tenant(name, 100_000).await;
            tenants.push(tenant);
            let session = world.session(tenant, "orders").await;
            let mut messages = Vec::new();
            for n in 0..150 {
                messages.push(world.accept(tenant, session, &format!("+49155{n:07}")).await);
            }
            world.until(&messages, Duration::from_secs(20), &[State::Sent]).await;
        }
        let signed = signed(&world).await;
        let mut records = BTreeMap::new();
        for partition in 0..PARTITIONS {
            let entries = world.entries(partition).await;
            let home = partition == home();
            let covered = entries.iter().filter(|entry| !home || entry.position <= signed.sealed_at);
            records.insert(partition, covered.map(|entry| (entry.position, entry.record.clone())).collect());
        }
        let seed = world.vault.secret(None, AUDIT_KEY).await.expect("readable").expect("a key").expose().to_vec();
        world.stop().await;
        Self { records, signed, seed, tenants: [tenants[0], tenants[1]] }
    }

    fn key(&self) -> NoteKey {
        NoteKey::of_log(&self.signed.origin, self.signed.key)
    }

    fn export(&self, dir: &Path, tenants: Option<Vec<TenantId>>) -> u64 {
        let note = note(&self.signed.checkpoint(), self.signed.key, &self.signed.signature);
        let installation = InstallationId([1; 16]);
        let scope = Scope { installation, partitions: PARTITIONS, tenants, note, key: self.key() };
        let mut log = Log::default();
        self.records[&home()].iter().for_each(|(_, record)| log.take(record));
        let mut export = Export::begin(dir, scope, log).expect("the log that was signed");
        for (partition, records) in &self.records {
            if export.enter(*partition) {
                for (_, record) in records {
                    if !export.take(record, describe(record)).expect("the trees that were reported") {
                        break;
                    }
                }
            }
            export.leave().expect("all of it");
        }
        export.finish().expect("written")
    }
}

fn home() -> u16 {
    routing::partition(&Address::audit(InstallationId([1; 16])), PARTITIONS)
}

fn check(dir: &Path) -> Report {
    verify(dir, &Asked::default(), &describe)
}

/// Every file of a folder by its name.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, fs::read(&path).unwrap());
                }
            }
        }
    }
    found
}

fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Whoever changes a file mends the list of files too.
fn mend(files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(mut manifest) = serde_json::from_slice::<Manifest>(&files[MANIFEST]) else { return };
    let listed = files.iter().filter(|(name, _)| *name != MANIFEST);
    manifest.files = listed
        .map(|(name, bytes)| {
            (name.clone(), File { bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) })
        })
        .collect();
    files.insert(MANIFEST.to_owned(), manifest.text().into_bytes());
}

/// One edit of a file; says what was done.
fn edit(name: &str, bytes: &mut Vec<u8>, draw: &dyn Entropy) -> &'static str {
    let at = |len: usize| (draw.number() % len.max(1) as u64) as usize;
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let many = name.ends_with(".jsonl") && lines.len() > 1;
    let done = match draw.number() % 6 {
        0 if many => {
            lines.remove(at(lines.len()));
            "a line dropped"
        }
        1 if many => {
            let line = lines[at(lines.len())].clone();
            lines.insert(at(lines.len() + 1), line);
            "a line put in"
        }
        2 if many => {
            let place = at(lines.len() - 1);
            lines.swap(place, place + 1);
            "lines reordered"
        }
        3 => {
            bytes.truncate(at(bytes.len()));
            return "cut";
        }
        4 => {
            bytes.insert(at(bytes.len() + 1), draw.number() as u8);
            return "a byte put in";
        }
        _ => {
            let place = at(bytes.len());
            bytes[place] ^= 1 << (draw.number() % 8);
            return "a bit changed";
        }
    };
    *bytes = lines.concat();
    done
}

/// Nothing is proved of the version that wrote the readable part; that is compared as far as this one knows it.
fn says_another_version(manifest: &[u8]) -> bool {
    serde_json::from_slice::<Manifest>(manifest).is_ok_and(|manifest| manifest.written_by != layout::WRITTEN_BY)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_verifies_and_a_thousand_edits_of_it_are_found() {
    let (scene, dir) = (Scene::new().await, TempDir::new().unwrap());
    let whole = dir.path().join("whole");
    let events = scene.export(&whole, None);
    let report = check(&whole);
    assert!(report.is_good(), "{:#?}", report.findings);
    assert_eq!((report.events, report.extends.len()), (events, 0));
    assert_eq!(report.kinds["MessageAccepted"], 300);
    assert_eq!(report.kinds["Genesis"], u64::from(PARTITIONS));
    let (good, draw) = (files(&whole), SeededEntropy::new(7));
    let names: Vec<&String> = good.keys().collect();
    let edited = dir.path().join("edited");
    write(&edited, &good);
    for n in 0..1_000 {
        let name = names[(draw.number() % names.len() as u64) as usize];
        let mut bad = good.clone();
        let bytes = bad.get_mut(name).unwrap();
        let what = edit(name, bytes, &draw);
        if *bytes == good[name] || (name == MANIFEST && says_another_version(bytes)) {
            continue;
        }
        if name != MANIFEST && n % 2 == 0 {
            mend(&mut bad);
        }
        write(&edited, &bad);
        assert!(!check(&edited).is_good(), "{n}: {what} in {name}");
        write(
            &edited,
            &BTreeMap::from([(name.clone(), good[name].clone()), (MANIFEST.to_owned(), good[MANIFEST].clone())]),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_export_has_all_of_the_tenant_and_nothing_of_another() {
    let (scene, dir) = (Scene::new().await, TempDir::new().unwrap());
    let (ours, theirs) = (scene.tenants[0], scene.tenants[1]);
    scene.export(dir.path(), Some(vec![ours]));
    let report = check(dir.path());
    assert!(report.is_good(), "{:#?}", report.findings);
    assert_eq!(report.kinds["MessageAccepted"], 150);
    let found = files(dir.path());
    let (tag, text) = (theirs.0.to_vec(), theirs.to_string());
    for (name, bytes) in &found {
        let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!has(&tag) && !has(text.as_bytes()) && !has(hex::encode(&tag).as_bytes()), "{name}");
    }
    // One tree of it left out, the rest mended.
    let mut less = found.clone();
    let mut manifest: Manifest = serde_json::from_slice(&less[MANIFEST]).unwrap();
    let tree = manifest.trees.pop().expect("a tree");
    less.insert(MANIFEST.to_owned(), manifest.text().into_bytes());
    less.retain(|name, _| !name.starts_with(&format!("trees/{}/{}/", tree.tenant, tree.partition)));
    mend(&mut less);
    let other = TempDir::new().unwrap();
    write(other.path(), &less);
    let report = check(other.path());
    assert!(report.findings.iter().any(|found| found.what.contains("the export has not")), "{:?}", report.findings);
}
