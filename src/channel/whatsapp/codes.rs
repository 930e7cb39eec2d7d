//! The table of Meta's error codes, from TOML. The shipped table is `config/meta-errors.toml`; another may be configured,
//! so that a new code of Meta's needs no release.
//!
//! ```toml
//! [[code]]
//! code = 131056            # or: from = 200, to = 299
//! subcode = 33             # optional: only with this `error_subcode`
//! class = "throttle"       # auth, throttle, retry, ambiguous, recipient, sender, request
//! bucket = "pair"          # with throttle: app, waba, number, pair, portfolio, template, user-marketing, endpoint, flow
//! async_class = "retry"    # optional: the class in a callback, where that differs
//! retry_after = "60s"      # optional: ms, s, m, h
//! meaning = "…"
//! action = "…"
//! confidence = "O"         # O official, T third party, M from memory
//! ```

use serde::Deserialize;

use crate::domain::failure::{CodeRow, CodeTable, CodeTableError, FailureClass};

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CodesError {
    /// It is not TOML of this shape. The message has line and column.
    #[error("the code table is not readable: {0}")]
    Toml(#[from] toml::de::Error),
    /// Rows that make no sense, all of them.
    #[error("the code table has mistakes:\n{}", .0.join("\n"))]
    Rows(Vec<String>),
    /// Rows that contradict each other.
    #[error("the code table contradicts itself: {0}")]
    Table(#[from] CodeTableError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    code: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: Option<i32>,
    from: Option<i32>,
    to: Option<i32>,
    subcode: Option<i32>,
    class: String,
    bucket: Option<String>,
    async_class: Option<String>,
    retry_after: Option<String>,
    meaning: String,
    #[serde(default)]
    action: String,
    confidence: Option<String>,
}

/// Reads a table.
///
/// # Errors
/// [`CodesError`], naming each row that is wrong and what it should say.
pub fn parse(text: &str) -> Result<CodeTable, CodesError> {
    let file: File = toml::from_str(text)?;
    let mut rows = Vec::with_capacity(file.code.len());
    let mut wrong = Vec::new();
    for (index, row) in file.code.iter().enumerate() {
        match read(row) {
            Ok(row) => rows.push(row),
            Err(why) => wrong.push(format!("  [[code]] number {} ({}): {why}", index + 1, name(row))),
        }
    }
    if !wrong.is_empty() {
        return Err(CodesError::Rows(wrong));
    }
    Ok(CodeTable::new(rows)?)
}

fn name(row: &Row) -> String {
    match (row.code, row.from) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(from)) => format!("from {from}"),
        (None, None) => "no code".to_owned(),
    }
}

fn read(row: &Row) -> Result<CodeRow, String> {
    let (from, to) = match (row.code, row.from, row.to) {
        (Some(code), None, None) => (code, code),
        (None, Some(from), Some(to)) => (from, to),
        _ => return Err("needs either `code`, or `from` and `to`".to_owned()),
    };
    let class = class("class", &row.class, row.bucket.as_deref())?;
    let async_class = row.async_class.as_deref().map(|word| self::class("async_class", word, row.bucket.as_deref()));
    let async_class = async_class.transpose()?;
    let throttles = [Some(class), async_class].into_iter().flatten().any(|class| class.bucket().is_some());
    if row.bucket.is_some() && !throttles {
        return Err("has a `bucket` and no `throttle`; remove the bucket or change the class".to_owned());
    }
    if !matches!(row.confidence.as_deref(), None | Some("O" | "T" | "M")) {
        return Err("`confidence` is none of O (official), T (third party), M (from memory)".to_owned());
    }
    Ok(CodeRow {
        from,
        to,
        subcode: row.subcode,
        class,
        async_class,
        retry_after_ms: row.retry_after.as_deref().map(milliseconds).transpose()?,
        meaning: row.meaning.clone(),
        action: row.action.clone(),
    })
}

