//! Where a value was written: the file or variable, the line, the column.

use std::sync::Arc;

/// A place an operator can go to and change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Path of the file as given, or name of the environment variable.
    pub(super) origin: Arc<str>,
    /// From 1; None for the environment.
    pub(super) line: Option<usize>,
    /// From 1, in characters; None for the environment.
    pub(super) column: Option<usize>,
}

impl Place {
    /// The origin as a whole: an environment variable, or a file that could not be read.
    pub(super) fn whole(origin: &str) -> Self {
        Self { origin: origin.into(), line: None, column: None }
    }
}

/// Turns byte offsets of one text into places, in O(log lines) each.
pub(super) struct Lines<'t> {
    origin: Arc<str>,
    text: &'t str,
    /// Byte offset at which each line starts; the first is 0.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str, origin: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { origin: origin.into(), text, starts }
    }

    /// The place of a byte offset; an offset beyond the end is the end of the last line.
    pub(super) fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let column = self.text[start..offset].chars().count() + 1;
        Place { origin: self.origin.clone(), line: Some(line), column: Some(column) }
    }
}
