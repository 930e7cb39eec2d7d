//! The task that makes one attempt: open the content, read the contact's gate, call the channel, hand in the answer.
//!
//! It answers to the session's box, not to the actor: no actor's death loses an answer. Its own death is an answer too.

use std::sync::Arc;
use std::time::Duration;

use super::gate::{Gate, ask_portfolio, gate};
use super::mail::{Answered, Ended, SessionBox};
use super::standing::MessageRef;
use crate::actors::hands::Hands;
use crate::actors::stops::STOPPED;
use crate::channel::{Channel, Credential, Leave, SendCommand, whatsapp::token};
use crate::domain::consent::Bar;
use crate::domain::content::Content;
use crate::domain::event::{AttemptRef, SealedV1};
use crate::domain::failure::Answer;
use crate::domain::gate::Marks;
use crate::domain::id::{BudgetId, SessionId, Tag};
use crate::vault::VaultError;

/// What an attempt needs to know of its sender.
#[derive(Clone)]
pub struct Sender {
    /// The session.
    pub session: SessionId,
    /// The partition whose journal holds its messages.
    pub partition: u16,
    /// The provider's id of the sender.
    pub account: String,
    /// Its token.
    pub credential: Arc<Credential>,
    /// What speaks for it.
    pub channel: Arc<dyn Channel>,
    /// The portfolio it belongs to; a test has none.
    pub portfolio: Option<BudgetId>,
}

/// Hands in an answer even if the task dies: a panic after the first byte must not look like silence.
struct Guard {
    of: AttemptRef,
    hands: Hands,
    mailbox: Arc<SessionBox>,
    armed: bool,
}

impl Guard {
    fn end(mut self, ended: Ended) {
        self.armed = false;
        self.hand_in(ended);
    }

    fn hand_in(&self, ended: Ended) {
        self.mailbox.end(self.of, ended);
        self.mailbox.end_call();
        self.hands.registry.end(self.of);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            let answer = Answer::Unknown { why: "task_died" };
            self.hand_in(Ended::Answered(Answered { answer, provider: None }));
        }
    }
}

/// Starts the task.
pub fn begin(
    hands: &Hands,
    mailbox: &Arc<SessionBox>,
    sender: Sender,
    of: AttemptRef,
    reference: MessageRef,
    deadline: Duration,
) {
    hands.registry.begin(of);
    let mailbox = hands.registry.begin_call(sender.session, mailbox);
    let guard = Guard { of, hands: hands.clone(), mailbox, armed: true };
    crate::runtime::spawn("attempt", async move {
        let ended = attempt(&guard.hands, &sender, of, reference, deadline).await;
        if let Some(portfolio) = sender.portfolio {
            guard.hands.registry.portfolios.probed(portfolio, of, ended.as_ref().ok().map(|ended| &ended.answer));
        }
        match ended {
            Ok(answered) => guard.end(Ended::Answered(answered)),
            Err(bar) => guard.end(Ended::Barred(bar)),
        }
    });
}

async fn attempt(
    hands: &Hands,
    sender: &Sender,
    of: AttemptRef,
    reference: MessageRef,
    deadline: Duration,
) -> Result<Answered, Bar> {
    let Some(mut place) = hands.windows.take(reference.tenant).await else {
        return Ok(not_sent("stopping"));
    };
    if !hands.health.is_well() {
        return Ok(not_sent("unhealthy"));
    }
    let content = match content(hands, reference).await {
        Ok(content) => content,
        Err(Missing::Erased) => return Err(Bar::Never("erased")),
        Err(Missing::ForNow) => return Ok(not_sent("content_unavailable")),
    };
    let template = content.template().map(|(name, _)| name.to_owned());
    let leave = may_leave(hands, sender, reference, template.clone());
    // Asked once more right before the first byte: what comes now may take its time, and a place in the portfolio.
    if let Err(why) = leave() {
        return Ok(not_sent(why));
    }
    let mut said = gate(hands, sender, (reference, of), &content).await;
    if let Gate::Ask(portfolio, asker) = said {
        drop(place);
        said = ask_portfolio(hands, portfolio, asker).await;
        // Who may not leave waits for no place.
        if said != Gate::Open {
            return kept(said);
        }
        let Some(again) = hands.windows.take(reference.tenant).await else {
            return Ok(not_sent("stopping"));
        };
        place = again;
        said = gate(hands, sender, (reference, of), &content).await;
    }
    if said != Gate::Open {
        return kept(said);
    }
    hands.trip("attempt:before_call");
    let command = SendCommand {
        message: of.message,
        attempt: of.attempt,
        account: sender.account.clone(),
        to: content.to,
        object: content.object,
        token: token::write(of, |signed| hands.vault.mac("callback token", &[signed])),
        deadline,
    };
    let began = hands.clock.steady();
    let answer = sender.channel.send_if(command, Arc::clone(&sender.credential), leave).await;
    crate::telemetry::stage("call", hands.clock.steady().saturating_sub(began));
    count(&answer);
    hands.trip("attempt:after_call");
    super::template::follow(hands, reference, template, &answer).await;
    let provider = match &answer {
        Answer::Sent { provider_id } => Some(seal(hands, of, reference, provider_id).await),
        _ => None,
    };
    drop(place);
    Ok(Answered { answer, provider })
}

