//! A body, cut into lines in constant memory.

use std::time::Duration;

use axum::body::{Body, Bytes};
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;

/// One line that is not blank, by its number from 1.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Its bytes, without the line break.
    Whole(u64, Bytes),
    /// It is longer than allowed, and was skipped.
    TooLong(u64),
    /// The body ended before its end, in or before this line.
    Broken(u64),
}

/// Lines of a body.
pub struct Lines {
    body: Body,
    buffer: BytesMut,
    /// No line break stands before this place of the buffer.
    searched: usize,
    number: u64,
    max: usize,
    idle: Duration,
    /// The rest of a line that is too long is being dropped.
    skipping: bool,
    ended: bool,
}

impl Lines {
    /// Lines of at most `max` bytes. A body that is silent for `idle` is broken off.
    pub fn new(body: Body, max: usize, idle: Duration) -> Self {
        Self { body, buffer: BytesMut::new(), searched: 0, number: 0, max, idle, skipping: false, ended: false }
    }

    /// The longest line.
    pub fn max(&self) -> usize {
        self.max
    }

    /// The next line that is not blank; `None` at the end. Cancel-safe: a dropped call has taken nothing.
    pub async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.cut() {
                return Some(line);
            }
            if self.ended {
                return None;
            }
            match tokio::time::timeout(self.idle, self.body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Ok(None) => self.ended = true,
                Ok(Some(Err(_))) | Err(_) => {
                    self.ended = true;
                    self.buffer.clear();
                    self.searched = 0;
                    self.number += 1;
                    return Some(Line::Broken(self.number));
                }
            }
        }
    }

    /// A line out of the buffer. At the end of the body the rest is a line too.
    fn cut(&mut self) -> Option<Line> {
        loop {
            let unseen = &self.buffer[self.searched..];
            let Some(at) = unseen.iter().position(|byte| *byte == b'\n') else {
                return self.cut_unfinished();
            };
            let line = self.buffer.split_to(self.searched + at).freeze();
            self.buffer.advance(1);
            self.searched = 0;
            self.number += 1;
            if std::mem::take(&mut self.skipping) || line.len() > self.max {
                return Some(Line::TooLong(self.number));
            }
            if let Some(line) = self.whole(line) {
                return Some(line);
            }
        }
    }

    fn cut_unfinished(&mut self) -> Option<Line> {
        self.searched = self.buffer.len();
        if self.skipping || self.buffer.len() > self.max {
            self.skipping = true;
            self.buffer.clear();
            self.searched = 0;
        }
        if !self.ended {
            return None;
        }
        let line = std::mem::take(&mut self.buffer).freeze();
        self.searched = 0;
        if std::mem::take(&mut self.skipping) {
            self.number += 1;
            return Some(Line::TooLong(self.number));
        }
        if line.is_empty() {
            return None;
        }
        self.number += 1;
        self.whole(line)
    }

    fn whole(&self, line: Bytes) -> Option<Line> {
        let blank = line.iter().all(u8::is_ascii_whitespace);
        (!blank).then_some(Line::Whole(self.number, line))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;

    use super::*;

    /// A body that comes in these pieces; an empty one is where it breaks.
    struct Pieces(VecDeque<&'static str>);

    impl hyper::body::Body for Pieces {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
            Poll::Ready(self.0.pop_front().map(|piece| match piece {
                "" => Err(std::io::ErrorKind::ConnectionReset.into()),
                text => Ok(Frame::data(Bytes::from(text))),
            }))
        }
    }

    async fn cut(pieces: &[&'static str]) -> Vec<Line> {
        let body = Body::new(Pieces(pieces.iter().copied().collect()));
        let mut lines = Lines::new(body, 5, Duration::from_secs(1));
        let mut found = Vec::new();
        while let Some(line) = lines.next().await {
            found.push(line);
        }
        found
    }

    fn whole(number: u64, text: &'static str) -> Line {
        Line::Whole(number, Bytes::from(text))
    }

    #[tokio::test]
    async fn lines_are_cut_wherever_the_pieces_end() {
        let expected = [whole(1, "a"), whole(3, "bcd"), whole(4, "e")];
        assert_eq!(cut(&["a\n\nbcd\ne"]).await, expected);
        assert_eq!(cut(&["a", "\n", "\nb", "c", "d\ne", "\n"]).await, expected);
        assert_eq!(cut(&["a\n", "  \r\n", "bcd\ne\n", " "]).await, expected);
        assert!(cut(&[]).await.is_empty());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_costs_no_memory_and_spoils_no_other() {
        let expected = [whole(1, "12345"), Line::TooLong(2), whole(3, "x")];
        assert_eq!(cut(&["12345\n123456\nx"]).await, expected);
        let pieces = ["12345\n1234", "56", "7890", "123\nx"];
        assert_eq!(cut(&pieces).await, expected);
        assert_eq!(cut(&["123456"]).await, [Line::TooLong(1)]);
        assert_eq!(cut(&["123", "456"]).await, [Line::TooLong(1)]);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_says_so_and_its_last_line_is_not_taken() {
        assert_eq!(cut(&["a\nbc", ""]).await, [whole(1, "a"), Line::Broken(2)]);
    }
}
