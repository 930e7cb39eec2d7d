//! What is not taken: strangers, bodies too large, and what could not be made durable.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;

use super::super::super::tests::feed::fed;
use super::super::{Callbacks, router};
use super::fixtures::fixture;
use super::stage::{SECRET, Stage, sign};
use crate::domain::failure::CodeTable;
use crate::journal::{Deed, Journal, Odds, Refusal};

#[tokio::test]
async fn who_does_not_sign_is_refused_and_nothing_is_kept() {
    let stage = Stage::new().await;
    let body = fixture("whatsapp.message.text");
    let good = sign(SECRET, &body);
    let mut altered = body.clone();
    altered[body.len() / 2] ^= 1;
    let wrong = sign("another secret", &body);
    let sha1 = good.replace("sha256", "sha1");
    let cases: [(&str, &[u8], Option<&str>); 7] = [
        ("no signature", &body, None),
        ("an empty one", &body, Some("")),
        ("another secret", &body, Some(&wrong)),
        ("one byte altered", &altered, Some(&good)),
        ("one byte missing", &body[1..], Some(&good)),
        ("another algorithm", &body, Some(&sha1)),
        ("half of it", &body, Some(&good[..40])),
    ];
    for (name, body, signature) in cases {
        let reply = stage.post_signed(body, signature).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(reply.json()["code"], "bad_signature", "{name}");
        assert!(!reply.headers.contains_key(header::WWW_AUTHENTICATE), "{name}: no key would help");
    }
    assert!(stage.written().is_empty());
    assert_eq!(stage.post_signed(&body, Some(&sign("old", &body))).await.status, 200, "a secret in rotation");
}

#[tokio::test]
async fn what_no_body_could_make_right_is_refused_before_it_comes() {
    let stage = Stage::new().await;
    for signature in [None, Some(""), Some("sha256=00"), Some("sha1=0123")] {
        let (_pen, body) = fed();
        let mut request = Request::post("/callbacks/meta");
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        let reply = stage.call(request.body(body).expect("a request"));
        let reply = tokio::time::timeout(Duration::from_secs(2), reply).await.expect("nothing is read");
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{signature:?}");
    }
}

#[tokio::test]
async fn without_an_app_secret_nothing_is_read() {
    let mut stage = Stage::new().await;
    let codes = CodeTable::new(Vec::new()).expect("an empty table");
    let mut callbacks = Callbacks::new(stage.app.clone(), Arc::new(codes)).expect("literal secrets");
    callbacks.app_secrets.clear();
    stage.router = router(Arc::new(callbacks));
    let (_pen, body) = fed();
    let request = Request::post("/callbacks/meta").header("X-Hub-Signature-256", sign(SECRET, b""));
    let reply = stage.call(request.body(body).expect("a request"));
    let reply = tokio::time::timeout(Duration::from_secs(2), reply).await.expect("nothing is read");
    assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::UNAUTHORIZED, &"bad_signature".into()));
}

#[tokio::test]
async fn a_body_has_five_seconds() {
    let stage = Stage::new().await;
    let (_pen, body) = fed();
    let request = Request::post("/callbacks/meta").header("X-Hub-Signature-256", sign("a guess", b""));
    let reply = stage.call(request.body(body).expect("a request"));
    let reply = tokio::time::timeout(Duration::from_secs(20), reply).await.expect("given up");
    assert_eq!(reply.status, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn large_unsigned_bodies_do_not_keep_meta_out() {
    let stage = Stage::new().await;
    let wrong = sign("a guess", b"");
    let mut open = Vec::new();
    for _ in 0..16 {
        let (pen, body) = fed();
        let request = Request::post("/callbacks/meta").header("X-Hub-Signature-256", &wrong);
        let reply = stage.call(request.body(body).expect("a request"));
        let almost = vec![b' '; 4 * 1024 * 1024 - 16];
        let write = async move {
            // Where there is no room it is refused, and nobody reads.
            drop(pen.send(almost.into()).await);
            std::future::pending::<()>().await;
        };
        let mut both = Box::pin(async move {
            tokio::select! { reply = reply => Some(reply), () = write => None }
        });
        let looked = tokio::time::timeout(Duration::from_millis(10), &mut both).await;
        open.push((both, looked.is_ok()));
    }
    assert!(open.iter().any(|(_, answered)| *answered), "their half is full");
    assert!(open.iter().any(|(_, answered)| !*answered), "some are waited for");
    assert_eq!(stage.post(&fixture("whatsapp.message.text")).await.status, 200);
}

#[tokio::test]
async fn the_recorded_vector_is_taken() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta/vector.x_hub_signature_256.json");
    let vector: Value = serde_json::from_slice(&std::fs::read(path).expect("the fixture")).expect("JSON");
    let text = |pointer: &str| vector.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
    let decode =
        |text: String| base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).expect("base64");
    let stage = Stage::new().await;
    let signature = text("/header/X-Hub-Signature-256");
    let body = decode(text("/raw_body_base64"));
    assert_eq!(stage.post_signed(&body, Some(&signature)).await.status, 200);
    let rewritten = decode(text("/negative/reserialised_body_base64"));
    assert_eq!(stage.post_signed(&rewritten, Some(&signature)).await.status, 401);
}

