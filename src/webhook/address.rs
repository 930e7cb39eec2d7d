//! Which IP addresses are public. A pure table: first row that holds decides.
//!
//! Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and successors), and the cloud providers'
//! documents for their metadata services. For IPv6 the table is an allow-list in effect: what is neither 2000::/3 nor
//! NAT64 is refused, so that a block allotted tomorrow is refused today.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// A cloud's metadata or host service, wherever it lies: it hands out credentials.
    Metadata,
    /// `0.0.0.0/8`, `::`: on many systems the machine itself.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918.
    Private,
    /// `100.64.0.0/10`, RFC 6598.
    CarrierGradeNat,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// `fec0::/10`, deprecated by RFC 3879, still routed inside old networks.
    SiteLocal,
    /// `fc00::/7`, RFC 4193.
    UniqueLocal,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// The ranges kept for examples.
    Documentation,
    /// `198.18.0.0/15`, `2001:2::/48`: networks under test.
    Benchmarking,
    /// Everything else that IANA keeps back.
    Reserved,
    /// `::ffff:0:0/96`: an IPv4 address in disguise.
    Ipv4Mapped,
    /// `::/96`: the older disguise.
    Ipv4Compatible,
    /// `64:ff9b:1::/48`: NAT64 into an operator's own network, RFC 8215.
    LocalNat64,
    /// `2002::/16` and its relays `192.88.99.0/24`: leads to an embedded IPv4 address.
    SixToFour,
    /// `2001::/32`: leads to an embedded IPv4 address.
    Teredo,
    /// An interface id of `[02]00:5efe`: leads to an embedded IPv4 address, RFC 5214.
    Isatap,
}

impl AddressClass {
    /// Whether `allow_private` admits it: what an operator's own network, or its laboratory, is made of. Never
    /// metadata services, link-local addresses, or addresses that hide another.
    #[must_use]
    pub fn is_private_network(self) -> bool {
        use AddressClass::{Benchmarking, CarrierGradeNat, Loopback, Private, UniqueLocal};
        matches!(self, Loopback | Private | CarrierGradeNat | UniqueLocal | Benchmarking)
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "a cloud metadata service",
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private (RFC 1918)",
            Self::CarrierGradeNat => "shared behind a carrier's NAT (RFC 6598)",
            Self::LinkLocal => "link-local",
            Self::SiteLocal => "site-local",
            Self::UniqueLocal => "unique-local (RFC 4193)",
            Self::Multicast => "multicast",
            Self::Documentation => "kept for documentation",
            Self::Benchmarking => "kept for benchmarking",
            Self::Reserved => "reserved",
            Self::Ipv4Mapped => "an IPv4-mapped IPv6 address",
            Self::Ipv4Compatible => "an IPv4-compatible IPv6 address",
            Self::LocalNat64 => "a local NAT64 address",
            Self::SixToFour => "a 6to4 address",
            Self::Teredo => "a Teredo address",
            Self::Isatap => "an ISATAP address",
        })
    }
}

/// An address that is not public, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {class}")]
pub struct NotGlobal {
    /// The address as dialled.
    pub address: IpAddr,
    /// For a NAT64 address, the class of the IPv4 address it leads to.
    pub class: AddressClass,
}

type Row<A> = (A, u32, AddressClass);

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u32, class: AddressClass) -> Row<Ipv4Addr> {
    (Ipv4Addr::new(a, b, c, d), bits, class)
}

const fn v6(head: [u16; 3], tail: u16, bits: u32, class: AddressClass) -> Row<Ipv6Addr> {
    (Ipv6Addr::new(head[0], head[1], head[2], 0, 0, 0, 0, tail), bits, class)
}

/// Single addresses before the blocks they lie in.
#[rustfmt::skip]
const V4: &[Row<Ipv4Addr>] = &[
    v4(169, 254, 169, 254, 32, AddressClass::Metadata),     // AWS, GCP, Azure, Oracle, DigitalOcean, OpenStack
    v4(169, 254, 170,   2, 32, AddressClass::Metadata),     // AWS containers
    v4(168,  63, 129,  16, 32, AddressClass::Metadata),     // Azure's host service, in the midst of public space
    v4(100, 100, 100, 200, 32, AddressClass::Metadata),     // Alibaba
    v4(192,   0,   0, 192, 32, AddressClass::Metadata),     // Oracle, classic
    v4(  0,   0,   0,   0,  8, AddressClass::Unspecified),
    v4( 10,   0,   0,   0,  8, AddressClass::Private),
    v4(100,  64,   0,   0, 10, AddressClass::CarrierGradeNat),
    v4(127,   0,   0,   0,  8, AddressClass::Loopback),
    v4(169, 254,   0,   0, 16, AddressClass::LinkLocal),
    v4(172,  16,   0,   0, 12, AddressClass::Private),
    v4(192,   0,   0,   0, 24, AddressClass::Reserved),     // IETF protocol assignments
    v4(192,   0,   2,   0, 24, AddressClass::Documentation),
    v4(192,  88,  99,   0, 24, AddressClass::SixToFour),    // relay anycast, deprecated by RFC 7526
    v4(192, 168,   0,   0, 16, AddressClass::Private),
    v4(198,  18,   0,   0, 15, AddressClass::Benchmarking),
    v4(198,  51, 100,   0, 24, AddressClass::Documentation),
    v4(203,   0, 113,   0, 24, AddressClass::Documentation),
    v4(224,   0,   0,   0,  4, AddressClass::Multicast),
    v4(240,   0,   0,   0,  4, AddressClass::Reserved),     // with 255.255.255.255
];

