//! Where a cluster is, and how it is spoken to.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// TLS to the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Authorities that may have signed the nodes' certificates (PEM). `None`: those the system trusts.
    pub ca: Option<PathBuf>,
}

/// A user of the cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name.
    pub user: String,
    /// Password: wiped when dropped, never printed.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CqlOptions {
    /// `host:port` of some nodes, the others are learned from them.
    pub nodes: Vec<String>,
    /// The one keyspace.
    pub keyspace: String,
    /// Which datacenter is asked; may be `None` where there is but one.
    pub datacenter: Option<String>,
    /// Copies of each row: the keyspace is made with as many, and refused with fewer.
    pub replicas: u16,
    /// TLS; without it everything, the password too, goes in the clear.
    pub tls: Option<Tls>,
    /// Who asks.
    pub login: Option<Login>,
    /// How long one connection may take to be made.
    pub connect: Duration,
    /// How long one request may take, with its tries on other nodes.
    pub request: Duration,
}

impl CqlOptions {
    /// A plain connection to these nodes, and everything else as it is by default.
    #[must_use]
    pub fn plain(nodes: Vec<String>, keyspace: String) -> Self {
        Self {
            nodes,
            keyspace,
            datacenter: None,
            replicas: 3,
            tls: None,
            login: None,
            connect: Duration::from_secs(5),
            request: Duration::from_secs(5),
        }
    }

    /// The addresses, for messages.
    #[must_use]
    pub fn addresses(&self) -> String {
        self.nodes.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let login = Login { user: "waybill".to_owned(), password: Zeroizing::new("guessed".to_owned()) };
        let options = CqlOptions { login: Some(login), ..CqlOptions::plain(vec!["a:1".to_owned()], "k".to_owned()) };
        let shown = format!("{options:?}");
        assert!(shown.contains("waybill") && !shown.contains("guessed"), "{shown}");
    }
}
