//! Who is asked, over the whole set: each line and each topic has somebody, stages come in their order, and
//! no lines overflow into each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::diagnostic::{Code, Finding, Report};
use crate::config::file_kind::FileKind;
use crate::config::link::{Name, Names};
use crate::config::scalar;
use crate::config::tree::{Entry, Kind, Node, Span};

/// Checks the routing of all lines. Looks only at what is well formed; the rest was reported.
pub fn check(files: &[(FileKind, &Node)], names: &Names, report: &mut Report) {
    let people = People::of(files, names);
    let mut moves = Moves::default();
    for entry in entries(files, FileKind::Lines, "lines") {
        let routing = entry.value.get("routing");
        served(&entry.value, &people, report);
        let Some(routing) = routing else { continue };
        topics(routing, &people, report);
        stages(routing, &people, report);
        moves.add(&entry.key.text, routing);
    }
    moves.report_circles(report);
}

fn entries<'n>(
    files: &[(FileKind, &'n Node)],
    kind: FileKind,
    key: &'static str,
) -> impl Iterator<Item = &'n Entry> {
    files
        .iter()
        .filter(move |(other, _)| *other == kind)
        .flat_map(move |(_, root)| root.get(key).map_or(&[] as &[_], Node::entries))
        .filter(|entry| !entry.key.is_free())
}

fn texts<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n str> {
    node.get(key).into_iter().flat_map(Node::items).filter_map(Node::text)
}

/// The operators, as far as they can be asked at all.
struct People<'n> {
    operators: BTreeMap<&'n str, &'n Node>,
    inactive: BTreeSet<&'n str>,
    teams: BTreeMap<&'n str, BTreeSet<&'n str>>,
    names: &'n Names,
}

