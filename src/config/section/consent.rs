//! `[consent]`: what is asked for before a message may leave, beyond what a person forbade.

use crate::config::table::keys;

keys! {
    /// Gates of every tenant that declares no other.
    pub struct Consent {
        /// Whether marketing needs a recorded opt-in of its recipient.
        require_opt_in: bool;
        /// Whether free-form content needs an open service window of its recipient.
        require_window: bool;
    }
}
