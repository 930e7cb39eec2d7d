//! How commands end.

use clap::Parser;

use super::stage::{Scripted, command, command_beside};
use crate::cli::Exit;
use crate::cli::args::Args;
use crate::cli::context::Context;
use crate::cli::print::{Printer, Style};

const PROBLEM: &str = r#"{"title":"A valid key is needed","status":401,"code":"unauthorized","detail":"the key is unknown or was revoked"}"#;

#[test]
fn the_exit_codes_are_what_the_help_says() {
    let codes = [
        (Exit::Done, 0),
        (Exit::BadAnswer, 1),
        (Exit::Usage, 2),
        (Exit::Unreachable, 3),
        (Exit::Refused, 4),
        (Exit::DataFolder, 5),
        (Exit::Internal, 70),
    ];
    let told = command(&["exit-codes"], &[]).out;
    for (exit, code) in codes {
        assert_eq!(exit.code(), code);
        assert!(told.contains(&format!("\n{code:>4}  ")), "{code}\n{told}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_used_is_5() {
    let ended = command(&["serve"], &[]);
    assert_eq!(ended.exit, Exit::DataFolder);
    assert!(ended.notes.contains("another process holds it"), "{}", ended.notes);
}

#[test]
fn a_server_that_is_not_there_is_3() {
    // Port 1 of the loopback: nobody listens there.
    let ended = command(&["status", "--url", "http://127.0.0.1:1", "--key", "k"], &[]);
    assert_eq!(ended.exit, Exit::Unreachable);
    assert!(ended.notes.contains("cannot be reached") && ended.notes.contains("waybill serve"), "{}", ended.notes);
}

#[test]
fn a_command_without_a_key_is_2_and_says_where_to_get_one() {
    let ended = command(&["send", "--from", "o", "--to", "+49", "--text", "x"], &[]);
    assert_eq!(ended.exit, Exit::Usage);
    assert!(ended.notes.contains("WAYBILL_KEY") && ended.notes.contains("waybill apply"), "{}", ended.notes);
    let ended = command(&["status", "--data", "/nowhere"], &[]);
    assert_eq!(ended.exit, Exit::Usage);
    assert!(ended.notes.contains("/nowhere/operator.key"), "{}", ended.notes);
}

#[test]
fn a_tenants_key_in_the_environment_is_not_sent_in_the_operators_name() {
    let ended = command(&["status", "--data", "/nowhere"], &[("WAYBILL_KEY", "wb_live_x")]);
    assert_eq!(ended.exit, Exit::Usage);
    assert!(ended.notes.contains("/nowhere/operator.key"), "{}", ended.notes);
}

#[test]
fn a_key_in_the_address_is_refused() {
    let ended = command(&["status", "--url", "https://user:pass@waybill.example", "--key", "k"], &[]);
    assert_eq!(ended.exit, Exit::Usage);
}

#[tokio::test]
async fn a_refused_key_is_4_in_words_and_as_json() {
    let server = Scripted::serve(vec![("401 Unauthorized", PROBLEM.to_owned())]).await;
    let ended = command_beside(&["status", "--url", &server.url()], &[("WAYBILL_KEY", "wb_operator_k")]).await;
    assert_eq!(ended.exit, Exit::Refused);
    assert!(ended.notes.contains("the key is unknown or was revoked"), "{}", ended.notes);
    let ended =
        command_beside(&["status", "--json", "--url", &server.url()], &[("WAYBILL_KEY", "wb_operator_k")]).await;
    let told: serde_json::Value = serde_json::from_str(&ended.notes).expect("one object");
    assert_eq!((&told["exit"], ended.out.as_str()), (&4.into(), ""));
    assert!(server.asked().iter().all(|asked| asked.contains("Bearer wb_operator_k")), "{:?}", server.asked());
}

#[tokio::test]
async fn an_answer_of_something_else_is_not_taken_for_waybill() {
    let server = Scripted::serve(vec![("200 OK", "<html>".to_owned())]).await;
    let ended = command_beside(&["status", "--url", &server.url(), "--key", "k"], &[]).await;
    assert_eq!(ended.exit, Exit::Unreachable);
    assert!(ended.notes.contains("does not seem to be a Waybill server"), "{}", ended.notes);
}

#[tokio::test]
async fn a_server_that_is_not_well_is_1() {
    let sick = r#"{"healthy":false,"reasons":[{"part":"disk","why":"low"}],"partitions":[]}"#;
    let server = Scripted::serve(vec![("200 OK", sick.to_owned())]).await;
    let ended = command_beside(&["status", "--url", &server.url(), "--key", "k"], &[]).await;
    assert_eq!(ended.exit, Exit::BadAnswer);
    assert!(ended.out.contains("disk: low"), "{}", ended.out);
}

#[test]
fn the_log_is_plain_in_files_and_coloured_when_asked_for() {
    for (color, live, coloured) in [("auto", false, false), ("always", false, true), ("never", true, false)] {
        let args = Args::try_parse_from(["waybill", "serve", "--color", color]).expect("understood");
        let printer =
            Printer::new(Style { live, ..Style::default() }, Box::new(std::io::sink()), Box::new(std::io::sink()));
        let context = Context::new(printer, args.global, std::collections::BTreeMap::new());
        assert_eq!(context.log_color(), coloured, "{color}");
    }
}
