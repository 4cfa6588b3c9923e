//! What everything that leaves the daemon is sent with: connections, clients, and the settings that concern it.

use crate::channels::ResolvedSecrets;
use crate::model::config::{Attachments, Config};

use super::connections::Connections;
use super::http::{GuardPolicy, HttpClient};
use super::mail::MailClient;

/// What attempts are made with. A reload replaces it; attempts that run keep what they began with.
pub struct Outside {
    /// Channels and endpoints.
    pub connections: Connections,
    /// The one client, for addresses that the configuration gives.
    pub client: HttpClient,
    /// The same for mail.
    pub mail: MailClient,
    /// A client of HTTP for addresses that others chose: it knows no private network.
    pub strangers: HttpClient,
    /// Where clients and messengers reach us, without a slash at the end; `None`: unknown.
    pub public_url: Option<String>,
    /// What holds of files.
    pub limits: Attachments,
}

impl Outside {
    /// Connects what a configuration declares.
    ///
    /// # Errors
    /// In words: a network of `outbound.allow_private` is none, or the HTTP client cannot be set up.
    pub fn open(config: &Config, secrets: &dyn ResolvedSecrets) -> Result<Self, String> {
        let nets = config
            .daemon
            .allow_private
            .iter()
            .map(|net| net.parse().map_err(|_| format!("`{net}` is not a network; write it as 10.1.0.0/16")))
            .collect::<Result<Vec<_>, _>>()?;
        let policy = GuardPolicy::new(nets);
        let client = |policy| HttpClient::new(policy).map_err(|error| error.to_string());
        Ok(Self {
            connections: Connections::open(config, secrets),
            client: client(policy.clone())?,
            mail: MailClient::new(policy),
            strangers: client(GuardPolicy::public_only())?,
            public_url: config.daemon.public_url.clone(),
            limits: config.daemon.attachments.clone(),
        })
    }

    /// These, and the connections of `others` that are not declared here.
    #[must_use]
    pub fn with_connections_of(&self, others: &Self) -> Self {
        Self {
            connections: self.connections.with_those_of(&others.connections),
            client: self.client.clone(),
            mail: self.mail.clone(),
            strangers: self.strangers.clone(),
            public_url: self.public_url.clone(),
            limits: self.limits.clone(),
        }
    }
}
