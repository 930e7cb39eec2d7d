//! The nearest name to one that is not known.

/// Names that differ by more edits than this are not suggested.
const MOST_EDITS: usize = 3;

/// The known name that was probably meant.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A caller may send a name of any length; the distance costs the product of both.
    if given.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(edits, name)| *edits <= MOST_EDITS && *edits < name.len())
        .min()
        .map(|(_, name)| name)
}

/// What to do about an unknown field or word, from what serde said of it: "unknown field `x`, expected one of `a`, `b`".
#[must_use]
pub fn suggestion(said: &str) -> Option<String> {
    if !said.contains("unknown field") && !said.contains("unknown variant") {
        return None;
    }
    // Every second piece stands between backticks; the first of them is what was given.
    let mut quoted = said.split('`').skip(1).step_by(2);
    let given = quoted.next()?;
    nearest(given, quoted).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["priority", "category", "expires_in"];
        assert_eq!(nearest("prioritty", known), Some("priority"));
        assert_eq!(nearest("expiresin", known), Some("expires_in"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(
            suggestion("unknown field `categry`, expected `priority` or `category`").as_deref(),
            Some("did you mean `category`?")
        );
        assert_eq!(suggestion("missing field `from`"), None);
    }
}
