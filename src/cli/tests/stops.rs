//! Stopping and letting go: what is asked, how long is waited, how it ends.

use super::stage::{Ended, Scripted, command_beside};
use crate::cli::Exit;

async fn stop(answers: Vec<(&'static str, String)>, line: &[&str]) -> (Ended, Vec<String>) {
    let server = Scripted::serve(answers).await;
    let ended = command_beside(&[line, &["--key", "k", "--url", &server.url()]].concat(), &[]).await;
    (ended, server.asked())
}

const GATE: &str = r#"{"kind":"template","name":"order_update"}"#;

fn verb(effective: bool) -> String {
    let applied = if effective { 4 } else { 3 };
    format!(r#"{{"gate":{GATE},"effective":{effective},"partitions":{{"applied":{applied},"of":4}}}}"#)
}

fn listed(effective: bool) -> (&'static str, String) {
    let applied = if effective { 4 } else { 3 };
    let known = format!(
        r#"{{"gate":{GATE},"closed":true,"reason":"x","since":"2026-01-31T09:30:00Z","by":"key_1","effective":{effective},"partitions":{{"applied":{applied},"of":4}},"messages":1200}}"#
    );
    ("200 OK", format!(r#"{{"data":[{known}]}}"#))
}

const SUSPEND: [&str; 5] = ["suspend", "template", "order_update", "--reason", "a wrong price"];

#[tokio::test]
async fn a_template_is_suspended_and_waited_for_until_it_is_effective() {
    let answers = vec![("202 Accepted", verb(false)), listed(false), listed(true)];
    let (ended, asked) = stop(answers, &SUSPEND).await;
    assert_eq!(ended.exit, Exit::Done, "{ended:?}");
    assert!(ended.out.starts_with("The template order_update is suspended"), "{}", ended.out);
    assert!(asked[0].starts_with("POST /v1/templates/order_update/suspend HTTP/1.1"), "{asked:?}");
    assert!(asked[0].ends_with(r#"{"reason":"a wrong price"}"#), "{asked:?}");
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn what_is_not_effective_in_time_is_a_bad_answer() {
    let answers = vec![("202 Accepted", verb(false)), listed(false)];
    let (ended, asked) = stop(answers, &[&SUSPEND[..], &["--wait", "1", "--json"]].concat()).await;
    assert_eq!(ended.exit, Exit::BadAnswer, "{ended:?}");
    assert!(ended.out.contains(r#""effective":false"#) && asked.len() == 3, "{ended:?} {asked:?}");
}

#[tokio::test]
async fn a_gate_that_is_listed_no_more_is_open() {
    let answers = vec![("202 Accepted", verb(false)), ("200 OK", r#"{"data":[]}"#.to_owned())];
    let line = ["resume", "template", "order_update", "--reason", "corrected"];
    let (ended, _) = stop(answers, &line).await;
    assert_eq!((ended.exit, ended.out.as_str()), (Exit::Done, "The template order_update may send again.\n"));
}

#[tokio::test]
async fn a_session_is_drained_by_its_name() {
    let applied = |applied: bool| format!(r#"{{"position":"0:7","applied":{applied}}}"#);
    let answers = vec![
        ("202 Accepted", applied(false)),
        ("200 OK", r#"{"suspended":null,"draining":null}"#.to_owned()),
        ("200 OK", r#"{"suspended":null,"draining":"given up"}"#.to_owned()),
    ];
    let (ended, asked) = stop(answers, &["drain", "orders", "--reason", "given up"]).await;
    assert_eq!(ended.exit, Exit::Done, "{ended:?}");
    assert!(asked[0].starts_with("POST /v1/sessions/orders/drain HTTP/1.1"), "{asked:?}");
}

#[tokio::test]
async fn what_is_no_name_goes_into_no_path() {
    for line in [
        ["suspend", "template", "../admin", "--reason", "x"],
        ["suspend", "country", "49155", "--reason", "x"],
        ["suspend", "session", "Orders/x", "--reason", "x"],
        ["suspend", "tenant", "acme", "--reason", "x"],
    ] {
        let (ended, asked) = stop(vec![("200 OK", verb(true))], &line).await;
        assert_eq!((ended.exit, asked.len()), (Exit::Usage, 0), "{line:?}");
    }
}

#[tokio::test]
async fn gates_are_listed_with_what_waits_for_them() {
    let (ended, _) = stop(vec![listed(false)], &["gates"]).await;
    assert_eq!(ended.exit, Exit::Done);
    assert!(ended.out.contains("being suspended, 3 of 4") && ended.out.contains("1,200"), "{}", ended.out);
    let (ended, _) = stop(vec![("200 OK", r#"{"data":[]}"#.to_owned())], &["gates"]).await;
    assert!(ended.out.is_empty() && ended.notes.contains("Nothing is stopped."), "{ended:?}");
}
