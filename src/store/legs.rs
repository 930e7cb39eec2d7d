//! Finding a message where it is: what the customer knows by one id may have been handed on to another sender's mailbox, and
//! all that became of it there is recorded there.

use crate::domain::id::MessageId;
use crate::domain::message::MAX_DEPTH;
use crate::domain::row::{MessageRow, Row, RowId};

use super::error::StoreError;
use super::rows;
use super::seam::Store;

/// Reads from the mailbox of the acceptance to where a message is: each word moves it on by one, and a pool hands it on after
/// each.
const MOST: usize = 2 * MAX_DEPTH as usize + 2;

/// The row of a message where it is now, and what it is called there. One that is on its way is where it left; one of whose
/// legs turns out to have been sent is that.
///
/// # Errors
/// When the store cannot be read.
pub async fn follow(
    store: &dyn Store,
    message: MessageId,
    row: Box<MessageRow>,
) -> Result<(MessageId, Box<MessageRow>), StoreError> {
    let (mut id, mut row) = (message, row);
    for _ in 0..MOST {
        for leg in &row.legs {
            if let Some(past) = read(store, *leg).await?.filter(|past| past.sent.is_some()) {
                return Ok((*leg, past));
            }
        }
        let Some(moved) = row.moved.filter(|_| row.sent.is_none()) else {
            break;
        };
        let there = read(store, moved.leg).await?;
        // It comes back from there, or has not come yet.
        let Some(there) = there.filter(|there| there.moved.is_none_or(|back| back.leg != id) || there.sent.is_some())
        else {
            break;
        };
        (id, row) = (moved.leg, there);
    }
    Ok((id, row))
}

async fn read(store: &dyn Store, message: MessageId) -> Result<Option<Box<MessageRow>>, StoreError> {
    let found = rows::get(store, &RowId::Message(message)).await?;
    Ok(found.and_then(|row| if let Row::Message(row) = row { Some(row) } else { None }))
}
