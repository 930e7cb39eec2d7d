//! Declarations: once is enough, twice is nothing, a dry run is nothing, and secrets go to the vault alone.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stage::{COUNT, Stage, declarations};
use crate::domain::id::SessionId;
use crate::journal::{Deed, Journal, Refusal};
use crate::vault::Vault;

const PATH: &str = "/v1/admin/declarations";

fn changes(answer: &Value) -> Vec<&str> {
    ["tenants", "portfolios", "sessions", "endpoints", "keys"]
        .iter()
        .flat_map(|kind| answer[kind].as_array().expect("a list").iter().filter_map(|step| step["change"].as_str()))
        .collect()
}

fn ends(stage: &Stage) -> u64 {
    (0..COUNT).map(|partition| stage.journal.end(partition).0).sum()
}

#[tokio::test]
async fn declaring_the_same_again_changes_nothing_and_shows_nothing() {
    let stage = Stage::new().await;
    let before = ends(&stage);
    let again = stage.put_operator(PATH, &declarations()).await.expect(200);
    assert!(changes(&again).iter().all(|change| *change == "unchanged"), "{again}");
    assert_eq!(ends(&stage), before);
    let text = again.to_string();
    assert!(!text.contains("whsec_") && !text.contains("wb_live_"), "{text}");
}

#[tokio::test]
async fn a_dry_run_says_and_does_nothing() {
    let stage = Stage::bare(|_| {});
    let mut ask = declarations();
    ask["dry_run"] = json!(true);
    let before = ends(&stage);
    let answer = stage.put_operator(PATH, &ask).await.expect(200);
    assert!(changes(&answer).iter().all(|change| *change == "created"), "{answer}");
    assert!(!answer.to_string().contains("wb_live_") && !answer.to_string().contains("whsec_"));
    assert_eq!(ends(&stage), before);
    assert!(stage.app.directory.is_empty());
}

#[tokio::test]
async fn what_changes_is_changed_and_the_rest_is_left() {
    let stage = Stage::new().await;
    let number = "900100200300501";
    let session = |more: Value| {
        let mut session = json!({"tenant": "acme", "name": "shop", "phone_number_id": number});
        session.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"sessions": [session]})
    };
    let declare = async |ask: Value| {
        let answer = stage.put_operator(PATH, &ask).await.expect(200);
        changes(&answer).join(" ")
    };
    assert_eq!(declare(session(json!({}))).await, "unchanged", "without a token the one that is kept stays");
    assert_eq!(declare(session(json!({"token": format!("EAAB{number}")}))).await, "unchanged");
    assert_eq!(declare(session(json!({"token": "EAABnew"}))).await, "changed");
    assert_eq!(declare(session(json!({"waba_id": "1234"}))).await, "changed");
    assert_eq!(declare(session(json!({"waba_id": "1234"}))).await, "unchanged");
    assert_eq!(declare(session(json!({"waba_id": "1234", "per_second": 20}))).await, "changed");
    assert_eq!(
        declare(
            json!({"tenants": [{"name": "acme", "display_name": "Acme", "per_second": 100_000, "burst": 100_000}]})
        )
        .await,
        "changed"
    );
    let endpoint =
        json!({"tenant": "acme", "name": "crm", "url": "https://crm.example/other", "events": ["message.*"]});
    assert_eq!(declare(json!({"endpoints": [endpoint]})).await, "changed");
    let shown = stage.get("acme/admin", "/v1/sessions/shop").await.expect(200);
    assert_eq!(shown["per_second"], 20);
}

