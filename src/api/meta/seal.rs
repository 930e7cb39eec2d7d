//! Under whose key the text of a callback is sealed.
//!
//! Under the person's, if the tenant knows that person; else under the intake key of the day: a contact of the tenant
//! (of nobody, [`TenantId`] zero, where no tenant is known) by the name `intake-<day>`, days counted from 1970. It is
//! destroyed as a contact is, so what nobody could be found for can be erased day by day. The context is the event's id.

use super::compose::Trouble;
use crate::domain::id::{EventId, KeyId, TenantId};
use crate::domain::record::Micros;
use crate::vault::{Alias, Sealed, Vault, VaultError};

const DAY: Micros = 24 * 60 * 60 * 1_000_000;

/// Seals a text for one event.
pub(super) async fn seal(
    vault: &dyn Vault,
    (tenant, contact): (TenantId, Option<KeyId>),
    event: EventId,
    text: &[u8],
    now: Micros,
) -> Result<Sealed, Trouble> {
    if let Some(contact) = contact {
        match vault.seal(tenant, contact, &event.0, text).await {
            Ok(sealed) => return Ok(sealed),
            Err(error) if is_of_one_person(&error) => {
                tracing::warn!(%contact, "sealed under the key of the day instead of the contact's");
            }
            Err(error) => return Err(error.into()),
        }
    }
    let intake = intake_of(now)?;
    let contact = vault.contact(tenant, &intake).await?;
    Ok(vault.seal(tenant, contact, &event.0, text).await?)
}

/// Whether an error is about one contact (erased a moment ago, damaged) and not about the vault.
pub(super) fn is_of_one_person(error: &VaultError) -> bool {
    matches!(error, VaultError::Erased { .. } | VaultError::Unknown { .. } | VaultError::Damaged { .. })
}

/// The contact of the day. No person has such a name: a business-scoped id has a dot.
fn intake_of(now: Micros) -> Result<Alias, Trouble> {
    let name = format!("intake-{}", now.div_euclid(DAY));
    Alias::bsuid(&name).map_err(|error| Trouble::Part(error.to_string()))
}
