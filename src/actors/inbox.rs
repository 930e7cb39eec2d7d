//! Inbox: what a partition hands to one of its actors, and the nudge that says so.
//!
//! Mail is kept here and not in the actor's own mailbox: it survives the actor (a restarted one finds it), it can be
//! counted, and at most one nudge is outstanding however much arrives.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use ractor::ActorRef;

/// "Look into your inbox." The only message these actors get.
#[derive(Debug, Clone, Copy)]
pub struct Nudge;

/// One actor's inbox.
#[derive(Debug)]
pub struct Inbox<M> {
    mail: Mutex<VecDeque<M>>,
    nudged: AtomicBool,
    actor: Mutex<Option<ActorRef<Nudge>>>,
}

impl<M> Default for Inbox<M> {
    fn default() -> Self {
        Self { mail: Mutex::new(VecDeque::new()), nudged: AtomicBool::new(false), actor: Mutex::new(None) }
    }
}

impl<M> Inbox<M> {
    /// Puts mail in and nudges.
    pub fn push(&self, mail: M) {
        self.mail.lock().push_back(mail);
        self.nudge();
    }

    /// Puts mail in without a nudge: the caller nudges once for many.
    pub fn put(&self, mail: M) {
        self.mail.lock().push_back(mail);
    }

    /// Says that there is something to do, unless that was said and not heard yet.
    pub fn nudge(&self) {
        if self.nudged.swap(true, Ordering::AcqRel) {
            return;
        }
        let sent = self.actor.lock().as_ref().is_some_and(|actor| actor.send_message(Nudge).is_ok());
        if !sent {
            // Nobody is there: the next actor looks into its inbox when it attaches.
            self.nudged.store(false, Ordering::Release);
        }
    }

    /// Takes everything. The nudge is cleared first: what arrives from here on is nudged for again.
    pub fn take(&self) -> VecDeque<M> {
        self.nudged.store(false, Ordering::Release);
        std::mem::take(&mut *self.mail.lock())
    }

    /// Throws away mail of this kind.
    pub fn discard(&self, kind: impl Fn(&M) -> bool) {
        self.mail.lock().retain(|mail| !kind(mail));
    }

    /// The least of what mail has of this.
    #[must_use]
    pub fn least<K: Ord>(&self, of: impl Fn(&M) -> Option<K>) -> Option<K> {
        self.mail.lock().iter().filter_map(of).min()
    }

    /// How much of the mail is of this kind.
    #[must_use]
    pub fn count(&self, kind: impl Fn(&M) -> bool) -> usize {
        self.mail.lock().iter().filter(|mail| kind(mail)).count()
    }

    /// Whether no mail waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mail.lock().is_empty()
    }

    /// An actor begins to read here.
    pub fn attach(&self, actor: ActorRef<Nudge>) {
        *self.actor.lock() = Some(actor);
        self.nudged.store(false, Ordering::Release);
        self.nudge();
    }

    /// Whoever reads here.
    #[must_use]
    pub fn reader(&self) -> Option<ActorRef<Nudge>> {
        self.actor.lock().clone()
    }
}
