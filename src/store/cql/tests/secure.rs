//! TLS and passwords: with both it works, and without either it says which.

use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use super::*;
use crate::cql::{Login, Tls};

fn guarded() -> &'static Printed {
    static NODE: OnceLock<Printed> = OnceLock::new();
    NODE.get_or_init(|| up("main", "cassandra-tls"))
}

/// As its users speak to the guarded node.
fn secure() -> Options {
    let printed = tokio::task::block_in_place(guarded);
    let nodes = vec![printed["SCYLLA_TLS_NODES"].clone()];
    let password = Zeroizing::new(printed["SCYLLA_TLS_PASSWORD"].clone());
    let login = Some(Login { user: printed["SCYLLA_TLS_USER"].clone(), password });
    let tls = Some(Tls { ca: Some(PathBuf::from(&printed["SCYLLA_TLS_CA"])) });
    Options::of(CqlOptions { replicas: 1, tls, login, ..CqlOptions::plain(nodes, fresh("store")) })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn with_tls_and_password_it_works_and_without_either_it_says_which() {
    let options = secure();
    founded(&options).await.commit(step(0)).await.expect("commit");
    let begun = SystemClock.steady();

    let mut wrong = options.clone();
    wrong.cluster.login.as_mut().expect("a login").password = Zeroizing::new("guessed".to_owned());
    let error = why_not(&wrong).await;
    assert!(matches!(&error, CqlError::Credentials { user, .. } if user == "cassandra"), "{error:?}");
    assert!(!error.to_string().contains("guessed"), "{error}");
    wrong.cluster.login = None;
    let error = why_not(&wrong).await;
    assert!(matches!(&error, CqlError::Credentials { user, .. } if user.is_empty()), "{error:?}");

    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, stranger.cert.pem()).expect("written");
    let mut wrong = options.clone();
    wrong.cluster.tls = Some(Tls { ca: Some(ca.clone()) });
    let error = why_not(&wrong).await;
    assert!(matches!(error, CqlError::Untrusted { .. }), "{error:?}");
    wrong.cluster.tls = Some(Tls { ca: None });
    let error = why_not(&wrong).await;
    assert!(matches!(error, CqlError::Untrusted { .. }), "the system does not know it either: {error:?}");
    for text in ["", "no certificate"] {
        std::fs::write(&ca, text).expect("written");
        wrong.cluster.tls = Some(Tls { ca: Some(ca.clone()) });
        let error = why_not(&wrong).await;
        assert!(matches!(&error, CqlError::Ca { path, .. } if *path == ca), "{error:?}");
    }
    wrong.cluster.tls = None;
    let error = why_not(&wrong).await;
    assert!(error.to_string().contains("ask for TLS"), "{error:?}");

    let mut plain = calm_options();
    plain.cluster.tls = options.cluster.tls;
    let error = why_not(&plain).await;
    assert!(matches!(error, CqlError::Untrusted { .. }), "the node speaks none: {error:?}");
    let waited = SystemClock.steady().saturating_sub(begun);
    assert!(waited < Duration::from_secs(20), "said at once, not when time was over: {waited:?}");
}
