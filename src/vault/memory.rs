//! The double: a vault in memory, with the same ciphers, that can be told to fail, to be slow, or to have erased
//! someone. Nothing of it outlives the process, so it is for tests and simulations only.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::alias::{Alias, MAX_ALIAS};
use super::cipher::{Key, first};
use super::error::VaultError;
use super::sealing::{self, Sealed, limit};
use super::seam::{Kept, Vault};
use super::secret::{MAX_SECRET, SecretBytes};
use crate::domain::id::{InstallationId, KeyId, Tag, TenantId, with_partition};
use crate::domain::record::Position;
use crate::domain::routing::contact_partition;
use crate::runtime::Entropy;

/// A vault that forgets everything when it is dropped.
pub struct MemoryVault {
    installation: InstallationId,
    count: u16,
    entropy: Arc<dyn Entropy>,
    mac: Key,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    indexes: HashMap<TenantId, Key>,
    tags: HashMap<Tag, KeyId>,
    contacts: HashMap<KeyId, Contact>,
    secrets: HashMap<(Option<TenantId>, String), SecretBytes>,
    marks: BTreeMap<u16, Position>,
    failure: Option<String>,
    delay: Option<Duration>,
    closed: bool,
}

struct Contact {
    tenant: TenantId,
    /// None once erased.
    key: Option<Key>,
    aliases: Vec<Alias>,
}

impl MemoryVault {
    /// An empty vault for `count` partitions (at least one).
    #[must_use]
    pub fn new(installation: InstallationId, count: u16, entropy: Arc<dyn Entropy>) -> Self {
        let mac = Key::draw(&*entropy);
        Self { installation, count: count.max(1), entropy, mac, state: Mutex::default() }
    }

    /// From now on every call that would keep something new is refused with this reason, as after a failed sync.
    pub fn fail(&self, reason: &str) {
        self.state.lock().failure = Some(reason.to_owned());
    }

    /// From now on (until `None`) every call that keeps something takes this long, as on a slow disk. Waits on the
    /// runtime's timer.
    pub fn slow(&self, delay: Option<Duration>) {
        self.state.lock().delay = delay;
    }

    /// Destroys the contact's key and names at once, whatever it was told about being slow or failing.
    pub fn erase(&self, contact: KeyId) {
        self.state.lock().erase(contact);
    }

    /// Waits as told, then does the work, unless the switch says no.
    async fn keep<T>(&self, work: impl FnOnce(&mut State) -> Result<T, VaultError>) -> Result<T, VaultError> {
        let delay = self.state.lock().delay;
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        let mut state = self.state.lock();
        match (&state.failure, state.closed) {
            (Some(reason), _) => Err(VaultError::Failed(reason.clone())),
            (None, true) => Err(VaultError::Closed),
            (None, false) => work(&mut state),
        }
    }

    fn create(&self, state: &mut State, tenant: TenantId, tag: Tag, alias: &Alias) -> KeyId {
        let contact = KeyId(with_partition(self.entropy.id(), contact_partition(&tag, self.count)));
        let key = Some(Key::draw(&*self.entropy));
        state.contacts.insert(contact, Contact { tenant, key, aliases: vec![alias.clone()] });
        state.tags.insert(tag, contact);
        contact
    }
}

impl State {
    fn erase(&mut self, contact: KeyId) {
        self.tags.retain(|_, named| *named != contact);
        if let Some(found) = self.contacts.get_mut(&contact) {
            found.key = None;
            found.aliases.clear();
        }
    }

    fn contact(&mut self, tenant: TenantId, contact: KeyId) -> Result<(&Key, &mut Vec<Alias>), VaultError> {
        let found = self.contacts.get_mut(&contact).filter(|found| found.tenant == tenant);
        let found = found.ok_or(VaultError::Unknown { contact })?;
        let key = found.key.as_ref().ok_or(VaultError::Erased { contact })?;
        Ok((key, &mut found.aliases))
    }

