//! What a principal may do, and how far it reaches.
//!
//! A right reaches as far as its scope in the role, and never beyond the lines that the token is
//! bound to. What cannot be seen answers as if it did not exist.

use std::collections::BTreeSet;

use crate::engine::live::Live;
use crate::model::dialog::Dialog;
use crate::model::id::{LineId, OperatorId};
use crate::model::role::{Right, Scope};

use super::auth::Principal;
use super::problem::Problem;

/// Rights of which one is enough, with the name shown when none is granted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needed {
    /// Any of these.
    pub(super) rights: &'static [Right],
    /// As operators.yaml writes the first of them.
    pub(super) name: &'static str,
}

/// Seeing dialogs.
pub(super) const SEE: Needed = Needed { rights: &[Right::DialogsSee], name: "`dialogs.see`" };
/// Answering and changing fields.
pub(super) const REPLY: Needed =
    Needed { rights: &[Right::DialogsReply, Right::DialogsWrite], name: "`dialogs.reply`" };
/// Closing.
pub(super) const CLOSE: Needed =
    Needed { rights: &[Right::DialogsClose, Right::DialogsWrite], name: "`dialogs.close`" };
/// Giving to somebody else.
pub(super) const TRANSFER: Needed =
    Needed { rights: &[Right::DialogsTransfer, Right::DialogsWrite], name: "`dialogs.transfer`" };
/// Putting back: whoever may take a dialog from its owner may also give it to everybody.
pub(super) const REQUEUE: Needed = Needed {
    rights: &[Right::DialogsTransfer, Right::DialogsTakeOver, Right::DialogsWrite],
    name: "`dialogs.transfer`",
};
/// Taking from whoever has it.
pub(super) const TAKE_OVER: Needed =
    Needed { rights: &[Right::DialogsTakeOver], name: "`dialogs.take_over`" };
/// Joining: whoever may take a dialog over may also only listen.
pub(super) const JOIN: Needed =
    Needed { rights: &[Right::DialogsJoin, Right::DialogsTakeOver], name: "`dialogs.join`" };
/// Rating the work of operators.
pub(super) const RATE: Needed =
    Needed { rights: &[Right::DialogsRate, Right::DialogsTakeOver], name: "`dialogs.rate`" };
/// Reading clients.
pub(super) const CLIENTS: Needed = Needed { rights: &[Right::ClientsSee], name: "`clients.see`" };
/// Reading queues and loads.
pub(super) const QUEUES: Needed = Needed { rights: &[Right::Reports, Right::DialogsSee], name: "`reports`" };
/// Following events: those of the dialogs that may be seen, and with the right of its own more.
pub(super) const EVENTS: Needed = Needed { rights: &[Right::Events, Right::DialogsSee], name: "`events`" };
/// Events about no dialog need a right of their own.
const GENERAL: Needed = Needed { rights: &[Right::Events], name: "`events`" };
/// Everything about the daemon itself.
pub(super) const ADMINISTER: Needed = Needed { rights: &[Right::Administer], name: "`administer`" };

impl Principal {
    /// How far one of these rights reaches at most; `None`: none of them is granted.
    pub(super) fn scope(&self, needed: Needed) -> Option<Scope> {
        let role = self.live.config.roles.get(&self.role)?;
        needed.rights.iter().filter_map(|right| role.grants.get(right)).max().copied()
    }

    /// How far one of these rights reaches at most.
    ///
    /// # Errors
    /// 403 when none of them is granted.
    pub(super) fn require(&self, needed: Needed) -> Result<Scope, Problem> {
        self.scope(needed).ok_or_else(|| Problem::forbidden(needed.name))
    }

    /// Whether a scope reaches a dialog.
    pub(super) fn reaches(&self, scope: Scope, dialog: &Dialog) -> bool {
        self.is_within_lines(&dialog.line)
            && (self.reaches_line(scope, &dialog.line)
                || self.has_in_hand(dialog)
                || (scope >= Scope::OwnAndQueue && dialog.state.is_waiting() && self.serves(&dialog.line)))
    }

    /// Whether a scope reaches everything of a line.
    pub(super) fn reaches_line(&self, scope: Scope, line: &LineId) -> bool {
        self.is_within_lines(line)
            && match scope {
                Scope::Own | Scope::OwnAndQueue => false,
                Scope::Team => self.team_lines.contains(line),
                // A token that names no lines has none of its own.
                Scope::Line => self.lines.is_some() || self.team_lines.contains(line),
                Scope::Any => true,
            }
    }

