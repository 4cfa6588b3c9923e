//! Where the daemon is, and with which token it is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use http::Uri;
use http::uri::Scheme;

use crate::config::secret::{Literals, ProcessEnvironment, Secret, resolve};
use crate::config::source::SourceSet;
use crate::model::secret::SecretRef;
use crate::node::data;

use super::error::ClientError;
use super::request::Client;

/// The environment variable that has the token.
const TOKEN_VARIABLE: &str = "SWITCHBOARD_TOKEN";

/// Which daemon a command asks.
#[derive(Debug, Args)]
pub(in crate::cli) struct Daemon {
    /// Where the daemon is, such as `https://chat.example.com`; by default where `listen` of switchboard.yaml says.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file with the API token; by default the environment variable SWITCHBOARD_TOKEN has it.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A daemon's address and a token for it.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Place {
    /// Scheme, host and port, and a path that a proxy may put before the API's; without a slash at the end.
    pub(super) base: String,
    pub(super) token: Secret,
}

impl Daemon {
    /// A client of the daemon; `folder` is the configuration's. Tells when the token leaves the machine as plain text.
    ///
    /// # Errors
    /// When it is not said where the daemon is, or there is no token that could be sent.
    pub(in crate::cli) fn client(&self, folder: &Path) -> Result<Client, ClientError> {
        let place = self.place(folder)?;
        if let Some(warning) = place.warning() {
            eprintln!("note: {warning}");
        }
        Client::new(&place)
    }

    /// The daemon to ask; `folder` is the configuration's.
    ///
    /// # Errors
    /// When it is not said where the daemon is, or there is no token.
    fn place(&self, folder: &Path) -> Result<Place, ClientError> {
        let base = match &self.url {
            Some(url) => base_of(url)?,
            None => listening(folder)?,
        };
        let reference = match &self.token_file {
            Some(file) => SecretRef::File(file.display().to_string()),
            None => SecretRef::Env(TOKEN_VARIABLE.to_owned()),
        };
        // A path on the command line begins at the current folder, not at the configuration's.
        let environment = ProcessEnvironment::new(Path::new(""));
        let token = resolve(&reference, &environment, &Literals::default()).map_err(ClientError::NoToken)?;
        // An editor may have put more than one line break behind it, and no token has blanks.
        let token = Secret::new(token.expose().trim().to_owned());
        Ok(Place { base, token })
    }
}

impl Place {
    /// What to tell before a token goes over a network as plain text; `None`: it does not.
    fn warning(&self) -> Option<String> {
        let host = self.base.strip_prefix("http://")?.split(['/']).next().unwrap_or_default();
        let uri: Uri = self.base.parse().ok()?;
        let name = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let stays_near = match name.parse::<IpAddr>() {
            Ok(address) => is_near(address),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        };
        (!stays_near).then(|| {
            format!("the token goes to {host} as plain text; use https:// unless the network is your own")
        })
    }
}

/// Loopback and private networks.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The base of an address as people write it.
pub(in crate::cli) fn base_of(url: &str) -> Result<String, ClientError> {
    let wrong = |reason: &str| ClientError::Url { reason: reason.to_owned() };
    let uri: Uri = url.parse().map_err(|_| wrong("it is not an address"))?;
    if !matches!(uri.scheme(), Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS) {
        return Err(wrong("it must begin with http:// or https://"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
    // What is not printed is not quoted either: it may be a password.
    if authority.as_str().contains('@') {
        return Err(wrong(
            "a name and password have no place in it; the token comes from a file or a variable",
        ));
    }
    if uri.query().is_some() {
        return Err(wrong("it must end before the `?`"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Where the configuration says that the daemon listens.
pub(in crate::cli) fn listening(folder: &Path) -> Result<String, ClientError> {
    let set = SourceSet::read(folder);
    let settings = data::settings(&set).ok_or_else(|| ClientError::NoSettings(folder.to_owned()))?;
    reachable(&settings.listen).ok_or(ClientError::AnyPort)
}

/// The address at which somebody on this machine reaches what listens on `listen`; `None`: the port is any.
fn reachable(listen: &str) -> Option<String> {
    let Ok(address) = listen.parse::<SocketAddr>() else { return Some(format!("http://{listen}")) };
    if address.port() == 0 {
        return None;
    }
    // Listening on all addresses includes the machine's own.
    let own = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    Some(format!("http://{}", SocketAddr::new(own, address.port())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_with_or_without_a_slash_at_its_end() {
        assert_eq!(base_of("http://127.0.0.1:8080/").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(base_of("https://chat.example.com/desk").unwrap(), "https://chat.example.com/desk");
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why_and_shows_no_password() {
        let told = |url| base_of(url).unwrap_err().to_string();
        insta::assert_snapshot!(
            ["127.0.0.1:8080", "ftp://a", "http://u:secret@a", "http://a?b=c", "http://"].map(told).join("\n"),
            @r"
        `--url` cannot be used: it must begin with http:// or https://
        `--url` cannot be used: it must begin with http:// or https://
        `--url` cannot be used: a name and password have no place in it; the token comes from a file or a variable
        `--url` cannot be used: it must end before the `?`
        `--url` cannot be used: it is not an address
        "
        );
    }

    #[test]
    fn a_daemon_that_listens_everywhere_is_asked_on_this_machine() {
        assert_eq!(reachable("0.0.0.0:8080").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(reachable("[::]:8080").as_deref(), Some("http://[::1]:8080"));
        assert_eq!(reachable("192.168.1.7:80").as_deref(), Some("http://192.168.1.7:80"));
        assert_eq!(reachable("switchboard:8080").as_deref(), Some("http://switchboard:8080"));
        assert_eq!(reachable("127.0.0.1:0"), None);
    }

    #[test]
    fn a_token_that_leaves_the_machine_as_plain_text_is_told() {
        let warning =
            |base: &str| Place { base: base.to_owned(), token: Secret::new("t".to_owned()) }.warning();
        for near in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1",
            "http://10.0.0.7",
            "https://far.example",
        ] {
            assert_eq!(warning(near), None, "{near}");
        }
        assert_eq!(
            warning("http://far.example:80/x").as_deref(),
            Some(
                "the token goes to far.example:80 as plain text; use https:// unless the network is your own"
            )
        );
    }
}
