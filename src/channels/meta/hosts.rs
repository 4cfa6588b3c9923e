//! Where Meta keeps files, and which of these places may see the token.

use http::Uri;

use super::account::Account;

/// Hosts that keep files, and everything below them.
const FILES: [&str; 4] = ["fbsbx.com", "fbcdn.net", "cdninstagram.com", "whatsapp.net"];

/// The host that gives files of WhatsApp out, to whoever shows the token.
const WITH_TOKEN: &str = "lookaside.fbsbx.com";

/// What an address of a file may be asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::channels) enum Place {
    /// It is asked with the token.
    WithToken,
    /// It is asked without.
    Plain,
    /// It is not asked at all.
    Foreign,
}

/// Where an address leads.
pub(in crate::channels) fn place(account: &Account, url: &Uri) -> Place {
    let Some(authority) = url.authority().filter(|authority| !authority.as_str().contains('@')) else {
        return Place::Foreign;
    };
    // The API itself, and an emulator of it.
    let is_plain = url.scheme_str() == Some("http");
    if authority.as_str().eq_ignore_ascii_case(&account.host) && is_plain == account.is_plain {
        return Place::WithToken;
    }
    if url.scheme_str() != Some("https") || !matches!(url.port_u16(), None | Some(443)) {
        return Place::Foreign;
    }
    let host = authority.host().to_ascii_lowercase();
    let is_below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if host == WITH_TOKEN {
        Place::WithToken
    } else if FILES.iter().any(|domain| is_below(domain)) {
        Place::Plain
    } else {
        Place::Foreign
    }
}
