//! The real actors over the doubles of all hands: the walk, restarts, panics at every place, neighbours that misbehave.

mod backlog;
mod budgets;
mod campaigns;
mod clock_set;
mod consent;
mod deaths;
mod doubtful;
mod finished;
mod gates;
mod neighbours;
mod notified;
mod opt_out;
mod paced;
mod panics;
mod parked;
mod places;
mod requeued;
mod scheduled;
mod walk;
mod world;
