//! The record of every send request, written before it is answered: in memory, bounded, and as JSON lines if asked for.

use crate::lines::{LineWriter, LinesError};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;

use super::limits::lock;

/// One send request as it was received, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The number of the request since the start, from 1; the order of arrival.
    pub n: u64,
    /// When it was decided on, microseconds since the epoch.
    pub at_us: u64,
    /// The id in the path.
    pub phone_number_id: String,
    /// The recipient: digits, or an id; as written if it was no valid one.
    pub to: String,
    /// The load generator's mark, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// `biz_opaque_callback_data`, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// `text`, `template`, `read` (for a mark-read call), ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The message id, if the message was accepted (whether or not the caller learns it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wamid: Option<String>,
    /// Meta's code, if it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<u32>,
    /// The fault it met, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// The texts of one record in one allocation: two million records should not be fourteen million allocations.
struct Packed {
    n: u64,
    at_us: u64,
    error: Option<u32>,
    /// Length of each field plus one; 0 for a field that is not there.
    lengths: [u16; 7],
    text: Box<str>,
}

fn pack(record: &Recorded) -> Packed {
    let fields = [
        Some(record.phone_number_id.as_str()),
        Some(record.to.as_str()),
        record.marker.as_deref(),
        record.token.as_deref(),
        Some(record.kind.as_str()),
        record.wamid.as_deref(),
        record.fault.as_deref(),
    ];
    let mut text = String::with_capacity(fields.iter().flatten().map(|f| f.len()).sum());
    let lengths = fields.map(|field| {
        let Some(field) = field else { return 0 };
        // Fields are bounded by Meta's own limits; a longer one (a caller's nonsense as recipient) is cut.
        let field = &field[..field.floor_char_boundary(60_000)];
        text.push_str(field);
        u16::try_from(field.len() + 1).unwrap_or(u16::MAX)
    });
    Packed { n: record.n, at_us: record.at_us, error: record.error, lengths, text: text.into_boxed_str() }
}

fn unpack(packed: &Packed) -> Recorded {
    let mut rest = &*packed.text;
    let mut next = packed.lengths.iter().map(|length| {
        let (field, tail) = rest.split_at(usize::from(length.checked_sub(1)?));
        rest = tail;
        Some(field.to_owned())
    });
    let mut field = || next.next().flatten();
    Recorded {
        n: packed.n,
        at_us: packed.at_us,
        phone_number_id: field().unwrap_or_default(),
        to: field().unwrap_or_default(),
        marker: field(),
        token: field(),
        kind: field().unwrap_or_default(),
        wamid: field(),
        fault: field(),
        error: packed.error,
    }
}

struct Inner {
    kept: VecDeque<Packed>,
    dropped: u64,
    file: Option<LineWriter>,
    file_error: Option<String>,
}

/// The journal of requests.
pub(super) struct Journal {
    capacity: usize,
    inner: Mutex<Inner>,
}

impl Journal {
    pub(super) fn open(capacity: usize, path: Option<&Path>) -> Result<Self, LinesError> {
        let file = path.map(LineWriter::open).transpose()?;
        let inner = Inner { kept: VecDeque::new(), dropped: 0, file, file_error: None };
        Ok(Self { capacity, inner: Mutex::new(inner) })
    }

    /// Writes one record down. A file that fails is named in the stats; the request is answered all the same.
    pub(super) fn record(&self, record: &Recorded) {
        let packed = pack(record);
        let mut inner = lock(&self.inner);
        if let Some(Err(failed)) = inner.file.as_mut().map(|file| file.push(record)) {
            inner.file_error.get_or_insert(failed.to_string());
        }
        if self.capacity == 0 {
            inner.dropped += 1;
            return;
        }
        if inner.kept.len() >= self.capacity {
            inner.kept.pop_front();
            inner.dropped += 1;
        }
        inner.kept.push_back(packed);
    }

    /// Hands the file to the operating system.
    pub(super) fn flush(&self) {
        let mut inner = lock(&self.inner);
        if let Some(Err(failed)) = inner.file.as_mut().map(LineWriter::flush) {
            inner.file_error.get_or_insert(failed.to_string());
        }
    }

    /// The records kept, in the order they were written, leaving out the first `skip` of this process's life.
    ///
    /// `skip` counts records, not request numbers: requests under way at once may be written in another order than they came.
    pub(super) fn after(&self, skip: u64, limit: usize) -> Vec<Recorded> {
        let inner = lock(&self.inner);
        let from = usize::try_from(skip.saturating_sub(inner.dropped)).unwrap_or(usize::MAX);
        inner.kept.iter().skip(from).take(limit).map(unpack).collect()
    }

    /// Records written, records dropped for want of room, and what went wrong with the file.
    pub(super) fn state(&self) -> (u64, u64, Option<String>) {
        let inner = lock(&self.inner);
        (inner.dropped + inner.kept.len() as u64, inner.dropped, inner.file_error.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, Recorded};

    fn record(n: u64) -> Recorded {
        Recorded {
            n,
            at_us: n * 10,
            phone_number_id: "900".into(),
            to: "49151é".into(),
            marker: n.is_multiple_of(2).then(|| format!("wbm-{n}")),
            token: Some(String::new()),
            kind: "text".into(),
            wamid: Some("wamid.X".into()),
            error: None,
            fault: None,
        }
    }

    #[test]
    fn records_come_back_as_they_were_and_the_oldest_go_first() {
        let journal = Journal::open(3, None).expect("open");
        for n in 1..=5 {
            journal.record(&record(n));
        }
        assert_eq!(journal.state().1, 2);
        assert_eq!(journal.after(0, 10), [record(3), record(4), record(5)]);
        assert_eq!(journal.after(4, 10), [record(5)]);
        assert_eq!(journal.after(0, 1), [record(3)]);
        assert!(journal.after(9, 10).is_empty());
    }
}
