//! TLS for the listener: certificate and key from PEM files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Settings;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of that kind.
    #[error("{} holds no {what} in PEM form: {why}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// What the reader said.
        why: String,
    },
    /// The two do not belong together, or are of a kind that is not supported.
    #[error("the certificate and the key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// What `server.tls_cert` and `server.tls_key` come down to; `None` for plain HTTP.
///
/// # Errors
/// What is wrong, naming the file.
pub fn tls(settings: &Settings) -> Result<Option<Arc<ServerConfig>>, String> {
    match (&settings.server.tls_cert, &settings.server.tls_key) {
        (Some(cert), Some(key)) => load(cert, key).map(Some).map_err(|error| error.to_string()),
        (None, None) => Ok(None),
        _ => Err("one of server.tls_cert and server.tls_key is missing; set both or none".to_owned()),
    }
}

/// Reads certificate chain and private key. HTTP/2 and HTTP/1.1 are offered.
///
/// # Errors
/// [`TlsError`], naming the file.
fn load(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let bad = |path: &Path, what, why: String| TlsError::Pem { path: path.to_owned(), what, why };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| bad(cert, "certificate", error.to_string()))?;
    if chain.is_empty() {
        return Err(bad(cert, "certificate", "there is none".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, "private key", error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// HTTP/2, as ALPN calls it.
pub(super) const H2: &[u8] = b"h2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let said = load(&cert, &key).expect_err("no files").to_string();
        assert!(said.contains("cert.pem"), "{said}");
        std::fs::write(&cert, "nothing").expect("written");
        let said = load(&cert, &key).expect_err("no certificate").to_string();
        assert!(said.contains("there is none"), "{said}");
    }
}
