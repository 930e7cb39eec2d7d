//! How far the demo has come: what the customers' endpoints were told, drawn until every message is accounted for.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use waybill_loadtest::sink::Notified;

use super::handover::Book;
use super::stage::Stage;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::time::thousands;
use crate::runtime::{Clock, SystemClock};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Notifications read at one look.
const PAGE: usize = 100_000;
/// When every message is accounted for, read receipts are waited for until nothing has come for so long: of a message
/// that was sent twice Meta reports two, and an endpoint is told of one.
const CALM: Duration = Duration::from_secs(5);
/// Without any change for so long nothing more is expected: longer than every deadline of the demo's settings. The
/// ledger then says what is missing.
const PATIENCE: Duration = Duration::from_secs(75);

/// What the endpoints were told of one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) sent: bool,
    pub(super) delivered: bool,
    pub(super) read: bool,
    pub(super) failed: bool,
    pub(super) unknown: bool,
}

impl Told {
    /// Takes one notification.
    pub(super) fn hear(&mut self, kind: &str) {
        match kind {
            "message.sent" => self.sent = true,
            "message.delivered" => self.delivered = true,
            "message.read" => (self.delivered, self.read) = (true, true),
            "message.failed" | "message.expired" | "message.cancelled" => self.failed = true,
            "message.unknown" => self.unknown = true,
            _ => {}
        }
    }

    /// Delivered or failed: accounted for.
    pub(super) fn is_settled(self) -> bool {
        self.delivered || self.failed
    }
}

/// What was told of each message.
pub(super) fn fold<'n>(notices: impl IntoIterator<Item = &'n Notified>, told: &mut HashMap<String, Told>) {
    for notice in notices.into_iter().filter(|notice| !notice.message_id.is_empty()) {
        told.entry(notice.message_id.clone()).or_default().hear(&notice.kind);
    }
}

/// Watches the stage.
pub(super) struct Watch<'s> {
    stage: &'s Stage,
    progress: Progress<'s>,
    total: u64,
    told: Mutex<HashMap<String, Told>>,
}

impl<'s> Watch<'s> {
    /// Begins to watch for so many messages.
    pub(super) fn new(context: &'s Context, stage: &'s Stage, total: u64) -> Self {
        Self { stage, progress: Progress::new(&context.printer, Some(total)), total, told: Mutex::default() }
    }

    /// Time since it began.
    pub(super) fn elapsed(&self) -> Duration {
        self.progress.elapsed()
    }

    /// Returns when every accepted message was delivered or has failed and every read receipt was passed on, or when
    /// nothing has changed for too long.
    pub(super) async fn until_accounted(&self, book: &Book) -> Result<(), Failure> {
        let (mut skip, mut last, mut changed_at) = (0, (0, 0), SystemClock.steady());
        loop {
            let notices = self.stage.sink.events(skip, PAGE);
            skip += notices.len();
            fold(&notices, &mut self.told.lock());
            let accepted = book.accepted();
            let settled = self.draw(accepted, skip as u64);
            let now = SystemClock.steady();
            let calm = now.saturating_sub(changed_at) > CALM;
            if book.is_closed() && settled >= accepted && (self.is_read_out() || calm) {
                break;
            }
            if last != (accepted, skip) {
                (last, changed_at) = ((accepted, skip), now);
            } else if now.saturating_sub(changed_at) > PATIENCE {
                self.progress.note("Nothing has changed for 75 s: the ledger says what is missing.");
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        self.progress.end();
        Ok(())
    }

    /// Whether Meta's side has said everything and the endpoints have heard of every read receipt.
    fn is_read_out(&self) -> bool {
        let callbacks = self.stage.simulator.stats().callbacks;
        let read = self.told.lock().values().filter(|told| told.read).count() as u64;
        callbacks.pending == 0 && read >= callbacks.read
    }

    /// Draws how far it is; answers how many are accounted for.
    fn draw(&self, accepted: u64, notified: u64) -> u64 {
        let told = self.told.lock();
        let count = |is: fn(&Told) -> bool| told.values().filter(|told| is(told)).count() as u64;
        let settled = count(|told| told.is_settled());
        let text = format!(
            "accepted {} → sent {} → delivered {} → read {}   failed {}   notified {}",
            thousands(accepted),
            thousands(count(|told| told.sent || told.delivered)),
            thousands(count(|told| told.delivered)),
            thousands(count(|told| told.read)),
            thousands(count(|told| told.failed)),
            thousands(notified),
        );
        self.progress.at(settled.min(self.total), &text);
        settled
    }
}
