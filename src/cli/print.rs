//! The only place that writes to the terminal: results to standard output, remarks to standard error.
//!
//! A reader that has gone away (`waybill tail | head`) ends the command quietly instead of with a panic, which is why
//! nothing here uses the printing macros.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use parking_lot::Mutex;

use super::exit::Exit;
use super::failure::Failure;

/// What a word is, so that colour never is the only thing that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Came out well.
    Good,
    /// Came out badly.
    Bad,
    /// Wants attention.
    Warn,
    /// Less important.
    Faint,
    /// More important.
    Strong,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Warn => "33",
            Self::Faint => "2",
            Self::Strong => "1",
        }
    }
}

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// One JSON object a line, for programs.
    pub json: bool,
    /// No remarks on standard error.
    pub quiet: bool,
    /// Escape codes on standard output.
    pub color: bool,
    /// Whether standard error is a terminal, so that a line may be drawn over.
    pub live: bool,
}

/// Writes results and remarks.
pub struct Printer {
    style: Style,
    out: Mutex<Box<dyn Write + Send>>,
    notes: Mutex<Box<dyn Write + Send>>,
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer").field("style", &self.style).finish_non_exhaustive()
    }
}

impl Printer {
    /// A printer to the process's own streams.
    #[must_use]
    pub fn terminal(style: Style) -> Self {
        Self::new(style, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// A printer to any two streams.
    #[must_use]
    pub fn new(style: Style, out: Box<dyn Write + Send>, notes: Box<dyn Write + Send>) -> Self {
        Self { style, out: out.into(), notes: notes.into() }
    }

    /// How results are written.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// One line of the result.
    ///
    /// # Errors
    /// When standard output cannot be written to; silent when its reader has gone.
    pub fn line(&self, text: impl Display) -> Result<(), Failure> {
        let mut out = self.out.lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| broken(&error))
    }

    /// A remark beside the result. Left out with `--quiet`; a remark that cannot be written is nobody's failure.
    pub fn note(&self, text: impl Display) {
        if !self.style.quiet {
            let _ = writeln!(self.notes.lock(), "{text}");
        }
    }

    /// The last word of a command that failed. Said even with `--quiet`.
    pub fn failure(&self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        let text = if self.style.json { failure.to_json().to_string() } else { self.drawn(failure) };
        let _ = writeln!(self.notes.lock(), "{}", text.trim_end());
    }

    fn drawn(&self, failure: &Failure) -> String {
        let theme = match (self.style.live, self.style.color) {
            (true, true) => miette::GraphicalTheme::unicode(),
            (true, false) => miette::GraphicalTheme::unicode_nocolor(),
            (false, _) => miette::GraphicalTheme::none(),
        };
        let mut text = String::new();
        let handler = miette::GraphicalReportHandler::new_themed(theme).with_show_related_as_nested(true);
        match handler.render_report(&mut text, failure) {
            Ok(()) => text,
            Err(fmt::Error) => failure.to_string(),
        }
    }

    /// A word in its tone, if this printer uses colour.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if self.style.color { format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code()) } else { text.to_owned() }
    }
}

fn broken(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::said(Exit::Done);
    }
    Failure::new(Exit::Internal, format!("cannot write to standard output: {error}"))
}

/// Whether the process's standard output and standard error are terminals.
#[must_use]
pub fn terminals() -> (bool, bool) {
    (io::stdout().is_terminal(), io::stderr().is_terminal())
}
