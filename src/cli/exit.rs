//! How the program ends: one number a script can act on, each with one meaning.

/// An exit code. The words in [`EXIT_CODES`] are what people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The work was done.
    Done = 0,
    /// The work was done, and the answer is bad.
    BadAnswer = 1,
    /// The command line, the settings or a declaration is wrong.
    Usage = 2,
    /// The server cannot be reached, or takes nothing at the moment.
    Unreachable = 3,
    /// The server refused the key.
    Refused = 4,
    /// The data folder cannot be used.
    DataFolder = 5,
    /// A defect of this program.
    Internal = 70,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Printed at the end of `waybill --help`, and by `waybill exit-codes`.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  The work was done.
   1  The work was done, and the answer is bad: messages were refused or failed, an object was
      not found, the ledger of the demo does not agree, or an export does not prove what it
      says.
   2  The command line, the settings or a declaration is wrong. Nothing was done.
   3  The server cannot be reached, or takes no requests at the moment. Try again later.
   4  The server refused the key: it is missing, unknown, or may not do this.
   5  The data folder cannot be used: another process holds it, it belongs to another
      installation, it is damaged, or the keys of its vault are missing.
  70  It could not go on: a disk or the journal failed, or waybill has a defect. The message says which.";
