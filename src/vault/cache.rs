//! A few of something, each for at most a minute: contact keys, unwrapped, so that an erasure reaches every process within
//! one; and what names whom, where that is asked of a database.
//!
//! Bound: a key takes about 200 bytes (key 48, map slot 72 at half load, order 40, allocator); 50,000 of them, which is the
//! default, are 10 MB. At 5,000 messages a second to ever new people a key then stays for ten seconds, longer than a send
//! takes.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

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
        Self { life: Duration::from_secs(60), most: 50_000 }
    }
}

struct Cached<V> {
    value: V,
    since: Duration,
}

/// What is held, oldest first out. A dropped key is wiped.
pub struct Cache<K, V> {
    bounds: CacheBounds,
    held: HashMap<K, Cached<V>>,
    order: VecDeque<(K, Duration)>,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty cache within these bounds.
    #[must_use]
    pub fn new(bounds: CacheBounds) -> Self {
        Self { bounds, held: HashMap::new(), order: VecDeque::new() }
    }

    /// What is held under this key, if it is young enough. `now` is steady time.
    pub fn get(&mut self, key: K, now: Duration) -> Option<V> {
        self.sweep(now);
        self.held.get(&key).map(|cached| cached.value.clone())
    }

    /// Takes a value in; it does not live longer for being put twice.
    pub fn put(&mut self, key: K, value: V, now: Duration) {
        self.sweep(now);
        if self.held.contains_key(&key) || self.bounds.life.is_zero() || self.bounds.most == 0 {
            return;
        }
        while self.held.len() >= self.bounds.most {
            self.drop_oldest();
        }
        self.held.insert(key, Cached { value, since: now });
        self.order.push_back((key, now));
    }

    /// Drops what is too old. Called on every use and about once a second.
    pub fn sweep(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(_, since)| now.saturating_sub(*since) >= self.bounds.life) {
            self.drop_oldest();
        }
    }

    /// Drops one. Its place in the order is passed by.
    pub fn forget(&mut self, key: &K) {
        self.held.remove(key);
    }

    /// Drops all with this value.
    pub fn forget_value(&mut self, value: &V)
    where
        V: PartialEq,
    {
        self.held.retain(|_, cached| cached.value != *value);
    }

    /// How many are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn drop_oldest(&mut self) {
        if let Some((key, since)) = self.order.pop_front()
            && self.held.get(&key).is_some_and(|cached| cached.since == since)
        {
            self.held.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::id::{KeyId, TenantId};
    use crate::runtime::SeededEntropy;
    use crate::vault::cipher::Key;

    const TENANT: TenantId = TenantId([1; 16]);

    fn id(n: usize) -> (TenantId, KeyId) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        (TENANT, KeyId(bytes))
    }

    #[test]
    fn a_key_lives_a_minute_from_its_unwrapping() {
        let (mut cache, key) = (Cache::new(CacheBounds::default()), Arc::new(Key::draw(&SeededEntropy::new(1))));
        let seconds = Duration::from_secs;
        cache.put(id(1), key.clone(), seconds(10));
        cache.put(id(1), key.clone(), seconds(50));
        assert!(cache.get(id(1), seconds(69)).is_some());
        assert!(cache.get((TenantId([2; 16]), id(1).1), seconds(69)).is_none(), "another tenant's key");
        assert!(cache.get(id(1), seconds(70)).is_none());
        assert_eq!((cache.len(), Arc::strong_count(&key)), (0, 1), "the key is still held somewhere");
    }

    #[test]
    fn the_oldest_makes_room() {
        const MOST: usize = 100;
        let bounds = CacheBounds { most: MOST, ..CacheBounds::default() };
        let (mut cache, key) = (Cache::new(bounds), Arc::new(Key::draw(&SeededEntropy::new(1))));
        for n in 0..=MOST {
            cache.put(id(n), key.clone(), Duration::ZERO);
        }
        assert_eq!(cache.len(), MOST);
        assert!(cache.get(id(0), Duration::ZERO).is_none());
        assert!(cache.get(id(MOST), Duration::ZERO).is_some());
    }

    #[test]
    fn a_life_of_nothing_holds_no_key_for_a_moment() {
        let bounds = CacheBounds { life: Duration::ZERO, ..CacheBounds::default() };
        let (mut cache, key) = (Cache::new(bounds), Arc::new(Key::draw(&SeededEntropy::new(1))));
        cache.put(id(1), key.clone(), Duration::ZERO);
        assert_eq!((cache.len(), Arc::strong_count(&key)), (0, 1), "the key is held");
    }
}
