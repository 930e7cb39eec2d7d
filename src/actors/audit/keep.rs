//! What the audit keeps in the vault: its key, and the head that it signed last.

use crate::actors::hands::Hands;
use crate::audit::Signer;
use crate::domain::audit::{Checkpoint, Hash};
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
    /// The log was signed, and the key is gone.
    #[error("the vault has no `{AUDIT_KEY}`, and the log was signed with the key {}", hex::encode(.0))]
    Missing(Hash),
    /// The log was signed with another key.
    #[error("`{AUDIT_KEY}` in the vault is the key {}, and the log was signed with {}", hex::encode(.own), hex::encode(.log))]
    Another {
        /// The vault's.
        own: Hash,
        /// The log's.
        log: Hash,
    },
}

/// The key of a log: the one that it was signed with. Where it was not signed yet it is drawn when there is none, and kept
/// before it is used; of two nodes that draw one both have the same afterwards.
///
/// # Errors
/// When the vault cannot be used, or has not the key of this log: another one would be another log.
pub async fn signer(hands: &Hands, log: Option<Hash>) -> Result<Signer, KeepError> {
    let seed = match (hands.vault.secret(None, AUDIT_KEY).await?, log) {
        (Some(seed), _) => seed,
        (None, Some(log)) => return Err(KeepError::Missing(log)),
        (None, None) => {
            let mut seed = zeroize::Zeroizing::new(vec![0; 32]);
            hands.entropy.fill(&mut seed);
            hands.vault.put_secret_once(None, AUDIT_KEY, &SecretBytes::from(seed)).await?
        }
    };
    let signer = Signer::of_seed(seed.expose()).map_err(|_| KeepError::Damaged(AUDIT_KEY))?;
    match log.filter(|log| *log != signer.public()) {
        Some(log) => Err(KeepError::Another { own: signer.public(), log }),
        None => Ok(signer),
    }
}

/// The log that the vault knows of, if it knows of one: also where the journal is an older one.
///
/// # Errors
/// When the vault cannot be read.
pub async fn known_era(vault: &dyn Vault) -> Result<Option<u32>, KeepError> {
    Ok(last(vault).await?.and_then(|head| head.era(vault.installation())))
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
