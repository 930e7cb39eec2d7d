//! What events in an endpoint's mailbox change.

use super::super::event::Event;
use super::super::id::EndpointId;
use super::super::row::{EndpointRow, RowId, Rows};
use super::account::name;
use super::{Applied, At, Note};

fn endpoint_of(event: &Event) -> Option<EndpointId> {
    match event {
        Event::EndpointDeclared(facts) => Some(facts.endpoint),
        Event::DeliveriesSettled(facts) => Some(facts.endpoint),
        Event::EndpointDisabled(facts) => Some(facts.endpoint),
        Event::EndpointEnabled(facts) => Some(facts.endpoint),
        _ => None,
    }
}

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    wanted.extend(endpoint_of(event).map(RowId::Endpoint));
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    let Some(endpoint) = endpoint_of(event) else {
        return;
    };
    let before = rows.endpoint(endpoint).cloned();
    if before.as_ref().is_some_and(|row| row.through >= at.position) {
        return;
    }
    let mut row = match (event, before) {
        (Event::EndpointDeclared(facts), before) => {
            if before.as_ref().is_some_and(|row| !row.controls.is_new(at.header.id)) {
                return;
            }
            out.appends.push(name("endpoint", facts.tenant.0, &facts.name, endpoint.0));
            EndpointRow::declared(facts, at.position, before)
        }
        (_, None) => return,
        (Event::DeliveriesSettled(facts), Some(mut row)) => {
            row.settle(facts, at.header.at);
            row
        }
        (_, Some(mut row)) => {
            if !row.controls.is_new(at.header.id) {
                return;
            }
            match event {
                Event::EndpointDisabled(facts) => row.disabled = Some(facts.reason.clone()),
                _ => {
                    row.disabled = None;
                    row.failing_since = None;
                }
            }
            row
        }
    };
    // What was settled the endpoint's actor knows: it said so.
    if !matches!(event, Event::DeliveriesSettled(_)) {
        row.controls.remember(at.header.id);
        out.notes.push(Note::EndpointChanged(endpoint));
    }
    row.through = at.position;
    rows.put_endpoint(endpoint, row);
}
