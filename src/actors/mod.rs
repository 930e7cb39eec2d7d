//! Actors: what lives. Root → partitions → sessions, endpoints, tenants; the folder is the tree.
//!
//! An actor is for identity, order and memory; a single call is a task. What an actor remembers can be read again: mail
//! that must not be lost stands in boxes that outlive it, and nothing that is only in a mailbox was ever acknowledged.
//! Actors know the seams of the hands, never which hand is behind one, and no HTTP status.
//!
//! | file | |
//! | --- | --- |
//! | [`root`] | the parent of all partitions |
//! | [`ownership`], [`seats`] | which partitions this node is asked to own, and which live here |
//! | [`partition`] | applies its events in order, tells whom they concern, supervises what lives in it |
//! | [`session`] | sends for one identity |
//! | [`pool`] | hands the messages of a pool on to its members |
//! | [`endpoint`] | notifies one customer address |
//! | [`tenant`] | lends its budget, and spreads words on its gates |
//! | [`audit`] | has the instance's log signed |
//! | [`lease`] | a tenant's budget and a session of it on two nodes |
//! | [`spread`] | copying a word on a gate into each partition |
//! | [`stops`] | what is stopped, looked at right before the first byte |
//! | [`portfolio`] | asking a portfolio for people |
//! | `erasure` | forgetting a person, step by step |
//! | [`egress`] | how many calls at once, and for whom |
//! | [`hands`], [`registry`], [`inbox`], [`wheel`], [`append`] | what they share |
//!
//! # Several nodes
//!
//! A partition's owner is whoever's claim was read last and valid; [`ownership`] only proposes. What a node remembers of
//! partitions that it does not own is old, so nothing may take for granted that this process applies every partition.
//! What is asked across nodes, and how:
//!
//! | what | across nodes |
//! | --- | --- |
//! | rows of other partitions | read from the store, which is one for all nodes |
//! | how far a partition goes | `Journal::end` is what this node has seen; `fresh_end` where an answer hangs on it: a take-over, a bar by a silent contact or tenant row, what is left of a campaign, what the API waits for |
//! | `Registry::is_current` | a partition of another node is believed to follow for a second after its rows were seen to show its end |
//! | a tenant's budget | asked in the tenant's mailbox and lent in the session's ([`lease`]) where the two live apart |
//! | words on gates | copied into each partition; effective by the rows, whoever writes them, and once what an earlier owner had open there cannot leave any more |
//! | [`stops`] | of owned partitions alone; read anew from rows when a tenure begins; nothing leaves of one that is lost or left |
//! | bells of feeds | ring within a process; an endpoint hears of feeds written elsewhere with its sweep, a second later |
//! | boxes, bells, budgets | put away when a partition is left; a box with an end that is not recorded is kept |
//! | attempts under way | of other nodes nobody knows: they are waited for until their deadline has passed since our claim |
//!
//! What is left: holds of a business account or app ([`session::shared`]) and the line before a portfolio are hints within a
//! process, so each node meets that wall once; who was put off by a portfolio's limit hears of a raise only on the node
//! where the portfolio lives, and elsewhere comes at the time it was told; intake quotas of the API and places of the
//! egress are counted by each process for itself; gauges of lag, and `/readyz`, know the ends of owned partitions only; a node
//! whose health latch has fallen goes on owning what it has, and does not send it.
//!
//! To add an actor: a folder (or file) with its card, a case in `partition/children.rs`, an address kind.

pub mod append;
pub mod audit;
pub mod campaigns;
pub mod egress;
pub mod endpoint;
mod erasure;
pub mod hands;
pub mod inbox;
pub mod lease;
pub mod ownership;
pub mod partition;
pub mod pool;
pub mod portfolio;
pub mod registry;
pub mod root;
pub mod seats;
pub mod session;
pub mod spread;
pub mod stops;
pub mod tenant;
pub mod wheel;
