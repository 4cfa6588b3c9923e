//! Reads `switchboard.yaml`. Without the file everything has its default.

use std::collections::BTreeMap;

use super::{Decoder, list, maybe, maybe_text, named};
use crate::config::scalar;
use crate::config::tree::Node;
use crate::model::config::{Daemon, Endpoint};

pub(super) fn read(decoder: &mut Decoder<'_>, roots: &[&Node]) -> Option<Daemon> {
    let mut daemon = Daemon {
        listen: Daemon::LISTEN.to_owned(),
        metrics_listen: None,
        public_url: None,
        data_dir: Daemon::DATA_DIR.to_owned(),
        endpoints: BTreeMap::new(),
        allow_private: Vec::new(),
    };
    for root in roots {
        if let Some(listen) = maybe_text(root, "listen")? {
            daemon.listen = listen;
        }
        if let Some(listen) = root.at(&["metrics", "listen"]) {
            daemon.metrics_listen = Some(listen.text()?.to_owned());
        }
        daemon.public_url = maybe(root, "public_url", url)?;
        if let Some(folder) = maybe_text(root, "data_dir")? {
            daemon.data_dir = folder;
        }
        if let Some(networks) = root.at(&["outbound", "allow_private"]) {
            daemon.allow_private = list(networks, |network| network.text().map(str::to_owned))?;
        }
    }
    for entry in named(roots, "endpoints") {
        let endpoint = Endpoint {
            url: entry.value.get("url").and_then(url)?,
            secret: decoder.secret(entry.value.get("secret")?)?,
        };
        daemon.endpoints.insert(entry.key.text.as_str().into(), endpoint);
    }
    Some(daemon)
}

/// An address without a slash at the end.
pub(super) fn url(node: &Node) -> Option<String> {
    scalar::url(node.text()?).ok()
}
