//! Places that tenants share: so many for all of them, and a share for each, so that nobody waits for a stranger.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::codes::Code;
use super::problem::Problem;
use crate::domain::id::TenantId;

/// Places for one kind of work.
#[derive(Debug)]
pub struct Shares {
    all: Arc<Semaphore>,
    each: usize,
    /// Tenants that hold a place, and how many: never more entries than there are places.
    held: Mutex<HashMap<TenantId, usize>>,
}

/// One place, until it is dropped.
#[derive(Debug)]
pub struct Share {
    of: Option<(Arc<Shares>, TenantId)>,
    _place: OwnedSemaphorePermit,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All are taken.
    House,
    /// The tenant has its share.
    Tenant,
}

impl Shares {
    /// So many places, of which one tenant may hold `each`.
    #[must_use]
    pub fn new(all: usize, each: usize) -> Arc<Self> {
        let held = Mutex::default();
        Arc::new(Self { all: Arc::new(Semaphore::new(all)), each: each.clamp(1, all.max(1)), held })
    }

    /// Takes a place for a tenant, or for nobody's account: the operator has no share.
    ///
    /// # Errors
    /// When there is none: at once, nobody queues.
    pub fn take(self: &Arc<Self>, tenant: Option<TenantId>) -> Result<Share, Full> {
        let place = Arc::clone(&self.all).try_acquire_owned().map_err(|_| Full::House)?;
        let Some(tenant) = tenant else {
            return Ok(Share { of: None, _place: place });
        };
        let mut held = self.held.lock();
        let count = held.entry(tenant).or_default();
        if *count >= self.each {
            return Err(Full::Tenant);
        }
        *count += 1;
        drop(held);
        Ok(Share { of: Some((Arc::clone(self), tenant)), _place: place })
    }

    /// Places nobody holds.
    #[must_use]
    pub fn free(&self) -> usize {
        self.all.available_permits()
    }

    fn give_back(&self, tenant: TenantId) {
        let mut held = self.held.lock();
        if let Some(count) = held.get_mut(&tenant) {
            *count -= 1;
            if *count == 0 {
                held.remove(&tenant);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some((shares, tenant)) = self.of.take() {
            shares.give_back(tenant);
        }
    }
}

impl Full {
    /// The refusal; `what` are the works that are full, in the plural.
    #[must_use]
    pub fn problem(self, what: &str) -> Problem {
        let (detail, remedy) = match self {
            Self::House => (format!("too many {what} at once"), "send again after the time in Retry-After"),
            Self::Tenant => (format!("too many {what} of this tenant at once"), "let some of them end first"),
        };
        Problem::new(Code::Overloaded, detail).retry_after(1).remedy(remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_its_share_and_leaves_the_rest_to_others() {
        let shares = Shares::new(4, 2);
        let (one, other) = (Some(TenantId([1; 16])), Some(TenantId([2; 16])));
        let mut held = vec![shares.take(one).expect("room"), shares.take(one).expect("room")];
        assert_eq!(shares.take(one).map(drop), Err(Full::Tenant));
        held.push(shares.take(other).expect("its own share"));
        held.push(shares.take(None).expect("the operator"));
        assert_eq!(shares.take(other).map(drop), Err(Full::House));
        held.clear();
        assert_eq!((shares.free(), shares.held.lock().len()), (4, 0), "all is given back");
        assert!(shares.take(one).is_ok());
    }

    #[test]
    fn there_is_always_a_share() {
        let one = Some(TenantId([1; 16]));
        assert!(Shares::new(1, 0).take(one).is_ok());
        assert_eq!(Shares::new(0, 0).take(one).map(drop), Err(Full::House));
    }
}
