//! Examples of events by which a message changes its sender.

use super::super::super::id::{EventId, MessageId, SessionId};
use super::super::super::record::Position;
use super::super::*;
use super::{AT, CONTACT, MESSAGE, SESSION};

pub(super) fn example(number: u16) -> Option<Event> {
    let leg = MessageId([0x5a; 16]);
    let Some(Event::MessageAccepted(accepted)) = super::example(48) else { return None };
    Some(match number {
        61 => MessageMovedOutV1 {
            session: SESSION,
            message: MESSAGE,
            number: 3,
            to: SessionId([0x5b; 16]),
            leg,
            person: Some(CONTACT),
            reason: Some("the number is given up".into()),
        }
        .into(),
        62 => MessageMovedInV1 {
            accepted: MessageAcceptedV1 { message: leg, ..accepted },
            origin: MESSAGE,
            from: MESSAGE,
            sender: SessionId([0x5b; 16]),
            number: 3,
            partition: 7,
            position: Position(70_000),
            event: EventId([0xaa; 16]),
            at: AT,
            depth: 1,
            round: None,
        }
        .into(),
        63 => MessageMovedBackV1 { message: MESSAGE, leg, number: 3 }.into(),
        _ => return None,
    })
}
