//! Places of the egress: so many calls at once over all tenants, and for none of them so many that another one waits for it.
//!
//! A tenant may hold seven places for each that is free. So one that is alone has seven eighths of them, two of them seven
//! fifteenths each, and there is always a place for who comes next, however slow the calls of the others are: what they
//! hold too much of comes back with their calls' ends, and goes to whoever holds less. Who finds none waits in its tenant's
//! line, and the tenants have turns.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::domain::id::TenantId;

/// Places that a tenant may hold for each that is free.
const FOR_EACH_FREE: usize = 7;

/// The places.
#[derive(Debug)]
pub struct Egress {
    places: Mutex<Places>,
}

#[derive(Debug)]
struct Places {
    free: usize,
    /// Tenants that hold a place, or wait for one.
    tenants: HashMap<TenantId, Tenant>,
    /// Tenants that wait, in turn.
    turns: VecDeque<TenantId>,
}

#[derive(Debug, Default)]
struct Tenant {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// One place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    of: Arc<Egress>,
    tenant: TenantId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let given = {
            let mut places = self.of.places.lock();
            places.give_back(self.tenant);
            places.grant(&self.of)
        };
        // Outside of the lock: a place that nobody waits for any more comes back here.
        for (to, place) in given {
            drop(to.send(place));
        }
    }
}

impl Egress {
    /// So many places.
    #[must_use]
    pub fn new(all: usize) -> Arc<Self> {
        let places = Places { free: all.max(1), tenants: HashMap::new(), turns: VecDeque::new() };
        Arc::new(Self { places: Mutex::new(places) })
    }

    /// Waits for a place; `None` only if the process is at its end.
    pub async fn take(self: &Arc<Self>, tenant: TenantId) -> Option<Place> {
        let (give, given) = oneshot::channel();
        {
            let mut places = self.places.lock();
            // Nobody passes by those of its own tenant.
            if places.waits(tenant) == 0 && places.may(tenant) {
                return Some(places.give(self, tenant));
            }
            if places.waits(tenant) == 0 {
                places.turns.push_back(tenant);
            }
            places.tenants.entry(tenant).or_default().waiting.push_back(give);
        }
        given.await.ok()
    }

    /// Places nobody holds.
    #[must_use]
    pub fn free(&self) -> usize {
        self.places.lock().free
    }
}

impl Places {
    fn waits(&self, tenant: TenantId) -> usize {
        self.tenants.get(&tenant).map_or(0, |tenant| tenant.waiting.len())
    }

    fn may(&self, tenant: TenantId) -> bool {
        self.tenants.get(&tenant).map_or(0, |tenant| tenant.held) < self.free.saturating_mul(FOR_EACH_FREE)
    }

    fn give(&mut self, of: &Arc<Egress>, tenant: TenantId) -> Place {
        self.free -= 1;
        self.tenants.entry(tenant).or_default().held += 1;
        Place { of: Arc::clone(of), tenant }
    }

    fn give_back(&mut self, tenant: TenantId) {
        self.free += 1;
        if let Some(known) = self.tenants.get_mut(&tenant) {
            known.held -= 1;
        }
        self.forget_if_idle(tenant);
    }

    /// Gives what may be given to those who wait: one to each tenant in its turn.
    fn grant(&mut self, of: &Arc<Egress>) -> Vec<(oneshot::Sender<Place>, Place)> {
        let (mut given, mut passed) = (Vec::new(), 0);
        while passed < self.turns.len()
            && let Some(tenant) = self.turns.pop_front()
        {
            let to = if self.may(tenant) { self.next_of(tenant) } else { None };
            match to {
                Some(to) => {
                    passed = 0;
                    given.push((to, self.give(of, tenant)));
                }
                None => passed += 1,
            }
            if self.waits(tenant) > 0 {
                self.turns.push_back(tenant);
            }
            self.forget_if_idle(tenant);
        }
        given
    }

    /// Whoever waits longest; those who are gone are passed by.
    fn next_of(&mut self, tenant: TenantId) -> Option<oneshot::Sender<Place>> {
        let waiting = &mut self.tenants.get_mut(&tenant)?.waiting;
        loop {
            let to = waiting.pop_front()?;
            if !to.is_closed() {
                return Some(to);
            }
        }
    }

    fn forget_if_idle(&mut self, tenant: TenantId) {
        if self.tenants.get(&tenant).is_some_and(|it| it.held == 0 && it.waiting.is_empty()) {
            self.tenants.remove(&tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: TenantId = TenantId([1; 16]);
    const OTHER: TenantId = TenantId([2; 16]);

    /// Takes as many as may be taken at once.
    fn greedy(egress: &Arc<Egress>, tenant: TenantId) -> Vec<Place> {
        let mut held = Vec::new();
        loop {
            let mut places = egress.places.lock();
            if !places.may(tenant) {
                return held;
            }
            held.push(places.give(egress, tenant));
        }
    }

    #[tokio::test]
    async fn who_is_alone_has_almost_all_and_there_is_a_place_for_who_comes_next() {
        let egress = Egress::new(64);
        let mut one = greedy(&egress, ONE);
        assert_eq!((one.len(), egress.free()), (56, 8));
        let other = greedy(&egress, OTHER);
        assert_eq!((other.len(), egress.free()), (7, 1));
        // It waits, and its calls end: it gets no place before it holds less than its share.
        let wants = tokio::spawn({
            let egress = Arc::clone(&egress);
            async move { egress.take(ONE).await }
        });
        tokio::task::yield_now().await;
        one.truncate(52);
        assert_eq!(egress.free(), 5);
        let theirs = egress.take(OTHER).await.expect("a place");
        one.truncate(20);
        assert!(wants.await.expect("no panic").is_some(), "its turn has come");
        drop((one, other, theirs));
        assert_eq!((egress.free(), egress.places.lock().tenants.len()), (64, 0), "all is given back");
    }

    #[tokio::test]
    async fn who_waits_is_given_a_place_in_turn_and_who_is_gone_none() {
        let egress = Egress::new(1);
        let held = egress.take(ONE).await.expect("a place");
        let mut waiting = [(); 3].map(|()| Box::pin(egress.take(ONE)));
        let mut others = Box::pin(egress.take(OTHER));
        for wait in &mut waiting {
            assert!(futures_now(wait.as_mut()).is_none());
        }
        assert!(futures_now(others.as_mut()).is_none());
        let [gone, second, third] = waiting;
        drop(gone);
        drop(held);
        let held = second.await.expect("the first is gone");
        drop(held);
        drop(others.await.expect("in turn"));
        drop(third.await.expect("the last"));
        assert_eq!((egress.free(), egress.places.lock().turns.len()), (1, 0));
    }

    /// Looks once.
    fn futures_now<T>(wait: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match wait.poll(&mut context) {
            std::task::Poll::Ready(found) => Some(found),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn there_is_always_a_place() {
        assert_eq!(greedy(&Egress::new(0), ONE).len(), 1);
    }
}
