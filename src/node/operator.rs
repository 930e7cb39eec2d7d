//! The operator's key of an installation: in the data folder, and where nodes share a vault in that, the same for all.

use std::time::Duration;

use super::error::StartError;
use super::folder::Folder;
use crate::actors::hands::Hands;
use crate::api::OperatorKey;
use crate::config::Settings;
use crate::vault::SecretBytes;

/// What it is called in the vault.
const NAME: &str = "operator key";

/// Two nodes that are started together may both keep one: after so long what stands there is what both will find.
const SETTLE: Duration = Duration::from_millis(200);

/// Reads the operator's key, or draws one and keeps it.
///
/// # Errors
/// When folder or vault cannot be read or written.
pub async fn key(settings: &Settings, folder: &Folder, hands: &Hands) -> Result<String, StartError> {
    let own = || folder.operator_key(|| OperatorKey::draw(hands.entropy.as_ref()).0);
    if !settings.is_shared() {
        return own();
    }
    let vault = hands.vault.as_ref();
    let kept = match vault.secret(None, NAME).await? {
        Some(kept) => kept,
        None => {
            let drawn = SecretBytes::new(own()?.into_bytes());
            vault.put_secret(None, NAME, &drawn).await?;
            tokio::time::sleep(SETTLE).await;
            vault.secret(None, NAME).await?.unwrap_or(drawn)
        }
    };
    let text = kept.to_text();
    // For whoever calls this node from beside it.
    folder.keep_operator_key(&text)?;
    Ok(text)
}
