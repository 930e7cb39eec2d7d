//! The documents of `waybill apply`: tenants, their sessions, endpoints and API keys, as TOML.
//!
//! Read with the same diagnostics as the settings: every mistake at once, with its line. A tenant that a record names need
//! not stand in the same file, for it may exist already.

mod records;
mod unique;
mod words;

pub use records::{
    EndpointDeclaration, KeyDeclaration, PoolDeclaration, PortfolioDeclaration, SessionDeclaration, TenantDeclaration,
};
pub use words::{Channel, EventPattern, Name, Role};

use std::path::Path;

use super::mistake::Mistakes;
use super::node::Node;
use super::setting::Setting;
use super::source;
use super::table::keys;

keys! {
    /// Everything that one document declares, in the order in which it stands there.
    pub struct Declaration {
        /// `[[tenant]]`
        tenant: Vec<TenantDeclaration> = Vec::new();
        /// `[[portfolio]]`
        portfolio: Vec<PortfolioDeclaration> = Vec::new();
        /// `[[session]]`
        session: Vec<SessionDeclaration> = Vec::new();
        /// `[[pool]]`
        pool: Vec<PoolDeclaration> = Vec::new();
        /// `[[endpoint]]`
        endpoint: Vec<EndpointDeclaration> = Vec::new();
        /// `[[key]]`
        key: Vec<KeyDeclaration> = Vec::new();
    }
}

impl Declaration {
    /// Reads a document; `origin` is what mistakes call it. An empty document declares nothing and is good.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Mistakes> {
        let tree = Node::parse(text, origin).map_err(Mistakes::new)?;
        let read = Self::read(&tree);
        let mut mistakes = unique::mistakes(&tree);
        match read {
            Ok(declaration) if mistakes.is_empty() => Ok(declaration),
            read => {
                mistakes.extend(read.err().unwrap_or_default());
                Err(Mistakes::new(mistakes))
            }
        }
    }

    /// Reads a document from disk.
    ///
    /// # Errors
    /// Everything that is wrong, at once; also a missing, unreadable or too large file.
    pub fn load(file: &Path) -> Result<Self, Mistakes> {
        let text = source::read(file).map_err(Mistakes::new)?;
        Self::parse(&text, &file.display().to_string())
    }
}
