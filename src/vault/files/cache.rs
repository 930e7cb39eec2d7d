//! A few contact keys, unwrapped, each for at most a minute, so that an erasure reaches every process within one.
//!
//! Bound: a key takes about 200 bytes (key 48, map slot 72 at half load, order 40, allocator); 100,000 of them are 20 MB.
//! At 5,000 messages a second to ever new people a key then stays for twenty seconds, longer than a send takes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::id::{KeyId, TenantId};
use crate::vault::cipher::Key;

/// How long and how many keys are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheBounds {
    /// How long a key may be used after it was unwrapped, and so the longest an erased one still is. 0: none is held.
    pub life: Duration,
    /// Most keys at a time.
    pub most: usize,
}

impl Default for CacheBounds {
    fn default() -> Self {
        Self { life: Duration::from_secs(60), most: 100_000 }
    }
}

struct Cached {
    tenant: TenantId,
    key: Arc<Key>,
    since: Duration,
}

/// Unwrapped keys, oldest first out. A dropped key is wiped.
pub struct Cache {
    bounds: CacheBounds,
    keys: HashMap<KeyId, Cached>,
    order: VecDeque<(KeyId, Duration)>,
}

impl Cache {
    /// An empty cache within these bounds.
    #[must_use]
    pub fn new(bounds: CacheBounds) -> Self {
        Self { bounds, keys: HashMap::new(), order: VecDeque::new() }
    }

    /// The key, if it is here, this tenant's, and young enough. `now` is steady time.
    pub fn get(&mut self, tenant: TenantId, contact: KeyId, now: Duration) -> Option<Arc<Key>> {
        self.sweep(now);
        self.keys.get(&contact).filter(|cached| cached.tenant == tenant).map(|cached| cached.key.clone())
    }

    /// Takes a key in; it does not live longer for being put twice.
    pub fn put(&mut self, tenant: TenantId, contact: KeyId, key: Arc<Key>, now: Duration) {
        self.sweep(now);
        if self.keys.contains_key(&contact) || self.bounds.life.is_zero() || self.bounds.most == 0 {
            return;
        }
        while self.keys.len() >= self.bounds.most {
            self.drop_oldest();
        }
        self.keys.insert(contact, Cached { tenant, key, since: now });
        self.order.push_back((contact, now));
    }

    /// Drops what is too old. Called on every use and about once a second.
    pub fn sweep(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(_, since)| now.saturating_sub(*since) >= self.bounds.life) {
            self.drop_oldest();
        }
    }

    /// Keys held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn drop_oldest(&mut self) {
        if let Some((contact, since)) = self.order.pop_front()
            && self.keys.get(&contact).is_some_and(|cached| cached.since == since)
        {
            self.keys.remove(&contact);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::SeededEntropy;

    const TENANT: TenantId = TenantId([1; 16]);

    fn id(n: usize) -> KeyId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        KeyId(bytes)
    }

    #[test]
    fn a_key_lives_a_minute_from_its_unwrapping() {
        let (mut cache, key) = (Cache::new(CacheBounds::default()), Arc::new(Key::draw(&SeededEntropy::new(1))));
        let seconds = Duration::from_secs;
        cache.put(TENANT, id(1), key.clone(), seconds(10));
        cache.put(TENANT, id(1), key.clone(), seconds(50));
        assert!(cache.get(TENANT, id(1), seconds(69)).is_some());
        assert!(cache.get(TenantId([2; 16]), id(1), seconds(69)).is_none(), "another tenant's key");
        assert!(cache.get(TENANT, id(1), seconds(70)).is_none());
        assert_eq!((cache.len(), Arc::strong_count(&key)), (0, 1), "the key is still held somewhere");
    }

    #[test]
    fn the_oldest_makes_room() {
        const MOST: usize = 100;
        let bounds = CacheBounds { most: MOST, ..CacheBounds::default() };
        let (mut cache, key) = (Cache::new(bounds), Arc::new(Key::draw(&SeededEntropy::new(1))));
        for n in 0..=MOST {
            cache.put(TENANT, id(n), key.clone(), Duration::ZERO);
        }
        assert_eq!(cache.len(), MOST);
        assert!(cache.get(TENANT, id(0), Duration::ZERO).is_none());
        assert!(cache.get(TENANT, id(MOST), Duration::ZERO).is_some());
    }

    #[test]
    fn a_life_of_nothing_holds_no_key_for_a_moment() {
        let bounds = CacheBounds { life: Duration::ZERO, ..CacheBounds::default() };
        let (mut cache, key) = (Cache::new(bounds), Arc::new(Key::draw(&SeededEntropy::new(1))));
        cache.put(TENANT, id(1), key.clone(), Duration::ZERO);
        assert_eq!((cache.len(), Arc::strong_count(&key)), (0, 1), "the key is held");
    }
}
