//! Exhaustive check of the pure core: every order of claims, lives, intents, outcomes, calls-off and callbacks, with
//! late, doubled and lost appends, crashes and freezes, over the real events and the real functions.
//!
//! The world is one partition with two nodes ([`world`]). A node is the thin shell around the core, made small
//! ([`reader`], [`action`]); what it reads is judged by the real `projection::apply` ([`fold`]), beside a second reading
//! of the rules in plain facts ([`reading`]). The search ([`search`]) visits every state once, breadth first.
//!
//! What holds in every state: validity and message state are what the second reading says; an event copied to a later
//! position changes no row, tells nothing and lets nothing act; no two nodes own the partition at one prefix; an attempt
//! is written once; a person who has a message twice is a person listed; what was confirmed, called off, withdrawn or
//! stopped before an intent keeps it from leaving; and there is a way home, without further faults, to an owner and to
//! messages that are all settled or visibly unknown.
//!
//! To add a scenario: a function below with its limits and a floor on its states, which keeps it from shrinking
//! unseen. To add a mutant: a variant in [`mutation`], an arm where the rule stands, a test that finds it.

mod action;
mod choice;
mod fold;
mod gate;
mod moved;
mod mutation;
mod prefix;
mod reader;
mod reading;
mod scenario;
mod search;
mod symbol;
mod world;
