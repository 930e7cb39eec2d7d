//! The code table as TOML.
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct CodesError;