#[rustfmt::skip]
const V6: &[Row<Ipv6Addr>] = &[
    v6([0xfd00, 0x0ec2, 0], 0x254, 128, AddressClass::Metadata),        // AWS
    v6([0xfd20, 0x00ce, 0], 0x254, 128, AddressClass::Metadata),        // GCP
    v6([0, 0, 0],               0, 128, AddressClass::Unspecified),
    v6([0, 0, 0],               1, 128, AddressClass::Loopback),
    v6([0, 0, 0],               0,  96, AddressClass::Ipv4Compatible),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, AddressClass::Ipv4Mapped),
    v6([0x0064, 0xff9b, 1],     0,  48, AddressClass::LocalNat64),
    v6([0xfc00, 0, 0],          0,   7, AddressClass::UniqueLocal),
    v6([0xfe80, 0, 0],          0,  10, AddressClass::LinkLocal),
    v6([0xfec0, 0, 0],          0,  10, AddressClass::SiteLocal),
    v6([0xff00, 0, 0],          0,   8, AddressClass::Multicast),
    v6([0x2001, 0, 0],          0,  32, AddressClass::Teredo),
    v6([0x2001, 2, 0],          0,  48, AddressClass::Benchmarking),
    v6([0x2001, 0, 0],          0,  23, AddressClass::Reserved),        // IETF protocol assignments
    v6([0x2001, 0x0db8, 0],     0,  32, AddressClass::Documentation),
    v6([0x2002, 0, 0],          0,  16, AddressClass::SixToFour),
    v6([0x3fff, 0, 0],          0,  20, AddressClass::Documentation),
];

/// All of global unicast, RFC 4291.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// The well-known NAT64 prefix, RFC 6052. A host behind DNS64 sees every IPv4 server through it, so it is not refused
/// as such: the embedded address is vetted instead.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether an address is publicly reachable.
///
/// # Errors
/// [`NotGlobal`] with the class of the first row of the table that holds.
pub fn is_global(address: IpAddr) -> Result<(), NotGlobal> {
    let class = match address {
        IpAddr::V4(v4) => class_of_v4(v4),
        IpAddr::V6(v6) => class_of_v6(v6),
    };
    class.map_or(Ok(()), |class| Err(NotGlobal { address, class }))
}

fn class_of_v4(address: Ipv4Addr) -> Option<AddressClass> {
    let holds = |(block, bits, _): &&Row<Ipv4Addr>| (address.to_bits() ^ block.to_bits()) >> (32 - bits) == 0;
    V4.iter().find(holds).map(|row| row.2)
}

fn class_of_v6(address: Ipv6Addr) -> Option<AddressClass> {
    if within(address, NAT64) {
        let [.., a, b, c, d] = address.octets();
        return class_of_v4(Ipv4Addr::new(a, b, c, d));
    }
    if let Some(row) = V6.iter().find(|row| within(address, (row.0, row.1))) {
        return Some(row.2);
    }
    if !within(address, GLOBAL_UNICAST) {
        return Some(AddressClass::Reserved);
    }
    let interface = address.segments();
    let isatap = matches!(interface[4], 0 | 0x0200) && interface[5] == 0x5efe;
    isatap.then_some(AddressClass::Isatap)
}

