//! A daemon in this process, without HTTP.

use switchboard::model::command::{Action, Actor, Command};
use switchboard::model::entry::Cause;
use switchboard::model::id::{ChannelId, OperatorId, TokenId};
use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use switchboard::model::input::Input;
use switchboard::model::input_id;
use switchboard::model::outcome::{Outcome, Receipt};
use switchboard::model::role::Scope;
use switchboard::node::start::start;
use switchboard::node::{Answer, Clock, Node, Options, Submission, Watch};

use super::site::Site;

/// Starts a daemon.
pub(super) async fn running(site: &Site, clock: Clock) -> Node {
    site.let_go();
    let options = Options { folder: site.config(), data: Some(site.data()), watch: Watch::Nothing, clock };
    start(options, &mut |_| {}).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Submits an input and answers what it came to.
pub(super) async fn submit(node: &Node, submission: Submission) -> Answer {
    node.shared().handle.submit(submission).await.unwrap()
}

/// Submits an input that is to succeed.
pub(super) async fn done(node: &Node, submission: Submission) -> Receipt {
    match submit(node, submission).await.outcome {
        Outcome::Applied(receipt) => receipt,
        Outcome::Rejected(rejection) => panic!("{rejection}"),
    }
}

/// A message of a client in Telegram, as its webhook would submit it.
pub(super) fn message(chat: u64, message: u64, text: &str) -> Submission {
    let channel = ChannelId::from("shop-telegram");
    let chat = chat.to_string();
    let id = message.to_string();
    Submission {
        input_id: input_id::message(&channel, &chat, &id),
        cause: Cause::Webhook(channel.clone()),
        input: Input::Inbound(Inbound {
            channel,
            external_at_ms: None,
            fact: Fact::Message(InboundMessage {
                chat: ExternalChat::of(chat.clone()),
                user: ExternalUser { id: chat, name: Some("Client".to_owned()), ..ExternalUser::default() },
                id,
                text: text.to_owned(),
                attachments: Vec::new(),
                reply_to: None,
                source: None,
                unsupported: None,
                automatic: false,
                letter: None,
            }),
        }),
    }
}

/// A wish of an operator under a key.
pub(super) fn wish(operator: &str, key: &str, action: Action) -> Submission {
    let operator = OperatorId::from(operator);
    Submission {
        input_id: format!("api/{operator}/{key}"),
        cause: Cause::Token(TokenId::from("test")),
        input: Input::Command(Command {
            actor: Actor::Operator(operator),
            scope: Scope::Any,
            lines: None,
            expected_version: None,
            action,
        }),
    }
}
