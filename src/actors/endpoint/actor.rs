//! The endpoint's actor: one pass at a time over the tenant's feeds, and the settled batch as an event.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::gather::{Due, Pass, gather};
use super::notify::{Target, asked_wait, notify, why};
use super::{EndpointBox, EndpointMail, Passed};
use crate::actors::append::{self, Persist};
use crate::actors::hands::Hands;
use crate::actors::inbox::Nudge;
use crate::actors::wheel::{Wakes, Wheel};
use crate::domain::draft::Draft;
use crate::domain::event::{DeliveriesSettledV1, EndpointDisabledV1, Event, FailingV1};
use crate::domain::id::{EndpointId, EventId};
use crate::domain::record::{Micros, Principal};
use crate::domain::row::EndpointRow;
use crate::webhook::{Delivered, Secrets, next_delay};

/// The actor.
pub struct Endpoint;

/// What it is born with.
pub struct EndpointArgs {
    /// Which.
    pub endpoint: EndpointId,
    /// Where it lives.
    pub partition: u16,
    /// Its row.
    pub row: EndpointRow,
    /// Its box.
    pub mailbox: Arc<EndpointBox>,
    /// Its partition's wheel.
    pub wheel: Arc<Wheel>,
    /// Everything else.
    pub hands: Hands,
}

/// What it remembers.
pub struct State {
    args: EndpointArgs,
    /// The row as this life has moved it on; the journal follows.
    row: EndpointRow,
    passing: bool,
    draining: bool,
    /// Partitions whose feed may hold something beyond the cursor.
    look: BTreeSet<u16>,
    /// Which partition's feed the next pass begins with, so that none waits for the others.
    first: u16,
}

impl Actor for Endpoint {
    type Msg = Nudge;
    type State = Box<State>;
    type Arguments = EndpointArgs;

    async fn pre_start(&self, myself: ActorRef<Nudge>, args: EndpointArgs) -> Result<Box<State>, ActorProcessingErr> {
        args.mailbox.inbox.attach(myself);
        let look = (0..args.hands.journal.genesis().count).collect();
        Ok(Box::new(State { row: args.row.clone(), passing: false, draining: false, look, first: 0, args }))
    }

    async fn handle(
        &self,
        myself: ActorRef<Nudge>,
        _: Nudge,
        state: &mut Box<State>,
    ) -> Result<(), ActorProcessingErr> {
        for mail in state.args.mailbox.inbox.take() {
            state.args.hands.trip("endpoint:mail");
            match mail {
                EndpointMail::Drain => state.draining = true,
                EndpointMail::Row(row) => state.follow(*row),
                EndpointMail::Passed(passed) => state.settle(*passed),
                EndpointMail::Tick => state.look_everywhere(),
            }
        }
        state.pass().await;
        if state.draining && !state.passing {
            myself.stop(Some("its partition is left".to_owned()));
        }
        Ok(())
    }
}

impl State {
    /// A declaration, or disabled and enabled: taken over. Cursors and failures are this life's own, which is ahead.
    fn follow(&mut self, row: EndpointRow) {
        self.row.disabled = row.disabled;
        self.row.failing_since = row.failing_since;
        self.row.url = row.url;
        self.row.events = row.events;
    }

    fn look_everywhere(&mut self) {
        self.look = (0..self.args.hands.journal.genesis().count).collect();
    }

    async fn pass(&mut self) {
        let hands = &self.args.hands;
        if self.passing || self.draining || self.row.disabled.is_some() || !hands.health.is_well() {
            return;
        }
        let now = hands.clock.wall();
        self.wake_for_retries(now);
        self.look.append(&mut self.args.mailbox.take_grown());
        let pass = match gather(hands, &self.row, now, self.first, &mut self.look).await {
            Ok(pass) => pass,
            Err(error) => {
                tracing::error!(endpoint = %self.args.endpoint, %error, "the feeds cannot be read; the sweep tries again");
                return;
            }
        };
        if pass.due.is_empty() && pass.cursors.is_empty() {
            return;
        }
        self.first = (self.first + 1) % hands.journal.genesis().count;
        hands.trip("endpoint:gathered");
        let target = match self.target().await {
            Ok(target) => target,
            Err(why) => {
                tracing::error!(endpoint = %self.args.endpoint, why, "the endpoint cannot be notified");
                return;
            }
        };
        self.passing = true;
        let (hands, mailbox) = (hands.clone(), Arc::clone(&self.args.mailbox));
        let guard = PassGuard { mailbox: Some(mailbox) };
        crate::runtime::spawn("pass", async move {
            let passed = make(&hands, &target, pass).await;
            guard.over(passed);
        });
    }