fn within(address: Ipv6Addr, (block, bits): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::AddressClass::*;
    use super::*;

    /// Each block by its first and last address, and by its neighbours where they are public.
    const REFUSED: &[(&str, AddressClass)] = &[
        ("0.0.0.0", Unspecified),
        ("0.255.255.255", Unspecified),
        ("10.0.0.0", Private),
        ("10.255.255.255", Private),
        ("172.16.0.0", Private),
        ("172.31.255.255", Private),
        ("192.168.0.0", Private),
        ("192.168.255.255", Private),
        ("100.64.0.0", CarrierGradeNat),
        ("100.127.255.255", CarrierGradeNat),
        ("127.0.0.0", Loopback),
        ("127.0.0.1", Loopback),
        ("127.255.255.255", Loopback),
        ("169.254.0.0", LinkLocal),
        ("169.254.255.255", LinkLocal),
        ("169.254.169.254", Metadata),
        ("169.254.170.2", Metadata),
        ("168.63.129.16", Metadata),
        ("100.100.100.200", Metadata),
        ("192.0.0.192", Metadata),
        ("192.0.0.0", Reserved),
        ("192.0.0.255", Reserved),
        ("192.0.2.0", Documentation),
        ("192.0.2.255", Documentation),
        ("198.51.100.0", Documentation),
        ("203.0.113.255", Documentation),
        ("192.88.99.1", SixToFour),
        ("198.18.0.0", Benchmarking),
        ("198.19.255.255", Benchmarking),
        ("224.0.0.0", Multicast),
        ("239.255.255.255", Multicast),
        ("240.0.0.0", Reserved),
        ("255.255.255.255", Reserved),
        ("::", Unspecified),
        ("::1", Loopback),
        ("::2", Ipv4Compatible),
        ("::127.0.0.1", Ipv4Compatible),
        ("::8.8.8.8", Ipv4Compatible),
        ("::ffff:127.0.0.1", Ipv4Mapped),
        ("::ffff:8.8.8.8", Ipv4Mapped),
        ("::fffe:8.8.8.8", Reserved),
        ("::ffff:0:8.8.8.8", Reserved),
        ("64:ff9b::127.0.0.1", Loopback),
        ("64:ff9b::10.1.2.3", Private),
        ("64:ff9b::169.254.169.254", Metadata),
        ("64:ff9b:1::1", LocalNat64),
        ("64:ff9b:1:ffff::8.8.8.8", LocalNat64),
        ("64:ff9b:0:1::8.8.8.8", Reserved),
        ("100::1", Reserved),
        ("5f00::1", Reserved),
        ("1fff:ffff::1", Reserved),
        ("4000::1", Reserved),
        ("fc00::", UniqueLocal),
        ("fdff:ffff::1", UniqueLocal),
        ("fd00:ec2::254", Metadata),
        ("fd20:ce::254", Metadata),
        ("fe80::1", LinkLocal),
        ("febf:ffff::1", LinkLocal),
        ("fec0::1", SiteLocal),
        ("feff:ffff::1", SiteLocal),
        ("fe00::1", Reserved),
        ("ff02::1", Multicast),
        ("ffff:ffff::1", Multicast),
        ("2001::1", Teredo),
        ("2001:0:53aa:64c:0:fbff:f5ff:fffe", Teredo),
        ("2001:2::1", Benchmarking),
        ("2001:20::1", Reserved),
        ("2001:1ff:ffff::1", Reserved),
        ("2001:db8::1", Documentation),
        ("3fff::1", Documentation),
        ("3fff:fff:ffff::1", Documentation),
        ("2002:7f00:1::1", SixToFour),
        ("2002:808:808::1", SixToFour),
        ("2600:1f00::5efe:10.0.0.1", Isatap),
        ("2600:1f00::200:5efe:8.8.8.8", Isatap),
    ];

    const PUBLIC: &[&str] = &[
        "1.0.0.0",
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "203.0.114.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2001:db7:ffff::1",
        "2001:db9::1",
        "2003::1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "3ffe:ffff::1",
        "3fff:1000::1",
        "64:ff9b::8.8.8.8",
    ];

    #[test]
    fn the_corpus_is_refused_with_its_reason() {
        for (text, class) in REFUSED {
            let address: IpAddr = text.parse().expect(text);
            assert_eq!(is_global(address), Err(NotGlobal { address, class: *class }), "{text}");
        }
    }

    #[test]
    fn public_addresses_and_the_neighbours_of_every_block_pass() {
        for text in PUBLIC {
            assert_eq!(is_global(text.parse().expect(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_private_network_never_includes_metadata_or_disguises() {
        let admitted: Vec<AddressClass> =
            REFUSED.iter().map(|row| row.1).filter(|class| class.is_private_network()).collect();
        for class in [Loopback, Private, CarrierGradeNat, UniqueLocal, Benchmarking] {
            assert!(admitted.contains(&class), "{class:?}");
        }
        for class in [Metadata, LinkLocal, Unspecified, Multicast, Ipv4Mapped, SixToFour, Teredo, Reserved] {
            assert!(!admitted.contains(&class), "{class:?}");
        }
    }
}
