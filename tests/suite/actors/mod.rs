//! The real actors over the doubles of all hands: the walk, restarts, panics at every place, neighbours that misbehave.

mod away;
mod backlog;
mod budgets;
mod campaigns;
mod clock_set;
mod consent;
mod deaths;
mod doubtful;
mod exported;
mod finished;
mod forgotten;
mod gates;
mod handover;
mod heirs;
mod lives;
#[cfg(feature = "mutants")]
mod mutants;
mod neighbours;
mod nodes;
mod notified;
mod opt_out;
mod overtaken;
mod paced;
mod panics;
mod parked;
mod places;
mod pool;
mod requeued;
mod resealed;
mod scheduled;
mod sealed;
mod takeover;
mod unowned;
mod walk;
mod world;
