//! What is served beside the table of routes: it has no guard of ours, or speaks Meta's words.

use super::super::guard::{Access, SEND};
use super::super::routes::Route;

/// Paths as their own routers have them; a test asks each of them. `/callbacks/meta` is `meta.callback_path`.
pub(super) const OUTSIDE: &[Route] = &[
    Route {
        method: "post",
        path: "/{version}/{phone_number_id}/messages",
        access: SEND,
        summary: "Accept a message as Meta's Cloud API does, for clients that are written for it",
    },
    Route {
        method: "get",
        path: "/callbacks/meta",
        access: Access::Public,
        summary: "Meta asks whether this address is ours, when it is set up",
    },
    Route {
        method: "post",
        path: "/callbacks/meta",
        access: Access::Public,
        summary: "Meta says what became of messages, and what people write",
    },
    Route { method: "get", path: "/metrics", access: Access::Public, summary: "Metrics of this node" },
];
