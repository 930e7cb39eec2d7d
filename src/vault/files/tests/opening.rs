//! Opening and making: what is refused, and that the refusal says what to do.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::vault::instance;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[tokio::test]
async fn a_missing_vault_says_what_would_be_lost() {
    for missing in [KEYS, instance::FILE, ""] {
        let mut stage = InFiles::new();
        stage.crash();
        let path = stage.dir().join(missing);
        if missing.is_empty() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
        let error = stage.look().expect_err("something is missing");
        assert!(matches!(error, VaultError::Missing { .. }), "{error}");
        let text = error.to_string();
        for word in ["every message body", "every address", "every token", "backup", "empty data folder"] {
            assert!(text.contains(word), "`{word}` is not in: {text}");
        }
    }
}

#[tokio::test]
async fn an_instance_key_that_others_can_read_is_refused() {
    let mut stage = InFiles::new();
    stage.crash();
    let path = stage.dir().join(instance::FILE);
    assert_eq!((mode(&path), mode(&stage.keys()), mode(&stage.dir())), (0o600, 0o600, 0o700));
    for open_to in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open_to)).expect("changed");
        let error = stage.look().expect_err("others can read it");
        assert_eq!(error, VaultError::Exposed { path: path.clone(), mode: open_to });
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("changed");
    assert!(stage.look().is_ok(), "a key its owner may only read is fine");
}

#[tokio::test]
async fn another_vaults_key_is_refused_and_so_is_no_key() {
    let (mut stage, mut other) = (InFiles::new(), InFiles::new());
    stage.crash();
    other.crash();
    let path = stage.dir().join(instance::FILE);
    fs::copy(other.dir().join(instance::FILE), &path).expect("copied");
    let error = stage.look().expect_err("the wrong key");
    assert_eq!(error, VaultError::WrongKey { path: path.clone(), keys: stage.keys() });
    let (long, digits) = ("0".repeat(81), "0".repeat(62));
    for text in ["", "hello", &long, &digits] {
        fs::write(&path, text).expect("written");
        assert!(matches!(stage.look(), Err(VaultError::BadKey { .. })), "{text}");
    }
}

#[tokio::test]
async fn a_vault_of_another_installation_is_refused() {
    let mut stage = InFiles::new();
    stage.crash();
    let opening = Opening { count: COUNT * 2, ..opening(&stage.dir(), &stage.clock) };
    let error = open(opening).map(|_| ()).expect_err("another count");
    assert_eq!(error, VaultError::Foreign { found: COUNT, expected: COUNT * 2 });
}

#[test]
fn a_vault_is_made_only_where_there_is_none() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path().join("vault");
    let init = || FileVault::init(&dir, None, INSTALLATION, COUNT, &SystemEntropy);
    fs::create_dir(home.path().join("vault.new")).expect("what a crash in an earlier init left");
    fs::write(home.path().join("vault.new").join(KEYS), "half").expect("written");
    fs::create_dir(&dir).expect("an empty folder is as good as none");
    init().expect("made");
    assert!(!home.path().join("vault.new").exists());
    let before = fs::read(dir.join(KEYS)).expect("read");
    assert_eq!(init(), Err(VaultError::Exists { path: dir.clone() }));
    assert_eq!(fs::read(dir.join(KEYS)).expect("read"), before);
}

#[test]
fn an_instance_key_elsewhere_is_written_there_and_nowhere_else() {
    let (home, mount) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (dir, key_file) = (home.path().join("vault"), mount.path().join("waybill.key"));
    let init = |dir: &Path| FileVault::init(dir, Some(&key_file), INSTALLATION, COUNT, &SystemEntropy);
    let opened = |key_file: Option<&Path>| {
        let opening =
            Opening { key_file: key_file.map(Path::to_owned), ..opening(&dir, &Arc::new(ManualClock::at(0))) };
        open(opening).map(|_| ())
    };
    init(&dir).expect("made");
    assert!(!dir.join(instance::FILE).exists(), "the key lies beside what it wraps");
    assert_eq!(mode(&key_file), 0o600);
    assert_eq!(opened(Some(&key_file)), Ok(()));
    assert_eq!(opened(None), Err(VaultError::Missing { path: dir.join(instance::FILE) }));
    // A key that lies there already is taken: it came from a secret mount, or from a start that a crash cut short.
    let before = fs::read(&key_file).expect("read");
    fs::remove_dir_all(&dir).expect("removed");
    init(&dir).expect("made again");
    assert_eq!((fs::read(&key_file).expect("read"), opened(Some(&key_file))), (before, Ok(())));
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o644)).expect("changed");
    let exposed = VaultError::Exposed { path: key_file.clone(), mode: 0o644 };
    assert_eq!((init(&home.path().join("other")), opened(Some(&key_file))), (Err(exposed.clone()), Err(exposed)));
}

#[tokio::test]
async fn a_cache_of_no_time_forgets_each_key_at_once() {
    let mut stage = InFiles::new();
    let alias = Alias::phone("+491510000001").expect("a number");
    let contact = stage.hand().contact(TENANT, &alias).await.expect("made");
    stage.crash();
    for (life, held) in [(0, 0), (60, 1)] {
        let cache = CacheBounds { life: std::time::Duration::from_secs(life), ..CacheBounds::default() };
        let opening = Opening { cache, ..opening(&stage.dir(), &stage.clock) };
        let (shared, ..) = open(opening).expect("opens");
        shared.key(TENANT, contact).expect("the key");
        assert_eq!(shared.cache.lock().len(), held, "a life of {life} s");
    }
}
