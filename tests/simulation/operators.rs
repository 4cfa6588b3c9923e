//! What operators and integrations do, allowed or not.

use std::collections::BTreeMap;

use switchboard::engine::Applied;
use switchboard::model::command::{Action, Actor, Command, DialogChanges, ReplyContent, TransferTarget};
use switchboard::model::dialog::CloseReason;
use switchboard::model::id::{DialogId, OperatorId};
use switchboard::model::input::Input;
use switchboard::model::operator::Presence;
use switchboard::model::role::Scope;

use super::company::Company;
use super::configs::{LINES, OPERATORS, TEAMS};

impl Company {
    fn operator(&mut self) -> OperatorId {
        (*self.random.pick(&OPERATORS)).into()
    }

    pub(super) fn command(&mut self, actor: Option<OperatorId>, scope: Scope, action: Action) -> Applied {
        let key = format!("key-{}", self.fresh());
        let actor = actor.map_or_else(|| Actor::Integration("bot".into()), Actor::Operator);
        let expected_version = self.random.chance(3).then(|| self.random.below(200));
        let command = Command { actor, scope, lines: None, expected_version, action };
        self.asked.push((key.clone(), command.clone()));
        self.take(&key, Input::Command(command))
    }

    pub(super) fn command_again(&mut self) {
        let Some((key, command)) = self.random.pick_of(self.asked.iter().cloned()) else { return };
        self.take(&key, Input::Command(command));
    }

    pub(super) fn presence(&mut self) {
        let operator = self.operator();
        let presence = *self.random.pick(&[
            Presence::Online,
            Presence::Online,
            Presence::Online,
            Presence::Away,
            Presence::Offline,
        ]);
        self.command(Some(operator.clone()), Scope::Own, Action::SetPresence { operator, presence });
    }

    /// Some dialog: mostly one that is open, sometimes an old or unknown one.
    fn some_dialog(&mut self) -> Option<DialogId> {
        if self.random.chance(85) {
            let open: Vec<_> = self
                .world
                .state
                .dialogs()
                .filter(|dialog| dialog.closed_at_ms.is_none())
                .map(|d| d.id)
                .collect();
            return self.random.pick_of(open.into_iter());
        }
        self.known_dialog()
    }

    /// A dialog that ever was, open or not.
    pub(super) fn known_dialog(&mut self) -> Option<DialogId> {
        let known: Vec<DialogId> = self
            .applied
            .iter()
            .flat_map(|applied| &applied.events)
            .filter_map(|event| event.dialog)
            .collect();
        self.random.pick_of(known.into_iter())
    }

    pub(super) fn accept_or_decline(&mut self) {
        let offered: Vec<_> = self
            .world
            .state
            .dialogs()
            .flat_map(|dialog| dialog.offers.iter().map(|offer| (dialog.id, offer.operator.clone())))
            .collect();
        let chosen = if self.random.chance(90) { self.random.pick_of(offered.into_iter()) } else { None };
        let (dialog, operator) = match chosen {
            Some(chosen) => chosen,
            None => {
                let Some(dialog) = self.some_dialog() else { return };
                (dialog, self.operator())
            }
        };
        let action = if self.random.chance(65) {
            Action::Accept { dialog, operator: operator.clone() }
        } else {
            Action::Decline { dialog, operator: operator.clone() }
        };
        self.command(Some(operator), Scope::Own, action);
    }

