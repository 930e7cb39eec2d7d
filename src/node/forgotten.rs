//! Whom the journal says to be erased is erased in this vault too, also when an older copy of it was put back.
//!
//! A backup of the vault holds the keys of people who were erased since. How far the vault had seen the journal when it was
//! copied stands in its marks, so what has to be destroyed again stands behind them: nothing in an ordinary start, where the
//! marks are a second old. Until it is done the marks are not raised, so that whoever is cut short begins again.

use std::time::Duration;

use crate::domain::event::{ContactErasedV1, Event};
use crate::domain::id::TenantId;
use crate::domain::record::Position;
use crate::journal::{Journal, JournalError};
use crate::vault::{Vault, VaultError};

/// The wait between two tries.
const AGAIN: Duration = Duration::from_secs(5);

/// What does not answer.
#[derive(Debug, thiserror::Error)]
pub enum NotLooked {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Destroys again what has to be, however often it has to be tried. `marks` are those of the vault as it was opened.
pub async fn forget_again(journal: &dyn Journal, vault: &dyn Vault, marks: Vec<(u16, Position)>) {
    for (partition, mark) in marks {
        loop {
            match forget_behind(journal, vault, (partition, mark)).await {
                Ok(0) => break,
                Ok(again) => {
                    tracing::warn!(
                        partition,
                        again,
                        "an older vault was put back: people who were erased since are erased again"
                    );
                    break;
                }
                Err(error) => {
                    tracing::warn!(partition, %error, "whom the vault has to forget is not known yet; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}

/// Destroys again whoever was erased behind a mark. Says how many were there.
async fn forget_behind(
    journal: &dyn Journal,
    vault: &dyn Vault,
    (partition, mark): (u16, Position),
) -> Result<usize, NotLooked> {
    let end = journal.fresh_end(partition).await?;
    let mut tail = journal.tail(partition, mark.next());
    let mut again = 0;
    while tail.position() < end {
        for entry in tail.next().await? {
            // What does not decode was set aside, or is of a newer version's making: neither is an erasure that was done here.
            if let (Ok(Event::ContactErased(facts)), Some(tenant)) = (entry.record.event(), entry.record.header.tenant)
            {
                again += usize::from(destroy(vault, tenant, &facts).await?);
            }
        }
    }
    Ok(again)
}

/// Says whether there was something to destroy.
async fn destroy(vault: &dyn Vault, tenant: TenantId, facts: &ContactErasedV1) -> Result<bool, NotLooked> {
    match vault.aliases(tenant, facts.contact).await {
        Err(VaultError::Erased { .. } | VaultError::Unknown { .. }) => return Ok(false),
        Err(error @ VaultError::Damaged { .. }) => tracing::warn!(%error, "destroyed all the same"),
        other => drop(other?),
    }
    vault.destroy(tenant, facts.contact, facts.opt_out_kept).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
