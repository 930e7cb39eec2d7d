//! Sealing: what a message asks of the vault in a folder.
//!
//! What the machine should allow: "seal (with the JSON of the content) 3.8 and open 3.0 µs per 600 B with
//! XChaCha20-Poly1305, 2.1 and 1.3 with AES-256-GCM", a contact's key being cached; there the JSON and a ready cipher are
//! in the figure, here the key schedule of each call and the salted commitment (SHA-256 over the text). A key that is not
//! cached is read from its file ("about a microsecond") and unwrapped: `open_cold`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench may fail loudly, and lives in real time")]

mod cpu;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use waybill::domain::id::{InstallationId, KeyId, TenantId};
use waybill::runtime::{ManualClock, SystemEntropy};
use waybill::vault::{Alias, CacheBounds, FileVault, Opening, Vault};

use cpu::{CpuTime, spent};

const TENANT: TenantId = TenantId([0x44; 16]);
const CONTENT: [u8; 600] = [0x61; 600];

struct Opened {
    runtime: Runtime,
    vault: FileVault,
    clock: Arc<ManualClock>,
    alias: Alias,
    contact: KeyId,
}

fn open(dir: &Path) -> Opened {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let clock = Arc::new(ManualClock::at(0));
    FileVault::init(dir, None, InstallationId([1; 16]), 64, &SystemEntropy).unwrap();
    let theirs = Arc::clone(&clock) as Arc<dyn waybill::runtime::Clock>;
    let opening = Opening {
        dir: dir.to_owned(),
        key_file: None,
        cache: CacheBounds::default(),
        count: 64,
        clock: theirs,
        entropy: Arc::new(SystemEntropy),
    };
    let (vault, _) = FileVault::open(opening).unwrap();
    let alias = Alias::phone("+491510000001").unwrap();
    let contact = runtime.block_on(vault.contact(TENANT, &alias)).unwrap();
    Opened { runtime, vault, clock, alias, contact }
}

/// Runs one call over and over inside of the runtime, which is entered once.
fn calls<T>(c: &mut Criterion<CpuTime>, name: &str, opened: &Opened, call: impl AsyncFn() -> T) {
    c.bench_function(&format!("vault/{name}"), |b| {
        b.iter_custom(|iterations| {
            opened.runtime.block_on(async {
                let began = spent();
                for _ in 0..iterations {
                    std::hint::black_box(call().await);
                }
                spent() - began
            })
        });
    });
}

fn vault(c: &mut Criterion<CpuTime>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let opened = open(&folder.path().join("vault"));
    let Opened { runtime, vault, clock, alias, contact } = &opened;
    let (contact, context) = (*contact, [0x55; 16]);
    let sealed = runtime.block_on(vault.seal(TENANT, contact, &context, &CONTENT)).unwrap();
    calls(c, "seal_600", &opened, async || vault.seal(TENANT, contact, &context, &CONTENT).await.unwrap());
    calls(c, "open_600", &opened, async || vault.open(TENANT, contact, &context, &sealed.bytes).await.unwrap());
    calls(c, "open_600_cold", &opened, async || {
        clock.advance(Duration::from_secs(61));
        vault.open(TENANT, contact, &context, &sealed.bytes).await.unwrap()
    });
    // The others of a message: who it is to, the callback token, the tag and the seal of the provider's id.
    calls(c, "contact", &opened, async || vault.contact(TENANT, alias).await.unwrap());
    calls(c, "callback_token", &opened, async || vault.mac("callback token", &[&context]));
    calls(c, "tag", &opened, async || vault.tag(TENANT, "provider message", &[&[0x61; 60]]).await.unwrap());
    calls(c, "seal_60", &opened, async || vault.seal(TENANT, contact, &context, &CONTENT[..60]).await.unwrap());
}

criterion_group! { name = benches; config = cpu::criterion(); targets = vault }
criterion_main!(benches);
