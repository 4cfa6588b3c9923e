//! The live configuration, prepared for the engine: lists resolved, conditions and templates compiled.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::Config;
use crate::model::event::EventKind;
use crate::model::id::{CalendarId, ChannelId, LineId, OperatorId, TeamId, TopicId};
use crate::model::line::{Line, RoutingPolicy};
use crate::model::operator::Operator;
use crate::model::rule::Rule;

use super::hours::{Hours, UnknownTimezone, borders};
use super::render::{TemplateError, Templates};
use super::routing::people::People;
use super::routing::pool::main_language;
use super::routing::slots::Slots;
use super::rules::condition::ConditionError;
use super::rules::{CompiledRule, RuleSet, compile_rule};

/// A configuration that can be worked with. The default has nothing in it.
#[derive(Debug, Default)]
pub struct Live {
    /// `sha256:` and the digest of the canonical bytes.
    pub version: String,
    /// As declared.
    pub config: Config,
    lines: BTreeMap<LineId, LiveLine>,
    teams: BTreeMap<TeamId, Vec<OperatorId>>,
    hours: BTreeMap<CalendarId, Hours>,
    pub(super) templates: Templates,
    rules: BTreeMap<EventKind, RuleSet>,
    /// The operators by number.
    pub(super) people: People,
    /// What operators are asked for room for.
    pub(super) slots: Slots,
    /// The main parts of the languages that operators declare.
    languages: BTreeSet<String>,
    /// Whether any line promises anything.
    pub(super) promises_anything: bool,
}

/// The IETF tag of no language in particular.
const UNDECLARED: &str = "und";

#[derive(Debug)]
struct LiveLine {
    members: Vec<OperatorId>,
    /// Everybody in any list of the line: of topics and overflow too.
    listed: BTreeSet<OperatorId>,
    /// The conditions of its topics, in order.
    topics: RuleSet,
    /// The conditions of what it promises, in order.
    sla: RuleSet,
}

/// Why a configuration cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A condition of a rule.
    #[error("rule `{rule}`: {source}")]
    Condition {
        /// The rule.
        rule: String,
        /// What is wrong.
        source: ConditionError,
    },
    /// A condition of a topic.
    #[error("topic `{topic}` of the line `{line}`: {source}")]
    Topic {
        /// The line.
        line: LineId,
        /// The topic.
        topic: TopicId,
        /// What is wrong.
        source: ConditionError,
    },
    /// A condition of what a line promises.
    #[error("`sla` of the line `{line}`, item {place}: {source}")]
    Sla {
        /// The line.
        line: LineId,
        /// The place in the list, from 0.
        place: usize,
        /// What is wrong.
        source: ConditionError,
    },
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A calendar.
    #[error("calendar `{calendar}`: {source}")]
    Calendar {
        /// The calendar.
        calendar: CalendarId,
        /// What is wrong.
        source: UnknownTimezone,
    },
    /// A line.
    #[error("channel `{channel}` is bound to the line `{line}`, which does not exist")]
    Line {
        /// The channel.
        channel: ChannelId,
        /// The line.
        line: LineId,
    },
}

impl Live {
    /// Prepares a configuration.
    ///
    /// # Errors
    /// When a condition, a template or a calendar cannot be compiled, or a channel has no line. The
    /// checks of `switchboard check` are wider and give the place in the file.
    pub fn compile(config: Config, version: String) -> Result<Self, CompileError> {
        for (channel, binding) in &config.channels {
            if !config.lines.contains_key(&binding.line) {
                return Err(CompileError::Line { channel: channel.clone(), line: binding.line.clone() });
            }
        }
        let templates = Templates::compile(&config)?;
        let mut hours = BTreeMap::new();
        for (id, calendar) in &config.calendars {
            let compiled = Hours::new(calendar.clone())
                .map_err(|source| CompileError::Calendar { calendar: id.clone(), source })?;
            hours.insert(id.clone(), compiled);
        }
        let mut rules: BTreeMap<EventKind, Vec<CompiledRule>> = BTreeMap::new();
        for rule in &config.rules {
            let compiled = compile_rule(rule)
                .map_err(|source| CompileError::Condition { rule: rule.id.to_string(), source })?;
            rules.entry(rule.event).or_default().push(compiled);
        }
        let rules = rules.into_iter().map(|(event, rules)| (event, RuleSet::of(rules))).collect();
        let mut lines = BTreeMap::new();
        for (id, line) in &config.lines {
            let members = config.members(&line.routing.members);
            let routing = &line.routing;
            let of_topics = routing.topics.iter().map(|topic| &topic.operators);
            let of_stages = routing.overflow.iter().flat_map(|stage| [&stage.add, &stage.replace]);
            let others = of_topics.chain(of_stages).flat_map(|list| config.members(list));
            let listed = others.chain(members.iter().cloned()).collect();
            lines.insert(
                id.clone(),
                LiveLine { members, listed, topics: topics(id, line)?, sla: policies(id, line)? },
            );
        }
        let teams = config
            .teams
            .keys()
            .map(|team| (team.clone(), config.team_members(team).cloned().collect()))
            .collect();
        let people = People::number_all(config.operators.keys());
        let slots = Slots::of_config(&config);
        let languages = config
            .operators
            .values()
            .flat_map(|operator| operator.languages.iter().map(|tag| main_language(tag)))
            .collect();
        let promises_anything = config.lines.values().any(|line| !line.sla.is_empty());
        Ok(Self {
            promises_anything,
            version,
            lines,
            teams,
            hours,
            templates,
            rules,
            people,
            slots,
            languages,
            config,
        })
    }

