//! People's rights: asked for, listed, shown. What an erasure does is the actors' and has its own tests.

use serde_json::{Value, json};

use super::stage::{NOW, Stage, TO, text};
use crate::domain::draft::Draft;
use crate::domain::event::{ContactErasedV1, Event, InboundReceivedV1};
use crate::domain::id::{EventId, KeyId, SessionId, Tag};
use crate::domain::record::Principal;
use crate::domain::row::MAX_OPEN;
use crate::journal::Journal;
use crate::vault::{Alias, Vault};

const ERASE: &str = "/v1/contacts/erase";
const HOLD: &str = "/v1/contacts/legal-hold";
const EXPORT: &str = "/v1/contacts/export";
const REQUESTS: &str = "/v1/privacy/requests";

async fn contact(stage: &Stage) -> KeyId {
    stage.vault.contact(stage.tenant("acme"), &Alias::phone(TO).expect("a number")).await.expect("a vault")
}

fn asked() -> Value {
    json!({"to": TO, "reason": "by letter"})
}

async fn requests(stage: &Stage, key: &str) -> Vec<Value> {
    stage.get(key, REQUESTS).await.expect(200)["data"].as_array().expect("a list").clone()
}

/// The event that says that it is done.
async fn done(stage: &Stage, contact: KeyId, asked: &str) {
    let asked: EventId = asked.parse().expect("an id");
    let facts = ContactErasedV1 { contact, asked, destroyed_at: NOW, messages: 3, cancelled: 1, opt_out_kept: true };
    let draft = Draft::new(EventId([7; 16]), contact, &Event::from(facts), Principal::Operator, NOW);
    stage.happens(stage.app.partition_of(contact), draft.tenant(stage.tenant("acme"))).await;
}

#[tokio::test]
async fn an_erasure_is_asked_for_once_and_listed_until_it_is_done_and_after() {
    let stage = Stage::new().await;
    assert_eq!(stage.post("acme/admin", ERASE, &asked()).await.code(), "not_found", "nothing is kept of a stranger");
    let contact = contact(&stage).await;
    let first = stage.post("acme/admin", ERASE, &asked()).await.expect(202);
    assert_eq!((&first["state"], &first["contact"]), (&json!("open"), &json!(contact.to_string())));
    assert_eq!(first["due_at"], json!("2026-12-18T11:06:40Z"), "30 days from {}", first["asked_at"]);
    let again = stage.post("acme/admin", ERASE, &json!({"to": TO, "reason": "once more"})).await.expect(200);
    assert_eq!((&again["id"], &again["reason"]), (&first["id"], &json!("by letter")));
    assert_eq!(requests(&stage, "acme/auditor").await, [again]);
    assert_eq!(requests(&stage, "other/admin").await, Vec::<Value>::new(), "another tenant's");
    let id = first["id"].as_str().expect("an id");
    let shown = stage.post("acme/sender", "/v1/contacts/show", &json!({"to": TO})).await.expect(200);
    assert_eq!(shown["erasure"], json!(id));
    done(&stage, contact, id).await;
    let listed = requests(&stage, "acme/admin").await;
    let [one] = &listed[..] else { panic!("{listed:?}") };
    let what = ["id", "state", "right", "messages", "cancelled", "opt_out_kept", "asked_at", "reason"].map(|n| &one[n]);
    let expected = [
        &json!(id),
        &json!("done"),
        &json!("erasure"),
        &json!(3),
        &json!(1),
        &json!(true),
        &first["asked_at"],
        &first["reason"],
    ];
    assert_eq!(what, expected);
    assert!(one["by"].as_str().is_some_and(|by| by.starts_with("key_")), "{one}");
}

#[tokio::test]
async fn a_legal_hold_stands_against_an_erasure_visibly() {
    let stage = Stage::new().await;
    contact(&stage).await;
    let hold = |held: bool| json!({"to": TO, "held": held, "reason": "dispute 17"});
    stage.put("acme/admin", HOLD, &hold(true)).await.expect(200);
    assert_eq!(stage.post("acme/admin", ERASE, &asked()).await.expect(202)["state"], "held");
    assert_eq!(requests(&stage, "acme/admin").await[0]["state"], "held");
    stage.put("acme/admin", HOLD, &hold(false)).await.expect(200);
    let listed = requests(&stage, "acme/admin").await;
    let rights: Vec<(&Value, &Value)> = listed.iter().map(|it| (&it["right"], &it["state"])).collect();
    let word = |right: &str, state: &str| (json!(right), json!(state));
    let expected = [word("erasure", "open"), word("legal_hold", "done"), word("legal_hold_lifted", "done")];
    assert_eq!(rights, expected.iter().map(|(right, state)| (right, state)).collect::<Vec<_>>());
    for key in ["acme/sender", "acme/auditor"] {
        assert_eq!(stage.put(key, HOLD, &hold(true)).await.code(), "forbidden");
        assert_eq!(stage.post(key, ERASE, &asked()).await.code(), "forbidden");
    }
}

