//! Commands that call the server: what they ask, what they make of its answers.

use super::stage::{Scripted, command_beside};
use crate::cli::Exit;

const ONE: [&str; 7] = ["send", "--from", "orders", "--to", "+4915500010000", "--text", "Hello"];

fn lines(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("written");
    file
}

async fn send_file(
    text: &str,
    answers: Vec<(&'static str, String)>,
    more: &[&str],
) -> (super::stage::Ended, Vec<String>) {
    let (server, file) = (Scripted::serve(answers).await, lines(text));
    let (url, path) = (server.url(), file.path().display().to_string());
    let line = [&["send", "--run", "monday", "--file", &path, "--url", &url, "--key", "k"], more].concat();
    let ended = command_beside(&line, &[]).await;
    (ended, server.asked())
}

#[tokio::test]
async fn one_message_is_posted_with_its_key_and_its_id_is_told() {
    let server = Scripted::serve(vec![("202 Accepted", r#"{"id":"msg_1","status":"accepted"}"#.to_owned())]).await;
    let line = [&ONE[..], &["--idempotency-key", "mine", "--url"]].concat();
    let ended = command_beside(&[&line[..], &[&server.url()]].concat(), &[("WAYBILL_KEY", "k")]).await;
    assert_eq!((ended.exit, ended.out.as_str()), (Exit::Done, "msg_1  accepted\n"));
    let asked = server.asked().concat();
    assert!(asked.starts_with("POST /v1/messages HTTP/1.1") && asked.contains("idempotency-key: mine"), "{asked}");
}

#[tokio::test]
async fn waiting_ends_with_what_became_of_it() {
    for (state, more, exit) in [
        ("read", "", Exit::Done),
        ("failed", "", Exit::BadAnswer),
        // No status ever follows for a test message.
        ("sent", r#","test":true"#, Exit::Done),
    ] {
        let answers = vec![
            ("202 Accepted", r#"{"id":"msg_1"}"#.to_owned()),
            ("404 Not Found", r#"{"code":"not_found","title":"There is no such thing"}"#.to_owned()),
            ("200 OK", format!(r#"{{"id":"msg_1","state":"{state}"{more}}}"#)),
        ];
        let server = Scripted::serve(answers).await;
        let line = [&ONE[..], &["--wait", "--key", "k", "--url"]].concat();
        let ended = command_beside(&[&line[..], &[&server.url()]].concat(), &[]).await;
        assert_eq!((ended.exit, ended.out), (exit, format!("msg_1  {state}\n")));
    }
}

#[tokio::test]
async fn a_file_is_sent_with_keys_and_its_refused_lines_are_told_by_number() {
    let refused = r#"{"line":2,"error":{"code":"invalid_request","detail":"x","errors":[{"pointer":"/to","what":"is missing","remedy":"y"}]}}"#;
    let answer = format!("{{\"line\":1,\"id\":\"msg_1\"}}\n{refused}\n");
    let (ended, asked) = send_file("{\"to\":\"1\"}\n\n{}\n", vec![("200 OK", answer)], &[]).await;
    assert_eq!(ended.exit, Exit::BadAnswer);
    // The second line of the request is the third of the file.
    assert!(ended.notes.contains("line 3: invalid_request: /to is missing"), "{}", ended.notes);
    assert!(ended.out.contains("1 accepted") && ended.out.contains("1 refused: 1 invalid_request"), "{}", ended.out);
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("{\"to\":\"1\",\"idempotency_key\":\"monday:1\"}\n"), "{}", asked[0]);
    assert!(asked[0].contains("application/x-ndjson"), "{}", asked[0]);
}

#[tokio::test]
async fn what_fails_for_the_moment_is_sent_again_and_nothing_else_is() {
    let busy = r#"{"line":2,"error":{"code":"overloaded","title":"Too busy"}}"#;
    let answers = vec![
        ("503 Service Unavailable", r#"{"code":"overloaded","title":"Too busy"}"#.to_owned()),
        ("200 OK", format!("{{\"line\":1,\"id\":\"msg_1\"}}\n{busy}\n")),
        ("200 OK", "{\"line\":1,\"id\":\"msg_2\",\"replayed\":true}\n".to_owned()),
    ];
    let (ended, asked) = send_file("{\"n\":1}\n{\"n\":2}\n", answers, &["--json"]).await;
    let summary: serde_json::Value = serde_json::from_str(&ended.out).expect("one object");
    assert_eq!(ended.exit, Exit::Done, "{ended:?}");
    assert_eq!((&summary["accepted"], &summary["replayed"], &summary["refused"]), (&2.into(), &1.into(), &0.into()));
    assert_eq!(asked.len(), 3);
    assert!(asked[2].contains("monday:2") && !asked[2].contains("monday:1"), "{}", asked[2]);
}

#[tokio::test]
async fn following_a_file_of_test_messages_ends_well_when_they_are_sent() {
    let taken = || ("200 OK", "{\"line\":1,\"id\":\"msg_1\"}\n{\"line\":2,\"id\":\"msg_2\"}\n".to_owned());
    let sent = |test: bool| ("200 OK", format!(r#"{{"state":"sent","test":{test}}}"#));
    let follow = ["--follow", "--timeout", "1"];
    let (ended, _) = send_file("{}\n{}\n", vec![taken(), sent(true), sent(true)], &follow).await;
    assert_eq!(ended.exit, Exit::Done, "{ended:?}");
    assert!(ended.out.contains("Now: 2 sent."), "{}", ended.out);
    // One of them is to reach a person, and has not yet.
    let (ended, _) = send_file("{}\n{}\n", vec![taken(), sent(true), sent(false)], &follow).await;
    assert_eq!(ended.exit, Exit::BadAnswer, "{ended:?}");
}

#[tokio::test]
async fn a_key_is_trimmed_and_one_that_no_header_can_carry_is_a_mistake_of_the_caller() {
    let server = Scripted::serve(vec![("202 Accepted", r#"{"id":"msg_1"}"#.to_owned())]).await;
    let url = server.url();
    let line = [&ONE[..], &["--url", &url]].concat();
    let ended = command_beside(&line, &[("WAYBILL_KEY", " wb_live_x\r\n")]).await;
    assert_eq!(ended.exit, Exit::Done, "{ended:?}");
    assert!(server.asked().concat().contains("Bearer wb_live_x\r\n"), "{:?}", server.asked());
    for key in ["wb_live_x\nwb_live_y", "wb live", "wb_l\u{fc}ve"] {
        let ended = command_beside(&line, &[("WAYBILL_KEY", key)]).await;
        assert_eq!(ended.exit, Exit::Usage, "{ended:?}");
        assert!(ended.notes.contains("WAYBILL_KEY") && !ended.notes.contains("wb_l"), "{}", ended.notes);
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_remedy_that_names_a_route_says_how_the_command_line_gets_there() {
    let problem = r#"{"code":"invalid_request","title":"Wrong","errors":[{"pointer":"/from","what":"names no session of this tenant","remedy":"GET /v1/sessions lists them"}]}"#;
    let server = Scripted::serve(vec![("422 Unprocessable Entity", problem.to_owned())]).await;
    let line = [&ONE[..], &["--key", "k", "--url"]].concat();
    let ended = command_beside(&[&line[..], &[&server.url()]].concat(), &[]).await;
    assert!(ended.notes.contains("waybill apply"), "{}", ended.notes);
}

#[tokio::test]
async fn a_refused_request_is_not_tried_again() {
    let problem = r#"{"code":"forbidden","title":"This key may not do this"}"#.to_owned();
    let (ended, asked) = send_file("{}\n", vec![("403 Forbidden", problem)], &[]).await;
    assert_eq!((ended.exit, asked.len()), (Exit::Refused, 1));
}

#[tokio::test]
async fn refused_lines_can_be_kept_in_a_file() {
    let kept = tempfile::NamedTempFile::new().expect("a temporary file");
    let answer = "{\"line\":1,\"error\":{\"code\":\"unknown_sender\",\"detail\":\"x\"}}\n".to_owned();
    let path = kept.path().display().to_string();
    let (ended, _) = send_file("{}\n", vec![("200 OK", answer)], &["--quiet", "--refused", &path]).await;
    assert_eq!((ended.exit, ended.notes.as_str()), (Exit::BadAnswer, ""));
    let kept = std::fs::read_to_string(kept.path()).expect("written");
    assert_eq!(kept, "{\"line\":1,\"problem\":{\"code\":\"unknown_sender\",\"detail\":\"x\"}}\n");
}

#[tokio::test]
async fn new_keys_are_written_for_their_owner_alone_and_never_over_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (keys, document) = (folder.path().join("keys.json"), lines("[[tenant]]\nname = \"a\"\n"));
    let answer = r#"{"tenants":[{"name":"a","change":"created"}],"keys":[{"tenant":"a","name":"k","change":"created","key":"wb_live_x"}]}"#;
    let server = Scripted::serve(vec![("200 OK", answer.to_owned())]).await;
    let (document, out, url) = (document.path().display().to_string(), keys.display().to_string(), server.url());
    let line = ["apply", "-f", &document, "--keys-out", &out, "--url", &url, "--key", "k"];
    let ended = command_beside(&line, &[]).await;
    assert_eq!(ended.exit, Exit::Done, "{ended:?}");
    assert!(!ended.out.contains("wb_live_x"), "{}", ended.out);
    assert!(std::fs::read_to_string(&keys).expect("written").contains("wb_live_x"));
    assert_eq!(std::fs::metadata(&keys).expect("there").permissions().mode() & 0o777, 0o600);
    let again = command_beside(&line, &[]).await;
    assert_eq!((again.exit, server.asked().len()), (Exit::Usage, 1), "{again:?}");
}

#[tokio::test]
async fn a_key_is_revoked_by_its_name_with_the_operators_key() {
    let answers = vec![("200 OK", r#"{"position":"0:7","applied":true}"#.to_owned())];
    let server = Scripted::serve(answers).await;
    let ended =
        command_beside(&["revoke", "acme-shop", "shop-sender", "--url", &server.url(), "--key", "k"], &[]).await;
    assert_eq!((ended.exit, ended.out.as_str()), (Exit::Done, "The key acme-shop/shop-sender is revoked.\n"));
    let asked = server.asked().concat();
    assert!(asked.starts_with("DELETE /v1/admin/keys/acme-shop/shop-sender HTTP/1.1"), "{asked}");
}

#[tokio::test]
async fn a_session_is_released_with_a_reason() {
    let answers = vec![("200 OK", r#"{"position":"0:7","applied":true}"#.to_owned())];
    let server = Scripted::serve(answers).await;
    let url = server.url();
    let line = ["release", "orders", "--reason", "the token was mended", "--key", "k", "--url", &url];
    let ended = command_beside(&line, &[]).await;
    assert_eq!((ended.exit, ended.out.as_str()), (Exit::Done, "The session orders may go on.\n"));
    let asked = server.asked().concat();
    assert!(asked.starts_with("POST /v1/sessions/orders/release HTTP/1.1"), "{asked}");
    assert!(asked.contains(r#"{"reason":"the token was mended"}"#), "{asked}");
}

const COUNTED: &str = r#"{"dry_run":true,"matched":3,"left_out":0,"by":[{"state":"failed","class":"recipient","code":131026,"count":3}],"done":0,"applied":null,"fingerprint":"f.p","next":"n","more":false}"#;

#[tokio::test]
async fn a_retry_does_just_what_it_counted() {
    let done = COUNTED.replace(r#""done":0"#, r#""done":3"#).replace(r#""dry_run":true"#, r#""dry_run":false"#);
    let server = Scripted::serve(vec![("200 OK", COUNTED.to_owned()), ("200 OK", done)]).await;
    let url = server.url();
    let line = ["failures", "retry", "--class", "recipient", "--reason", "ported", "--key", "k", "--url", &url];
    let ended = command_beside(&line, &[]).await;
    assert_eq!(ended.exit, Exit::Done, "{}", ended.notes);
    assert!(ended.out.ends_with("3 of 3 messages are queued again.\n"), "{}", ended.out);
    let asked = server.asked();
    assert!(asked[0].starts_with("POST /v1/failures/retry") && asked[0].contains(r#""dry_run":true"#), "{asked:?}");
    assert!(asked[1].contains(r#""fingerprint":"f.p""#) && asked[1].contains(r#""reason":"ported""#), "{asked:?}");
    assert!(asked.iter().all(|body| body.contains(r#""filter":{"class":"recipient"}"#)), "{asked:?}");
}

#[tokio::test]
async fn a_dry_run_asks_once_and_one_that_changed_since_is_a_bad_answer() {
    let server = Scripted::serve(vec![("200 OK", COUNTED.to_owned())]).await;
    let url = server.url();
    let line = ["failures", "resolve", "--as", "sent", "--dry-run", "--key", "k", "--url", &url];
    let ended = command_beside(&line, &[]).await;
    assert_eq!((ended.exit, server.asked().len()), (Exit::Done, 1));
    assert!(ended.notes.contains("--fingerprint f.p"), "{}", ended.notes);
    let changed = r#"{"code":"changed","title":"It is not what was counted any more","detail":"x"}"#;
    let server = Scripted::serve(vec![("409 Conflict", changed.to_owned())]).await;
    let url = server.url();
    let line = ["failures", "retry", "--fingerprint", "f.p", "--reason", "x", "--key", "k", "--url", &url];
    assert_eq!(command_beside(&line, &[]).await.exit, Exit::BadAnswer);
}
