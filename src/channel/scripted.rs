//! The double: answers from a script, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::seam::{Capabilities, Channel, Credential, SendCommand};
use super::whatsapp;
use crate::domain::failure::Answer;
use crate::runtime::{BoxFuture, Clock};

/// One line of the script.
#[derive(Debug)]
pub enum Line {
    /// Answer at once.
    Say(Answer),
    /// Answer when told to; a dropped sender is a lost connection.
    Wait(oneshot::Receiver<Answer>),
}

/// A channel that plays a script, line by line. Beyond its end it answers `Sent` with an id made of the attempt.
pub struct Scripted {
    capabilities: Capabilities,
    clock: Arc<dyn Clock>,
    script: Mutex<VecDeque<Line>>,
    asked: Mutex<Vec<SendCommand>>,
}

impl Scripted {
    /// A double of the Cloud API.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, script: impl IntoIterator<Item = Line>) -> Self {
        Self {
            capabilities: whatsapp::capabilities(),
            clock,
            script: Mutex::new(script.into_iter().collect()),
            asked: Mutex::default(),
        }
    }

    /// Adds a line.
    pub fn then(&self, line: Line) {
        self.script.lock().push_back(line);
    }

    /// Adds a line that waits; the answer goes into what is returned.
    #[must_use]
    pub fn then_wait(&self) -> oneshot::Sender<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.then(Line::Wait(receiver));
        sender
    }

    /// Every attempt whose first byte would have left, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<SendCommand> {
        self.asked.lock().clone()
    }

    /// What to do about this attempt; the deadline goes before the script, as in every channel.
    fn line(&self, command: SendCommand) -> Line {
        if self.clock.steady() > command.deadline {
            return Line::Say(Answer::NotSent { why: "deadline" });
        }
        let id = format!("wamid.{}.{}", command.message, command.attempt);
        self.asked.lock().push(command);
        self.script.lock().pop_front().unwrap_or(Line::Say(Answer::Sent { provider_id: id }))
    }
}

impl Channel for Scripted {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        let line = self.line(command);
        Box::pin(async move {
            match line {
                Line::Say(answer) => answer,
                Line::Wait(answer) => answer.await.unwrap_or(Answer::Unknown { why: "reset" }),
            }
        })
    }
}
