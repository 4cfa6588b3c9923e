//! What lines promise: each policy promises something, can be reached, and has the hours that its clock needs.

use crate::config::diagnostic::{Code, Finding, Report};
use crate::config::file_kind::FileKind;
use crate::config::tree::{Kind, Node, Span};
use crate::model::sla::SlaTarget;

/// Checks the promises of all lines. Looks only at what is well formed; the rest was reported.
pub fn check(files: &[(FileKind, &Node)], report: &mut Report) {
    let lines = files
        .iter()
        .filter(|(kind, _)| *kind == FileKind::Lines)
        .flat_map(|(_, root)| root.get("lines").map_or(&[] as &[_], Node::entries))
        .filter(|entry| !entry.key.is_free());
    for line in lines {
        let mut matches_all: Option<Span> = None;
        for policy in line.value.get("sla").map_or(&[] as &[_], Node::items) {
            if !matches!(policy.kind, Kind::Mapping(_)) {
                continue;
            }
            promises(policy, report);
            hours(policy, &line.value, report);
            match matches_all {
                Some(earlier) => report.push(
                    Finding::new(Code::NeverTrue, policy.head(), "this policy is never reached")
                        .related(earlier, "this one has no `when`, so it matches every dialog")
                        .help("put it before that one"),
                ),
                None if policy.get("when").is_none() => matches_all = Some(policy.head()),
                None => {}
            }
        }
    }
}

fn promises(policy: &Node, report: &mut Report) {
    if SlaTarget::ALL.iter().all(|target| policy.get(target.as_str()).is_none()) {
        report.push(
            Finding::new(Code::MissingKey, policy.head(), "this policy promises nothing")
                .help("add `first_response`, `next_response`, `first_accept` or `resolution`"),
        );
    }
}

/// A clock that goes by hours on a line that has none would run always.
fn hours(policy: &Node, line: &Node, report: &mut Report) {
    if line.get("calendar").is_some() {
        return;
    }
    let working = policy.get("clock").filter(|clock| clock.text() == Some("working"));
    let outside = policy
        .get("pause_when")
        .and_then(|pauses| pauses.items().iter().find(|pause| pause.text() == Some("outside_hours")));
    if let Some(place) = working.or(outside) {
        report.push(
            Finding::new(Code::InvalidValue, place.span, "the line has no hours")
                .label("this clock goes by the line's hours")
                .help("give the line a `calendar`, or leave this out"),
        );
    }
}