impl<'n> People<'n> {
    fn of(files: &[(FileKind, &'n Node)], names: &'n Names) -> Self {
        let (mut operators, mut inactive) = (BTreeMap::new(), BTreeSet::new());
        let mut teams: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for entry in entries(files, FileKind::Operators, "operators") {
            let id = entry.key.text.as_str();
            operators.insert(id, &entry.value);
            if entry.value.get("active").and_then(Node::plain) == Some("false") {
                inactive.insert(id);
            }
            for team in texts(&entry.value, "teams") {
                teams.entry(team).or_default().insert(id);
            }
        }
        Self { operators, inactive, teams, names }
    }

    /// Whether all files that could declare somebody were read.
    fn are_known(&self) -> bool {
        self.names.is_complete(FileKind::Operators)
    }

    /// Everybody whom a list means.
    fn listed(&self, list: &'n Node) -> BTreeSet<&'n str> {
        let mut listed = BTreeSet::new();
        for member in list.items() {
            listed.extend(member.text().or_else(|| member.get("operator").and_then(Node::text)));
            if let Some(team) = member.get("team").and_then(Node::text) {
                listed.extend(self.teams.get(team).into_iter().flatten());
            }
        }
        listed
    }

    /// Reports teams without operators in a list.
    fn report_empty_teams(&self, list: &Node, report: &mut Report) {
        for team in list.items().iter().filter_map(|member| member.get("team")) {
            let is_empty = team.text().is_some_and(|name| {
                self.names.is_declared(Name::Team, name) && !self.teams.contains_key(name)
            });
            if is_empty && self.are_known() {
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
}

fn served(line: &Node, people: &People<'_>, report: &mut Report) {
    let routing = line.get("routing");
    let list = line.at(&["routing", "operators"]);
    let malformed = !matches!(line.kind, Kind::Mapping(_))
        || routing.is_some_and(|routing| !matches!(routing.kind, Kind::Mapping(_)))
        || list.is_some_and(|list| !matches!(list.kind, Kind::Sequence(_)));
    if malformed {
        return;
    }
    let Some(list) = list.filter(|list| !list.items().is_empty()) else {
        report.push(
            Finding::new(Code::UnservedLine, line.head(), "nobody serves this line")
                .label("its dialogs would wait for ever")
                .help("add `routing: {operators: [anna, {team: sales}]}`"),
        );
        return;
    };
    people.report_empty_teams(list, report);
    let listed = people.listed(list);
    if !listed.is_empty() && people.are_known() && listed.is_subset(&people.inactive) {
        report.push(
            Finding::new(Code::UnservedLine, list.head(), "nobody who serves this line is active")
                .label("its dialogs would wait for ever")
                .help("remove `active: false` from one of them in operators.yaml, or add somebody"),
        );
    }
}

fn topics(routing: &Node, people: &People<'_>, report: &mut Report) {
    let of_line = routing.get("operators");
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for topic in routing.get("topics").map_or(&[] as &[_], Node::items) {
        let Some(id) = topic.get("topic") else { continue };
        let name = id.text().unwrap_or_default();
        if let Some(first) = seen.insert(name, id.span) {
            report.push(
                Finding::new(Code::DuplicateId, id.span, format!("the topic `{name}` is given twice"))
                    .label("again here")
                    .related(first, "first here")
                    .help("join the two conditions in a list under `any:`"),
            );
        }
        let own = topic.get("operators");
        if let Some(own) = own {
            people.report_empty_teams(own, report);
        }
        let skills: Vec<&str> = texts(topic, "skills").collect();
        let Some(list) = own.or(of_line).filter(|_| people.are_known()) else { continue };
        let able = |operator: &&str| {
            people.operators.get(operator).is_some_and(|declared| {
                let has: BTreeSet<&str> = texts(declared, "skills").collect();
                skills.iter().all(|skill| has.contains(skill))
            })
        };
        let listed = people.listed(list);
        if !skills.is_empty() && !listed.is_empty() && !listed.iter().any(able) {
            let place = topic.get("skills").map_or(id.span, Node::head);
            report.push(
                Finding::new(
                    Code::UnservedTopic,
                    place,
                    format!("nobody who is asked about `{name}` has these skills"),
                )
                .label("its dialogs wait until overflow asks others")
                .help("add them to `skills:` of an operator in operators.yaml"),
            );
        }
    }
}

fn stages(routing: &Node, people: &People<'_>, report: &mut Report) {
    let mut before: Option<(u64, &Node)> = None;
    let mut moved: Option<Move> = None;
    for stage in routing.get("overflow").map_or(&[] as &[_], Node::items) {
        for list in ["add", "replace"].into_iter().filter_map(|key| stage.get(key)) {
            people.report_empty_teams(list, report);
        }
        if let Some(moved) = &moved {
            report.push(
                Finding::new(Code::NeverReached, stage.head(), "this stage is never reached")
                    .related(moved.at, "the dialog is on another line by then")
                    .help("put it before the one with `line`, or into the overflow of that line"),
            );
        }
        let changes = ["add", "replace", "drop_skills", "line"];
        if matches!(stage.kind, Kind::Mapping(_)) && !changes.iter().any(|key| stage.get(key).is_some()) {
            report.push(
                Finding::new(Code::MissingKey, stage.head(), "this stage changes nothing")
                    .help("add `add`, `replace`, `drop_skills` or `line`"),
            );
        }
        if let Some(line) = stage.entry("line") {
            let after = stage.get("after").and_then(Node::text);
            let after_ms = after.and_then(|text| scalar::duration_ms(text).ok());
            moved.get_or_insert(Move { at: line.key.span, after_ms });
            if let Some(other) = changes.iter().take(3).find_map(|key| stage.entry(key)) {
                report.push(
                    Finding::new(Code::KeyChoice, line.key.span, "a stage asks others or moves to a line")
                        .related(other.key.span, "asks others")
                        .help("make two stages of it"),
                );
            }
        }
        let Some(after) = stage.get("after") else { continue };
        let Some(after_ms) = after.text().and_then(|text| scalar::duration_ms(text).ok()) else { continue };
        if let Some((before_ms, earlier)) = before
            && after_ms <= before_ms
        {
            report.push(
                Finding::new(Code::InvalidValue, after.span, "this stage is not later than the one before")
                    .related(earlier.span, "the one before")
                    .help("stages come one after another; each `after` counts from entering the queue"),
            );
        }
        before = Some((after_ms, after));
    }
    if let (Some(moved), Some(otherwise)) = (moved, routing.get("otherwise")) {
        last_resort(&moved, otherwise, report);
    }
}

/// A stage that moves dialogs to another line.
struct Move {
    at: Span,
    /// When, in ms from entering the queue; `None`: not well formed.
    after_ms: Option<u64>,
}

/// A dialog counts anew on the line that it was moved to: what this line would do later never comes.
fn last_resort(moved: &Move, otherwise: &Node, report: &mut Report) {
    let after = otherwise.get("after");
    let after_ms = after.and_then(Node::text).and_then(|text| scalar::duration_ms(text).ok());
    let (Some(moved_ms), Some(after), Some(after_ms)) = (moved.after_ms, after, after_ms) else { return };
    if after_ms >= moved_ms {
        report.push(
            Finding::new(Code::NeverReached, after.span, "this last resort is never reached")
                .related(moved.at, "the dialog is on another line by then")
                .help("make its `after` shorter, or give the other line an `otherwise`"),
        );
    }
}

/// Which lines send dialogs to which by themselves.
#[derive(Default)]
struct Moves<'n>(BTreeMap<&'n str, Vec<(&'n str, Span)>>);

impl<'n> Moves<'n> {
    fn add(&mut self, line: &'n str, routing: &'n Node) {
        let stages = routing.get("overflow").map_or(&[] as &[_], Node::items).iter();
        let actions = routing.at(&["otherwise", "do"]).map_or(&[] as &[_], Node::items).iter();
        let of_actions = actions.filter_map(|action| action.at(&["transfer", "line"]));
        for to in stages.filter_map(|stage| stage.get("line")).chain(of_actions) {
            if let Some(name) = to.text() {
                self.0.entry(line).or_default().push((name, to.span));
            }
        }
    }

    /// Reports each circle once, at the first of its lines.
    fn report_circles(&self, report: &mut Report) {
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for start in self.0.keys() {
            if told.contains(start) {
                continue;
            }
            if let Some(circle) = self.circle(start) {
                let path: Vec<&str> = circle.iter().map(|(name, _)| *name).collect();
                told.extend(&path);
                let at = circle.first().map_or(Span { file: 0, start: 0, end: 0 }, |(_, span)| *span);
                report.push(
                    Finding::new(
                        Code::OverflowLoop,
                        at,
                        format!("dialogs would go in a circle: {start} → {}", path.join(" → ")),
                    )
                    .label("moves to this line")
                    .help("let one of the lines keep its dialogs, and ask more people there with `add`"),
                );
            }
        }
    }

    /// The way from a line back to itself.
    fn circle(&self, start: &'n str) -> Option<Vec<(&'n str, Span)>> {
        let mut ways: Vec<Vec<(&str, Span)>> =
            self.0.get(start).into_iter().flatten().map(|step| vec![*step]).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(way) = ways.pop() {
            let Some((last, _)) = way.last().copied() else { continue };
            if last == start {
                return Some(way);
            }
            if seen.insert(last) {
                let next = self.0.get(last).into_iter().flatten();
                ways.extend(next.map(|step| way.iter().copied().chain([*step]).collect()));
            }
        }
        None
    }
}