fn class(key: &str, word: &str, bucket: Option<&str>) -> Result<FailureClass, String> {
    match (word, bucket) {
        ("throttle", Some(bucket)) => bucket.parse().map(FailureClass::Throttle).map_err(|e| format!("`bucket`: {e}")),
        ("throttle", None) => Err(format!("`{key}` is throttle and `bucket` is missing; say what is slowed down")),
        (word, _) => word
            .parse()
            .map_err(|_| format!("`{key}` is none of auth, throttle, retry, ambiguous, recipient, sender, request")),
    }
}

fn milliseconds(text: &str) -> Result<u64, String> {
    let wrong = || "`retry_after` is not a time; write it like 500ms, 60s, 10m or 24h".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)).ok_or_else(wrong)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::failure::Bucket;

    /// A small table for the tests of this room.
    pub(crate) const SMALL: &str = r#"
        [[code]]
        code = 131056
        class = "throttle"
        bucket = "pair"
        meaning = "Too many messages to one person."
        action = "Wait."
        confidence = "O"

        [[code]]
        from = 200
        to = 299
        class = "auth"
        meaning = "Permission."

        [[code]]
        code = 131000
        class = "ambiguous"
        async_class = "retry"
        meaning = "Something went wrong."

        [[code]]
        code = 131049
        class = "throttle"
        bucket = "user-marketing"
        retry_after = "24h"
        meaning = "Held back."

        [[code]]
        code = 100
        class = "request"
        meaning = "Bad parameter."

        [[code]]
        code = 100
        subcode = 33
        class = "sender"
        meaning = "No such object."
    "#;

    fn refused(text: &str) -> String {
        parse(text).expect_err("a mistake").to_string()
    }

    #[test]
    fn rows_become_classes() {
        let table = parse(SMALL).expect("a table");
        assert_eq!(table.len(), 6);
        assert_eq!(table.class(131_056, false), FailureClass::Throttle(Bucket::Pair));
        assert_eq!(table.class(250, false), FailureClass::Auth);
        assert_eq!(table.class(131_000, false), FailureClass::Ambiguous);
        assert_eq!(table.class(131_000, true), FailureClass::Retry);
        let held = table.verdict(131_049, None, true).expect("a row");
        assert_eq!(held.class, FailureClass::Throttle(Bucket::UserMarketing));
        assert_eq!(held.retry_after_ms, Some(24 * 3_600_000));
        assert_eq!(table.verdict(100, Some(33), false).map(|v| v.class), Some(FailureClass::Sender));
        assert_eq!(table.row(131_056, None).map(|row| row.action.as_str()), Some("Wait."));
    }

    #[test]
    fn every_mistake_is_named_with_its_row() {
        let said = refused(
            r#"
            [[code]]
            code = 1
            class = "throttle"
            meaning = ""
            [[code]]
            from = 5
            class = "auth"
            meaning = ""
            [[code]]
            code = 3
            class = "bad luck"
            meaning = ""
            [[code]]
            code = 4
            class = "retry"
            retry_after = "soon"
            meaning = ""
            [[code]]
            code = 6
            class = "retry"
            bucket = "app"
            meaning = ""
            "#,
        );
        for expected in [
            "number 1 (code 1): `class` is throttle and `bucket` is missing",
            "number 2 (from 5): needs either `code`, or `from` and `to`",
            "number 3 (code 3): `class` is none of auth",
            "number 4 (code 4): `retry_after` is not a time",
            "number 5 (code 6): has a `bucket` and no `throttle`",
        ] {
            assert!(said.contains(expected), "{expected} is missing in {said}");
        }
    }

    #[test]
    fn a_misspelt_key_and_a_double_code_are_refused() {
        assert!(refused("[[code]]\ncode = 1\nklass = \"auth\"\nmeaning = \"\"").contains("klass"));
        let twice = "[[code]]\ncode = 7\nclass = \"auth\"\nmeaning = \"\"\n".repeat(2);
        assert!(refused(&twice).contains("code 7 stands in two rows"));
    }

    #[test]
    fn times_have_units() {
        let cases = [("500ms", 500), ("60s", 60_000), ("10m", 600_000), ("72h", 259_200_000)];
        for (text, expected) in cases {
            assert_eq!(milliseconds(text), Ok(expected));
        }
        for wrong in ["", "60", "s", "-1s", "1d", "99999999999999999999s", "18446744073709551615h"] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }
}
