//! How far behind an endpoint is: which feeds hold something it was not told.

use serde_json::{Value, json};

use super::super::problem::Problem;
use super::super::state::App;
use crate::domain::row::EndpointRow;
use crate::store::rows;

/// Rows looked at in one feed beyond the cursor. Enough to say "behind"; the exact number would cost reading them all.
const LOOK: usize = 100;

/// For each feed that is behind: its partition, the cursor, and how many notifications wait (`at_least` when there are
/// more than were counted).
///
/// # Errors
/// When the store cannot be read.
pub async fn lag(app: &App, row: &EndpointRow) -> Result<Value, Problem> {
    let (mut waiting, mut more, mut behind) = (0, false, Vec::new());
    for partition in 0..app.partitions {
        let Some(through) = app.store.applied(partition).await? else {
            continue;
        };
        let cursor = row.cursors.iter().find(|c| c.partition == partition);
        let after = cursor.map(|cursor| cursor.position);
        if after >= Some(through) {
            continue;
        }
        let feed = rows::feed(&*app.store, row.tenant, partition, after, through, LOOK).await?;
        let wanted = feed
            .iter()
            .filter(|(_, told)| told.kind.wanted(&row.events))
            .filter(|(_, told)| row.since.is_none_or(|since| told.at >= since))
            .count();
        more |= feed.len() + 1 >= LOOK;
        if wanted > 0 {
            waiting += wanted;
            behind.push(json!({
                "partition": partition,
                "cursor": after.map(|position| position.0),
                "waiting": wanted,
            }));
        }
    }
    Ok(json!({"waiting": waiting, "at_least": more, "feeds": behind}))
}
