//! The guard: which targets a request may reach.
//!
//! It judges twice. [`GuardPolicy::check_url`] judges what is written in the URL (scheme, credentials, odd
//! spellings of addresses, literal addresses); [`GuardPolicy::check_address`] judges each address that a name
//! resolved to. It does no I/O; the resolver and the client call it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use http::Uri;
use http::uri::Scheme;
use ipnet::IpNet;

use super::address::{canonical, special_block};
use super::error::{InvalidRequest, Refusal, SendError};

/// The longest name that DNS can hold, in bytes.
const MAX_HOST_BYTES: usize = 253;

/// The rules for targets: everything public, and of the rest only what is named.
#[derive(Debug, Clone, Default)]
pub struct GuardPolicy {
    allow_private: Arc<[IpNet]>,
}

impl GuardPolicy {
    /// Allows public addresses and the given blocks (`outbound.allow_private` of the configuration).
    pub fn new(allow_private: impl IntoIterator<Item = IpNet>) -> Self {
        Self { allow_private: allow_private.into_iter().collect() }
    }

    /// Allows public addresses only, for URLs that strangers chose.
    pub fn public_only() -> Self {
        Self::default()
    }

    /// Judges one address.
    ///
    /// # Errors
    /// [`Refusal::SpecialAddress`] if it is not public and no allowed block holds it.
    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let address = canonical(address);
        match special_block(address) {
            Some(block) if !self.allow_private.iter().any(|net| net.contains(&address)) => {
                Err(Refusal::SpecialAddress { address, block })
            }
            _ => Ok(()),
        }
    }

    /// Judges what is written in a URL and returns its host, for messages.
    ///
    /// A name passes here whatever it resolves to: its addresses are judged when the connection is made.
    ///
    /// # Errors
    /// [`SendError::InvalidRequest`] or [`SendError::Refused`].
    pub(super) fn check_url<'a>(&self, url: &'a Uri) -> Result<&'a str, SendError> {
        let (Some(scheme), Some(authority)) = (url.scheme(), url.authority()) else {
            return Err(InvalidRequest::IncompleteUrl.into());
        };
        if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
            return Err(InvalidRequest::UnsupportedScheme.into());
        }
        let host = authority.host();
        // `Authority::host` steps over credentials silently, so the whole authority is looked at.
        let rest = authority.as_str().strip_prefix(host).ok_or(InvalidRequest::CredentialsInUrl)?;
        if rest.contains('@') {
            return Err(InvalidRequest::CredentialsInUrl.into());
        }
        // A port that is no 16-bit number reads as "no port", that is, as 80 or 443.
        if !rest.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(InvalidRequest::InvalidPort.into());
        }
        self.check_host(host)?;
        Ok(host)
    }

    pub(super) fn check_host(&self, host: &str) -> Result<(), SendError> {
        let refused = |reason| SendError::Refused { host: host.to_owned(), reason };
        if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let Ok(address) = literal.parse::<Ipv6Addr>() else {
                return Err(InvalidRequest::InvalidHost.into());
            };
            return self.check_address(IpAddr::V6(address)).map_err(refused);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if host.is_empty() || host.len() > MAX_HOST_BYTES || !host.bytes().all(plain) {
            return Err(InvalidRequest::InvalidHost.into());
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return self.check_address(IpAddr::V4(address)).map_err(refused);
        }
        if ends_in_a_number(host) {
            return Err(refused(Refusal::NumericHost));
        }
        Ok(())
    }
}

