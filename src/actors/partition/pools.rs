//! Starting a pool: it lives where its mailbox does, from its first message on.

use std::sync::Arc;

use ractor::{ActorProcessingErr, ActorRef};

use super::actor::State;
use crate::actors::inbox::Nudge;
use crate::actors::pool::{Pool, PoolArgs};
use crate::domain::id::SessionId;
use crate::domain::row::SessionRow;

impl State {
    pub(super) async fn start_pool(
        &mut self,
        pool: SessionId,
        row: SessionRow,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        let low = self.lowest(pool).await?.unwrap_or_default();
        let mailbox = self.children.session_box(&self.hands, pool);
        mailbox.route();
        // What is at hand is not in the store yet: its commit nudges.
        self.pending.cold.insert(pool);
        let args = PoolArgs {
            pool,
            partition: self.number,
            row,
            low,
            mailbox,
            notices: Arc::clone(&self.notices),
            hands: self.hands.clone(),
        };
        match myself.spawn_linked(None, Pool, args).await {
            Ok((actor, _)) => self.children.born(pool.into(), actor),
            Err(error) => self.stillborn(pool.into(), &error.to_string()),
        }
        Ok(())
    }
}
