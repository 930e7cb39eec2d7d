//! How fast each tenant may hand messages in: one bucket each, in memory of this node.
//!
//! A fresh node gives every tenant a fresh burst; that is the most a restart can give away.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use parking_lot::Mutex;

use crate::domain::id::TenantId;
use crate::domain::pacing::{Cell, Rate};
use crate::domain::record::Micros;

/// Tenants remembered, 24 bytes each; beyond it all are forgotten, which gives each a burst.
const MAX_TENANTS: usize = 65_536;

/// The buckets of all tenants.
#[derive(Debug, Default)]
pub struct Quotas(Mutex<HashMap<TenantId, Cell>>);

impl Quotas {
    /// Takes one of the tenant's. `steady` is time that never steps back.
    ///
    /// # Errors
    /// How long until there is one again.
    pub fn take(
        &self,
        tenant: TenantId,
        (per_second, burst): (u32, u32),
        steady: Duration,
    ) -> Result<(), Duration> {
        let (Some(rate), Some(burst)) = (NonZeroU32::new(per_second), NonZeroU32::new(burst))
        else {
            return Ok(());
        };
        let rate = Rate::from(Quota::per_second(rate).allow_burst(burst));
        let now = Micros::try_from(steady.as_micros()).unwrap_or(Micros::MAX);
        let mut cells = self.0.lock();
        if cells.len() >= MAX_TENANTS && !cells.contains_key(&tenant) {
            cells.clear();
        }
        let cell = cells.entry(tenant).or_default();
        let at = rate.earliest(*cell, now);
        if at > now {
            return Err(Duration::from_micros(u64::try_from(at - now).unwrap_or(0)));
        }
        *cell = rate.take(*cell, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_nobody_pays_for_another() {
        let quotas = Quotas::default();
        let (one, other) = (TenantId([1; 16]), TenantId([2; 16]));
        let at = |ms| Duration::from_millis(ms);
        for _ in 0..3 {
            assert_eq!(quotas.take(one, (10, 3), at(0)), Ok(()));
        }
        assert_eq!(quotas.take(one, (10, 3), at(0)), Err(at(100)));
        assert_eq!(quotas.take(other, (10, 3), at(0)), Ok(()));
        assert_eq!(quotas.take(one, (10, 3), at(100)), Ok(()));
        assert_eq!(quotas.take(one, (10, 3), at(100)), Err(at(100)));
    }
}
