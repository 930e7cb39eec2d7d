//! Where this installation may call: scheme, port, host. For the whole instance, never per tenant.
//!
//! Two doors, both needed: a literal address is vetted here, because HTTP clients do not ask the resolver about it; a
//! name is vetted in `resolve`, at the moment of dialling, because what it meant a second ago proves nothing.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::{NotGlobal, is_global};
use super::error::Refusal;

/// The longest endpoint address; what browsers and proxies agree on.
pub const MAX_URL: usize = 2048;

/// Which ports may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Every port. For an instance that calls into its operator's own network.
    Any,
    /// Only these.
    Only(Vec<u16>),
}

impl Ports {
    fn allow(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Only(list) => list.contains(&port),
        }
    }
}

/// What may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Admits loopback, RFC 1918, carrier NAT, unique-local and benchmarking addresses. Metadata services, link-local
    /// and all other special addresses stay refused. See [`super::AddressClass::is_private_network`].
    pub allow_private: bool,
    /// The ports that may be called.
    pub allowed_ports: Ports,
}

impl Default for Guard {
    /// Public addresses, on the ports HTTP servers are found on. Port 25 and its kind must not be reachable: they
    /// would make us a relay for whoever can write an endpoint's address.
    fn default() -> Self {
        Self { allow_private: false, allowed_ports: Ports::Only(vec![80, 443, 8080, 8443]) }
    }
}

impl Guard {
    /// Vets an endpoint's address: to be asked when it is written and again before each call.
    ///
    /// `Url` has already turned `0x7f.1`, `2130706433`, `0177.0.0.1` and full-width digits into the address they mean.
    ///
    /// # Errors
    /// [`Refusal`], which names the part that is not allowed.
    pub fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Refusal::Scheme(url.scheme().to_owned()));
        }
        if url.as_str().len() > MAX_URL {
            return Err(Refusal::TooLong(url.as_str().len()));
        }
        // The URL standard admits characters that HTTP does not: better refused here than at every attempt.
        if url.as_str().parse::<http::Uri>().is_err() {
            return Err(Refusal::NotSendable);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let host = url.host().ok_or(Refusal::NoHost)?;
        let port = url.port_or_known_default().ok_or(Refusal::NoHost)?;
        if !self.allowed_ports.allow(port) {
            return Err(Refusal::Port(port));
        }
        match host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(v4) => self.check_address(v4.into()).map_err(Refusal::Literal),
            Host::Ipv6(v6) => self.check_address(v6.into()).map_err(Refusal::Literal),
        }
    }

    /// Vets one address.
    ///
    /// # Errors
    /// [`NotGlobal`] when it is not public and `allow_private` does not admit it.
    pub fn check_address(&self, address: IpAddr) -> Result<(), NotGlobal> {
        match is_global(address) {
            Err(found) if self.allow_private && found.class.is_private_network() => Ok(()),
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::AddressClass::{self, *};
    use super::*;

    fn check(guard: &Guard, text: &str) -> Result<(), Refusal> {
        guard.check_url(&Url::parse(text).expect(text))
    }

    /// One address, written in every way that has fooled a filter.
    const DISGUISES: &[(&str, AddressClass)] = &[
        ("http://127.0.0.1/", Loopback),
        ("http://127.1/", Loopback),
        ("http://2130706433/", Loopback),
        ("http://0x7f000001/", Loopback),
        ("http://0x7f.1/", Loopback),
        ("http://017700000001/", Loopback),
        ("http://0177.0.0.1/", Loopback),
        ("http://127.0.0.1./", Loopback),
        ("http://%31%32%37.0.0.1/", Loopback),
        ("http://１２７.０.０.１/", Loopback),
        ("http://①②⑦.⓪.⓪.①/", Loopback),
        ("http://127。0。0。1/", Loopback),
        ("http:127.0.0.1", Loopback),
        ("http:\\\\127.0.0.1\\", Loopback),
        ("http://0/", Unspecified),
        ("http://[::]/", Unspecified),
        ("http://[::1]/", Loopback),
        ("http://[0:0:0:0:0:0:0:1]/", Loopback),
        ("http://[::ffff:127.0.0.1]/", Ipv4Mapped),
        ("http://[::ffff:7f00:1]/", Ipv4Mapped),
        ("http://[::127.0.0.1]/", Ipv4Compatible),
        ("http://[64:ff9b::7f00:1]/", Loopback),
        ("http://[2002:7f00:1::]/", SixToFour),
        ("http://0xa9fea9fe/latest/meta-data/", Metadata),
        ("http://169.254.43518/", Metadata),
        ("http://[fd00:ec2::254]/", Metadata),
    ];

    #[test]
    fn a_literal_address_is_seen_through_every_disguise() {
        for (text, class) in DISGUISES {
            match check(&Guard::default(), text) {
                Err(Refusal::Literal(found)) => assert_eq!(found.class, *class, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn scheme_user_port_and_length_are_checked() {
        let long = format!("https://example.com/{}", "a".repeat(MAX_URL));
        for (text, expected) in [
            ("ftp://example.com/", Refusal::Scheme("ftp".to_owned())),
            ("file:///etc/passwd", Refusal::Scheme("file".to_owned())),
            ("gopher://example.com/", Refusal::Scheme("gopher".to_owned())),
            ("https://a{b.example/", Refusal::NotSendable),
            ("https://user@example.com/", Refusal::UserInfo),
            ("https://:pw@example.com/", Refusal::UserInfo),
            ("https://example.com:25/", Refusal::Port(25)),
            ("http://example.com:6379/", Refusal::Port(6379)),
            (long.as_str(), Refusal::TooLong(20 + MAX_URL)),
        ] {
            assert_eq!(check(&Guard::default(), text), Err(expected), "{text}");
        }
    }

    #[test]
    fn public_endpoints_pass() {
        for text in [
            "https://example.com/hook?token=1",
            "http://example.com:8080/",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]:8443/",
            "https://bücher.example/",
        ] {
            assert_eq!(check(&Guard::default(), text), Ok(()), "{text}");
        }
    }

    #[test]
    fn allow_private_opens_the_own_network_and_no_more() {
        let guard = Guard { allow_private: true, allowed_ports: Ports::Any };
        for text in ["http://127.0.0.1:1/", "http://10.1.2.3/", "http://[fd12::1]/", "http://100.64.0.1:9/"] {
            assert_eq!(check(&guard, text), Ok(()), "{text}");
        }
        for text in ["http://169.254.169.254/", "http://0.0.0.0/", "http://[::ffff:10.0.0.1]/", "http://224.0.0.1/"] {
            assert!(matches!(check(&guard, text), Err(Refusal::Literal(_))), "{text}");
        }
    }

    #[test]
    fn a_refusal_shows_no_address_that_a_name_resolved_to() {
        let found = is_global([10, 1, 2, 3].into()).expect_err("private");
        let text = Refusal::Resolved { host: "intern.example".to_owned(), found }.to_string();
        assert!(text.contains("private") && !text.contains("10.1.2.3"), "{text}");
    }
}
