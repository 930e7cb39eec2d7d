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
use waybill::audit::verify::{Asked, Expected, Report, verify};
use waybill::channel::{Channel, Scripted};
use waybill::domain::address::Address;
use waybill::domain::audit::note::NoteKey;
use waybill::domain::event::LogBegunV1;
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
        let (world, tenants) = Self::busy().await;
        Self::of(world, tenants).await
    }

    async fn busy() -> (World, [TenantId; 2]) {
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
        (world, [tenants[0], tenants[1]])
    }

    /// What was signed of it.
    async fn of(world: World, tenants: [TenantId; 2]) -> Self {
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
        Self { records, signed, seed, tenants }
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
    let last = manifest(&found).trees.pop().expect("a tree");
    let less = without(&found, |tree| *tree == last, |manifest| manifest.tenants.clone());
    let report = scoped(&less, Expected::Unsaid);
    assert!(report.findings.iter().any(|found| found.what.contains("the export has not")), "{:?}", report.findings);
    // Whoever reads it says whose events they expect.
    assert!(scoped(&found, Expected::Tenants([ours].into())).is_good());
    for expected in [Expected::All, Expected::Tenants([theirs].into()), Expected::Tenants([ours, theirs].into())] {
        let report = scoped(&found, expected.clone());
        assert!(!report.is_good(), "{expected:?}");
        assert_eq!(report.findings[0].place, MANIFEST, "{expected:?}");
    }
    let unsaid = check(dir.path());
    assert_eq!((unsaid.tenants, unsaid.is_scope_asked), (Some([ours].into()), false));
}

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> Manifest {
    serde_json::from_slice(&files[MANIFEST]).expect("a manifest")
}

/// The export as somebody hands it over who would rather not show these trees: all the rest fits.
fn without(
    files: &BTreeMap<String, Vec<u8>>,
    hidden: impl Fn(&layout::Tree) -> bool,
    said: impl Fn(&Manifest) -> Option<Vec<String>>,
) -> BTreeMap<String, Vec<u8>> {
    let (mut less, mut list) = (files.clone(), manifest(files));
    for tree in list.trees.iter().filter(|tree| hidden(tree)) {
        less.retain(|name, _| !name.starts_with(&format!("trees/{}/{}/", tree.tenant, tree.partition)));
    }
    list.tenants = said(&list);
    list.trees.retain(|tree| !hidden(tree));
    less.insert(MANIFEST.to_owned(), list.text().into_bytes());
    mend(&mut less);
    less
}

fn scoped(files: &BTreeMap<String, Vec<u8>>, expected: Expected) -> Report {
    let dir = TempDir::new().unwrap();
    write(dir.path(), files);
    verify(dir.path(), &Asked { expected, ..Asked::default() }, &describe)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_all_from_which_a_tenant_was_dropped_is_found() {
    let (scene, dir) = (Scene::new().await, TempDir::new().unwrap());
    let [ours, theirs] = scene.tenants;
    scene.export(dir.path(), None);
    let whole = files(dir.path());
    assert!(scoped(&whole, Expected::All).is_good() && scoped(&whole, Expected::Unsaid).is_good());
    assert!(!scoped(&whole, Expected::Tenants([ours].into())).is_good(), "more than was expected");
    let of_theirs = |tree: &layout::Tree| tree.tenant == hex::encode(theirs.0);
    let places: Vec<u16> = manifest(&whole).trees.into_iter().filter(of_theirs).map(|tree| tree.partition).collect();
    assert!(!places.is_empty());

    // It still says that it is one of all.
    for expected in [Expected::All, Expected::Unsaid] {
        let report = scoped(&without(&whole, of_theirs, |_| None), expected);
        let found = report.findings.iter().find(|found| found.place == "trees").expect("trees are missing");
        let count: Vec<String> = places.iter().map(|partition| format!("1 in {partition}")).collect();
        let missing =
            format!("{} trees that the signed log has are missing, by partition: {}", places.len(), count.join(", "));
        assert_eq!(found.what, missing);
    }

    // It says that it is one of the others: nothing in it contradicts that, so whoever reads it has to know whom they expect.
    let others = without(&whole, of_theirs, |_| Some(vec![hex::encode([0; 16]), hex::encode(ours.0)]));
    let report = scoped(&others, Expected::Unsaid);
    assert!(report.is_good() && !report.is_scope_asked, "{:?}", report.findings);
    assert_eq!(report.tenants, Some([TenantId([0; 16]), ours].into()), "and is told who is in it");
    assert!(!scoped(&others, Expected::All).is_good());
    assert!(!scoped(&others, Expected::Tenants([theirs].into())).is_good());

    // Of nobody at all.
    let nobody = without(&whole, |_| true, |_| Some(Vec::new()));
    for expected in [Expected::Unsaid, Expected::All, Expected::Tenants([ours].into())] {
        assert!(!scoped(&nobody, expected).is_good());
    }
    let nobodys = scoped(&nobody, Expected::Unsaid);
    assert!(nobodys.findings.iter().any(|found| found.what.contains("it names no tenant")), "{:?}", nobodys.findings);

    // Of somebody whom the log does not know: that is said.
    let stranger = TenantId([7; 16]);
    let strangers = without(&whole, |_| true, |_| Some(vec![hex::encode(stranger.0)]));
    assert_eq!(scoped(&strangers, Expected::Tenants([stranger].into())).nothing_of, [stranger]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_another_log_has_everything_that_happened_before_it_too() {
    let (world, tenants) = Scene::busy().await;
    let first = signed(&world).await;
    let audit = Address::audit(InstallationId([1; 16]));
    world.tell(audit, TenantId([0; 16]), LogBegunV1 { era: 7, reason: "put back".to_owned() }).await;
    world.applied(audit).await;
    let (scene, dir) = (Scene::of(world, tenants).await, TempDir::new().unwrap());
    assert_eq!(scene.signed.origin, format!("{}/7", first.origin));
    scene.export(dir.path(), None);
    let report = verify(dir.path(), &Asked { expected: Expected::All, ..Asked::default() }, &describe);
    assert!(report.is_good(), "{:#?}", report.findings);
    assert_eq!((report.kinds["MessageAccepted"], report.kinds["Genesis"]), (300, u64::from(PARTITIONS)));
    // A checkpoint of the first log is none of this one.
    let kept = note(&first.checkpoint(), first.key, &first.signature).to_string().into_bytes();
    let asked = Asked { checkpoints: vec![("kept".to_owned(), kept)], ..Asked::default() };
    let report = verify(dir.path(), &asked, &describe);
    assert!(report.findings.iter().any(|found| found.what.contains("of another log")), "{:?}", report.findings);
}
