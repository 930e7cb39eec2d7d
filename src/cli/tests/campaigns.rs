//! Campaigns on the command line: what is asked, what is said, how it ends.

use super::stage::{Ended, Scripted, command_beside};
use crate::cli::Exit;

async fn campaign(answers: Vec<(&'static str, String)>, line: &[&str]) -> (Ended, Vec<String>) {
    let server = Scripted::serve(answers).await;
    let url = server.url();
    let line = [&["campaign"], line, &["--key", "k", "--url", &url]].concat();
    let ended = command_beside(&line, &[]).await;
    (ended, server.asked())
}

fn sale(state: &str, effective: bool) -> String {
    format!(
        r#"{{"name":"sale","state":"{state}","from":"shop","template":{{"name":"sale","language":"de"}},
        "effective":{effective},"messages":1200,"left":200,"counts":{{"waiting":200,"sent":1000}},
        "moved":{{"at":"2026-01-31T09:30:00Z","by":"key_1","reason":"approved"}},
        "per_second":80.0,"eta":"2026-01-31T09:33:00Z"}}"#
    )
}

fn people(lines: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), lines).expect("written");
    file
}

#[tokio::test]
async fn a_step_is_waited_for_until_it_is_effective() {
    let answers = vec![("202 Accepted", sale("paused", false)), ("200 OK", sale("paused", true))];
    let (ended, asked) = campaign(answers, &["pause", "sale", "--reason", "complaints"]).await;
    assert_eq!((ended.exit, ended.out.as_str()), (Exit::Done, "The campaign sale is paused: nothing of it leaves.\n"));
    assert!(asked[0].starts_with("POST /v1/campaigns/sale/pause HTTP/1.1"), "{asked:?}");
    assert!(asked[0].ends_with(r#"{"reason":"complaints"}"#) && asked[1].starts_with("GET /v1/campaigns/sale "));
    let answers = vec![("202 Accepted", sale("running", false))];
    let (ended, _) = campaign(answers, &["start", "sale", "--reason", "x", "--wait", "0"]).await;
    assert_eq!(ended.exit, Exit::BadAnswer);
    assert!(ended.out.starts_with("Recorded, and not effective yet"), "{}", ended.out);
}

#[tokio::test]
async fn what_is_no_name_goes_into_no_path() {
    for line in [
        &["start", "../admin", "--reason", "x"][..],
        &["show", "Sale"],
        &["load", "a/b", "-"],
        &["plan", "?"],
        &["create", "Sale", "--from", "shop", "--template", "t", "--language", "de"],
    ] {
        let (ended, asked) = campaign(vec![("200 OK", sale("draft", true))], line).await;
        assert_eq!((ended.exit, asked.len()), (Exit::Usage, 0), "{line:?}");
    }
}

#[tokio::test]
async fn a_campaign_is_declared_and_shown_in_words() {
    let answers = vec![("200 OK", sale("draft", true))];
    let line = ["create", "sale", "--from", "shop", "--template", "sale", "--language", "de"];
    let (ended, asked) = campaign(answers, &line).await;
    assert_eq!((ended.exit, ended.out.as_str()), (Exit::Done, "The campaign sale is declared, and draft.\n"));
    assert!(asked[0].starts_with("PUT /v1/campaigns/sale HTTP/1.1"), "{asked:?}");
    let (ended, _) = campaign(vec![("200 OK", sale("running", true))], &["show", "sale"]).await;
    assert!(ended.out.contains("1,200 messages: 200 waiting, 1,000 sent"), "{}", ended.out);
    assert!(ended.out.contains("80 a second; nothing is left at 2026-01-31T09:33:00Z."), "{}", ended.out);
    let listed = format!(r#"{{"data":[{}],"next":null}}"#, sale("running", true));
    let (ended, _) = campaign(vec![("200 OK", listed)], &["list"]).await;
    assert!(ended.out.contains("running") && ended.out.contains("1,200"), "{}", ended.out);
}

#[tokio::test]
async fn people_are_loaded_as_they_stand_in_the_file() {
    let file = people("{\"to\":\"+4915500030000\"}\n\n{\"to\":\"12\"}\n");
    let answers = "{\"id\":\"msg_1\",\"status\":\"accepted\",\"replayed\":true,\"line\":1}\n\
        {\"error\":{\"code\":\"invalid_request\",\"detail\":\"x\"},\"line\":2}\n";
    let path = file.path().to_str().expect("text").to_owned();
    let (ended, asked) = campaign(vec![("200 OK", answers.to_owned())], &["load", "sale", &path]).await;
    assert_eq!(ended.exit, Exit::BadAnswer, "one was refused");
    assert!(asked[0].starts_with("POST /v1/campaigns/sale/audience HTTP/1.1"), "{asked:?}");
    assert!(asked[0].ends_with("{\"to\":\"+4915500030000\"}\n{\"to\":\"12\"}\n"), "no key is added: {asked:?}");
    assert!(ended.out.contains("1 accepted (1 of them before"), "{}", ended.out);
    assert!(ended.notes.contains("line 3: invalid_request"), "{}", ended.notes);
}

#[tokio::test]
async fn what_could_not_be_loaded_is_counted_by_the_lines_of_the_file() {
    let file = people("{\"to\":\"+4915500030000\"}\n\n{\"to\":\"12\",\"reference\":\"r-7\"}\n");
    let answer = r#"{"lines":2,"good":1,"problems":[{"code":"invalid_request","title":"t","lines":1,"example":{},
        "first":[{"line":2,"reference":"r-7"}]}]}"#;
    let path = file.path().to_str().expect("text").to_owned();
    let (ended, asked) = campaign(vec![("200 OK", answer.to_owned())], &["validate", "sale", &path]).await;
    assert_eq!(ended.exit, Exit::BadAnswer, "one could not");
    assert!(asked[0].starts_with("POST /v1/campaigns/sale/validate HTTP/1.1"), "{asked:?}");
    assert!(ended.out.contains("2 lines, 1 could be loaded."), "{}", ended.out);
    assert!(ended.out.contains("1 invalid_request: line 3 (r-7)"), "{}", ended.out);
}

#[tokio::test]
async fn a_plan_is_told_in_words() {
    let plan = r#"{"name":"sale","state":"draft","messages":100,"not_planned":0,"begins_at":"2026-01-31T20:00:00Z",
        "ends_at":"2026-02-01T08:01:00Z","seconds":43260.0,"would_send":97,"would_expire":0,"opted_out":3,"no_opt_in":0,
        "quiet_held":40,"pair_held":0,"portfolio_people":95,"session_suspended":false,
        "binding":[{"limit":"quiet_hours","from":"2026-01-31T21:00:00Z","until":"2026-02-01T08:00:00Z"}]}"#;
    let (ended, asked) = campaign(vec![("200 OK", plan.to_owned())], &["plan", "sale"]).await;
    assert_eq!(ended.exit, Exit::Done);
    assert!(asked[0].starts_with("POST /v1/campaigns/sale/plan HTTP/1.1"), "{asked:?}");
    for said in ["97 would be sent", "3 do not want marketing", "quiet hours", "95 people outside"] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
}
