//! Examples of events in the mailbox of the audit.

use super::super::super::record::Position;
use super::super::*;
use super::{AT, TENANT};

pub(super) fn example(number: u16) -> Option<Event> {
    Some(match number {
        112 => {
            let head = |tenant, size| HeadV1 { tenant, size, root: [0xab; 32] };
            let heads = vec![head(super::super::super::id::TenantId([0; 16]), 3), head(TENANT, 70_000)];
            HeadsReportedV1 {
                partition: 513,
                through: Position(70_000),
                part: 1,
                whole: true,
                since: AT,
                heads,
                era: 3,
            }
            .into()
        }
        113 => CheckpointSealedV1 { era: 1 }.into(),
        114 => {
            let (origin, size) = ("waybill/installation/1".to_owned(), 70_000);
            CheckpointSignedV1 { origin, size, root: [0xab; 32], key: [0xcd; 32], signature: [0xef; 64] }.into()
        }
        115 => CheckpointPublishedV1 { note: "a note\n".into(), size: 70_000, tenants: vec![TENANT], era: 3 }.into(),
        116 => LogBegunV1 { era: 1, reason: "put back from a backup".into() }.into(),
        117 => HeadsLostV1 { partition: 513, through: Position(70_000), found: Position(69_000) }.into(),
        _ => return None,
    })
}
