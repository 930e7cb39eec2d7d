//! Rows at hand while events are applied.

use std::collections::HashMap;

use super::super::gate::GatesRow;
use super::super::id::{ApiKeyId, BudgetId, CampaignId, EndpointId, KeyId, MessageId, SessionId, Tag, TenantId};
use super::backlog::waits_of;
use super::campaign::Part;
use super::tally::Share;
use super::{
    ApiKeyRow, AsksRow, BacklogId, BacklogRow, CampaignRow, CampaignsRow, ContactRow, EndpointRow, FailingRow,
    IdempotencyRow, InstanceRow, MessageRow, Moves, PartitionRow, PersonId, PersonRow, PortfolioRow, PrivacyRow,
    ProviderRow, ReportedRow, Row, RowId, SessionRow, StickyId, StickyRow, TallyId, TallyRow, TenantRow, TreeId,
    TreeRow,
};

/// Rows at hand while events are applied: a row is present, known to be absent, or not loaded yet.
#[derive(Debug, Default)]
pub struct Rows {
    slots: HashMap<RowId, Option<Row>>,
    changed: Vec<RowId>,
    moves: Moves,
    failing: Vec<(TenantId, FailingRow)>,
}

impl Rows {
    /// Whether this row was loaded (present or absent).
    #[must_use]
    pub fn knows(&self, id: &RowId) -> bool {
        self.slots.contains_key(id)
    }

    /// A message's row, if it was loaded and there is one.
    #[must_use]
    pub fn loaded_message(&self, id: MessageId) -> Option<&MessageRow> {
        match self.slots.get(&RowId::Message(id)) {
            Some(Some(Row::Message(row))) => Some(row),
            _ => None,
        }
    }

    /// Puts in what the store said.
    pub fn load(&mut self, id: RowId, row: Option<Row>) {
        self.slots.insert(id, row);
    }

    /// A loaded row.
    ///
    /// # Panics
    /// When it was not loaded: the caller forgot to ask [`super::projection::needs`] first.
    #[must_use]
    pub fn get(&self, id: &RowId) -> Option<&Row> {
        self.slots.get(id).unwrap_or_else(|| panic!("row {id:?} was not loaded")).as_ref()
    }

    /// Writes a row.
    pub fn put(&mut self, id: RowId, row: Row) {
        if let (RowId::Message(message), Row::Message(after)) = (id, &row) {
            let before = self.slots.get_mut(&id).and_then(Option::take);
            let before = match &before {
                Some(Row::Message(before)) => Some(before.as_ref()),
                _ => None,
            };
            self.note(message, before, after);
        }
        self.changed.push(id);
        self.slots.insert(id, Some(row));
    }

    /// What a message's row that is written over means for those that count and list.
    fn note(&mut self, message: MessageId, before: Option<&MessageRow>, after: &MessageRow) {
        self.moves.note(before, after);
        let trouble = after.trouble().filter(|now| before.and_then(MessageRow::trouble).as_ref() != Some(now));
        if let (Some(trouble), Some(accepted)) = (trouble, &after.accepted) {
            let tenant = accepted.tenant;
            self.failing.extend(FailingRow::of(message, after, &trouble).map(|row| (tenant, row)));
        }
        let (was, is) = (before.and_then(Part::of), Part::of(after));
        if was != is {
            self.progress(message.partition(), was, is);
        }
        let (was, is) = (before.and_then(waits_of), waits_of(after));
        if was != is {
            was.into_iter().for_each(|tenant| self.backlog(tenant, message).left());
            is.into_iter().for_each(|tenant| self.backlog(tenant, message).came());
        }
        let share = |row| Share::of(row, message.partition());
        let (was, is) = (before.and_then(share), share(after));
        if was == is {
            return;
        }
        match (was, is) {
            // By far the most: looked up once.
            (Some(was), Some(is)) if was.id == is.id => {
                let tally = self.tally(is.id);
                tally.take(&was);
                tally.add(&is);
            }
            (was, is) => {
                was.iter().for_each(|was| self.tally(was.id).take(was));
                is.iter().for_each(|is| self.tally(is.id).add(is));
            }
        }
    }

    /// A message of a campaign moved. An acceptance that takes the place of a withdrawn one may be of another.
    fn progress(&mut self, partition: u16, was: Option<Part>, is: Option<Part>) {
        let same = was.zip(is).is_none_or(|(was, is)| was.campaign == is.campaign);
        let moves = if same { [(was, is), (None, None)] } else { [(was, None), (None, is)] };
        for (was, is) in moves {
            let Some(campaign) = was.or(is).map(|part| part.campaign) else { continue };
            let id = RowId::Progress(campaign, partition);
            self.changed.push(id);
            let slot = self.slots.get_mut(&id).unwrap_or_else(|| panic!("row {id:?} was not loaded"));
            match slot.get_or_insert_with(|| Row::Progress(Box::default())) {
                Row::Progress(row) => row.moved(was.as_ref(), is.as_ref()),
                other => panic!("{other:?} stands in the place of {id:?}"),
            }
        }
    }

