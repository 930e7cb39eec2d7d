//! Moving: a message that left is taken in where it went, by whoever owns the mailbox that it left; or taken back where it
//! had come from.

use waybill::domain::message::Arrival;
use waybill::domain::row::MessageRow;

use super::fold::Fold;
use super::mutation::Mutation;
use super::prefix::Prefix;
use super::symbol::{MESSAGES, Sym, message_id, message_number};
use super::world::World;

/// What a node knows of the mailbox a message went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// All that it knows of this one.
    All,
    /// Its rows are behind: the message had not left there, by which it came here.
    Behind,
    /// They are further behind: nothing.
    Nothing,
}

impl World {
    /// The event that takes a message in, or back, if this node sees that it left and has not come.
    pub fn arrival(&self, node: usize, message: u8, known: Known, fold: &Fold) -> Option<Sym> {
        let memory = self.memory(node);
        memory.holding?;
        if memory.passed & (1 << message) != 0 {
            return None;
        }
        missing(fold.prefix(memory.at), message, known, fold.mutation)
    }

    /// Whether this node would look at it, as far behind as its rows are.
    pub fn looks(&self, node: usize, message: u8, fold: &Fold) -> bool {
        let memory = self.memory(node);
        let left = fold.prefix(memory.at).message(message).is_some_and(|row| row.moved.is_some());
        left && memory.holding.is_some() && memory.passed & (1 << message) == 0
    }
}

/// Whether some message left and has come nowhere.
pub fn is_owed(prefix: &Prefix) -> bool {
    (0u8..).zip([(); MESSAGES]).any(|(message, ())| missing(prefix, message, Known::All, Mutation::None).is_some())
}

fn missing(prefix: &Prefix, message: u8, known: Known, mutation: Mutation) -> Option<Sym> {
    let row = prefix.message(message)?;
    let to = u8::try_from(message_number(row.moved?.leg)).expect("small");
    let now = prefix.message(to);
    let before = now.map(|now| MessageRow { moved: None, moves: 0, ..now.clone() });
    let there = match known {
        Known::All => now,
        Known::Behind => before.as_ref().filter(|_| to < message),
        Known::Nothing => None,
    };
    match row.arrival(message_id(message), there)? {
        Arrival::New => Some(Sym::MovedIn { message }),
        Arrival::Return if mutation == Mutation::AbsentIsOver && there.is_none_or(|there| there.moved.is_none()) => {
            None
        }
        Arrival::Return => Some(Sym::MovedBack { message: to }),
    }
}
