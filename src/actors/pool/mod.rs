//! Pool actors: each hands the messages of its mailbox on to the sessions that send for it.
//!
//! | card | |
//! | --- | --- |
//! | parent | the partition its address hashes to |
//! | count | one for each pool that was given a message |
//! | mail | a nudge with each commit of its outbox, and each second; its row |
//! | bound | a page of 256 messages at once; of a member that is left, 10,000 that are fetched back, and who has something there |
//! | restart | by the partition |
//! | stops when | the partition's claim is lost |
//! | lost if it dies | whose turn it is among the members, and how long one of them was quiet |
//!
//! A pool is a sender like a session: its id is a session's, its mailbox too, so whatever is addressed to a sender (an
//! acceptance, a call-off, a campaign's gate) need not know which it is. What it hands on is called a *leg*, with an id of its
//! own in the session's mailbox, where all that becomes of it is recorded. Nothing of that is sent back: whoever asks for
//! the message is shown its leg (`store::legs`), and notifications name the message that the leg was accepted as. So a
//! callback has one home, and a pool has no second copy of what its sessions know.
//!
//! | file | |
//! | --- | --- |
//! | `actor` | the actor: nudge → both of the below |
//! | `route` | the outbox, page by page, to the members |
//! | `leave` | the members that are left |
//! | `fetch` | fetching back what waits at one of them |

mod actor;
mod fetch;
mod leave;
mod route;

pub use actor::{Pool, PoolArgs};
