//! The resolver that the HTTP client dials through: it hands out vetted addresses only.
//!
//! Because the connector dials exactly what this returns, a name that answers differently the next time (DNS
//! rebinding) gains nothing. One bad address refuses the whole answer: a mixed answer is an attack or a mistake.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::error::Refusal;
use super::guard::Guard;

/// Lookups under way at once. Each holds a thread of tokio's blocking pool (512) for as long as the system's resolver
/// takes, so names that never answer can hold an eighth of it.
const MAX_LOOKUPS: usize = 64;
/// Addresses taken of one answer. The dialler tries them in turn; more would only stretch the deadline.
const MAX_ADDRESSES: usize = 16;

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// How a name becomes addresses: the system's resolver, or a script in tests.
pub(super) type Lookup = Arc<dyn Fn(String) -> Found + Send + Sync>;

/// The system's resolver. Port 0 means "the port of the URL" to the HTTP client.
pub(super) fn system_lookup() -> Lookup {
    Arc::new(|host| Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) }))
}

/// Resolves, vets, and only then lets dial.
pub(super) struct GuardedResolver {
    guard: Guard,
    lookup: Lookup,
    permits: Arc<Semaphore>,
}

impl GuardedResolver {
    pub(super) fn new(guard: Guard, lookup: Lookup) -> Self {
        Self { guard, lookup, permits: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (guard, permits, lookup) = (self.guard.clone(), Arc::clone(&self.permits), Arc::clone(&self.lookup));
        Box::pin(async move {
            let _permit = permits.acquire_owned().await?;
            let mut found = lookup(host.clone()).await?;
            vet(&guard, &host, &found)?;
            found.truncate(MAX_ADDRESSES);
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// All of an answer, before any of it is cut off.
fn vet(guard: &Guard, host: &str, found: &[SocketAddr]) -> Result<(), Refusal> {
    for address in found {
        guard.check_address(address.ip()).map_err(|found| Refusal::Resolved { host: host.to_owned(), found })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::address::AddressClass;
    use super::*;

    fn class_of(guard: &Guard, answer: &[&str]) -> Option<AddressClass> {
        let answer: Vec<SocketAddr> =
            answer.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 0)).collect();
        match vet(guard, "hooks.example", &answer) {
            Ok(()) => None,
            Err(Refusal::Resolved { found, .. }) => Some(found.class),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_bad_address_refuses_the_whole_answer() {
        let guard = Guard::default();
        assert_eq!(class_of(&guard, &["1.1.1.1", "2606:4700:4700::1111"]), None);
        assert_eq!(class_of(&guard, &["1.1.1.1", "10.0.0.1"]), Some(AddressClass::Private));
        assert_eq!(class_of(&guard, &["fd00:ec2::254", "1.1.1.1"]), Some(AddressClass::Metadata));
        let mut late = vec!["1.1.1.1"; MAX_ADDRESSES];
        late.push("127.0.0.1");
        assert_eq!(class_of(&guard, &late), Some(AddressClass::Loopback));
    }

    #[test]
    fn with_private_networks_allowed_metadata_is_still_refused() {
        let guard = Guard { allow_private: true, ..Guard::default() };
        assert_eq!(class_of(&guard, &["10.0.0.1", "1.1.1.1"]), None);
        assert_eq!(class_of(&guard, &["10.0.0.1", "169.254.169.254"]), Some(AddressClass::Metadata));
    }
}