/// The rule of the WHATWG URL standard for "this host is meant as an IPv4 address": its last label is a decimal,
/// octal or hexadecimal number. No public name ends so, but `2130706433`, `0x7f.1` and `0177.0.0.01` are read as
/// 127.0.0.1 by some resolvers.
fn ends_in_a_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    let hexadecimal = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &GuardPolicy, url: &str) -> Result<(), SendError> {
        policy.check_url(&url.parse().unwrap()).map(|_| ())
    }

    #[test]
    fn names_and_public_addresses_pass() {
        for url in [
            "http://example.com/",
            "https://api.telegram.org/bot1:secret/sendMessage?x=1",
            "https://example.com.:8443/",
            "http://a_b.internal/",
            "http://xn--e1afmkfd.xn--p1ai/",
            "http://8.8.8.8:80/",
            "http://[2606:4700::1111]/",
            "http://127.0.0.1.example.com/",
            "http://0x7f.example/",
            "http://face.cafe/",
        ] {
            assert!(check(&GuardPolicy::public_only(), url).is_ok(), "{url}");
        }
    }

    #[test]
    fn hosts_that_are_special_addresses_are_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://127.0.0.1:8080/x",
            "https://10.1.2.3/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
        ] {
            let error = check(&GuardPolicy::public_only(), url).unwrap_err();
            assert!(
                matches!(error, SendError::Refused { reason: Refusal::SpecialAddress { .. }, .. }),
                "{url}: {error}"
            );
        }
    }

    #[test]
    fn odd_spellings_of_addresses_are_refused_even_when_the_address_is_allowed() {
        let everything = GuardPolicy::new(["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
        for url in [
            "http://2130706433/",
            "http://017700000001/",
            "http://0x7f000001/",
            "http://0X7F000001/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://127.0.1/",
            "http://0177.0.0.1/",
            "http://0177.0.0.01/",
            "http://127.0.0.0x1/",
            "http://0x7f.0x0.0x0.0x1/",
            "http://127.0.0.1./",
            "http://127.0.0.256/",
            "http://1.2.3.4.5/",
            "http://example.0x/",
            "http://8.8.8.08/",
        ] {
            let error = check(&everything, url).unwrap_err();
            assert!(
                matches!(error, SendError::Refused { reason: Refusal::NumericHost, .. }),
                "{url}: {error}"
            );
        }
    }

    #[test]
    fn malformed_targets_are_invalid() {
        for (url, wanted) in [
            ("/path", InvalidRequest::IncompleteUrl),
            ("example.com", InvalidRequest::IncompleteUrl),
            ("ftp://example.com/", InvalidRequest::UnsupportedScheme),
            ("file://example.com/etc/passwd", InvalidRequest::UnsupportedScheme),
            ("gopher://127.0.0.1/", InvalidRequest::UnsupportedScheme),
            ("http://user@example.com/", InvalidRequest::CredentialsInUrl),
            ("http://user:password@example.com/", InvalidRequest::CredentialsInUrl),
            ("http://example.com@127.0.0.1/", InvalidRequest::CredentialsInUrl),
            ("http://127.0.0.1@127.0.0.1/", InvalidRequest::CredentialsInUrl),
            ("http://example.com:0/", InvalidRequest::InvalidPort),
            ("http://example.com:99999/", InvalidRequest::InvalidPort),
            ("http://a!b/", InvalidRequest::InvalidHost),
            ("http://[fe80::1%25eth0]/", InvalidRequest::InvalidHost),
        ] {
            let Ok(url) = url.parse::<Uri>() else {
                // The URL parser refuses some of these itself, which is as good.
                continue;
            };
            let error = GuardPolicy::public_only().check_url(&url).unwrap_err();
            assert!(matches!(&error, SendError::InvalidRequest(got) if *got == wanted), "{url}: {error}");
        }
        let long = format!("http://{}.example/", "a".repeat(250));
        assert!(check(&GuardPolicy::public_only(), &long).is_err());
    }

    #[test]
    fn a_named_private_block_opens_that_block_only() {
        let policy = GuardPolicy::new(["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()]);
        for url in ["http://10.1.2.3/", "http://[::ffff:10.1.2.3]/", "http://[fd12::1]/"] {
            assert!(check(&policy, url).is_ok(), "{url}");
        }
        for url in ["http://10.2.0.1/", "http://127.0.0.1/", "http://[fd13::1]/"] {
            assert!(check(&policy, url).is_err(), "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_number_written_as_a_host_passes(bits: u32) {
            let [a, b, c, d] = bits.to_be_bytes();
            let tail = u32::from_be_bytes([0, b, c, d]);
            for host in [
                format!("{bits}"), format!("0{bits:o}"), format!("0x{bits:x}"), format!("{a}.{tail}"),
                format!("0{a:o}.{b}.{c}.{d}"), format!("0x{a:x}.{b}.{c}.{d}"), format!("{a}.{b}.{c}.{d}."),
            ] {
                let url: Uri = format!("http://{host}/").parse().unwrap();
                proptest::prop_assert!(GuardPolicy::public_only().check_url(&url).is_err(), "{}", host);
            }
        }

        #[test]
        fn no_host_makes_the_guard_panic(host in "\\PC{0,40}") {
            if let Ok(url) = format!("http://{host}/").parse::<Uri>() {
                let _verdict = GuardPolicy::public_only().check_url(&url).is_ok();
            }
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let error =
            check(&GuardPolicy::public_only(), "http://10.1.2.3/bot123:SECRET/x?key=SECRET").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the target 10.1.2.3 is refused: its address 10.1.2.3 is private; if this target is yours, add its block to outbound.allow_private"
        );
    }
}
