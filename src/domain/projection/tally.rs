//! Which counts an event may change: those of the days on which its messages were accepted, of their campaigns, and of what
//! waits.

use super::super::event::Event;
use super::super::row::{BacklogId, RowId, Rows, TallyId};
use super::At;

/// Asked once the messages' rows are loaded: the day stands in them.
pub(super) fn needs(at: At<'_>, event: &Event, rows: &Rows, wanted: &mut Vec<RowId>) {
    // An intent settles nothing, and comes once a message.
    if matches!(event, Event::AttemptsStarted(_)) {
        return;
    }
    let before = wanted.len();
    for place in 0..before {
        let RowId::Message(message) = wanted[place] else {
            continue;
        };
        let mut want = |id: RowId| {
            // A batch is of one day, but around midnight.
            if !wanted[before..].contains(&id) {
                wanted.push(id);
            }
        };
        if let (Event::MessageAccepted(_), Some(tenant)) = (event, at.header.tenant) {
            want(RowId::Tally(TallyId::at(tenant, message.partition(), at.header.at)));
            want(RowId::Backlog(BacklogId { tenant, partition: message.partition() }));
        }
        if let Event::MessageAccepted(facts) = event {
            facts.campaign.into_iter().for_each(|campaign| want(RowId::Progress(campaign)));
        }
        for accepted in rows.loaded_message(message).into_iter().flat_map(|row| row.accepted.iter().chain(&row.spare)) {
            want(RowId::Tally(TallyId::at(accepted.tenant, message.partition(), accepted.fact.at)));
            want(RowId::Backlog(BacklogId { tenant: accepted.tenant, partition: message.partition() }));
            accepted.campaign.into_iter().for_each(|campaign| want(RowId::Progress(campaign)));
        }
    }
}