    pub(super) fn work(&mut self) {
        let owned = self.world.state.dialogs().filter(|dialog| dialog.state.is_owned()).map(|row| row.id);
        let owned: Vec<_> = owned.collect();
        let owned = self.random.pick_of(owned.into_iter()).filter(|_| self.random.chance(60));
        let Some(dialog) = owned.or_else(|| self.some_dialog()) else { return };
        let owner = self
            .world
            .state
            .dialogs()
            .find(|row| row.id == dialog)
            .and_then(|row| row.owner.clone())
            .filter(|_| self.random.chance(80));
        let actor = match owner {
            Some(owner) => Some(owner),
            None if self.random.chance(80) => Some(self.operator()),
            None => None,
        };
        let scope = *self.random.pick(&[Scope::Own, Scope::Own, Scope::OwnAndQueue, Scope::Any]);
        let action = match self.random.below(12) {
            0..5 => Action::Reply {
                dialog,
                content: ReplyContent::Text {
                    text: if self.random.chance(95) { "Answer".into() } else { " ".into() },
                    buttons: Vec::new(),
                },
                attachments: Vec::new(),
                reply_to: None,
            },
            5 => Action::AddNote { dialog, text: "note".into() },
            6 => Action::Transfer { dialog, to: self.target(), comment: Some("please".into()) },
            7 => {
                let reason = self.random.chance(30).then(|| "not mine".to_owned());
                Action::Requeue { dialog, reason }
            }
            8 => Action::Update {
                dialog,
                changes: DialogChanges {
                    priority: Some(i32::try_from(self.random.below(5)).unwrap()),
                    topic: self
                        .random
                        .chance(30)
                        .then(|| Some((*self.random.pick(&["billing", "other"])).into())),
                    ..DialogChanges::default()
                },
            },
            9 => {
                let template = (*self.random.pick(&["hello", "bye", "nothing"])).into();
                let content = ReplyContent::Template { template, vars: BTreeMap::new() };
                Action::Reply { dialog, content, attachments: Vec::new(), reply_to: None }
            }
            _ => Action::Close {
                dialog,
                reason: *self.random.pick(&[
                    CloseReason::Operator,
                    CloseReason::Supervisor,
                    CloseReason::Spam,
                    CloseReason::Duplicate,
                ]),
            },
        };
        self.command(actor, scope, action);
    }

    /// What is done to dialogs beyond the daily work, to closed ones too.
    pub(super) fn supervise(&mut self) {
        let dialog = if self.random.chance(50) { self.some_dialog() } else { self.known_dialog() };
        let Some(dialog) = dialog else { return };
        let operator = self.operator();
        let scope = *self.random.pick(&[Scope::Own, Scope::Any, Scope::Any]);
        let now_ms = self.world.now_ms;
        let action = match self.random.below(9) {
            0 | 1 => Action::Reopen { dialog },
            2 => Action::Pause {
                dialog,
                until_ms: self.random.chance(50).then(|| now_ms + self.random.below(700_000)),
            },
            3 => Action::Resume { dialog },
            4 => Action::TakeOver { dialog, operator: operator.clone() },
            5 => Action::Join { dialog, operator: operator.clone() },
            6 => Action::Leave { dialog, operator: operator.clone() },
            7 => Action::RateWork {
                dialog,
                score: u8::try_from(self.random.below(7)).unwrap(),
                comment: self.random.chance(50).then(|| "fine".into()),
            },
            _ => {
                let chats: Vec<_> = self.world.archive.chats.keys().copied().collect();
                let Some(chat) = self.random.pick_of(chats.into_iter()) else { return };
                let content = if self.random.chance(80) {
                    ReplyContent::Text { text: "Good day".into(), buttons: Vec::new() }
                } else {
                    let template = (*self.random.pick(&["hello", "nothing"])).into();
                    ReplyContent::Template { template, vars: BTreeMap::new() }
                };
                let into_open = self.random.chance(50);
                Action::WriteFirst {
                    chat,
                    operator: operator.clone(),
                    content,
                    attachments: Vec::new(),
                    into_open,
                }
            }
        };
        let actor = self.random.chance(80).then_some(operator);
        self.command(actor, scope, action);
    }

    fn target(&mut self) -> TransferTarget {
        match self.random.below(3) {
            0 => TransferTarget::Operator(self.operator()),
            1 => TransferTarget::Team((*self.random.pick(&TEAMS)).into()),
            _ => TransferTarget::Line((*self.random.pick(&LINES)).into()),
        }
    }
}
