//! What must hold over the whole set: routing finds somebody for each dialog, tokens and listeners differ.

use std::collections::BTreeMap;

use super::operators::sha256;
use super::{routing, sla};
use crate::config::diagnostic::{Code, Finding, Report};
use crate::config::file_kind::FileKind;
use crate::config::link::Names;
use crate::config::tree::{Node, Span};
use crate::model::config::Daemon;

/// Checks the set. Looks only at what is well formed; the rest was reported.
pub fn check(files: &[(FileKind, &Node)], names: &Names, report: &mut Report) {
    let of = |kind: FileKind| files.iter().filter(move |(other, _)| *other == kind).map(|(_, root)| *root);
    routing::check(files, names, report);
    sla::check(files, report);
    tokens(of(FileKind::Operators), report);
    for daemon in of(FileKind::Switchboard) {
        listeners(daemon, report);
    }
}

/// The API and the metrics cannot share a port.
fn listeners(daemon: &Node, report: &mut Report) {
    let (api, metrics) = (daemon.get("listen"), daemon.at(&["metrics", "listen"]));
    let Some(metrics) = metrics else { return };
    let of_api = api.map_or(Some(Daemon::LISTEN), Node::text);
    // Port 0 is any that is free: twice, it is two ports.
    if metrics.text().is_some_and(|text| Some(text) == of_api && !text.ends_with(":0")) {
        let mut finding =
            Finding::new(Code::InvalidValue, metrics.span, "the API listens on this address already")
                .help("give the metrics a port of their own, such as `127.0.0.1:9090`");
        if let Some(api) = api {
            finding = finding.related(api.span, "here");
        }
        report.push(finding);
    }
}

fn tokens<'n>(roots: impl Iterator<Item = &'n Node>, report: &mut Report) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for hash in roots
        .filter_map(|root| root.get("tokens"))
        .flat_map(Node::items)
        .filter_map(|token| token.get("hash"))
    {
        let Some(digits) = hash.text().and_then(sha256) else { continue };
        if let Some(first) = seen.get(&digits) {
            report.push(
                Finding::new(Code::SharedHash, hash.span, "two tokens have the same hash")
                    .label("again here")
                    .related(*first, "first here")
                    .help("each token has a text of its own: `switchboard token new`"),
            );
        } else {
            seen.insert(digits, hash.span);
        }
    }
}
