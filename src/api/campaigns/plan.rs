//! `POST /v1/campaigns/{name}/plan`: how what waits of a campaign would leave, were it to start or go on now.
//!
//! The waiting messages are read as rows: recipient, country, expiry. A country's zones stand for a recipient's, for
//! numbers are sealed. One plan at a time in a node: up to [`MOST`] messages are 36 MB, 60 with everybody in quiet hours,
//! 16 more for counting people. What is more than that is not planned, and counted as such.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::accept::own_gates;
use super::super::applied::must_catch_up;
use super::super::auth::Caller;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::stamp;
use super::{find, progress};
use crate::domain::consent::{Bar, Gates, Leaving, NO_OPT_IN, may_leave};
use crate::domain::content::Kind;
use crate::domain::event::Category;
use crate::domain::id::{CampaignId, KeyId, MessageId};
use crate::domain::message::State as Stage;
use crate::domain::pacing::pair;
use crate::domain::plan::{MOST, Person, Plan, Scene, plan as virtually};
use crate::domain::quiet::QuietHours;
use crate::domain::record::{Micros, Position};
use crate::domain::row::{CampaignRow, ContactRow, MessageRow, PacedRow, Row, RowId, SessionRow, TenantRow};
use crate::runtime::zone;
use crate::store::rows;

/// Rows that are read at once.
const PAGE: usize = 512;

/// A minute: so long a zone's hours are remembered.
const MINUTE: Micros = 60_000_000;

/// Plans a campaign.
pub async fn plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (campaign, row) = find(&app, &caller, &name).await?;
    if row.state.is_over() {
        return Err(Problem::new(Code::WrongState, format!("the campaign is {}", row.state.word()))
            .remedy("nothing of it is left to plan"));
    }
    let place = app.walks.take(None).map_err(|full| full.problem("long queues walked through"))?;
    must_catch_up(&app, app.partition_of(row.session)).await?;
    let (session, tenant) = things(&app, &row).await?;
    let mut reading = Reading {
        app: &app,
        campaign,
        row: &row,
        gates: own_gates(&app, &caller).await?,
        now: app.clock.wall(),
        found: Found::default(),
    };
    reading.read().await?;
    let (found, reading_at) = (reading.found, reading.now);
    let held = session.held.as_ref().map_or(0, |held| held.ends(reading_at));
    let start = row.start_at.filter(|_| row.started_at.is_none()).unwrap_or(0);
    let scene = scene(&app, &session, &tenant, app.clock.wall().max(held).max(start));
    let quiet = tenant.quiet_hours.filter(|_| row.category == Category::Marketing);
    let (people, countries) = (found.people, found.countries);
    let planned = people.len();
    // A second or so of computing: not on the threads that serve others.
    let work = tokio::task::spawn_blocking(move || virtually(scene, &people, hours(quiet, countries)));
    let plan = work.await.map_err(|_| Problem::new(Code::Internal, "the plan could not be made"))?;
    drop(place);
    let left = progress(&app, campaign, &row).await?.counts[0];
    let judged = planned as u64 + found.opted_out + found.no_opt_in;
    let mut said = view(&plan, scene.begins);
    said["name"] = json!(row.name);
    said["state"] = json!(row.state.word());
    said["messages"] = json!(judged);
    said["not_planned"] = json!(left.saturating_sub(judged));
    said["opted_out"] = json!(found.opted_out);
    said["no_opt_in"] = json!(found.no_opt_in);
    said["portfolio_people"] = json!(unique(found.outside));
    said["session_suspended"] = json!(session.suspended.is_some());
    Ok(Json(said))
}

fn view(plan: &Plan, begins: Micros) -> Value {
    let seconds = (plan.ends_at - begins) as f64 / 1e6;
    let binding: Vec<Value> = plan
        .binding
        .iter()
        .map(|one| json!({"limit": one.limit.word(), "from": stamp(one.from), "until": stamp(one.until)}))
        .collect();
    json!({
        "begins_at": stamp(begins),
        "ends_at": stamp(plan.ends_at),
        "seconds": (seconds * 10.0).round() / 10.0,
        "would_send": plan.sent,
        "would_expire": plan.expired,
        "quiet_held": plan.quiet_held,
        "pair_held": plan.pair_held,
        "binding": binding,
    })
}

async fn things(app: &App, row: &CampaignRow) -> Result<(SessionRow, TenantRow), Problem> {
    let ids = [RowId::Session(row.session), RowId::Tenant(row.tenant)];
    let mut found = rows::get_many(&*app.store, &ids).await?.into_iter();
    match (found.next().flatten(), found.next().flatten()) {
        (Some(Row::Session(session)), Some(Row::Tenant(tenant))) => Ok((session, tenant)),
        _ => Err(Problem::not_found("session")),
    }
}

/// The quotas by which the session's actor goes.
fn scene(app: &App, session: &SessionRow, tenant: &TenantRow, begins: Micros) -> Scene {
    let pacing = &app.settings.pacing;
    Scene {
        begins,
        number: session.quota(),
        paced: session.paced.as_ref().map(PacedRow::paced),
        pair: pair(pacing.pair_interval, pacing.pair_burst),
        tenant: tenant.quota(),
        rested: session.incarnation.is_none(),
    }
}

