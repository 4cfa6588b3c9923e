//! The channels and endpoints of the live configuration, connected: settings checked, secrets taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Uri;
use zeroize::Zeroizing;

use crate::channels::{self, Channel, ConnectError, ResolvedSecrets};
use crate::model::config::Config;
use crate::model::id::{ChannelId, EndpointId};

use super::notify::SigningKey;

/// What can be written to and taken from. Immutable; a reload makes a new one.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    channels: BTreeMap<ChannelId, Result<Arc<dyn Channel>, ConnectError>>,
    endpoints: BTreeMap<EndpointId, Result<Arc<EndpointConnection>, String>>,
}

/// An endpoint that can be posted to.
#[derive(Debug)]
pub(super) struct EndpointConnection {
    pub(super) url: Uri,
    pub(super) key: SigningKey,
}

impl Connections {
    /// Connects everything that a configuration declares. What cannot be connected is kept with its reason:
    /// it does not keep the rest from working.
    pub fn open(config: &Config, secrets: &dyn ResolvedSecrets) -> Self {
        let channels = config
            .channels
            .iter()
            .map(|(id, channel)| {
                let connected = channels::connect(id, &channel.settings, secrets)
                    .and_then(|connected| of_its_account(connected, config.accounts.get(id)));
                (id.clone(), connected.map(Arc::from))
            })
            .collect();
        let endpoints = config
            .daemon
            .endpoints
            .iter()
            .map(|(id, endpoint)| {
                let secret = secrets.secret(&endpoint.secret);
                (id.clone(), connect_endpoint(&endpoint.url, secret).map(Arc::new))
            })
            .collect();
        Self { channels, endpoints }
    }

    /// These, and those of `others` that are not declared here.
    #[must_use]
    pub fn with_those_of(&self, others: &Self) -> Self {
        let mut joined = others.clone();
        joined.channels.extend(self.channels.clone());
        joined.endpoints.extend(self.endpoints.clone());
        joined
    }

    /// These with another channel.
    #[cfg(test)]
    pub(super) fn with_channel(mut self, id: &str, channel: Arc<dyn Channel>) -> Self {
        self.channels.insert(ChannelId::from(id), Ok(channel));
        self
    }

    /// A connected channel; the reason when it is declared but not connected; `None` when it is not declared.
    pub fn channel(&self, id: &str) -> Option<&Result<Arc<dyn Channel>, ConnectError>> {
        self.channels.get(id)
    }

    /// The accounts of the connected channels, as far as their messengers have such.
    pub fn accounts(&self) -> impl Iterator<Item = (&ChannelId, &str)> {
        self.channels.iter().filter_map(|(id, connected)| Some((id, connected.as_ref().ok()?.account()?)))
    }

    /// The channels whose secrets are those of another account than the one that their id belongs to.
    pub fn of_other_accounts(&self) -> impl Iterator<Item = (&ChannelId, &ConnectError)> {
        self.channels.iter().filter_map(|(id, connected)| match connected {
            Err(error @ ConnectError::OtherAccount { .. }) => Some((id, error)),
            _ => None,
        })
    }

    /// What is declared but not connected, with the reasons. Never contains a secret.
    pub fn problems(&self) -> Vec<(String, String)> {
        let channels = self.channels.iter().filter_map(|(id, connected)| {
            connected.as_ref().err().map(|error| (format!("channel {id}"), error.to_string()))
        });
        let endpoints = self.endpoints.iter().filter_map(|(id, connected)| {
            connected.as_ref().err().map(|reason| (format!("endpoint {id}"), reason.clone()))
        });
        channels.chain(endpoints).collect()
    }

    pub(super) fn endpoint(&self, id: &EndpointId) -> Option<&Result<Arc<EndpointConnection>, String>> {
        self.endpoints.get(id)
    }
}

/// Refuses a channel of another account than the known one: the messenger's numbers of both would be mixed, and
/// messages of one pass for repetitions of the other's and be lost.
fn of_its_account(
    connected: Box<dyn Channel>,
    known: Option<&String>,
) -> Result<Box<dyn Channel>, ConnectError> {
    match (known, connected.account()) {
        (Some(known), Some(found)) if known != found => {
            Err(ConnectError::OtherAccount { known: known.clone(), found: found.to_owned() })
        }
        _ => Ok(connected),
    }
}

fn connect_endpoint(url: &str, secret: Option<Zeroizing<String>>) -> Result<EndpointConnection, String> {
    let url: Uri = url.parse().map_err(|_| "its `url` is not an address".to_owned())?;
    let secret = secret.ok_or_else(|| "its `secret` has no value: set it and reload".to_owned())?;
    Ok(EndpointConnection { url, key: SigningKey::from_text(&secret)? })
}