    /// The lines that a scope reaches as a whole, or that the token is bound to where the scope reaches
    /// none as a whole; `None`: all of them. With these the engine checks again.
    pub(super) fn lines_reached(&self, scope: Scope) -> Option<BTreeSet<LineId>> {
        match scope {
            Scope::Own | Scope::OwnAndQueue | Scope::Any => self.lines.clone(),
            Scope::Line if self.lines.is_some() => self.lines.clone(),
            Scope::Team | Scope::Line => {
                Some(self.team_lines.iter().filter(|line| self.is_within_lines(line)).cloned().collect())
            }
        }
    }

    /// Whether a scope reaches everything there is.
    pub(super) const fn reaches_all(&self, scope: Scope) -> bool {
        matches!(scope, Scope::Any) && self.lines.is_none()
    }

    /// Whether a dialog may be seen.
    pub(super) fn sees(&self, dialog: &Dialog) -> bool {
        self.scope(SEE).is_some_and(|scope| self.reaches(scope, dialog))
    }

    /// Whether an event about no dialog may be seen; `line` is the one that it concerns.
    pub(super) fn hears_of(&self, line: Option<&LineId>) -> bool {
        self.scope(GENERAL).is_some_and(|scope| {
            scope >= Scope::Line && line.is_none_or(|line| self.reaches_line(scope, line))
        })
    }

    /// Whether an earlier dialog of a chat may be read by somebody who sees the present one: the line
    /// must be theirs, whoever worked on it then.
    pub(super) fn may_read_history(&self, dialog: &Dialog) -> bool {
        self.sees(dialog) || (self.is_within_lines(&dialog.line) && self.serves(&dialog.line))
    }

    /// Whether the operator owns a dialog, has joined it or is offered it.
    fn has_in_hand(&self, dialog: &Dialog) -> bool {
        self.operator.as_ref().is_some_and(|operator| {
            dialog.owner.as_ref() == Some(operator)
                || dialog.life.joined.contains(operator)
                || dialog.offers.iter().any(|offer| offer.operator == *operator)
        })
    }

    /// Whether the operator serves a line.
    pub(super) fn serves(&self, line: &LineId) -> bool {
        self.operator.as_ref().is_some_and(|operator| self.live.may_serve(operator, line))
    }

    /// Whether a line is none that the token's bound leaves out.
    pub(super) fn is_within_lines(&self, line: &LineId) -> bool {
        self.lines.as_ref().is_none_or(|lines| lines.contains(line))
    }

    /// The lines that may be seen with a scope, of those that are declared.
    pub(super) fn lines_seen(&self, scope: Scope) -> BTreeSet<LineId> {
        let seen = |line: &LineId| {
            self.is_within_lines(line) && (self.reaches_line(scope, line) || self.serves(line))
        };
        self.live.config.lines.keys().filter(|line| seen(line)).cloned().collect()
    }

    /// The lines to which a list is narrowed before each row is checked; `None`: no narrowing.
    pub(super) fn narrowed_lines(&self, wanted: Option<BTreeSet<LineId>>) -> Option<BTreeSet<LineId>> {
        match (wanted, &self.lines) {
            (Some(wanted), Some(bound)) => Some(wanted.intersection(bound).cloned().collect()),
            (Some(wanted), None) => Some(wanted),
            (None, bound) => bound.clone(),
        }
    }

    /// Whether an operator may be seen with a scope: oneself, colleagues on the lines that are seen.
    pub(super) fn sees_operator(&self, scope: Scope, operator: &OperatorId) -> bool {
        if self.operator.as_ref() == Some(operator) || self.reaches_all(scope) {
            return true;
        }
        scope >= Scope::OwnAndQueue
            && self.lines_seen(scope).iter().any(|line| self.live.may_serve(operator, line))
    }

    /// Whether an operator's presence may be set: one's own, anybody's by an administrator, that of a
    /// team's members by those who lead it.
    pub(super) fn may_set_presence(&self, operator: &OperatorId) -> bool {
        self.operator.as_ref() == Some(operator)
            || self.scope(ADMINISTER).is_some_and(|scope| self.reaches_all(scope))
            || self.operator.as_ref().is_some_and(|leader| leads(&self.live, leader, operator))
                && self.scope(SEE).is_some_and(|scope| scope >= Scope::Team)
    }
}

/// Whether one operator leads a team of another.
fn leads(live: &Live, leader: &OperatorId, member: &OperatorId) -> bool {
    let Some(declared) = live.config.operators.get(member) else { return false };
    declared
        .teams
        .iter()
        .any(|team| live.config.teams.get(team).is_some_and(|team| team.supervisors.contains(leader)))
}
