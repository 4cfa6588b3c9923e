//! The live configuration, prepared for the engine: lists resolved, conditions and templates compiled.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::Config;
use crate::model::event::EventKind;
use crate::model::id::{CalendarId, ChannelId, LineId, OperatorId, TeamId};
use crate::model::line::Line;

use super::hours::{Hours, UnknownTimezone};
use super::render::{TemplateError, Templates};
use super::rules::condition::ConditionError;
use super::rules::{RuleSet, compile_rule};

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
}

#[derive(Debug)]
struct LiveLine {
    members: Vec<OperatorId>,
    set: BTreeSet<OperatorId>,
    /// The lightest dialog that may come: once it does not fit, nothing does.
    lightest_milli: u32,
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
        let mut rules: BTreeMap<EventKind, RuleSet> = BTreeMap::new();
        for rule in &config.rules {
            let compiled = compile_rule(rule)
                .map_err(|source| CompileError::Condition { rule: rule.id.to_string(), source })?;
            rules.entry(rule.event).or_default().add(compiled);
        }
        let lines = config
            .lines
            .iter()
            .map(|(id, line)| {
                let lightest_milli = config
                    .channels
                    .values()
                    .map(|channel| line.routing.weight_milli(channel.kind()))
                    .min()
                    .unwrap_or(crate::model::line::RoutingPolicy::WEIGHT_MILLI);
                let members = config.line_members(line);
                let set = members.iter().cloned().collect();
                (id.clone(), LiveLine { members, set, lightest_milli })
            })
            .collect();
        let teams = config
            .teams
            .keys()
            .map(|team| (team.clone(), config.team_members(team).cloned().collect()))
            .collect();
        Ok(Self { version, lines, teams, hours, templates, rules, config })
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

    /// Whether an operator may own dialogs of a line: as one of its operators, or through a team.
    pub fn may_serve(&self, operator: &OperatorId, line: &LineId) -> bool {
        let Some(declared) = self.config.operators.get(operator) else { return false };
        self.is_member(operator, line, None)
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

    /// Whether an operator is among those whom a dialog of `line` that waits for `team` may go to.
    pub fn is_member(&self, operator: &OperatorId, line: &LineId, team: Option<&TeamId>) -> bool {
        match team {
            Some(team) => {
                self.config.operators.get(operator).is_some_and(|declared| declared.teams.contains(team))
            }
            None => self.lines.get(line).is_some_and(|line| line.set.contains(operator)),
        }
    }

    /// The weight of the lightest dialog that may come to a line, in thousandths.
    pub(super) fn lightest_milli(&self, line: &LineId) -> u32 {
        self.lines.get(line).map_or(0, |line| line.lightest_milli)
    }

    /// What a dialog of a channel weighs on a line, in thousandths.
    pub fn weight_milli(&self, line: &LineId, channel: &ChannelId) -> u32 {
        let kind = self.config.channels.get(channel).map(crate::model::channel::Channel::kind);
        match (self.line(line), kind) {
            (Some(line), Some(kind)) => line.routing.weight_milli(kind),
            _ => crate::model::line::RoutingPolicy::WEIGHT_MILLI,
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
