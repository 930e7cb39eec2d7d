//! Which key seals which, and with what associated data. Tenants' keys and the callback key are not kept: they are derived.
//!
//! | key | is |
//! | --- | --- |
//! | callback key | HMAC-SHA256 under the instance key of `waybill callback key`, installation |
//! | tenant's wrapping key | the same of `waybill tenant key`, installation, tenant |
//! | tenant's index key | the same of `waybill index key`, installation, tenant |
//!
//! What is sealed has the associated data that it has in the files (`../files/wrapping.rs`); the check value lies under a
//! purpose of its own, `waybill keyspace check`.

use crate::domain::id::{InstallationId, KeyId, TenantId};
use crate::runtime::Entropy;
use crate::vault::cipher::{Key, NotOpened};
use crate::vault::files::wrapping;
use crate::vault::secret::SecretBytes;

/// The instance key, and what hangs from it.
pub struct Keys {
    instance: Key,
    installation: InstallationId,
    /// Makes tokens that come back in callbacks.
    pub callback: Key,
}

/// A tenant's two keys.
pub struct TenantKeys {
    /// Wraps contact keys, seals the tenant's secrets.
    pub wrap: Key,
    /// Makes tags.
    pub index: Key,
}

impl Keys {
    /// Those of an installation.
    pub fn new(instance: Key, installation: InstallationId) -> Self {
        let callback = derived(&instance, "waybill callback key", &[&installation.0]);
        Self { instance, installation, callback }
    }

    /// A tenant's keys.
    pub fn tenant(&self, tenant: TenantId) -> TenantKeys {
        let of = |purpose| derived(&self.instance, purpose, &[&self.installation.0, &tenant.0]);
        TenantKeys { wrap: of("waybill tenant key"), index: of("waybill index key") }
    }

    /// Nothing, sealed: a check value.
    pub fn check(&self, entropy: &dyn Entropy) -> Vec<u8> {
        self.instance.seal(entropy, &self.check_place(), &[])
    }

    /// Whether a check value was made with this instance key.
    pub fn opens(&self, check: &[u8]) -> bool {
        self.instance.open(&self.check_place(), check).is_ok()
    }

    fn check_place(&self) -> Vec<u8> {
        [&b"waybill keyspace check"[..], &self.installation.0].concat()
    }

    /// Seals a secret.
    pub fn seal_secret(&self, entropy: &dyn Entropy, at: (Option<TenantId>, &str), value: &SecretBytes) -> Vec<u8> {
        self.secret_key(at.0).seal(entropy, &wrapping::secret_place(at.0, at.1), &[value.expose()])
    }

    /// Opens a secret.
    pub fn open_secret(&self, at: (Option<TenantId>, &str), sealed: &[u8]) -> Result<SecretBytes, NotOpened> {
        self.secret_key(at.0).open(&wrapping::secret_place(at.0, at.1), sealed).map(SecretBytes::from)
    }

    fn secret_key(&self, tenant: Option<TenantId>) -> Key {
        tenant.map_or_else(|| self.instance.clone(), |tenant| self.tenant(tenant).wrap)
    }
}

fn derived(instance: &Key, purpose: &str, parts: &[&[u8]]) -> Key {
    Key::from_array(&instance.mac(purpose, parts))
}

impl TenantKeys {
    /// Wraps a contact's key.
    pub fn wrap(&self, entropy: &dyn Entropy, at: (TenantId, KeyId), key: &Key) -> Vec<u8> {
        self.wrap.seal(entropy, &wrapping::contact_place(at), &[key.expose()])
    }

    /// Unwraps a contact's key.
    pub fn unwrap(&self, at: (TenantId, KeyId), wrapped: &[u8]) -> Result<Key, NotOpened> {
        wrapping::unwrap(&self.wrap, &wrapping::contact_place(at), wrapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::SeededEntropy;

    #[test]
    fn all_nodes_with_one_instance_key_have_the_same_keys_and_no_two_purposes_share_one() {
        let key = Key::draw(&SeededEntropy::new(1));
        let keys = |installation| Keys::new(key.clone(), InstallationId([installation; 16]));
        let (one, other, foreign) = (keys(1), keys(1), keys(2));
        let (tenant, neighbour) = (TenantId([3; 16]), TenantId([4; 16]));
        assert_eq!(one.tenant(tenant).wrap.expose(), other.tenant(tenant).wrap.expose());
        let all = [
            *one.callback.expose(),
            *one.tenant(tenant).wrap.expose(),
            *one.tenant(tenant).index.expose(),
            *one.tenant(neighbour).wrap.expose(),
            *foreign.tenant(tenant).wrap.expose(),
            *foreign.callback.expose(),
            *key.expose(),
        ];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        let check = one.check(&SeededEntropy::new(2));
        assert!(other.opens(&check) && !foreign.opens(&check) && !one.opens(b""));
        assert!(!Keys::new(Key::draw(&SeededEntropy::new(9)), InstallationId([1; 16])).opens(&check));
    }

    /// Whoever restores a keyspace and the key file years later must find the same keys: computed with Python's `hmac`.
    #[test]
    fn the_derivation_is_pinned() {
        let keys = Keys::new(Key::from_array(&[7; 32]), InstallationId([1; 16]));
        let tenant = keys.tenant(TenantId([2; 16]));
        assert_eq!(
            hex::encode(keys.callback.expose()),
            "18dae167c8c2f8e7b533383d62a764eba37acc1f4f7f7f3586d1f5dc857cca30"
        );
        assert_eq!(
            hex::encode(tenant.wrap.expose()),
            "4a6019d6c2495551c1b7359837efe7e16a71997c5921c8eae2b25f732e472507"
        );
        assert_eq!(
            hex::encode(tenant.index.expose()),
            "cffd8e3a19e756aecab8f07321992cb3839a39d03ce4759f238fc4df3c318eaf"
        );
    }
}