/// Until when a country is quiet, asked once a minute of virtual time.
fn hours(quiet: Option<QuietHours>, countries: Vec<Option<u16>>) -> impl FnMut(u16, Micros) -> Option<Micros> {
    let mut known: HashMap<u16, (Micros, Option<Micros>)> = HashMap::new();
    move |zone, now| {
        let quiet = quiet.as_ref()?;
        let minute = now.div_euclid(MINUTE);
        let (_, until) = known.get(&zone).copied().filter(|(asked, _)| *asked == minute).unwrap_or_else(|| {
            let country = countries.get(usize::from(zone)).copied().flatten();
            let to = country.map(|code| format!("+{code}")).unwrap_or_default();
            let answer = (minute, quiet.until(&zone::offsets(&to, &quiet.zone, now), now));
            known.insert(zone, answer);
            answer
        });
        until
    }
}

fn unique(mut people: Vec<KeyId>) -> usize {
    people.sort_unstable();
    people.dedup();
    people.len()
}

#[derive(Debug, Default)]
struct Found {
    people: Vec<Person>,
    /// By the number of their zone.
    countries: Vec<Option<u16>>,
    opted_out: u64,
    no_opt_in: u64,
    /// Who is written to without having written within 24 hours: those whom Meta counts for the portfolio.
    outside: Vec<KeyId>,
}

struct Reading<'a> {
    app: &'a App,
    campaign: CampaignId,
    row: &'a CampaignRow,
    gates: Gates,
    now: Micros,
    found: Found,
}

impl Reading<'_> {
    /// Those who wait behind its gate, in their order, and those who have left it and are in the outbox.
    async fn read(&mut self) -> Result<(), Problem> {
        let (app, partition) = (self.app, self.app.partition_of(self.row.session));
        let gates = match rows::get(&*app.store, &RowId::Gates(partition)).await? {
            Some(Row::Gates(row)) => row,
            _ => Box::default(),
        };
        if self.row.started_at.is_some() {
            self.outbox(partition).await?;
        }
        for behind in gates.campaign(self.campaign).into_iter().flat_map(|known| known.behind.clone()) {
            let mut after = None;
            while self.has_room() {
                let page = rows::gated(&*app.store, partition, behind.closing, after, PAGE).await?;
                after = page.last().copied();
                let ids: Vec<MessageId> = page.into_iter().map(|(_, message)| message).collect();
                self.look(&ids, |_, row| row.waits_since() == Some(behind.closing)).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn outbox(&mut self, partition: u16) -> Result<(), Problem> {
        let (app, session) = (self.app, self.row.session);
        let of = (session, self.row.priority);
        let through = Position(crate::api::applied::end(app, partition).await?.0.saturating_sub(1));
        let Some(mut from) = rows::open_session(&*app.store, partition, session).await? else {
            return Ok(());
        };
        while self.has_room() {
            let page = rows::outbox(&*app.store, of, from, through, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            from = last.next();
            let places: HashMap<MessageId, Position> = page.iter().map(|(at, message)| (*message, *at)).collect();
            let ids: Vec<MessageId> = page.into_iter().map(|(_, message)| message).collect();
            let here = |id: MessageId, row: &MessageRow| {
                row.waits_since().is_none() && !row.awaits_release() && row.entered() == places.get(&id).copied()
            };
            self.look(&ids, here).await?;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.found.people.len() < MOST
    }

    async fn look(
        &mut self,
        messages: &[MessageId],
        here: impl Fn(MessageId, &MessageRow) -> bool,
    ) -> Result<(), Problem> {
        let ids: Vec<RowId> = messages.iter().map(|message| RowId::Message(*message)).collect();
        let found = rows::get_many(&*self.app.store, &ids).await?;
        let waiting: Vec<MessageRow> = messages
            .iter()
            .zip(found)
            .filter_map(|(id, row)| match row {
                Some(Row::Message(row)) if row.state() == Stage::Queued && here(*id, &row) => Some(*row),
                _ => None,
            })
            .collect();
        let own = |row: &MessageRow| {
            let accepted = row.accepted.as_ref().filter(|accepted| accepted.campaign == Some(self.campaign))?;
            Some((accepted.contact, accepted.country, accepted.expires_at))
        };
        let own: Vec<(KeyId, Option<u16>, Micros)> = waiting.iter().filter_map(own).collect();
        let ids: Vec<RowId> = own.iter().map(|(contact, ..)| RowId::Contact(*contact)).collect();
        let contacts = rows::get_many(&*self.app.store, &ids).await?;
        for ((contact, country, expires_at), row) in own.into_iter().zip(contacts) {
            let row = match row {
                Some(Row::Contact(row)) => Some(row),
                _ => None,
            };
            self.judge(contact, (country, expires_at), row.as_ref());
        }
        Ok(())
    }

    fn judge(&mut self, contact: KeyId, (country, expires_at): (Option<u16>, Micros), row: Option<&ContactRow>) {
        let leaving =
            Leaving { category: self.row.category, kind: Kind::Template, session: self.row.session, now: self.now };
        match may_leave(leaving, row, self.gates) {
            Err(Bar::Never(NO_OPT_IN)) => self.found.no_opt_in += 1,
            Err(Bar::Never(_)) => self.found.opted_out += 1,
            _ => {
                if !row.is_some_and(|row| row.has_window(self.row.session, self.now)) {
                    self.found.outside.push(contact);
                }
                let zone = self.zone(country);
                self.found.people.push(Person { contact, expires_at, zone });
            }
        }
    }

    /// There are some 230 countries.
    fn zone(&mut self, country: Option<u16>) -> u16 {
        let known = self.found.countries.iter().position(|known| *known == country);
        let at = known.unwrap_or_else(|| {
            self.found.countries.push(country);
            self.found.countries.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }
}
