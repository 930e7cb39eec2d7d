//! What a campaign's own events change. Each step of it is a word on its gate as well, which the tenant's actor spreads like
//! those on operators' gates: one event, so that neither ever stands without the other.

use super::super::event::{CampaignDeclaredV1, CampaignMovedV1, Event};
use super::super::id::{CampaignId, TenantId};
use super::super::row::{Asked, CampaignRow, RowId, Rows};
use super::account::name;
use super::{Applied, At, Note};

pub(super) fn needs(at: At<'_>, event: &Event, wanted: &mut Vec<RowId>) {
    let campaign = match event {
        Event::CampaignDeclared(facts) => facts.campaign,
        Event::CampaignMoved(facts) => facts.campaign,
        _ => return,
    };
    wanted.push(RowId::Campaign(campaign));
    if let Some(tenant) = at.header.tenant {
        wanted.extend([RowId::Campaigns(tenant), RowId::Asks(tenant)]);
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    let Some(tenant) = at.header.tenant else {
        return;
    };
    match event {
        Event::CampaignDeclared(facts) => declared(at, tenant, facts, rows, out),
        Event::CampaignMoved(facts) => moved(at, tenant, facts, rows, out),
        _ => {}
    }
}

/// The first declaration of a name holds; one too many is none.
fn declared(at: At<'_>, tenant: TenantId, facts: &CampaignDeclaredV1, rows: &mut Rows, out: &mut Applied) {
    let full = rows.campaigns(tenant).is_some_and(|row| !row.has_room());
    if rows.campaign(facts.campaign).is_some() || full {
        return;
    }
    let row = CampaignRow::declared(facts, tenant, at.header.at);
    out.appends.push(name("campaign", tenant.0, &facts.name, facts.campaign.0));
    put(tenant, facts.campaign, row, rows, out);
}

fn moved(at: At<'_>, tenant: TenantId, facts: &CampaignMovedV1, rows: &mut Rows, out: &mut Applied) {
    let known = rows.campaign(facts.campaign).filter(|row| row.tenant == tenant);
    let Some(mut row) = known.filter(|row| row.controls.is_new(at.header.id)).cloned() else {
        return;
    };
    let asked = Asked::at(at.header, at.position, row.gate(facts.campaign), true, &facts.reason);
    let Some(asked) = row.step(facts, asked) else {
        return;
    };
    row.controls.remember(at.header.id);
    let mut asks = rows.asks(tenant).cloned().unwrap_or_default();
    asks.take(asked);
    rows.put_asks(tenant, asks);
    out.notes.push(Note::GatesAsked(tenant));
    put(tenant, facts.campaign, row, rows, out);
}

fn put(tenant: TenantId, campaign: CampaignId, row: CampaignRow, rows: &mut Rows, out: &mut Applied) {
    let mut live = rows.campaigns(tenant).cloned().unwrap_or_default();
    live.follow(campaign, &row);
    rows.put_campaigns(tenant, live);
    rows.put_campaign(campaign, row);
    out.notes.push(Note::CampaignsChanged(tenant));
}

#[cfg(test)]
mod tests {
    use super::super::super::campaign::CampaignState;
    use super::super::super::draft::Draft;
    use super::super::super::event::{CampaignStep, Category, Priority};
    use super::super::super::gate::MAX_CAMPAIGNS_OF_TENANT;
    use super::super::super::id::{EventId, SessionId};
    use super::super::super::record::{Position, Principal};
    use super::super::{apply as apply_one, needs as needs_of};
    use super::*;

    const ACME: TenantId = TenantId([1; 16]);

    fn id(n: u8) -> CampaignId {
        CampaignId([n; 16])
    }

    fn declaration(n: u8) -> Event {
        CampaignDeclaredV1 {
            campaign: id(n),
            name: format!("c{n}"),
            session: SessionId([2; 16]),
            from: "shop".to_owned(),
            template: "sale".to_owned(),
            language: "de".to_owned(),
            category: Category::Marketing,
            priority: Priority::Bulk,
            expires_at: None,
            start_at: None,
        }
        .into()
    }

    /// Applies an event of this id at this place.
    fn happens(rows: &mut Rows, tenant: TenantId, (number, place): (u8, u64), event: &Event) {
        let draft = Draft::new(EventId([number; 16]), tenant, event, Principal::Operator, 7).tenant(tenant);
        let record = draft.record().expect("small");
        let at = At { partition: 0, position: Position(place), header: &record.header };
        for id in needs_of(at, event, rows) {
            rows.load(id, None);
        }
        apply_one(at, event, rows).expect("known");
    }

    fn step(n: u8, step: CampaignStep) -> Event {
        CampaignMovedV1 { campaign: id(n), step, reason: "why".to_owned(), follows: None }.into()
    }

    #[test]
    fn a_step_moves_the_campaign_and_asks_of_its_gate_once() {
        let mut rows = Rows::default();
        happens(&mut rows, ACME, (1, 1), &declaration(1));
        happens(&mut rows, ACME, (2, 2), &step(1, CampaignStep::Pause));
        assert_eq!(rows.campaign(id(1)).map(|row| row.state), Some(CampaignState::Draft), "nothing to pause");
        assert!(rows.asks(ACME).is_none_or(|row| row.asks.is_empty()));
        let place = |rows: &Rows| rows.asks(ACME).map(|row| row.asks.iter().map(|asked| asked.position.0).collect());
        happens(&mut rows, ACME, (3, 3), &step(1, CampaignStep::Start));
        happens(&mut rows, ACME, (4, 4), &step(1, CampaignStep::Pause));
        happens(&mut rows, ACME, (3, 5), &step(1, CampaignStep::Start));
        assert_eq!(rows.campaign(id(1)).map(|row| row.state), Some(CampaignState::Paused), "a late copy");
        assert_eq!(place(&rows), Some(vec![4]));
        happens(&mut rows, TenantId([9; 16]), (5, 6), &step(1, CampaignStep::Resume));
        assert_eq!(rows.campaign(id(1)).map(|row| row.state), Some(CampaignState::Paused), "somebody else's");
        happens(&mut rows, ACME, (6, 7), &step(1, CampaignStep::Cancel));
        let asked = rows.asks(ACME).and_then(|row| row.asks.first().cloned()).expect("asked for");
        assert!(asked.closed && asked.over && !asked.effective);
        assert!(rows.campaigns(ACME).is_some_and(|row| row.live.is_empty()));
    }

    #[test]
    fn a_step_that_was_judged_after_another_one_than_the_last_is_none() {
        let mut rows = Rows::default();
        happens(&mut rows, ACME, (1, 1), &declaration(1));
        let steps = [CampaignStep::Start, CampaignStep::Pause, CampaignStep::Resume];
        for (n, what) in (2..).zip(steps) {
            happens(&mut rows, ACME, (n, u64::from(n)), &step(1, what));
        }
        let finish = |follows| {
            let (step, reason) = (CampaignStep::Finish, "nothing is left".to_owned());
            CampaignMovedV1 { campaign: id(1), step, reason, follows: Some(Position(follows)) }.into()
        };
        let state = |rows: &Rows| rows.campaign(id(1)).map(|row| row.state);
        happens(&mut rows, ACME, (5, 5), &finish(2));
        assert_eq!(state(&rows), Some(CampaignState::Running), "lines may have come while it was paused");
        happens(&mut rows, ACME, (6, 6), &finish(4));
        assert_eq!(state(&rows), Some(CampaignState::Finished));
    }

    #[test]
    fn a_name_is_declared_once_and_the_tenant_has_so_many() {
        let mut rows = Rows::default();
        for n in 0..=MAX_CAMPAIGNS_OF_TENANT as u8 {
            happens(&mut rows, ACME, (n, u64::from(n) + 1), &declaration(n));
        }
        assert_eq!(rows.campaigns(ACME).map(|row| row.live.len()), Some(MAX_CAMPAIGNS_OF_TENANT));
        assert_eq!(rows.campaign(id(MAX_CAMPAIGNS_OF_TENANT as u8)), None);
        happens(&mut rows, ACME, (200, 200), &step(0, CampaignStep::Cancel));
        happens(&mut rows, ACME, (201, 201), &declaration(0));
        assert_eq!(rows.campaign(id(0)).map(|row| row.state), Some(CampaignState::Cancelled), "for ever");
        happens(&mut rows, ACME, (202, 202), &declaration(MAX_CAMPAIGNS_OF_TENANT as u8));
        assert!(rows.campaign(id(MAX_CAMPAIGNS_OF_TENANT as u8)).is_some(), "a place is free");
    }
}
