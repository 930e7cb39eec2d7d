//! Asking until there is an answer, until it is too late, or until it is plain that there will be none; and what is said
//! meanwhile: that a request waits, that one is in vain for good, that nothing is asked any more.

use std::time::Duration;

use parking_lot::Mutex;
use scylla::errors::ExecutionError;
use tokio::sync::watch;

use super::connect::Cluster;
use super::error::CqlError;
use super::strain::Strain;
use super::trouble::{Trouble, trouble};

/// The first pause before a request is made again. The driver has tried other nodes by then.
const FIRST: Duration = Duration::from_millis(50);

/// The longest: so long a database that is back may wait for us.
const LONGEST: Duration = Duration::from_secs(2);

/// Trouble that is over after so long is nobody's business: a connection that broke, a node that was started again.
const GRACE: Duration = Duration::from_secs(2);

/// How long a request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// As long as it takes: nobody can go on without it.
    Done,
    /// For as long as people wait.
    Patience,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// Nothing is asked any more.
    Closed,
    /// No repetition makes it good: the first such reason.
    Latched(String),
    /// Not in time.
    Late(CqlError),
}

/// Who asks.
pub struct Asking {
    /// Steady time.
    steady: Box<dyn Fn() -> Duration + Send + Sync>,
    patience: Duration,
    /// Called for each request that is made again.
    again: fn(),
    latch: Mutex<Option<String>>,
    closing: watch::Sender<bool>,
    strain: Strain,
}

impl Asking {
    /// Somebody with so much patience.
    #[must_use]
    pub fn new(steady: impl Fn() -> Duration + Send + Sync + 'static, patience: Duration, again: fn()) -> Self {
        let (latch, closing) = (Mutex::default(), watch::Sender::new(false));
        Self { steady: Box::new(steady), patience, again, latch, closing, strain: Strain::default() }
    }

    /// Asks.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn ask<T, F>(
        &self,
        cluster: &Cluster,
        doing: &'static str,
        until: Until,
        ask: impl Fn() -> F,
    ) -> Result<T, NoAnswer>
    where
        F: Future<Output = Result<T, ExecutionError>>,
    {
        let (begun, mut pause, mut strained) = ((self.steady)(), FIRST, None);
        let mut closing = self.closing.subscribe();
        loop {
            if self.is_closed() {
                return Err(NoAnswer::Closed);
            }
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if matches!(trouble(&error), Trouble::Lasting | Trouble::Forbidden) {
                return Err(NoAnswer::Latched(self.latch(cluster.said(doing, &error).to_string())));
            }
            strained.get_or_insert_with(|| self.strain.begin(begun)).said(&error);
            (self.again)();
            let late = (self.steady)().saturating_sub(begun) + pause > self.patience;
            if until == Until::Patience && late {
                return Err(NoAnswer::Late(cluster.said(doing, &error)));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = closing.wait_for(|closing| *closing) => {}
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// For how long something has been waited for, if that has lasted for a while, and why.
    #[must_use]
    pub fn waits(&self) -> Option<(Duration, String)> {
        self.strain.lasts((self.steady)(), GRACE).filter(|_| !self.is_closed())
    }

    /// How long people wait.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.closing.borrow()
    }

    /// Latches: the first reason stays, and is the answer.
    pub fn latch(&self, why: String) -> String {
        self.latch.lock().get_or_insert(why).clone()
    }

    /// Why it latched.
    #[must_use]
    pub fn latched(&self) -> Option<String> {
        self.latch.lock().clone()
    }

    /// Nothing is begun any more, and what is tried again ends.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}
