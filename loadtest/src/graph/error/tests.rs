//! Error bodies against the fixtures.

use super::{GraphError, ROWS};
use serde_json::Value;

#[test]
fn rows_are_sorted() {
    assert!(ROWS.is_sorted_by(|a, b| a.code < b.code));
}

/// Every error body of the fixtures comes out as it stands there, but for its trace id.
#[test]
fn bodies_are_as_the_fixtures_have_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("fixtures") {
        let path = entry.expect("entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("name").to_owned();
        if !name.starts_with("error.whatsapp.") {
            continue;
        }
        let expected: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        let error = &expected["error"];
        let code = u32::try_from(error["code"].as_u64().expect("code")).expect("u32");
        let ours = match (name.contains("unknown_object"), error["error_data"]["details"].as_str()) {
            (true, _) => GraphError::no_object("900100200300999"),
            (false, Some(details)) => GraphError::with(code, details),
            (false, None) => GraphError::new(code),
        };
        assert_eq!(ours.body(error["fbtrace_id"].as_str().expect("trace")), expected, "{name}");
        seen += 1;
    }
    assert!(seen >= 24, "only {seen} fixtures seen");
}
