//! The code table: which class a provider's code belongs to. Data that is handed in; the default for what it does not
//! hold is fixed here.

use super::FailureClass;

/// One code, or a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// First code.
    pub from: i32,
    /// Last code; the same as `from` for a single code.
    pub to: i32,
    /// Only with this subcode. Such a row goes before the row of the code alone.
    pub subcode: Option<i32>,
    /// The class when it answers a send.
    pub class: FailureClass,
    /// The class when a callback brings it, where that differs: the provider then says that *this* id was not delivered.
    pub async_class: Option<FailureClass>,
    /// How long to wait before the next try, milliseconds, where the provider's documentation names a time.
    pub retry_after_ms: Option<u64>,
    /// What it means, for people.
    pub meaning: String,
    /// What to do about it, for people.
    pub action: String,
}

/// What the table says of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The class.
    pub class: FailureClass,
    /// A wait, milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// A table that says two things at once, or an impossible one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeTableError {
    /// `from` is after `to`.
    #[error("the range {from} to {to} is empty; write the smaller code first")]
    Empty {
        /// First code.
        from: i32,
        /// Last code.
        to: i32,
    },
    /// Two rows of the same width claim the same code.
    #[error("code {code} stands in two rows; keep one of them")]
    Twice {
        /// The code.
        code: i32,
    },
}

/// Codes and their classes. The narrowest row wins: code and subcode, code alone, then a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeTable {
    rows: Vec<CodeRow>,
}

impl CodeTable {
    /// A table of these rows.
    ///
    /// # Errors
    /// An empty range, or a code that two rows of the same kind claim.
    pub fn new(rows: Vec<CodeRow>) -> Result<Self, CodeTableError> {
        for (index, row) in rows.iter().enumerate() {
            if row.from > row.to {
                return Err(CodeTableError::Empty { from: row.from, to: row.to });
            }
            let twice = rows[..index].iter().find(|other| {
                other.subcode == row.subcode
                    && (other.from == other.to) == (row.from == row.to)
                    && other.from <= row.to
                    && row.from <= other.to
            });
            if let Some(other) = twice {
                return Err(CodeTableError::Twice { code: row.from.max(other.from) });
            }
        }
        Ok(Self { rows })
    }

    /// The row for a code, for people and for [`Self::verdict`].
    #[must_use]
    pub fn row(&self, code: i32, subcode: Option<i32>) -> Option<&CodeRow> {
        let of = |row: &&CodeRow| row.from <= code && code <= row.to;
        let narrow = |row: &&CodeRow| (row.subcode.is_none(), row.from != row.to);
        self.rows.iter().filter(of).filter(|row| row.subcode.is_none() || row.subcode == subcode).min_by_key(narrow)
    }

    /// What is known of a code; `None` for a code without a row.
    #[must_use]
    pub fn verdict(&self, code: i32, subcode: Option<i32>, asynchronous: bool) -> Option<Verdict> {
        let row = self.row(code, subcode)?;
        let class = if asynchronous { row.async_class.unwrap_or(row.class) } else { row.class };
        Some(Verdict { class: settled(class, asynchronous), retry_after_ms: row.retry_after_ms })
    }

    /// The class of a code, known or not.
    ///
    /// A code without a row is `Request`, in both directions: an error with a code never comes with a message id (Meta,
    /// "Error codes"), so nothing was sent, and an unread refusal must reach people rather than be repeated. What a 5xx
    /// with an unknown code means is decided in [`super::classify`], which sees the status.
    #[must_use]
    pub fn class(&self, code: i32, asynchronous: bool) -> FailureClass {
        self.verdict(code, None, asynchronous).map_or(FailureClass::Request, |verdict| verdict.class)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A callback that says `failed` is definite: that id was not delivered. So nothing is ambiguous there, and what would
/// be is worth another try.
fn settled(class: FailureClass, asynchronous: bool) -> FailureClass {
    match class {
        FailureClass::Ambiguous if asynchronous => FailureClass::Retry,
        class => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: i32, to: i32, subcode: Option<i32>, class: FailureClass) -> CodeRow {
        CodeRow {
            from,
            to,
            subcode,
            class,
            async_class: None,
            retry_after_ms: None,
            meaning: String::new(),
            action: String::new(),
        }
    }

    #[test]
    fn the_narrowest_row_wins() {
        let table = CodeTable::new(vec![
            row(200, 299, None, FailureClass::Auth),
            row(250, 250, None, FailureClass::Sender),
            row(250, 250, Some(33), FailureClass::Request),
        ])
        .expect("no row says what another says");
        assert_eq!(table.class(200, false), FailureClass::Auth);
        assert_eq!(table.class(299, false), FailureClass::Auth);
        assert_eq!(table.class(250, false), FailureClass::Sender);
        let narrow = table.verdict(250, Some(33), false).expect("a row");
        assert_eq!(narrow.class, FailureClass::Request);
        assert_eq!(table.verdict(250, Some(34), false).map(|v| v.class), Some(FailureClass::Sender));
        assert_eq!(table.verdict(300, None, false), None);
    }

    #[test]
    fn an_unknown_code_is_shown_to_people_and_not_repeated() {
        let table = CodeTable::default();
        assert_eq!(table.class(999_999, false), FailureClass::Request);
        assert_eq!(table.class(999_999, true), FailureClass::Request);
    }

    #[test]
    fn nothing_is_ambiguous_in_a_callback() {
        let mut both = row(131_000, 131_000, None, FailureClass::Ambiguous);
        let table = CodeTable::new(vec![both.clone()]).expect("one row");
        assert_eq!(table.class(131_000, false), FailureClass::Ambiguous);
        assert_eq!(table.class(131_000, true), FailureClass::Retry);
        both.async_class = Some(FailureClass::Recipient);
        let table = CodeTable::new(vec![both]).expect("one row");
        assert_eq!(table.class(131_000, true), FailureClass::Recipient);
    }

    #[test]
    fn a_table_that_says_two_things_is_refused() {
        let twice = CodeTable::new(vec![row(4, 4, None, FailureClass::Auth), row(4, 4, None, FailureClass::Retry)]);
        assert_eq!(twice, Err(CodeTableError::Twice { code: 4 }));
        let ranges = CodeTable::new(vec![row(1, 9, None, FailureClass::Auth), row(5, 12, None, FailureClass::Retry)]);
        assert_eq!(ranges, Err(CodeTableError::Twice { code: 5 }));
        let empty = CodeTable::new(vec![row(9, 1, None, FailureClass::Auth)]);
        assert_eq!(empty, Err(CodeTableError::Empty { from: 9, to: 1 }));
    }
}