    /// A partition's gates, to be changed: they may be many, and change with each message that comes to wait.
    pub fn gates_mut(&mut self, partition: u16) -> &mut GatesRow {
        let id = RowId::Gates(partition);
        self.changed.push(id);
        let slot = self.slots.get_mut(&id).unwrap_or_else(|| panic!("row {id:?} was not loaded"));
        match slot.get_or_insert_with(|| Row::Gates(Box::default())) {
            Row::Gates(row) => row,
            other => panic!("{other:?} stands in the place of {id:?}"),
        }
    }

    /// A tree, to be appended to.
    pub fn tree_mut(&mut self, tree: TreeId) -> &mut TreeRow {
        let id = RowId::Tree(tree);
        self.changed.push(id);
        let slot = self.slots.get_mut(&id).unwrap_or_else(|| panic!("row {id:?} was not loaded"));
        match slot.get_or_insert_with(|| Row::Tree(Box::default())) {
            Row::Tree(row) => row,
            other => panic!("{other:?} stands in the place of {id:?}"),
        }
    }

    /// A count, to be changed. Nothing is allocated but for the first message of a day.
    fn tally(&mut self, id: TallyId) -> &mut TallyRow {
        let id = RowId::Tally(id);
        self.changed.push(id);
        let slot = self.slots.get_mut(&id).unwrap_or_else(|| panic!("row {id:?} was not loaded"));
        match slot.get_or_insert_with(|| Row::Tally(Box::default())) {
            Row::Tally(row) => row,
            other => panic!("{other:?} stands in the place of {id:?}"),
        }
    }

    /// How many of a tenant's messages wait beside this one, to be changed.
    fn backlog(&mut self, tenant: TenantId, message: MessageId) -> &mut BacklogRow {
        let id = RowId::Backlog(BacklogId { tenant, partition: message.partition() });
        self.changed.push(id);
        let slot = self.slots.get_mut(&id).unwrap_or_else(|| panic!("row {id:?} was not loaded"));
        match slot.get_or_insert(Row::Backlog(BacklogRow::default())) {
            Row::Backlog(row) => row,
            other => panic!("{other:?} stands in the place of {id:?}"),
        }
    }

    /// Which rows were written since the last call, each once.
    pub fn take_changed(&mut self) -> Vec<RowId> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// What the message rows that were written since the last call mean for the count of those that wait.
    pub fn take_moves(&mut self) -> Moves {
        std::mem::take(&mut self.moves)
    }

    /// Messages that came to fail, to expire or to be unknown since the last call, in that order.
    pub fn take_failing(&mut self) -> Vec<(TenantId, FailingRow)> {
        std::mem::take(&mut self.failing)
    }

    /// How many rows are at hand.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Gives room back that a large batch took, down to what so many rows need.
    pub fn shrink_to(&mut self, rows: usize) {
        // A map that is a little too large is about to be needed again.
        if self.slots.capacity() > 4 * rows {
            self.slots.shrink_to(rows);
        }
    }

    /// Forgets rows that `keep` does not want, to stay within a bound.
    pub fn retain(&mut self, mut keep: impl FnMut(&RowId, Option<&Row>) -> bool) {
        self.slots.retain(|id, row| keep(id, row.as_ref()));
    }
}

macro_rules! typed {
    ($($get:ident $put:ident $id:ty, $variant:ident, $row:ty, $wrap:expr;)*) => {
        impl Rows {
            $(
                /// The typed row, loaded before.
                #[must_use]
                pub fn $get(&self, id: $id) -> Option<&$row> {
                    match self.get(&RowId::$variant(id)) {
                        Some(Row::$variant(row)) => Some(row),
                        _ => None,
                    }
                }

                /// Writes the typed row.
                pub fn $put(&mut self, id: $id, row: $row) {
                    self.put(RowId::$variant(id), Row::$variant($wrap(row)));
                }
            )*
        }
    };
}

typed! {
    partition put_partition u16, Partition, PartitionRow, std::convert::identity;
    tenant put_tenant TenantId, Tenant, TenantRow, std::convert::identity;
    api_key put_api_key ApiKeyId, ApiKey, ApiKeyRow, std::convert::identity;
    session put_session SessionId, Session, SessionRow, std::convert::identity;
    endpoint put_endpoint EndpointId, Endpoint, EndpointRow, std::convert::identity;
    message put_message MessageId, Message, MessageRow, Box::new;
    contact put_contact KeyId, Contact, ContactRow, std::convert::identity;
    idempotency put_idempotency Tag, Idempotency, IdempotencyRow, std::convert::identity;
    provider put_provider Tag, Provider, ProviderRow, std::convert::identity;
    gates put_gates u16, Gates, GatesRow, Box::new;
    asks put_asks TenantId, Asks, AsksRow, Box::new;
    portfolio put_portfolio BudgetId, Portfolio, PortfolioRow, Box::new;
    person put_person PersonId, Person, PersonRow, std::convert::identity;
    sticky put_sticky StickyId, Sticky, StickyRow, std::convert::identity;
    campaign put_campaign CampaignId, Campaign, CampaignRow, Box::new;
    campaigns put_campaigns TenantId, Campaigns, CampaignsRow, Box::new;
    instance put_instance (), Instance, InstanceRow, Box::new;
    reported put_reported u16, Reported, ReportedRow, std::convert::identity;
    privacy put_privacy u16, Privacy, PrivacyRow, std::convert::identity;
}