    async fn target(&self) -> Result<Target, &'static str> {
        let hands = &self.args.hands;
        let name = crate::domain::secret_name::endpoint_secret(self.args.endpoint);
        let secret = hands.vault.secret(Some(self.row.tenant), &name).await.map_err(|_| "the vault cannot be read")?;
        let text = secret.ok_or("it has no signing secret; declare it again")?.to_text();
        let now = u64::try_from(hands.clock.wall() / 1_000_000).unwrap_or(0);
        let secrets = Secrets::read(&text, now).map_err(|_| "its signing secret is not one; declare it again")?;
        let url = self.row.url.parse().map_err(|_| "its address is not a URL; declare it again")?;
        Ok(Target { url, secrets, tenant: self.row.tenant })
    }

    fn settle(&mut self, passed: Passed) {
        self.passing = false;
        if passed.cursors.is_empty() {
            // A pass that died: what it had gathered is beyond the cursors still.
            self.look_everywhere();
        }
        let now = self.args.hands.clock.wall();
        let facts = DeliveriesSettledV1 {
            endpoint: self.args.endpoint,
            cursors: passed.cursors,
            delivered: passed.delivered,
            failing: passed.failing,
            recovered: passed.recovered,
        };
        crate::telemetry::notified(u64::from(facts.delivered), facts.failing.len() as u64);
        let worth = !facts.cursors.is_empty() || !facts.failing.is_empty() || !facts.recovered.is_empty();
        self.row.settle(&facts, now);
        if worth {
            self.persist(&Event::from(facts));
        }
        self.args.hands.trip("endpoint:settled");
        let long = self.row.failing_since.is_some_and(|since| now - since > self.args.hands.limits.disable_after);
        if passed.gone || long {
            let reason =
                if passed.gone { "the customer's server says it is gone (410)" } else { "only failures for too long" };
            self.row.disabled = Some(reason.to_owned());
            self.persist(&Event::from(EndpointDisabledV1 { endpoint: self.args.endpoint, reason: reason.to_owned() }));
        }
        if passed.more {
            self.args.mailbox.inbox.nudge();
        }
    }

    fn persist(&self, event: &Event) {
        let hands = &self.args.hands;
        let by = Principal::Node(hands.node);
        let draft = Draft::new(EventId(hands.entropy.id()), self.args.endpoint, event, by, hands.clock.wall());
        let draft = draft.tenant(self.row.tenant);
        append::persist(hands, Persist { partition: self.args.partition, draft });
    }

    fn wake_for_retries(&self, now: Micros) {
        let next = self.row.failing.iter().filter_map(|failing| failing.next).min();
        if let Some(at) = next {
            let who = Arc::clone(&self.args.mailbox) as Arc<dyn Wakes>;
            self.args.wheel.wake_at(self.args.endpoint.into(), at.max(now + 1), who);
        }
    }
}

/// A pass whose task dies is over too, with nothing settled: the next one posts again.
struct PassGuard {
    mailbox: Option<Arc<EndpointBox>>,
}

impl PassGuard {
    fn over(mut self, passed: Passed) {
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.inbox.push(EndpointMail::Passed(Box::new(passed)));
        }
    }
}

impl Drop for PassGuard {
    fn drop(&mut self) {
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.inbox.push(EndpointMail::Passed(Box::default()));
        }
    }
}

/// Posts a pass, so many at once as one customer may be asked to take.
async fn make(hands: &Hands, target: &Target, pass: Pass) -> Passed {
    let mut passed = Passed { cursors: pass.cursors, more: pass.more, ..Passed::default() };
    let slots = Arc::new(Semaphore::new(hands.limits.endpoint_concurrency.max(1)));
    let mut posts = JoinSet::new();
    for due in pass.due {
        let (hands, target, slots) = (hands.clone(), target.clone(), Arc::clone(&slots));
        posts.spawn(async move {
            let _slot = slots.acquire_owned().await;
            let outcome = notify(&hands, &target, &due).await;
            (due, outcome)
        });
    }
    while let Some(joined) = posts.join_next().await {
        match joined {
            Ok((due, outcome)) => take(hands, &mut passed, &due, &outcome),
            // A post that died takes the pass with it: cursors must not pass over what was not tried.
            Err(error) => {
                tracing::error!(%error, "a notification's task died");
                return Passed::default();
            }
        }
    }
    passed
}

fn take(hands: &Hands, passed: &mut Passed, due: &Due, outcome: &Result<Delivered, &'static str>) {
    if matches!(outcome, Ok(Delivered::Acknowledged { .. })) {
        passed.delivered += 1;
        if due.tries > 0 {
            passed.recovered.push(due.row.id);
        }
        return;
    }
    passed.gone |= matches!(outcome, Ok(Delivered::Gone));
    let tries = due.tries.saturating_add(1);
    let wait = next_delay(&hands.limits.schedule, u32::from(tries), asked_wait(outcome), hands.entropy.number());
    let next = wait.map(|wait| hands.clock.wall() + micros(wait));
    let failing = FailingV1 { notification: due.row.id, at: due.at, tries, next, why: why(outcome) };
    passed.failing.push(failing);
}

fn micros(wait: Duration) -> Micros {
    Micros::try_from(wait.as_micros()).unwrap_or(Micros::MAX / 2)
}
