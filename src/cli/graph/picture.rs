//! The configuration as nodes and arrows.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::Config;
use crate::model::id::{LineId, TeamId};
use crate::model::line::{Line, Member, RoutingPolicy, Strategy};
use crate::model::rule::{Receiver, Rule, RuleAction};

/// A picture: nodes by their ids, arrows in the order of drawing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Picture {
    /// Nodes.
    pub nodes: BTreeMap<String, Node>,
    /// Arrows, each once.
    pub arrows: BTreeSet<Arrow>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// What it stands for.
    pub kind: NodeKind,
    /// The lines of its label.
    pub label: Vec<String>,
}

/// What nodes stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeKind {
    Channel,
    Line,
    Topic,
    Team,
    Operator,
    Event,
    Rule,
    Endpoint,
}

impl NodeKind {
    /// All kinds, in the order of the flow.
    pub(super) const ALL: [Self; 8] = [
        Self::Channel,
        Self::Line,
        Self::Topic,
        Self::Team,
        Self::Operator,
        Self::Event,
        Self::Rule,
        Self::Endpoint,
    ];

    /// The word for it; also the beginning of its nodes' ids.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Line => "line",
            Self::Topic => "topic",
            Self::Team => "team",
            Self::Operator => "operator",
            Self::Event => "event",
            Self::Rule => "rule",
            Self::Endpoint => "endpoint",
        }
    }
}

/// An arrow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    /// The node that it begins at.
    pub from: String,
    /// The node that it ends at.
    pub to: String,
    /// What is written at it; empty for nothing.
    pub label: String,
    /// Whether it is taken only sometimes: after a time, or by a rule.
    pub dashed: bool,
}

/// Draws a configuration, or what of it has to do with one line.
pub(super) fn of(config: &Config, only: Option<&str>) -> Picture {
    let mut drawing = Drawing { config, picture: Picture::default() };
    let is_wanted = |line: &LineId| only.is_none_or(|only| line.as_str() == only);
    for (id, channel) in &config.channels {
        if is_wanted(&channel.line) {
            let label = vec![id.to_string(), channel.kind().as_str().to_owned()];
            let from = drawing.node(NodeKind::Channel, id.as_str(), label);
            let to = drawing.line(&channel.line);
            drawing.arrow(from, to, String::new(), false);
        }
    }
    for (id, line) in config.lines.iter().filter(|(id, _)| is_wanted(id)) {
        drawing.routing(id, line);
    }
    for rule in &config.rules {
        if only.is_none_or(|only| leads_to(rule, only)) {
            drawing.rule(rule);
        }
    }
    drawing.picture
}

/// Whether a rule gives dialogs to a line.
fn leads_to(rule: &Rule, line: &str) -> bool {
    rule.actions.iter().any(|action| match action {
        RuleAction::Transfer { to, otherwise } => [Some(to), otherwise.as_ref()]
            .into_iter()
            .flatten()
            .any(|receiver| matches!(receiver, Receiver::Line(id) if id.as_str() == line)),
        _ => false,
    })
}

struct Drawing<'a> {
    config: &'a Config,
    picture: Picture,
}