    fn tag(&mut self, entropy: &dyn Entropy, tenant: TenantId, purpose: &str, parts: &[&[u8]]) -> Tag {
        let index = self.indexes.entry(tenant).or_insert_with(|| Key::draw(entropy));
        Tag(first(&index.mac(purpose, parts)))
    }

    fn alias_tag(&mut self, entropy: &dyn Entropy, tenant: TenantId, alias: &Alias) -> Tag {
        self.tag(entropy, tenant, sealing::ALIAS, &[&alias.to_bytes()])
    }
}

impl Vault for MemoryVault {
    fn installation(&self) -> InstallationId {
        self.installation
    }

    fn contact<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, KeyId> {
        Box::pin(async move {
            limit("the alias", alias.value.len(), MAX_ALIAS)?;
            let tag = self.state.lock().alias_tag(&*self.entropy, tenant, alias);
            let known = self.state.lock().tags.get(&tag).copied();
            if let Some(known) = known {
                return Ok(known);
            }
            let make = |state: &mut State| match state.tags.get(&tag) {
                Some(known) => Ok(*known),
                None => Ok(self.create(state, tenant, tag, alias)),
            };
            self.keep(make).await
        })
    }

    fn find<'a>(&'a self, tenant: TenantId, alias: &'a Alias) -> Kept<'a, Option<KeyId>> {
        Box::pin(async move {
            let mut state = self.state.lock();
            let tag = state.alias_tag(&*self.entropy, tenant, alias);
            Ok(state.tags.get(&tag).copied())
        })
    }

    fn add_alias<'a>(&'a self, tenant: TenantId, contact: KeyId, alias: &'a Alias) -> Kept<'a, ()> {
        Box::pin(async move {
            limit("the alias", alias.value.len(), MAX_ALIAS)?;
            let add = |state: &mut State| {
                let tag = state.alias_tag(&*self.entropy, tenant, alias);
                let named = state.tags.get(&tag).copied();
                let (_, aliases) = state.contact(tenant, contact)?;
                match named {
                    Some(named) if named == contact => return Ok(()),
                    Some(other) => return Err(VaultError::Taken { contact: other }),
                    None => aliases.push(alias.clone()),
                }
                state.tags.insert(tag, contact);
                Ok(())
            };
            self.keep(add).await
        })
    }

