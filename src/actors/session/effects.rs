//! One arm for each effect of the session machine.

use std::time::Duration;

use super::actor::State;
use super::attempt;
use super::mail::{Ended, SessionMail};
use crate::actors::append::{self, Persist};
use crate::actors::lease;
use crate::actors::registry::Ask;
use crate::domain::draft::Draft;
use crate::domain::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, ByPriority, ClosedV1, Event, MessageExpiredV1, OutcomeV1,
    Resolution, SessionHeldV1, SessionPacedV1, SessionReleasedV1, SessionStartedV1, UnknownResolvedV1,
};
use crate::domain::failure::Bucket;
use crate::domain::id::{EventId, MessageId};
use crate::domain::pacing::learned::Paced;
use crate::domain::record::Principal;
use crate::domain::retry::{Hold, Verdict};
use crate::domain::session::{Effect, Ending};
use crate::journal::Appended;

impl State {
    /// Carries effects out. The room to pull into comes back, if the machine asked and something is cold.
    pub(super) async fn carry_out(&mut self, effects: Vec<Effect>) -> Option<ByPriority<usize>> {
        let mut room = None;
        for effect in effects {
            match effect {
                Effect::Propose(attempts) => self.propose(attempts),
                Effect::Begin(of) => self.begin(of),
                Effect::Close(endings) => self.close(endings),
                Effect::Hold(hold) => self.hold(hold),
                Effect::Share(hold) => self.tell_others(hold),
                Effect::Release => self.release(),
                Effect::Pace(paced) => self.tell_pace(paced),
                Effect::Expire(message) => self.expire(message),
                Effect::Resolve(of, resolution) => self.resolve(of, resolution),
                Effect::AskLease(wanted) => self.ask(wanted),
                Effect::Look(message) => self.look(message),
                Effect::WakeAt(at) => self.wake_at(at),
                Effect::Pull(free) => room = self.room_to_pull(free),
            }
        }
        room
    }

    /// This life begins: nothing is proposed before it is read back.
    pub(super) fn announce(&mut self) {
        let event = Event::from(SessionStartedV1 { session: self.args.session });
        let draft = self.draft(self.born, &event);
        self.persist(draft);
    }

    pub(super) fn draft(&self, id: EventId, event: &Event) -> Draft {
        let hands = &self.args.hands;
        Draft::new(id, self.args.session, event, Principal::Node(hands.node), hands.clock.wall())
            .tenant(self.args.row.tenant)
            .epoch(self.args.tenure.epoch)
    }

    /// Appends a fact until the journal has it.
    pub(super) fn persist(&self, draft: Draft) {
        append::persist(&self.args.hands, Persist { partition: self.args.partition, draft });
    }