    /// A line as declared.
    pub fn line(&self, id: &LineId) -> Option<&Line> {
        self.config.lines.get(id)
    }

    /// The operators who may get a dialog of `line` that waits for `team`, in order.
    pub fn members(&self, line: &LineId, team: Option<&TeamId>) -> &[OperatorId] {
        match team {
            Some(team) => self.teams.get(team).map_or(&[], Vec::as_slice),
            None => self.lines.get(line).map_or(&[], |line| line.members.as_slice()),
        }
    }

    /// Whether an operator may own dialogs of a line: by any of its lists, or through a team.
    pub fn may_serve(&self, operator: &OperatorId, line: &LineId) -> bool {
        let Some(declared) = self.config.operators.get(operator) else { return false };
        self.lines.get(line).is_some_and(|line| line.listed.contains(operator))
            || declared
                .teams
                .iter()
                .any(|team| self.config.teams.get(team).is_some_and(|team| team.lines.contains(line)))
            || self
                .config
                .teams
                .values()
                .any(|team| team.lines.contains(line) && team.supervisors.contains(operator))
    }

    /// The language that operators are chosen by for a client; `None`: they are not chosen by it. All that nobody
    /// declares are one, [`UNDECLARED`]: clients can name any.
    pub(super) fn language_to_ask(&self, of_client: Option<&str>) -> Option<String> {
        let main = main_language(of_client.filter(|_| !self.languages.is_empty())?);
        Some(if self.languages.contains(&main) { main } else { UNDECLARED.to_owned() })
    }

    /// The conditions of a line's topics; `None`: it has none.
    pub(super) fn topics_of(&self, line: &LineId) -> Option<&RuleSet> {
        self.lines.get(line).map(|line| &line.topics).filter(|topics| !topics.is_empty())
    }

    /// The conditions of what a line promises; `None`: it promises nothing.
    pub(super) fn sla_of(&self, line: &LineId) -> Option<&RuleSet> {
        self.lines.get(line).map(|line| &line.sla).filter(|policies| !policies.is_empty())
    }

    /// The hours of a calendar.
    pub fn hours(&self, calendar: &CalendarId) -> Option<&Hours> {
        self.hours.get(calendar)
    }

    /// Whether an operator is on vacation at an instant.
    pub fn is_on_vacation(&self, operator: &Operator, at_ms: u64) -> bool {
        let zone = operator.calendar.as_ref().and_then(|calendar| self.hours.get(calendar));
        operator.vacation.iter().any(|days| {
            borders::days_ms(days, zone)
                .is_some_and(|(from_ms, until_ms)| from_ms <= at_ms && at_ms < until_ms)
        })
    }

    /// When a shift or a vacation of an operator begins or ends next, in ms; or when to look again.
    pub fn next_border_ms(&self, operator: &Operator, at_ms: u64) -> Option<u64> {
        let hours = operator.calendar.as_ref().and_then(|calendar| self.hours.get(calendar));
        let of_shifts = hours.and_then(|hours| hours.next_change_ms(at_ms));
        let of_vacations = operator.vacation.iter().filter_map(|days| borders::days_ms(days, hours));
        of_vacations
            .flat_map(|(from_ms, until_ms)| [from_ms, until_ms])
            .filter(|border_ms| *border_ms > at_ms)
            .chain(of_shifts)
            .min()
    }

    /// What a dialog of a channel weighs on a line, in thousandths.
    pub fn weight_milli(&self, line: &LineId, channel: &ChannelId) -> u32 {
        let kind = self.config.channels.get(channel).map(crate::model::channel::Channel::kind);
        match (self.line(line), kind) {
            (Some(line), Some(kind)) => line.routing.weight_milli(kind),
            _ => RoutingPolicy::WEIGHT_MILLI,
        }
    }

    /// Whether a line is open at an instant. A line without a calendar always is.
    pub fn is_open(&self, line: &Line, at_ms: u64) -> bool {
        line.calendar.as_ref().and_then(|id| self.hours.get(id)).is_none_or(|hours| hours.is_open(at_ms))
    }

    pub(super) fn rules_on(&self, kind: EventKind) -> Option<&RuleSet> {
        self.rules.get(&kind)
    }
}

/// The conditions of what a line promises: asked like rules, of which the first that matches stops the others.
fn policies(id: &LineId, line: &Line) -> Result<RuleSet, CompileError> {
    let mut policies = Vec::new();
    for (place, policy) in line.sla.iter().enumerate() {
        let rule = Rule {
            id: format!("sla-{place}").into(),
            event: EventKind::DialogUpdated,
            when: policy.when.clone(),
            actions: Vec::new(),
            priority: 0,
            stop: true,
        };
        policies.push(compile_rule(&rule).map_err(|source| CompileError::Sla {
            line: id.clone(),
            place,
            source,
        })?);
    }
    Ok(RuleSet::of(policies))
}

/// The conditions of a line's topics: asked like rules, of which the first that matches stops the others.
fn topics(id: &LineId, line: &Line) -> Result<RuleSet, CompileError> {
    let mut topics = Vec::new();
    for topic in &line.routing.topics {
        let rule = Rule {
            id: topic.topic.as_str().into(),
            event: EventKind::MessageReceived,
            when: Some(topic.when.clone()),
            actions: Vec::new(),
            priority: 0,
            stop: true,
        };
        topics.push(compile_rule(&rule).map_err(|source| CompileError::Topic {
            line: id.clone(),
            topic: topic.topic.clone(),
            source,
        })?);
    }
    Ok(RuleSet::of(topics))
}
