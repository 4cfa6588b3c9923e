//! Addresses that requests go to. Private ones are refused at the time of the request unless they
//! are named, so that is said here already.

use std::net::IpAddr;

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::shape::URL;
use crate::config::grammar::walk::Walk;
use crate::config::tree::Node;

/// Checks an address that requests go to.
pub fn target(walk: &mut Walk<'_>, node: &Node) {
    walk.node(node, &URL);
    let Some(uri) = node.text().and_then(|text| text.parse::<http::Uri>().ok()) else { return };
    if let Some(host) = uri.host() {
        reached(walk, node, host);
    }
}

/// Says of a private address that nothing will be sent to it, unless it is named.
pub fn reached(walk: &mut Walk<'_>, node: &Node, host: &str) {
    let Some(address) = literal(host) else { return };
    let Some(networks) = &walk.names.networks else { return };
    if is_private(address) && !networks.iter().any(|network| network.contains(&address)) {
        let network = match address {
            IpAddr::V4(address) if address.is_loopback() => "127.0.0.0/8".to_owned(),
            IpAddr::V4(address) => format!("{address}/32"),
            IpAddr::V6(address) => format!("{address}/128"),
        };
        walk.push(
            Finding::new(Code::PrivateAddress, node.span, format!("requests to {address} will be refused"))
                .label("a private address")
                .help(format!(
                    "if it is meant, add `outbound: {{allow_private: [\"{network}\"]}}` to switchboard.yaml"
                )),
        );
    }
}

/// The address that a host name is for certain.
fn literal(host: &str) -> Option<IpAddr> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.to_ipv4_mapped().is_some_and(|v4| is_private(IpAddr::V4(v4)))
        }
    }
}