    fn propose(&mut self, attempts: Vec<AttemptRef>) {
        let Some(incarnation) = self.incarnation else {
            return;
        };
        self.args.hands.trip("session:before_propose");
        let id = EventId(self.args.hands.entropy.id());
        let deadline = self.args.hands.limits.intent_deadline;
        let facts = AttemptsStartedV1 {
            session: self.args.session,
            incarnation,
            deadline_ms: u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX),
            attempts: attempts.clone(),
        };
        let draft = self.draft(id, &Event::from(facts));
        self.proposed.insert(id, self.args.hands.clock.steady());
        // A defect for the kill harness: acts on an intent that nobody can read back after a crash.
        #[cfg(feature = "mutants")]
        if crate::runtime::mutant::is("no_intent") {
            let judged = attempts.into_iter().map(|of| (of, Ok(()))).collect();
            return self.args.mailbox.inbox.push(SessionMail::Judged(id, judged));
        }
        let mailbox = std::sync::Arc::clone(&self.args.mailbox);
        let hands = self.args.hands.clone();
        let Ok(record) = draft.record() else { return };
        let appending = hands.journal.append(self.args.partition, vec![record]);
        self.args.hands.trip("session:proposed");
        crate::runtime::spawn("intent", async move {
            match appending.await {
                Appended::Durable { .. } => {}
                Appended::Refused(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    mailbox.inbox.push(SessionMail::NotProposed(id, attempts));
                }
                // It may land at any time, also twice: the next life's start makes it void wherever it lands.
                Appended::Doubtful => mailbox.inbox.push(SessionMail::Doubtful),
            }
        });
    }

    fn begin(&mut self, of: AttemptRef) {
        self.args.hands.trip("session:before_begin");
        let (Some(reference), Some(deadline)) = (self.refs.get(&of.message), self.deadlines.remove(&of)) else {
            // Nobody knows what to send: nothing was, and the attempt must end.
            return self.args.mailbox.end(of, Ended::Answered(attempt::not_sent("unreferenced")));
        };
        let mut sender = self.sender.clone();
        if reference.test {
            sender.channel = std::sync::Arc::clone(&self.args.hands.test_channel);
            sender.portfolio = None;
        }
        attempt::begin(&self.args.hands, &self.args.mailbox, sender, of, *reference, deadline);
        self.args.hands.trip("session:begun");
    }

    /// At most 64 outcomes an event, each derived from what it ends: proposed again, it is the same event.
    fn close(&mut self, endings: Vec<Ending>) {
        self.args.hands.trip("session:before_close");
        for batch in endings.chunks(64) {
            let closed: Vec<ClosedV1> = batch.iter().filter_map(|ending| self.closed(ending)).collect();
            if closed.is_empty() {
                continue;
            }
            let facts = AttemptsClosedV1 { session: self.args.session, closed };
            let id = EventId(self.args.hands.entropy.id());
            let draft = self.draft(id, &Event::from(facts));
            let (mailbox, ended) = (std::sync::Arc::clone(&self.args.mailbox), batch.iter().map(|ending| ending.of));
            let ended: Vec<AttemptRef> = ended.collect();
            let fact = Persist { partition: self.args.partition, draft };
            append::persist_then(&self.args.hands, fact, move || mailbox.recorded(&ended));
        }
        self.args.hands.trip("session:closed");
    }

    fn closed(&self, ending: &Ending) -> Option<ClosedV1> {
        let outcome = match &ending.verdict {
            Verdict::Sent { .. } => {
                let Ended::Answered(answered) = self.args.mailbox.ended(ending.of)? else {
                    return None;
                };
                let (tag, provider_id) = answered.provider?;
                OutcomeV1::Sent { tag, provider_id }
            }
            Verdict::Retry { class, code, not_before, counts } => {
                let counts = (!counts).then_some(false);
                OutcomeV1::Retry { class: (*class).to_owned(), code: *code, not_before: *not_before, counts }
            }
            Verdict::Failed { class, code } => OutcomeV1::Failed { class: (*class).to_owned(), code: *code },
            Verdict::Unknown { why } => OutcomeV1::Unknown { why: (*why).to_owned() },
            Verdict::Withdrawn { why } => OutcomeV1::Withdrawn { why: (*why).to_owned() },
        };
        Some(ClosedV1 { of: ending.of, outcome, at: ending.at })
    }

    fn hold(&self, Hold { class, bucket, code, until }: Hold) {
        let (class, bucket) = (Some(class.to_owned()), bucket.map(|bucket| bucket.word().to_owned()));
        self.say(SessionHeldV1 { session: self.args.session, code, until, class, bucket });
    }

    fn release(&self) {
        self.say(SessionReleasedV1 { session: self.args.session, reason: None });
    }

    fn tell_pace(&self, Paced { per_second, until, code }: Paced) {
        let bucket = Bucket::Number.word().to_owned();
        self.say(SessionPacedV1 { session: self.args.session, bucket, per_second, until, code });
    }

    /// A fact about the session itself.
    fn say(&self, facts: impl Into<Event>) {
        let id = EventId(self.args.hands.entropy.id());
        self.persist(self.draft(id, &facts.into()));
    }

    fn expire(&self, message: MessageId) {
        let round = self.refs.get(&message).map_or(0, |reference| reference.round);
        let (id, facts) = MessageExpiredV1::named(message, round);
        self.persist(self.draft(id, &Event::from(facts)).subject(message));
    }

    fn resolve(&self, of: AttemptRef, resolution: Resolution) {
        let id = EventId(crate::domain::id::derive("waybill resolution", &[&of.message.0, &of.attempt.to_be_bytes()]));
        let event = Event::from(UnknownResolvedV1 { of, resolution, reason: None });
        self.persist(self.draft(id, &event).subject(of.message));
    }

    fn ask(&mut self, wanted: u32) {
        let (tenant, session) = (self.args.row.tenant, self.args.session);
        self.asked = lease::ask(&self.args.hands, tenant, session, wanted);
        if self.asked.is_some() {
            return;
        }
        let mailbox = std::sync::Arc::clone(&self.args.mailbox);
        let grant = Box::new(move |granted, lasts| mailbox.inbox.push(SessionMail::Lease(granted, lasts)));
        self.args.hands.registry.ask(tenant, Ask { session, wanted, grant });
    }

    pub(super) fn look(&self, message: MessageId) {
        self.args.notices.push(crate::actors::partition::Notice::Look(self.args.session, message));
    }
}
