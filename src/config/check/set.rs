//! What must hold over the whole set: somebody serves each line, teams have operators, tokens and listeners differ.

use std::collections::{BTreeMap, BTreeSet};

use super::operators::sha256;
use crate::config::diagnostic::{Code, Finding, Report};
use crate::config::file_kind::FileKind;
use crate::config::link::{Name, Names};
use crate::config::tree::{Kind, Node, Span};
use crate::model::config::Daemon;

/// Checks the set. Looks only at what is well formed; the rest was reported.
pub fn check(files: &[(FileKind, &Node)], names: &Names, report: &mut Report) {
    let of = |kind: FileKind| files.iter().filter(move |(other, _)| *other == kind).map(|(_, root)| *root);
    let mut teams: BTreeSet<&str> = BTreeSet::new();
    for operator in of(FileKind::Operators).flat_map(|root| named(root, "operators")) {
        teams.extend(operator.get("teams").into_iter().flat_map(Node::items).filter_map(Node::text));
    }
    for line in of(FileKind::Lines).flat_map(|root| named(root, "lines")) {
        served(line, &teams, names, report);
    }
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

/// The values of a mapping of ids.
fn named<'n>(root: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> {
    let entries = root.get(key).map_or(&[] as &[_], Node::entries);
    entries.iter().filter(|entry| !entry.key.is_free()).map(|entry| &entry.value)
}

fn served(line: &Node, teams: &BTreeSet<&str>, names: &Names, report: &mut Report) {
    let routing = line.get("routing");
    let list = line.at(&["routing", "operators"]);
    let malformed = !matches!(line.kind, Kind::Mapping(_))
        || routing.is_some_and(|routing| !matches!(routing.kind, Kind::Mapping(_)))
        || list.is_some_and(|list| !matches!(list.kind, Kind::Sequence(_)));
    if malformed {
        return;
    }
    let members = line.at(&["routing", "operators"]).map_or(&[] as &[Node], Node::items);
    if members.is_empty() {
        report.push(
            Finding::new(Code::UnservedLine, line.head(), "nobody serves this line")
                .label("its dialogs would wait for ever")
                .help("add `routing: {operators: [anna, {team: sales}]}`"),
        );
    }
    for member in members {
        if let Some(team) = member.get("team")
            && team.text().is_some_and(|name| names.is_declared(Name::Team, name) && !teams.contains(name))
            && names.is_complete(FileKind::Operators)
        {
            report.push(
                Finding::new(
                    Code::EmptyTeam,
                    team.span,
                    format!("no operator belongs to the team `{}`", team.text().unwrap_or_default()),
                )
                .help("add the team to `teams:` of an operator in operators.yaml, or remove it here"),
            );
        }
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
