//! What is stopped, as a tenure begins: read anew from the rows of whatever may still leave from here.
//!
//! A call of an earlier life of this partition may wait in this process for its place, while its session was suspended, here or
//! by another owner. A stop is therefore taken back by its row alone, and none is missing that a row has.

use super::actor::State;
use crate::domain::id::SessionId;
use crate::domain::row::{Row, RowId};
use crate::store::{MAX_SCAN, StoreError, rows as stored};

impl State {
    /// Says of each session whether it is suspended, before anything of an earlier life may leave. One without a row stays as
    /// it is: nothing says otherwise.
    pub(super) async fn learn_stops(&self) -> Result<(), StoreError> {
        let (registry, count) = (&self.hands.registry, self.hands.journal.genesis().count);
        let mut sessions = registry.stops.suspended_in(self.number, count);
        sessions.extend(registry.under_way_in(self.number, count));
        // Rows at hand are as new as what is applied; the others are read together, as each alone would wait for its way.
        let (known, missing): (Vec<SessionId>, Vec<SessionId>) =
            sessions.into_iter().partition(|session| self.rows.knows(&RowId::Session(*session)));
        for session in known {
            if let Some(row) = self.rows.session(session) {
                registry.stops.set_suspended(session, row.suspended.is_some());
            }
        }
        for some in missing.chunks(MAX_SCAN) {
            let ids: Vec<RowId> = some.iter().copied().map(RowId::Session).collect();
            let found = stored::get_many(self.store.as_ref(), &ids).await?;
            for (session, row) in some.iter().zip(found) {
                if let Some(Row::Session(row)) = row {
                    registry.stops.set_suspended(*session, row.suspended.is_some());
                }
            }
        }
        Ok(())
    }
}
