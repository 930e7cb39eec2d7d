//! Moving: a message that left is taken in where it went, by whoever owns the mailbox that it left.

use waybill::domain::message::State;

use super::fold::Fold;
use super::symbol::Sym;
use super::world::World;

impl World {
    /// The event that takes a message in which left, if this node sees that it has not come.
    pub fn arrival(&self, node: usize, message: u8, fold: &Fold) -> Option<Sym> {
        let memory = self.memory(node);
        memory.holding?;
        let messages = &fold.prefix(memory.at).view.messages;
        let left = messages[usize::from(message)]?.state == State::Moved;
        let there = messages.get(usize::from(message) + 1)?;
        (left && there.is_none()).then_some(Sym::MovedIn { message })
    }
}
