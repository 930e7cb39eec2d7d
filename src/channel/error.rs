//! What keeps a channel from being built. A failed attempt is no error: it is an answer.

use super::whatsapp::codes::CodesError;

/// A channel could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The address of the Graph API cannot be used.
    #[error("`{url}` is not an address of the Graph API: {why}; write it like https://graph.facebook.com")]
    GraphUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The version is not one.
    #[error("`{0}` is not a version of the Graph API; write it like v25.0")]
    Version(String),
    /// The HTTP client could not be built: no roots, no crypto provider.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    /// The code table has a mistake.
    #[error(transparent)]
    Codes(#[from] CodesError),
}
