//! `waybill check-config`.

use super::stage::command;
use crate::cli::Exit;
use crate::config::{DEFAULTS, Settings};

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("written");
    file
}

#[test]
fn good_settings_are_called_good() {
    let ended = command(&["check-config"], &[]);
    assert_eq!((ended.exit, ended.out.as_str()), (Exit::Done, "No mistakes.\n"));
    let good = file("[server]\nlisten = \"127.0.0.1:9000\"\n");
    assert_eq!(command(&["check-config", &good.path().display().to_string()], &[]).exit, Exit::Done);
}

#[test]
fn every_mistake_of_every_file_is_told_with_its_place_and_remedy() {
    let settings = file("[server]\nlisten = 8080\nlitsen = \"x\"\n");
    let declaration = file("[[tenant]]\nname = \"Acme\"\n");
    let (settings, declaration) = (settings.path().display().to_string(), declaration.path().display().to_string());
    let line = ["check-config", &settings, "--declarations", &declaration];
    let ended = command(&line, &[("WAYBILL_SERVER__MAX_BODY", "none")]);
    assert_eq!(ended.exit, Exit::Usage);
    let headings = [
        format!("{settings}:2:10  server.listen"),
        format!("{settings}:3:1  server.litsen"),
        "WAYBILL_SERVER__MAX_BODY  server.max_body".to_owned(),
        format!("{declaration}:2:8  tenant[0].name"),
    ];
    for heading in headings {
        assert!(ended.out.contains(&heading), "{heading}\n{}", ended.out);
    }
    assert!(ended.out.contains("The nearest key is listen.") && ended.out.ends_with("4 mistakes.\n"), "{}", ended.out);
    assert_eq!(ended.notes, "");
}

#[test]
fn mistakes_as_json_can_be_read_by_programs() {
    let settings = file("[server]\nlisten = 8080\n");
    let ended = command(&["check-config", &settings.path().display().to_string(), "--json"], &[]);
    let told: serde_json::Value = serde_json::from_str(&ended.out).expect("one object");
    assert_eq!((ended.exit, &told["good"]), (Exit::Usage, &serde_json::json!(false)));
    assert_eq!((&told["mistakes"][0]["line"], &told["mistakes"][0]["key"]), (&2.into(), &"server.listen".into()));
}

#[test]
fn the_defaults_are_a_file_that_changes_nothing() {
    let ended = command(&["check-config", "--defaults"], &[]);
    assert_eq!(ended.out, DEFAULTS);
    let read = Settings::parse(&ended.out, "defaults", std::iter::empty()).expect("the defaults are good");
    assert_eq!(read, Settings::defaults());
}

#[test]
fn a_mistake_at_the_start_of_a_server_shows_no_line_of_the_file() {
    let settings = file("[meta]\nverify_token = \"literal:hush\"\nrequest_timeout = 1 # literal:hush\n");
    let ended = command(&["serve", "--config", &settings.path().display().to_string()], &[]);
    assert_eq!(ended.exit, Exit::Usage);
    assert!(ended.notes.contains("meta.request_timeout") && !ended.notes.contains("hush"), "{}", ended.notes);
}
