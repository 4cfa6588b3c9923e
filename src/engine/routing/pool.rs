//! Whom the dialogs of an audience may go to: what the configuration says, without who is there now.

use std::collections::BTreeSet;

use crate::engine::live::Live;
use crate::model::decision::CandidateVerdict;
use crate::model::id::OperatorId;
use crate::model::line::Line;
use crate::model::operator::Operator;

use super::bits::Bits;
use super::queue::Audience;

/// The people of an audience.
#[derive(Debug)]
pub struct Pool {
    /// Those who may be asked, in order.
    pub members: Vec<u32>,
    /// The same as a set.
    pub set: Bits,
    /// Those who serve the line and may not be asked, with the reason; for the record of decisions.
    pub barred: Vec<(u32, CandidateVerdict)>,
    /// Where the roster keeps who has room for such dialogs.
    pub slot: usize,
}

impl Pool {
    /// The people of an audience under a configuration.
    pub fn of(audience: &Audience, live: &Live) -> Self {
        let mut pool = Self {
            members: Vec::new(),
            set: live.people.nobody(),
            barred: Vec::new(),
            slot: live.slots.of(&audience.line, audience.weight_milli),
        };
        let Some(line) = live.line(&audience.line) else { return pool };
        let mut barred = live.people.nobody();
        let mut bar = |pool: &mut Self, number: u32, reason| {
            if !barred.has(number) {
                barred.set(number, true);
                pool.barred.push((number, reason));
            }
        };
        let stage = Stage::of(audience, live, line);
        for operator in &stage.operators {
            let (Some(number), Some(declared)) =
                (live.people.number(operator), live.config.operators.get(operator))
            else {
                continue;
            };
            match stage.bars(declared) {
                None => {
                    if !pool.set.has(number) {
                        pool.set.set(number, true);
                        pool.members.push(number);
                    }
                }
                Some(reason) => bar(&mut pool, number, reason),
            }
        }
        // Where everybody is always asked, there is nothing to say about the others.
        if audience.reserved.is_some() || !line.routing.topics.is_empty() || !line.routing.overflow.is_empty()
        {
            for operator in live.members(&audience.line, None) {
                if let Some(number) = live.people.number(operator)
                    && !pool.set.has(number)
                {
                    bar(&mut pool, number, CandidateVerdict::NotInStage);
                }
            }
        }
        pool
    }
}

/// Who is asked after all stages so far, and what is asked of them.
struct Stage<'a> {
    operators: Vec<OperatorId>,
    skills: BTreeSet<&'a str>,
    language: Option<&'a str>,
}

impl<'a> Stage<'a> {
    fn of(audience: &'a Audience, live: &'a Live, line: &'a Line) -> Self {
        if let Some(operator) = &audience.reserved {
            return Self { operators: vec![operator.clone()], skills: BTreeSet::new(), language: None };
        }
        let topic = audience.topic.as_ref().and_then(|topic| line.routing.topic(topic));
        let mut stage = Self {
            operators: match (topic, &audience.team) {
                (Some(topic), None) if !topic.operators.is_empty() => live.config.members(&topic.operators),
                (_, team) => live.members(&audience.line, team.as_ref()).to_vec(),
            },
            skills: topic.into_iter().flat_map(|topic| topic.skills.iter().map(String::as_str)).collect(),
            language: audience.language.as_deref(),
        };
        let reached = usize::try_from(audience.stage).unwrap_or(usize::MAX);
        for overflow in line.routing.overflow.iter().take(reached) {
            if !overflow.replace.is_empty() {
                stage.operators = live.config.members(&overflow.replace);
            }
            stage.add(live.config.members(&overflow.add));
            if overflow.drop_skills {
                stage.skills.clear();
                stage.language = None;
            }
        }
        // A language that nobody here speaks is no reason to let the client wait for ever.
        let is_spoken = stage
            .operators
            .iter()
            .filter_map(|id| live.config.operators.get(id))
            .any(|declared| stage.bars(declared).is_none());
        if !is_spoken {
            stage.language = None;
        }
        stage
    }

    fn add(&mut self, more: Vec<OperatorId>) {
        let known: BTreeSet<OperatorId> = self.operators.iter().cloned().collect();
        self.operators.extend(more.into_iter().filter(|operator| !known.contains(operator)));
    }

    /// Why an operator may not be asked; `None`: they may.
    fn bars(&self, operator: &Operator) -> Option<CandidateVerdict> {
        if !self.skills.iter().all(|skill| operator.skills.contains(*skill)) {
            Some(CandidateVerdict::Skill)
        } else if self.language.is_some_and(|language| !speaks(operator, language)) {
            Some(CandidateVerdict::Language)
        } else {
            None
        }
    }
}

/// Whether an operator answers in a language. `ru` and `ru-RU` are one language.
fn speaks(operator: &Operator, language: &str) -> bool {
    operator.languages.is_empty()
        || operator.languages.iter().any(|spoken| main_language(spoken) == main_language(language))
}

/// The main part of a language tag: `pt` of `pt-BR`.
pub fn main_language(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}