    fn aliases(&self, tenant: TenantId, contact: KeyId) -> Kept<'_, Vec<Alias>> {
        Box::pin(async move { self.state.lock().contact(tenant, contact).map(|(_, aliases)| aliases.clone()) })
    }

    fn seal<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], text: &'a [u8]) -> Kept<'a, Sealed> {
        Box::pin(async move {
            let mut state = self.state.lock();
            let (key, _) = state.contact(tenant, contact)?;
            sealing::seal(key, &*self.entropy, (tenant, contact), context, text)
        })
    }

    fn open<'a>(&'a self, tenant: TenantId, contact: KeyId, context: &'a [u8], bytes: &'a [u8]) -> Kept<'a, Vec<u8>> {
        Box::pin(async move {
            let mut state = self.state.lock();
            let (key, _) = state.contact(tenant, contact)?;
            sealing::open(key, (tenant, contact), context, bytes).map_err(|_| sealing::damaged_content(contact))
        })
    }

    fn destroy(&self, tenant: TenantId, contact: KeyId, mark: bool) -> Kept<'_, Option<KeyId>> {
        let destroy = move |state: &mut State| {
            state.tag(&*self.entropy, tenant, sealing::ALIAS, &[]);
            let heir = sealing::successor(&state.indexes[&tenant], contact);
            match state.contact(tenant, contact) {
                Err(VaultError::Erased { .. }) => {
                    return Ok(Some(heir).filter(|_| mark && state.contacts.contains_key(&heir)));
                }
                Err(other) => return Err(other),
                Ok(_) => {}
            }
            if mark {
                let key = Some(Key::draw(&*self.entropy));
                state.contacts.insert(heir, Contact { tenant, key, aliases: Vec::new() });
                state.tags.values_mut().filter(|named| **named == contact).for_each(|named| *named = heir);
            }
            state.erase(contact);
            Ok(mark.then_some(heir))
        };
        Box::pin(self.keep(destroy))
    }

    fn tag<'a>(&'a self, tenant: TenantId, purpose: &'a str, parts: &'a [&'a [u8]]) -> Kept<'a, Tag> {
        Box::pin(async move { Ok(self.state.lock().tag(&*self.entropy, tenant, purpose, parts)) })
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 8] {
        first(&self.mac.mac(purpose, parts))
    }

    fn put_secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str, value: &'a SecretBytes) -> Kept<'a, ()> {
        Box::pin(async move {
            limit("the secret's name", name.len(), sealing::MAX_NAME)?;
            limit("the secret", value.expose().len(), MAX_SECRET)?;
            let put = |state: &mut State| {
                state.secrets.insert((tenant, name.to_owned()), value.clone());
                Ok(())
            };
            self.keep(put).await
        })
    }

    fn put_secret_once<'a>(
        &'a self,
        tenant: Option<TenantId>,
        name: &'a str,
        value: &'a SecretBytes,
    ) -> Kept<'a, SecretBytes> {
        Box::pin(async move {
            limit("the secret's name", name.len(), sealing::MAX_NAME)?;
            limit("the secret", value.expose().len(), MAX_SECRET)?;
            let put = |state: &mut State| {
                Ok(state.secrets.entry((tenant, name.to_owned())).or_insert_with(|| value.clone()).clone())
            };
            self.keep(put).await
        })
    }

    fn secret<'a>(&'a self, tenant: Option<TenantId>, name: &'a str) -> Kept<'a, Option<SecretBytes>> {
        Box::pin(async move { Ok(self.state.lock().secrets.get(&(tenant, name.to_owned())).cloned()) })
    }

    fn marks(&self) -> Vec<(u16, Position)> {
        self.state.lock().marks.iter().map(|(partition, position)| (*partition, *position)).collect()
    }

    fn raise_marks(&self, marks: &[(u16, Position)]) {
        let mut state = self.state.lock();
        for (partition, position) in marks {
            let mark = state.marks.entry(*partition).or_default();
            *mark = (*mark).max(*position);
        }
    }

    fn failed(&self) -> Option<String> {
        self.state.lock().failure.clone()
    }

    fn close(&self) -> Kept<'_, ()> {
        Box::pin(async move {
            self.state.lock().closed = true;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{self, COUNT, Stage};
    use super::*;
    use crate::runtime::{BoxFuture, SeededEntropy};

    struct InMemory(Arc<MemoryVault>);

    impl Stage for InMemory {
        fn vault(&self) -> Arc<dyn Vault> {
            self.0.clone()
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            Box::pin(std::future::ready(()))
        }

        fn break_it(&mut self) {
            self.0.fail("told to");
        }
    }

    fn fresh() -> InMemory {
        InMemory(Arc::new(MemoryVault::new(InstallationId([5; 16]), COUNT, Arc::new(SeededEntropy::new(3)))))
    }

    #[tokio::test]
    async fn the_double_keeps_the_contract() {
        contract::all(fresh).await;
    }

    #[tokio::test]
    async fn the_double_is_slow_when_told() {
        let InMemory(vault) = fresh();
        vault.slow(Some(Duration::from_secs(3600)));
        let alias = Alias::phone("491510000001").expect("a phone number");
        let call = vault.contact(TenantId([1; 16]), &alias);
        assert!(tokio::time::timeout(Duration::ZERO, call).await.is_err(), "it did not wait");
        assert_eq!(vault.find(TenantId([1; 16]), &alias).await, Ok(None));
        vault.slow(None);
        assert!(vault.contact(TenantId([1; 16]), &alias).await.is_ok());
    }
}
