//! What a node says of messages behind an operator's gate: that they leave the outbox, and that they are let out.

use waybill::domain::message::State;

use super::fold::Fold;
use super::symbol::{Sym, SymId};
use super::world::{Actor, World};

impl World {
    /// The closing of the gate that is in force for this node.
    fn closing(&self, node: usize, fold: &Fold) -> Option<SymId> {
        let (_, closing) = fold.prefix(self.memory(node).at).view.gate?;
        fold.alphabet.named(closing?)
    }

    /// The event that takes a message out of the outbox, if it is in it and stands behind the gate.
    pub fn gated(&self, node: usize, message: u8, fold: &Fold) -> Option<Sym> {
        let memory = self.memory(node);
        let Actor::Alive(_) = memory.actor else { return None };
        let seen = fold.prefix(memory.at).view.messages[usize::from(message)]?;
        let inside = seen.state == State::Queued && seen.gated.is_none();
        inside.then(|| self.closing(node, fold)).flatten().map(|closing| Sym::Gated { message, closing })
    }

    /// The event that lets a message out, if the gate is open and it waits since an earlier closing.
    pub fn let_out(&self, node: usize, message: u8, fold: &Fold) -> Option<Sym> {
        let memory = self.memory(node);
        memory.holding?;
        let view = &fold.prefix(memory.at).view;
        let since = view.messages[usize::from(message)]?.gated?;
        let closing = fold.alphabet.named(since)?;
        let open = view.gate.is_some_and(|(_, closing)| closing.is_none());
        open.then_some(Sym::LetOut { message, closing })
    }
}