/// What becomes of an attempt that the gate does not let pass.
fn kept(said: Gate) -> Result<Answered, Bar> {
    match said {
        Gate::Barred(bar) => Err(bar),
        Gate::Later(why) => Ok(not_sent(why)),
        // Its hour was over while it waited for a place.
        Gate::Ask(..) | Gate::Open => Ok(not_sent("portfolio_behind")),
    }
}

/// Whether nobody has stopped the message since its intent was judged.
fn may_leave(hands: &Hands, sender: &Sender, reference: MessageRef, template: Option<String>) -> Leave {
    let (registry, at) = (Arc::clone(&hands.registry), (sender.partition, sender.session));
    Arc::new(move || {
        let MessageRef { tenant, country, campaign, .. } = reference;
        let marks = Marks { tenant, template: template.as_deref(), country, campaign };
        if registry.stops.may_leave(at, marks) { Ok(()) } else { Err(STOPPED) }
    })
}

fn count(answer: &Answer) {
    let (outcome, class) = match answer {
        Answer::Sent { .. } => ("sent", ""),
        Answer::Rejected { class, .. } => ("rejected", class.word()),
        Answer::NotSent { why } => ("not_sent", *why),
        Answer::Unknown { why } => ("unknown", *why),
    };
    crate::telemetry::attempted(outcome, class);
}

/// Nothing left.
pub(super) fn not_sent(why: &'static str) -> Answered {
    Answered { answer: Answer::NotSent { why }, provider: None }
}

/// Why there is no content.
enum Missing {
    /// Its key was destroyed: there is nothing to send any more.
    Erased,
    /// The journal or the vault cannot be read just now.
    ForNow,
}

async fn content(hands: &Hands, reference: MessageRef) -> Result<Content, Missing> {
    let entry = hands.journal.read(reference.partition, reference.accepted).await.map_err(|_| Missing::ForNow)?;
    let opened = hands
        .vault
        .open(reference.tenant, reference.contact, &reference.event.0, &entry.record.body)
        .await
        .map_err(|error| if error.is_erased() { Missing::Erased } else { Missing::ForNow })?;
    serde_json::from_slice(&opened).map_err(|_| Missing::Erased)
}

/// Seals the provider's id. A vault that is away is waited for: the outcome must not be lost, and the window's slot it
/// holds meanwhile is what stops the egress. A contact erased meanwhile leaves nothing to seal under.
async fn seal(hands: &Hands, of: AttemptRef, reference: MessageRef, provider_id: &str) -> (Tag, SealedV1) {
    loop {
        match try_seal(hands, of, reference, provider_id).await {
            Ok(sealed) => return sealed,
            Err(error) => {
                tracing::error!(message = %of.message, %error, "the vault does not seal an outcome; trying again");
                hands.health.set("vault", Some(error.to_string()));
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn try_seal(
    hands: &Hands,
    of: AttemptRef,
    reference: MessageRef,
    provider_id: &str,
) -> Result<(Tag, SealedV1), VaultError> {
    let MessageRef { tenant, contact, .. } = reference;
    let tag = hands.vault.tag(tenant, "provider message", &[provider_id.as_bytes()]).await?;
    let bytes = match hands.vault.seal(tenant, contact, &of.message.0, provider_id.as_bytes()).await {
        Ok(sealed) => sealed.bytes,
        Err(error) if error.is_erased() => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok((tag, SealedV1 { key: contact, bytes }))
}