impl Drawing<'_> {
    fn node(&mut self, kind: NodeKind, id: &str, label: Vec<String>) -> String {
        let id = format!("{}:{id}", kind.as_str());
        self.picture.nodes.entry(id.clone()).or_insert(Node { kind, label });
        id
    }

    fn arrow(&mut self, from: String, to: String, label: String, dashed: bool) {
        self.picture.arrows.insert(Arrow { from, to, label, dashed });
    }

    fn line(&mut self, id: &LineId) -> String {
        let mut label = vec![id.to_string()];
        if let Some(line) = self.config.lines.get(id) {
            label.push(strategy(&line.routing).to_owned());
            label.extend(line.calendar.as_ref().map(|calendar| format!("hours: {calendar}")));
        }
        self.node(NodeKind::Line, id.as_str(), label)
    }

    fn member(&mut self, member: &Member) -> String {
        match member {
            Member::Operator(id) => self.node(NodeKind::Operator, id.as_str(), vec![id.to_string()]),
            Member::Team(id) => self.team(id),
        }
    }

    fn team(&mut self, id: &TeamId) -> String {
        let members: Vec<String> = self.config.team_members(id).map(ToString::to_string).collect();
        let label = match members.len() {
            0 => vec![id.to_string(), "nobody".to_owned()],
            1..=4 => vec![id.to_string(), members.join(", ")],
            count => vec![id.to_string(), format!("{count} operators")],
        };
        self.node(NodeKind::Team, id.as_str(), label)
    }

    /// Who gets the dialogs of a line: at once, by topic, and after a time.
    fn routing(&mut self, id: &LineId, line: &Line) {
        let from = self.line(id);
        for member in &line.routing.members {
            let to = self.member(member);
            self.arrow(from.clone(), to, String::new(), false);
        }
        for topic in &line.routing.topics {
            let skills: Vec<&str> = topic.skills.iter().map(String::as_str).collect();
            let mut label = vec![topic.topic.to_string()];
            if !skills.is_empty() {
                label.push(format!("skills: {}", skills.join(", ")));
            }
            let node = self.node(NodeKind::Topic, &format!("{id}/{}", topic.topic), label);
            self.arrow(from.clone(), node.clone(), String::new(), false);
            for member in &topic.operators {
                let to = self.member(member);
                self.arrow(node.clone(), to, String::new(), false);
            }
        }
        for stage in &line.routing.overflow {
            let after = format!("after {}", duration(stage.after_ms));
            for (members, word) in [(&stage.add, "also"), (&stage.replace, "instead")] {
                for member in members {
                    let to = self.member(member);
                    self.arrow(from.clone(), to, format!("{after} {word}"), true);
                }
            }
            if let Some(other) = &stage.line {
                let to = self.line(other);
                self.arrow(from.clone(), to, after, true);
            }
        }
        if let Some(otherwise) = &line.routing.otherwise {
            let after = format!("otherwise, after {}", duration(otherwise.after_ms));
            self.actions(&from, &otherwise.actions, &after);
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let event = rule.event.as_str();
        let from = self.node(NodeKind::Event, event, vec![event.to_owned()]);
        let mut names: Vec<&str> = Vec::new();
        for action in &rule.actions {
            if !names.contains(&action.name()) {
                names.push(action.name());
            }
        }
        let label = vec![rule.id.to_string(), names.join(", ")];
        let to = self.node(NodeKind::Rule, rule.id.as_str(), label);
        self.arrow(from, to.clone(), String::new(), false);
        self.actions(&to, &rule.actions, "");
    }

    /// Where actions lead, from what carries them out.
    fn actions(&mut self, from: &str, actions: &[RuleAction], label: &str) {
        for action in actions {
            match action {
                RuleAction::Transfer { to, otherwise } => {
                    self.receiver(from, to, label);
                    if let Some(otherwise) = otherwise {
                        let label =
                            if label.is_empty() { "else".to_owned() } else { format!("{label}, else") };
                        self.receiver(from, otherwise, &label);
                    }
                }
                RuleAction::Notify { endpoint, .. } => {
                    let to = self.node(NodeKind::Endpoint, endpoint.as_str(), vec![endpoint.to_string()]);
                    self.arrow(from.to_owned(), to, label.to_owned(), true);
                }
                _ => {}
            }
        }
    }

    fn receiver(&mut self, from: &str, receiver: &Receiver, label: &str) {
        let to = match receiver {
            Receiver::Operator(id) => self.member(&Member::Operator(id.clone())),
            Receiver::Team(id) => self.team(id),
            Receiver::Line(id) => self.line(id),
        };
        self.arrow(from.to_owned(), to, label.to_owned(), true);
    }
}

const fn strategy(routing: &RoutingPolicy) -> &'static str {
    match routing.strategy {
        Strategy::InOrder => "in_order",
        Strategy::RoundRobin => "round_robin",
        Strategy::LeastLoaded => "least_loaded",
        Strategy::Broadcast => "broadcast",
    }
}

/// A time as it is written in the files.
fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = UNITS.into_iter().find(|(length, _)| ms >= *length && ms.is_multiple_of(*length));
    match unit {
        Some((length, unit)) => format!("{}{unit}", ms / length),
        None => format!("{ms}ms"),
    }
}