#[tokio::test]
async fn secrets_stand_in_the_vault_and_nowhere_else() {
    let stage = Stage::bare(|_| {});
    let answer = stage.put_operator(PATH, &declarations()).await.expect(200);
    let secret = answer["endpoints"][0]["secret"].as_str().expect("one was made");
    let (endpoint, session) =
        (answer["endpoints"][0]["id"].as_str().expect("id"), answer["sessions"][0]["id"].as_str().expect("id"));
    let tenant = Some(stage.tenant("acme"));
    let kept = async |name: String| {
        stage.vault.secret(tenant, &name).await.expect("readable").expect("kept").expose().to_vec()
    };
    assert_eq!(kept(format!("endpoint/{endpoint}/secret")).await, secret.as_bytes());
    assert_eq!(kept(format!("session/{session}/token")).await, b"EAAB900100200300501");
    for partition in 0..COUNT {
        for entry in stage.journal.contents(partition) {
            for needle in [secret, "EAAB900100200300501"] {
                let stands = entry.record.raw.windows(needle.len()).any(|window| window == needle.as_bytes());
                assert!(!stands, "a secret in the journal");
            }
        }
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let stage = Stage::new().await;
    let ask = json!({
        "tenants": [{"name": "Bad Name"}, {"name": "acme", "per_second": 0}],
        "sessions": [
            {"tenant": "nobody", "name": "a", "phone_number_id": "1"},
            {"tenant": "acme", "name": "b", "phone_number_id": "12x", "token": "t"},
            {"tenant": "acme", "name": "c", "phone_number_id": "900100200300502", "token": "t"},
            {"tenant": "acme", "name": "d", "phone_number_id": "77"},
            {"tenant": "acme", "name": "d", "phone_number_id": "78", "token": "a b", "channel": "pigeon"},
        ],
        "endpoints": [
            {"tenant": "acme", "name": "e", "url": "ftp://x.example/"},
            {"tenant": "acme", "name": "f", "url": "http://127.0.0.1/", "secret": "whsec_x", "events": ["Message"]},
        ],
    });
    let reply = stage.put_operator(PATH, &ask).await;
    assert_eq!(reply.code(), "invalid_request");
    let said = reply.json();
    let found: Vec<&str> =
        said["errors"].as_array().expect("errors").iter().filter_map(|e| e["pointer"].as_str()).collect();
    for pointer in [
        "/tenants/0/name",
        "/tenants/1/per_second",
        "/sessions/0/tenant",
        "/sessions/1/phone_number_id",
        "/sessions/2/phone_number_id",
        "/sessions/3/token",
        "/sessions/4/token",
        "/sessions/4/channel",
        "/sessions/4/name",
        "/endpoints/0/url",
        "/endpoints/1/url",
        "/endpoints/1/secret",
        "/endpoints/1/events/0",
    ] {
        assert!(found.contains(&pointer), "{pointer} in {found:?}");
    }
    let slip =
        stage.put_operator(PATH, &json!({"sessions": [{"tenant": "acme", "name": "a", "phone_number": "1"}]})).await;
    assert_eq!(slip.json()["remedy"], "did you mean `phone_number_id`?");
}

#[tokio::test]
async fn a_document_may_be_larger_than_a_message() {
    let stage = Stage::bare(|_| {});
    let of = |bytes: usize| json!({"tenants": [{"name": "acme", "display_name": "x".repeat(bytes)}], "dry_run": true});
    let max = stage.app.settings.server.max_body.as_usize();
    assert_eq!(
        stage.put_operator(PATH, &of(2 * max)).await.code(),
        "invalid_request",
        "it is read, and the name is long"
    );
    assert_eq!(stage.put_operator(PATH, &of(16 << 20)).await.code(), "too_large");
}

#[tokio::test]
async fn ports_are_those_of_the_settings_inside_private_networks_too() {
    let stage = Stage::with(|settings| {
        settings.webhooks.allow_private = true;
        settings.webhooks.allowed_ports = vec![443, 8443];
    })
    .await;
    let ask = |port: u16| {
        let url = format!("http://127.0.0.1:{port}/");
        json!({"dry_run": true, "endpoints": [{"tenant": "acme", "name": "near", "url": url}]})
    };
    stage.put_operator(PATH, &ask(8443)).await.expect(200);
    assert_eq!(stage.put_operator(PATH, &ask(22)).await.code(), "invalid_request");
}

#[tokio::test]
async fn a_misspelt_event_is_refused_with_the_nearest() {
    let stage = Stage::new().await;
    let ask = |event: &str| {
        let url = "https://crm.example/hooks";
        json!({"dry_run": true, "endpoints": [{"tenant": "acme", "name": "e", "url": url, "events": ["message.sent", event]}]})
    };
    for good in ["*", "message.*", "message.delivered"] {
        stage.put_operator(PATH, &ask(good)).await.expect(200);
    }
    let said = stage.put_operator(PATH, &ask("message.delivred")).await.json();
    assert_eq!(said["errors"][0]["pointer"], "/endpoints/0/events/1", "{said}");
    assert_eq!(said["errors"][0]["remedy"], "did you mean \"message.delivered\"?", "{said}");
}

#[tokio::test]
async fn a_former_signing_secret_goes_on_signing_for_a_day() {
    let stage = Stage::new().await;
    let (one, two) = ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB");
    let declare = async |secret: &str| {
        let url = "https://crm.example/hooks";
        let ask = json!({"endpoints": [{"tenant": "acme", "name": "crm", "url": url, "events": ["message.*"], "secret": secret}]});
        let answer = stage.put_operator(PATH, &ask).await.expect(200);
        changes(&answer).join(" ")
    };
    let endpoint = crate::domain::id::EndpointId::named(stage.tenant("acme"), "crm");
    let name = crate::domain::secret_name::endpoint_secret(endpoint);
    let live = async || {
        let kept = stage.vault.secret(Some(stage.tenant("acme")), &name).await.expect("readable").expect("kept");
        let text = String::from_utf8(kept.expose().to_vec()).expect("text");
        let now = u64::try_from(super::stage::NOW / 1_000_000).expect("after 1970");
        [now, now + 86_399, now + 86_400].map(|at| crate::webhook::Secrets::read(&text, at).expect("secrets").len())
    };
    assert_eq!(declare(one).await, "changed");
    assert_eq!(declare(one).await, "unchanged");
    assert_eq!(live().await, [2, 2, 1], "the drawn one was replaced a moment ago");
    assert_eq!(declare(two).await, "changed");
    assert_eq!((declare(two).await.as_str(), live().await), ("unchanged", [3, 3, 1]));
}

#[tokio::test]
async fn a_key_that_works_is_never_changed() {
    let stage = Stage::new().await;
    let ask = json!({"keys": [{"tenant": "acme", "name": "sender", "role": "admin"}]});
    assert_eq!(stage.put_operator(PATH, &ask).await.code(), "invalid_request");
}

#[tokio::test]
async fn what_broke_off_is_finished_by_declaring_again() {
    let stage = Stage::bare(|_| {});
    // One append for each partition: the tenants are taken, every session is refused.
    let partitions = |addresses: [crate::domain::address::Address; 2]| {
        addresses.map(|address| stage.app.partition_of(address)).into_iter().collect::<BTreeSet<_>>().len()
    };
    let tenants = ["acme", "other"].map(|name| stage.tenant(name));
    let honest = vec![Deed::honest(); partitions(tenants.map(Into::into))];
    let sessions = tenants.map(|tenant| SessionId::named(tenant, "shop").into());
    let refused = vec![Deed::refused(Refusal::Overloaded); partitions(sessions)];
    stage.journal.script(honest.into_iter().chain(refused));
    let broken = stage.put_operator(PATH, &declarations()).await;
    assert_eq!(broken.code(), "overloaded");
    let whole = stage.put_operator(PATH, &declarations()).await.expect(200);
    for key in whole["keys"].as_array().expect("keys") {
        assert!(key["key"].is_string(), "every key is shown: {whole}");
    }
    for endpoint in whole["endpoints"].as_array().expect("endpoints") {
        assert!(endpoint["secret"].is_string(), "every secret is shown: {whole}");
    }
}
