//! Whatever Meta calls back with is taken: every recorded callback, signed, against a running node.

use std::path::Path;

use bytes::Bytes;
use waybill_loadtest::signature::sign_hub;

use super::house::{APP_SECRET, House, Plan};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_callback_is_taken() {
    let mut house = House::open(Plan::new()).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("the fixtures")
        .map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.starts_with("webhook.") && name.ends_with(".json"))
        .collect();
    names.sort();
    assert!(names.len() > 60, "only {} callbacks are recorded", names.len());
    // Twice: Meta repeats what it is not sure of.
    for name in names.iter().chain(&names) {
        let body = Bytes::from(std::fs::read(folder.join(name)).expect("it reads"));
        let reply = house.callback(body.clone(), Some(&sign_hub(APP_SECRET, &body))).await;
        assert_eq!(reply.status, 200, "{name}: {reply}");
    }
    house.ready().await;
    let id = house.accept("s0", "+4915550000001", "after everything").await;
    house.until(&id, &["delivered", "read"]).await;
    // And they are read back at the next start.
    house.stop().await;
    house.start().await;
    house.until(&id, &["delivered", "read"]).await;
}
