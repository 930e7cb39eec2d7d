//! The real actors over the doubles of all hands: the walk, restarts, panics at every place, neighbours that misbehave.

mod neighbours;
mod notified;
mod panics;
mod requeued;
mod scheduled;
mod walk;
mod world;