#[tokio::test]
async fn what_the_journal_does_not_have_is_not_acknowledged() {
    let body = fixture("whatsapp.batch.mixed_out_of_order");
    let full = || Deed::refused(Refusal::Overloaded);
    let cases = [
        ("full", vec![full()]),
        ("in doubt", vec![Deed::lost()]),
        ("in doubt but there", vec![Deed::durable_but_doubtful()]),
        ("only the second mailbox", vec![Deed::honest(), full()]),
    ];
    for (name, deeds) in cases {
        let stage = Stage::new().await;
        stage.journal.script(deeds);
        let reply = stage.post(&body).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
        assert!(reply.headers.contains_key(header::RETRY_AFTER), "{name}");
        assert_eq!(stage.post(&body).await.status, 200, "{name}: Meta's next try");
        stage.apply().await;
        let digest = stage.digest().await;
        let calm = Stage::new().await;
        calm.post(&body).await;
        assert!(calm.written().len() <= stage.written().len(), "{name}");
        let ids = |stage: &Stage| -> std::collections::BTreeSet<_> {
            stage.written().iter().map(|entry| entry.record.header.kind).collect()
        };
        assert_eq!(ids(&stage), ids(&calm), "{name}: nothing is missing after all");
        stage.post(&body).await;
        stage.apply().await;
        assert_eq!(stage.digest().await, digest, "{name}");
    }
}

#[tokio::test]
async fn however_the_journal_behaves_what_was_acknowledged_is_there_once() {
    let body = fixture("whatsapp.batch.mixed_out_of_order");
    let odds = Odds { doubtful: 150, late: 150, twice: 150, lost: 150, overloaded: 150 };
    for seed in 0..20 {
        let stage = Stage::new().await;
        stage.journal.misbehave(seed, odds);
        let mut tries = 1;
        while stage.post(&body).await.status != 200 {
            tries += 1;
            assert!(tries < 500, "seed {seed}: Meta would have given up");
        }
        stage.journal.misbehave(seed, Odds::default());
        stage.journal.land();
        let ids = |stage: &Stage| -> std::collections::BTreeSet<_> {
            stage.written().iter().map(|entry| entry.record.header.id).collect()
        };
        stage.apply().await;
        let (before, digest) = (ids(&stage), stage.digest().await);
        assert_eq!(stage.post(&body).await.status, 200);
        stage.apply().await;
        assert!(ids(&stage).is_subset(&before), "seed {seed}: something was not there");
        assert_eq!(stage.digest().await, digest, "seed {seed}");
    }
}

#[tokio::test]
async fn a_journal_that_has_failed_or_a_vault_that_has_is_a_503() {
    let stage = Stage::new().await;
    stage.journal.fail("disk");
    assert_eq!(stage.post(&fixture("whatsapp.message.text")).await.status, 503);
    let stage = Stage::new().await;
    stage.vault.fail("disk");
    for name in ["whatsapp.message.text", "whatsapp.account_alerts"] {
        assert_eq!(stage.post(&fixture(name)).await.status, 503, "{name}");
    }
    assert_eq!(stage.journal.end(0).0, stage.journal.contents(0).len() as u64);
    assert!(stage.written().is_empty());
}

#[tokio::test]
async fn a_sick_house_takes_nothing() {
    let stage = Stage::new().await;
    stage.health.set("disk", Some("full".to_owned()));
    let reply = stage.post(&fixture("whatsapp.message.text")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(stage.written().is_empty());
    stage.health.set("disk", None);
    assert_eq!(stage.post(&fixture("whatsapp.message.text")).await.status, 200);
}

#[tokio::test]
async fn ten_megabytes_are_too_large() {
    let stage = Stage::new().await;
    let body = vec![b' '; 10 * 1024 * 1024];
    assert_eq!(stage.post(&body).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let three = [fixture("whatsapp.message.text"), vec![b' '; 3_000_000]].concat();
    assert_eq!(stage.post(&three).await.status, 200, "what Meta may send is not");
}

#[tokio::test]
async fn the_challenge_is_for_whoever_knows_the_token() {
    let stage = Stage::new().await;
    let get = |query: &str| {
        let uri = format!("/callbacks/meta?{query}");
        Request::get(uri).body(Body::empty()).expect("a request")
    };
    let good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=vt-example";
    let reply = stage.call(get(good)).await;
    assert_eq!((reply.status, reply.body.as_slice()), (StatusCode::OK, &b"1158201444"[..]));
    assert_eq!(reply.headers.get(header::CONTENT_TYPE).expect("a type"), "text/plain");
    for bad in ["", "hub.mode=subscribe", &good.replace("vt-example", "vt-exampel"), &good.replace("subscribe", "x")] {
        let reply = stage.call(get(bad)).await;
        assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::FORBIDDEN, &"bad_verify_token".into()), "{bad}");
    }
    let put = Request::builder().method(Method::PUT).uri("/callbacks/meta").body(Body::empty());
    assert_eq!(stage.call(put.expect("a request")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
