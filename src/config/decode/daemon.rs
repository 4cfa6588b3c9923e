//! Reads `switchboard.yaml`. Without the file everything has its default.

use std::collections::BTreeMap;

use super::{Decoder, list, maybe, maybe_text, named};
use crate::config::scalar;
use crate::config::tree::Node;
use crate::model::config::{Attachments, Daemon, Endpoint};

pub(super) fn read(decoder: &mut Decoder<'_>, roots: &[&Node]) -> Option<Daemon> {
    let mut daemon = Daemon {
        listen: Daemon::LISTEN.to_owned(),
        metrics_listen: None,
        public_url: None,
        data_dir: Daemon::DATA_DIR.to_owned(),
        endpoints: BTreeMap::new(),
        allow_private: Vec::new(),
        attachments: Attachments::default(),
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
        if let Some(max) = root.at(&["attachments", "max"]) {
            daemon.attachments.max_bytes = scalar::size_bytes(max.text()?).ok()?;
        }
        if let Some(types) = root.at(&["attachments", "types"]) {
            daemon.attachments.types = list(types, |one| one.text().map(str::to_owned))?;
        }
        if let Some(kept) = root.at(&["retention", "attachments"]) {
            daemon.attachments.retention_ms = scalar::duration_ms(kept.text()?).ok()?;
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
