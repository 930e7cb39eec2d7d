//! What the audit keeps in the vault: its key, and the head that it signed last.

use crate::actors::hands::Hands;
use crate::audit::Signer;
use crate::domain::audit::Checkpoint;
use crate::domain::secret_name::{AUDIT_HEAD, AUDIT_KEY};
use crate::vault::{SecretBytes, Vault, VaultError};

/// Why the vault does not help.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It cannot be read or written.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What stands there is not what was written.
    #[error("`{0}` in the vault is not what was written there")]
    Damaged(&'static str),
}

/// The key, drawn when there is none yet: kept before it is used.
///
/// # Errors
/// When the vault cannot be used.
pub async fn signer(hands: &Hands) -> Result<Signer, KeepError> {
    let seed = match hands.vault.secret(None, AUDIT_KEY).await? {
        Some(seed) => seed,
        None => {
            let mut seed = zeroize::Zeroizing::new(vec![0; 32]);
            hands.entropy.fill(&mut seed);
            let seed = SecretBytes::from(seed);
            hands.vault.put_secret(None, AUDIT_KEY, &seed).await?;
            seed
        }
    };
    Signer::of_seed(seed.expose()).map_err(|_| KeepError::Damaged(AUDIT_KEY))
}

/// The head that was signed last, or was about to be.
///
/// # Errors
/// When the vault cannot be read.
pub async fn last(vault: &dyn Vault) -> Result<Option<Checkpoint>, KeepError> {
    let text = vault.secret(None, AUDIT_HEAD).await?.map(|bytes| bytes.to_text());
    text.map(|text| Checkpoint::parse(&text).map_err(|_| KeepError::Damaged(AUDIT_HEAD))).transpose()
}

/// Keeps a head: durable when this returns.
///
/// # Errors
/// When the vault cannot be written.
pub async fn put(vault: &dyn Vault, head: &Checkpoint) -> Result<(), KeepError> {
    let text = SecretBytes::new(head.to_string().into_bytes());
    Ok(vault.put_secret(None, AUDIT_HEAD, &text).await?)
}
