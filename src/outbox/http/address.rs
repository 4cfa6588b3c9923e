//! The table of address blocks that are not the public internet.
//!
//! `Ipv4Addr::is_global` of the standard library is unstable, so the IANA special-purpose registries are written
//! out here. IPv6 is judged the other way round: only `2000::/3` is handed out to the public, so everything
//! outside it is special. Whether a special address may be reached all the same is the guard's decision.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 blocks that are not public, with the word shown to people.
/// Source: IANA IPv4 Special-Purpose Address Registry, plus the two entries with a reason beside them.
const SPECIAL_V4: [(Ipv4Net, &str); 17] = [
    (v4(0, 0, 0, 0, 8), "\"this network\""),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by carriers (CGNAT)"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 0, 16), "link-local (cloud metadata)"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    // The old 6to4 relays: what answers there, if anything, is not the host that was named.
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "benchmarking"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    // Looks public, but is Azure's host agent, which answers every virtual machine with its secrets.
    (v4(168, 63, 129, 16, 32), "cloud host agent"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// The only IPv6 block from which public addresses are handed out.
const GLOBAL_UNICAST_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// IPv6 blocks that are not public, with the word shown to people. Those outside `2000::/3` are here for their
/// names only. Source: IANA IPv6 Special-Purpose Address Registry.
const SPECIAL_V6: [(Ipv6Net, &str); 12] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "unspecified"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (v6(0, 0, 0, 96), "IPv4-compatible"),
    (v6(0x64, 0xff9b, 1, 48), "local NAT64"),
    (v6(0xfc00, 0, 0, 7), "private (unique local)"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 10), "site-local"),
    (v6(0xff00, 0, 0, 8), "multicast"),
    // 2001::/23 holds Teredo, ORCHID and benchmarking; none of its few anycast services speaks HTTP.
    (v6(0x2001, 0, 0, 23), "reserved for protocols"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),
    (v6(0x2002, 0, 0, 16), "6to4"),
    (v6(0x3fff, 0, 0, 20), "documentation"),
];

/// The well-known NAT64 prefix (RFC 6052): its last 32 bits are the IPv4 address that is really reached.
const NAT64_V6: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// The address that a connection to `address` really reaches: IPv4-mapped (`::ffff:a.b.c.d`) and well-known NAT64
/// (`64:ff9b::a.b.c.d`) forms become their IPv4 address, so no spelling of an address escapes its judgement.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(wide) = address else { return address };
    if let Some(mapped) = wide.to_ipv4_mapped() {
        return IpAddr::V4(mapped);
    }
    if NAT64_V6.contains(&wide) {
        let [.., a, b, c, d] = wide.octets();
        return IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    }
    address
}

/// The kind of special block that holds `address`, or `None` for a public address.
/// The argument must be [`canonical`].
pub(super) fn special_block(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(narrow) => {
            SPECIAL_V4.iter().find(|(block, _)| block.contains(&narrow)).map(|(_, name)| *name)
        }
        IpAddr::V6(wide) => {
            let named = SPECIAL_V6.iter().find(|(block, _)| block.contains(&wide)).map(|(_, name)| *name);
            let outside = (!GLOBAL_UNICAST_V6.contains(&wide)).then_some("not public");
            named.or(outside)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_of(text: &str) -> Option<&'static str> {
        special_block(canonical(text.parse().unwrap()))
    }

    #[test]
    fn public_addresses_belong_to_no_special_block() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "149.154.167.220",
            "168.63.129.15",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:67c:4e8:f004::9",
            "2a00:1450:4010::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(block_of(text), None, "{text}");
        }
    }

    #[test]
    fn special_addresses_are_named() {
        for (text, name) in [
            ("0.0.0.0", "\"this network\""),
            ("0.1.2.3", "\"this network\""),
            ("10.0.0.0", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "shared by carriers (CGNAT)"),
            ("100.100.100.200", "shared by carriers (CGNAT)"),
            ("100.127.255.255", "shared by carriers (CGNAT)"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.255", "loopback"),
            ("168.63.129.16", "cloud host agent"),
            ("169.254.169.254", "link-local (cloud metadata)"),
            ("172.16.0.0", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.192", "reserved for protocols"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "6to4 relay"),
            ("192.168.0.0", "private"),
            ("198.18.0.0", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("198.51.100.7", "documentation"),
            ("203.0.113.7", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.0", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::127.0.0.1", "IPv4-compatible"),
            ("::8.8.8.8", "IPv4-compatible"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:a9fe:a9fe", "link-local (cloud metadata)"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b:1::1", "local NAT64"),
            ("100::1", "not public"),
            ("2001::1", "reserved for protocols"),
            ("2001:2::1", "reserved for protocols"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::1", "6to4"),
            ("2002:808:808::1", "6to4"),
            ("3fff::1", "documentation"),
            ("4000::1", "not public"),
            ("5f00::1", "not public"),
            ("fc00::1", "private (unique local)"),
            ("fd00:ec2::254", "private (unique local)"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            assert_eq!(block_of(text), Some(name), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_disguise_of_a_special_ipv4_address_is_special(bits: u32) {
            let plain = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = plain.octets();
            if special_block(IpAddr::V4(plain)).is_some() {
                let pair = |high: u8, low: u8| u16::from_be_bytes([high, low]);
                for disguise in [
                    plain.to_ipv6_mapped(),
                    plain.to_ipv6_compatible(),
                    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, pair(a, b), pair(c, d)),
                    Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, pair(a, b), pair(c, d)),
                    Ipv6Addr::new(0x2002, pair(a, b), pair(c, d), 0, 0, 0, 0, 1),
                    // Teredo hides the client's address inverted in the last 32 bits.
                    Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !pair(a, b), !pair(c, d)),
                ] {
                    proptest::prop_assert!(
                        special_block(canonical(IpAddr::V6(disguise))).is_some(),
                        "{} as {}", plain, disguise
                    );
                }
            }
        }

        #[test]
        fn what_the_standard_library_calls_special_is_special(bits: u32) {
            let plain = Ipv4Addr::from_bits(bits);
            let known = plain.is_private() || plain.is_loopback() || plain.is_link_local() || plain.is_multicast()
                || plain.is_broadcast() || plain.is_documentation() || plain.is_unspecified();
            proptest::prop_assert!(!known || special_block(IpAddr::V4(plain)).is_some(), "{}", plain);
        }
    }
}
