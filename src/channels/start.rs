//! What a channel needs to start: the values of its secrets and settings that can work.

use http::Uri;
use zeroize::Zeroizing;

use crate::model::channel::ChannelKind;
use crate::model::secret::SecretRef;

/// Where a codec finds the values of its secrets.
pub trait ResolvedSecrets {
    /// The value of a secret; `None` when it could not be resolved.
    fn secret(&self, reference: &SecretRef) -> Option<Zeroizing<String>>;
}

/// Why a channel cannot be started. Never contains a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// This kind has no codec yet.
    #[error("channels of kind `{}` are not served by this version", .0.as_str())]
    NotServed(ChannelKind),
    /// A secret could not be resolved.
    #[error("the secret `{setting}` ({}) has no value: set it and reload", place(.reference))]
    Unresolved {
        /// The setting that needs it.
        setting: &'static str,
        /// Where it should be.
        reference: SecretRef,
    },
    /// A secret has a value that cannot work.
    #[error("the secret `{setting}` {fault}")]
    Secret {
        /// The setting that needs it.
        setting: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The secrets are those of another account than the one that the channel id belongs to.
    #[error(
        "the token is that of account {found}, and this channel id belongs to account {known}: give the other account a \
         channel id of its own, or put the token of the first one back"
    )]
    OtherAccount {
        /// The account that the channel id belongs to.
        known: String,
        /// The account of the secrets.
        found: String,
    },
    /// A setting has a value that cannot work.
    #[error("`{setting}`: {reason}")]
    Setting {
        /// The setting, by its path.
        setting: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
}

/// A secret's place in words.
fn place(reference: &SecretRef) -> String {
    match reference {
        SecretRef::Env(name) => format!("environment variable {name}"),
        SecretRef::File(path) => format!("file {path}"),
        SecretRef::Literal { .. } => "written in the configuration".to_owned(),
    }
}

/// The value of a secret that a channel cannot do without.
///
/// # Errors
/// It cannot be resolved, or it is empty: an empty secret would make every forged call authentic.
pub(super) fn required(
    secrets: &dyn ResolvedSecrets,
    setting: &'static str,
    reference: &SecretRef,
) -> Result<Zeroizing<String>, ConnectError> {
    let value = secrets
        .secret(reference)
        .ok_or_else(|| ConnectError::Unresolved { setting, reference: reference.clone() })?;
    if value.is_empty() { Err(ConnectError::Secret { setting, fault: "is empty" }) } else { Ok(value) }
}

/// The address of an API, to which paths are added: without a query, and without a slash at the end.
///
/// # Errors
/// It is not one.
pub(super) fn api_base(text: &str) -> Result<String, ConnectError> {
    if http_address("api_base", text)?.query().is_some() {
        return Err(ConnectError::Setting {
            setting: "api_base".to_owned(),
            reason: "the address must not have a query".to_owned(),
        });
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// An absolute HTTP address of a setting.
///
/// # Errors
/// It is not one, or it carries a user name: that would be a secret in a setting.
pub(super) fn http_address(setting: &str, text: &str) -> Result<Uri, ConnectError> {
    let refused =
        |reason: &str| ConnectError::Setting { setting: setting.to_owned(), reason: reason.to_owned() };
    let address: Uri = text.parse().map_err(|_| refused("not an address; write https://HOST/PATH"))?;
    if !matches!(address.scheme_str(), Some("http" | "https")) {
        return Err(refused("the address must begin with https:// or http://"));
    }
    if text.contains('#') {
        return Err(refused("the address must not have a fragment (#)"));
    }
    match address.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err(refused("the address must not contain a user name or password"))
        }
        Some(authority) if !authority.host().is_empty() => Ok(address),
        _ => Err(refused("the address has no host")),
    }
}