#[tokio::test]
async fn an_export_shows_everything_that_is_kept_and_says_that_it_was_shown() {
    let stage = Stage::new().await;
    let said = json!({"to": TO, "marketing": true, "source": "checkout", "evidence": "form 7"});
    stage.put("acme/sender", "/v1/contacts/consent", &said).await.expect(200);
    for n in 0..3 {
        stage.post("acme/sender", "/v1/messages", &text(&format!("hello {n}"))).await.expect(202);
    }
    stage.post("other/sender", "/v1/messages", &text("of another tenant")).await.expect(202);
    let contact = contact(&stage).await;
    let (tenant, id) = (stage.tenant("acme"), EventId([3; 16]));
    let session = SessionId::named(tenant, "shop");
    let body = json!({"part": {"text": {"body": "what I wrote"}}, "contact": {"profile": {"name": "Ann"}}}).to_string();
    let sealed = stage.vault.seal(tenant, contact, &id.0, body.as_bytes()).await.expect("sealed");
    let event = Event::from(InboundReceivedV1 {
        session,
        contact,
        tag: Tag([4; 16]),
        content: "text".to_owned(),
        provider_at: NOW,
    });
    let draft = Draft::new(id, session, &event, Principal::Meta, NOW).tenant(tenant);
    let draft = draft.sealed(sealed.key, sealed.commitment, sealed.bytes);
    stage.happens(stage.app.partition_of(session), draft).await;
    stage.caught_up().await;
    assert_eq!(stage.post("acme/sender", EXPORT, &asked()).await.code(), "forbidden");
    let page = stage.post("acme/auditor", EXPORT, &asked()).await.expect(200);
    assert_eq!(page["names"], json!([{"kind": "phone", "value": TO}]));
    assert_eq!(page["allowed"]["marketing"]["evidence"]["text"], "form 7");
    let entries = page["entries"].as_array().expect("entries");
    let of = |what: &str| entries.iter().filter(|entry| entry["what"] == what).collect::<Vec<_>>();
    let mut bodies: Vec<&str> =
        of("message").iter().filter_map(|it| it["message"]["content"]["text"]["body"].as_str()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["hello 0", "hello 1", "hello 2"]);
    assert_eq!(of("received")[0]["received"]["text"]["body"], "what I wrote");
    assert_eq!((&of("consent")[0]["evidence"], &of("consent")[0]["allowed"]), (&json!("form 7"), &json!(true)));
    assert_eq!((of("export").len(), entries.len(), &page["next"]), (0, 5, &Value::Null), "{page}");
    stage.caught_up().await;
    let page = stage.post("acme/admin", EXPORT, &asked()).await.expect(200);
    let last = page["entries"].as_array().expect("entries").iter().filter(|entry| entry["what"] == "export").count();
    assert_eq!(last, 1, "the first export is something that concerns the person, too");
    stage.caught_up().await;
    assert_eq!(requests(&stage, "acme/admin").await.iter().filter(|it| it["right"] == "access").count(), 2);
}

#[tokio::test]
async fn pages_of_an_export_hold_every_entry_once() {
    let stage = Stage::new().await;
    for n in 0..230 {
        stage.post("acme/sender", "/v1/messages", &text(&format!("hello {n}"))).await.expect(202);
    }
    stage.caught_up().await;
    let (mut seen, mut after, mut pages) = (std::collections::BTreeSet::new(), Value::Null, 0);
    loop {
        let body = json!({"to": TO, "reason": "by letter", "after": after});
        let page = stage.post("acme/admin", EXPORT, &body).await.expect(200);
        assert_eq!(page.get("names").is_some(), pages == 0, "who it is stands on the first page");
        for entry in page["entries"].as_array().expect("entries") {
            if let Some(id) = entry["message"]["id"].as_str() {
                assert!(seen.insert(id.to_owned()), "{id} twice");
            }
        }
        (after, pages) = (page["next"].clone(), pages + 1);
        if after.is_null() {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (230, 3));
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let stage = Stage::new().await;
    contact(&stage).await;
    for (path, body) in [
        (ERASE, json!({"to": "12", "reason": "by letter"})),
        (ERASE, json!({"to": TO, "reason": ""})),
        (ERASE, json!({"to": TO})),
        (ERASE, json!({"to": TO, "reason": "two\nlines"})),
        (EXPORT, json!({"to": TO, "reason": "by letter", "after": "7"})),
        (EXPORT, json!({"to": TO, "reason": "x".repeat(201)})),
    ] {
        let reply = stage.post("acme/admin", path, &body).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (422, "invalid_request"), "{path} {body}");
    }
    assert_eq!(stage.get("acme/admin", "/v1/privacy/requests?after=x").await.code(), "invalid_query");
    assert_eq!(requests(&stage, "acme/admin").await, Vec::<Value>::new(), "nothing was written");
}

#[tokio::test]
async fn of_open_erasures_there_is_an_end() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("acme");
    let (mut full, mut n) = (None, 0u64);
    // All in partitions of their own making: each fills at another time.
    while full.is_none() {
        let to = format!("+4915{n:09}");
        stage.vault.contact(tenant, &Alias::phone(&to).expect("a number")).await.expect("made");
        let reply = stage.post("acme/admin", ERASE, &json!({"to": to, "reason": "by letter"})).await;
        full = (reply.status != 202).then(|| (reply.status.as_u16(), reply.code()));
        n += 1;
        assert!(n <= (MAX_OPEN * usize::from(super::stage::COUNT)) as u64 + 1, "nothing is ever full");
    }
    assert_eq!(full, Some((503, "overloaded".to_owned())));
    assert!(n > MAX_OPEN as u64);
}

#[tokio::test]
async fn a_word_on_marketing_for_who_is_erased_meanwhile_is_said_again_by_the_caller() {
    let stage = Stage::new().await;
    let contact = contact(&stage).await;
    let first = stage.post("acme/admin", ERASE, &asked()).await.expect(202);
    // Another node has destroyed the keys, and here the name still leads to them.
    done(&stage, contact, first["id"].as_str().expect("an id")).await;
    let no = json!({"to": TO, "marketing": false, "source": "support call"});
    let reply = stage.put("acme/sender", "/v1/contacts/consent", &no).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (409, "changed"));
    stage.vault.destroy(stage.tenant("acme"), contact, false).await.expect("destroyed");
    stage.put("acme/sender", "/v1/contacts/consent", &no).await.expect(200);
    assert!(stage.journal.end(0).0 > 0);
}
