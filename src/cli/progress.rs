//! Progress: a bar at a terminal, a line every few seconds elsewhere, nothing with `--quiet` or `--json`.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use super::print::Printer;
use super::time::spent;
use crate::runtime::{Clock, SystemClock};

/// How often a bar is drawn.
const DRAWS_PER_SECOND: u8 = 10;
/// How often a line is written where there is no terminal: often enough to see that it lives, seldom enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how far something has come.
pub struct Progress<'p> {
    printer: &'p Printer,
    total: Option<u64>,
    kind: Kind,
    began: Duration,
}

enum Kind {
    Bar(ProgressBar),
    Lines(Mutex<Duration>),
    Silent,
}

impl<'p> Progress<'p> {
    /// Begins to show. Without a total there is no share and no estimate.
    #[must_use]
    pub fn new(printer: &'p Printer, total: Option<u64>) -> Self {
        let (style, began) = (printer.style(), SystemClock.steady());
        let kind = if style.quiet || style.json {
            Kind::Silent
        } else if style.live {
            Kind::Bar(bar(total))
        } else {
            Kind::Lines(Mutex::new(began))
        };
        Self { printer, total, kind, began }
    }

    /// It has come so far; `text` says what that means.
    pub fn at(&self, position: u64, text: &str) {
        match &self.kind {
            Kind::Bar(bar) => {
                bar.set_position(position);
                bar.set_message(text.to_owned());
            }
            Kind::Lines(last) => {
                let (now, mut last) = (SystemClock.steady(), last.lock());
                if now.saturating_sub(*last) >= LINE_EVERY {
                    *last = now;
                    self.printer.note(self.line(position, text));
                }
            }
            Kind::Silent => {}
        }
    }

    fn line(&self, position: u64, text: &str) -> String {
        let elapsed = spent(self.elapsed());
        match self.total {
            Some(total) if total > 0 => format!("{:>3} %  {text}  ({elapsed})", position.min(total) * 100 / total),
            _ => format!("{text}  ({elapsed})"),
        }
    }

    /// A remark in between, above the bar.
    pub fn note(&self, text: &str) {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(|| self.printer.note(text)),
            _ => self.printer.note(text),
        }
    }

    /// Time since it began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        SystemClock.steady().saturating_sub(self.began)
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    let bar = ProgressBar::with_draw_target(total, target);
    let template = match total {
        Some(_) => "{wide_msg}\n{bar:40} {percent:>3} %  {elapsed} (eta {eta})",
        None => "{spinner} {wide_msg}  {elapsed}",
    };
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━╌"));
    bar
}
