//! A messenger told us something: chats, clients, dialogs and messages come into being.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use crate::model::channel::Channel;
use crate::model::chat::{Chat, ChatAddress};
use crate::model::client::{Client, Identity};
use crate::model::decision::Trigger;
use crate::model::dialog::{Dialog, DialogState, Route};
use crate::model::effect::{EffectAction, Lane};
use crate::model::event::EventKind;
use crate::model::id::{ChannelId, ChatId, LineId};
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use crate::model::input_id;
use crate::model::life::Life;
use crate::model::message::{Author, Direction, Message, MessageStatus, Revision};
use crate::model::outcome::{Outcome, Receipt, Rejection};
use crate::model::sla::SlaClocks;

use super::{close, delivery, echo, fates, log, moved, placing, placing::Meaning, step::Step, texts, topics};

/// The most earlier texts that are kept of one message.
const REVISIONS_MAX: usize = 20;

pub(super) fn apply(step: &mut Step<'_>, inbound: &Inbound) -> Outcome {
    let live = std::sync::Arc::clone(&step.live);
    let Some(channel) = live.config.channels.get(&inbound.channel) else {
        return Outcome::Rejected(Rejection::UnknownChannel);
    };
    let source = Source { id: &inbound.channel, channel, external_at_ms: inbound.external_at_ms };
    match &inbound.fact {
        Fact::Message(message) => take_message(step, &source, message, None),
        Fact::Button { chat, user, data, title, message, acknowledge } => {
            let text = title.as_deref().unwrap_or(data);
            let pressed = InboundMessage {
                chat: chat.clone(),
                user: user.clone(),
                id: String::new(),
                text: text.to_owned(),
                attachments: Vec::new(),
                reply_to: message.clone(),
                source: None,
                unsupported: None,
                automatic: false,
                letter: None,
            };
            let outcome = take_message(step, &source, &pressed, Some(data));
            if let (Outcome::Applied(Receipt { dialog: Some(dialog), .. }), Some(reference)) =
                (&outcome, acknowledge)
            {
                let lane = Lane::Chat { channel: inbound.channel.clone(), chat: chat.id.clone() };
                let action = EffectAction::AcknowledgeButton {
                    channel: inbound.channel.clone(),
                    reference: reference.clone(),
                };
                delivery::emit_effect(step, *dialog, lane, action);
            }
            outcome
        }
        Fact::Edited { chat, message, text } => edit(step, &source, chat, message, text),
        Fact::Deleted { chat, message } => fates::delete(step, &inbound.channel, chat, message),
        Fact::Fate { chat, message, fate } => fates::tell(step, &inbound.channel, chat, message, fate),
        Fact::Subscription { chat, user, allowed } => {
            set_allowed(step, &source, chat, user, if *allowed { Writing::Allowed } else { Writing::Blocked })
        }
        Fact::FateUpTo { chat, up_to, fate } => fates::tell_up_to(step, &inbound.channel, chat, up_to, fate),
        Fact::Reaction { chat, user, message, sign } => {
            let reaction = fates::Reaction { chat, user, message, sign: sign.as_deref() };
            fates::react(step, &inbound.channel, &channel.line, &reaction)
        }
        Fact::Echo { chat, user, id, text, attachments, tracking } => {
            let echo = echo::Echo {
                channel: &inbound.channel,
                line: &channel.line,
                external_at_ms: inbound.external_at_ms,
                chat,
                user,
                id,
                text,
                attachments,
                tracking: tracking.as_deref(),
            };
            echo::take(step, &echo)
        }
        Fact::Referral { chat, user, source: by } => moved::refer(step, &source, chat, user, by),
        Fact::Moved { chat, user, new_chat, new_user } => {
            let new = moved::NewIds { chat: new_chat, user: new_user };
            moved::relocate(step, &source, chat, user, &new)
        }
        Fact::Unsupported { what, raw } => {
            let data = json!({"channel": inbound.channel, "what": what, "raw": raw});
            step.emit_general(EventKind::MessageUnsupported, Some(channel.line.clone()), data);
            Outcome::Applied(Receipt::default())
        }
    }
}

/// Who tells it.
pub(super) struct Source<'a> {
    pub(super) id: &'a ChannelId,
    pub(super) channel: &'a Channel,
    external_at_ms: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Allowed,
    Blocked,
}

fn take_message(
    step: &mut Step<'_>,
    source: &Source<'_>,
    inbound: &InboundMessage,
    button: Option<&str>,
) -> Outcome {
    let (chat, contact) =
        find_or_create_chat(step, source, &inbound.chat, &inbound.user, inbound.source.as_deref());
    let place = placing::find(step, chat, inbound, button);
    placing::prepare(step, &place);
    if place.dialog.is_none()
        && inbound.source.is_some()
        && step.apply_version >= 3
        && let Some(row) = step.state.chats.get_mut(&chat)
    {
        row.source.clone_from(&inbound.source);
    }
    let (dialog, is_new) = match place.dialog {
        Some(found) => (found, false),
        None => match new_dialog(step, source.id, source.channel, chat) {
            Some(dialog) => {
                let id = dialog.id;
                add_dialog(step, dialog);
                (id, true)
            }
            None => return Outcome::Rejected(Rejection::UnknownLine),
        },
    };
    let id = step.new_message();
    let message = Message {
        id,
        dialog,
        chat,
        direction: Direction::In,
        author: Author::Client,
        text: inbound.text.clone(),
        attachments: inbound.attachments.clone(),
        buttons: Vec::new(),
        status: MessageStatus::Received,
        error: None,
        external_id: (!inbound.id.is_empty()).then(|| inbound.id.clone()),
        at_ms: step.at_ms,
        external_at_ms: source.external_at_ms,
        edited_at_ms: None,
        external_edited_at_ms: None,
        deleted_at_ms: None,
        delivered_at_ms: None,
        read_at_ms: None,
        lost_at_ms: None,
        revisions: Vec::new(),
        note: false,
        automatic: inbound.automatic,
        reply_to: inbound.reply_to.clone(),
        button: button.map(str::to_owned),
        unsupported: inbound.unsupported.clone(),
        effect: None,
        letter: inbound.letter.clone(),
    };
    allow_writing(step, chat);
    if place.meaning != Meaning::Words {
        log::append(step, message, |_| {});
        step.emit(EventKind::MessageReceived, dialog, Some(id), json!({"message": id}));
        if let Some(data) = button {
            step.emit(EventKind::ButtonPressed, dialog, Some(id), json!({"message": id, "data": data}));
        }
        placing::conclude(step, dialog, place.meaning);
        return Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(id) });
    }
    let at_ms = step.at_ms;
    let is_timed = inbound.automatic && texts::has_timed(step, dialog);
    let name = step
        .state
        .chats
        .get(&chat)
        .and_then(|chat| step.state.clients.get(&chat.client))
        .map(|client| client.name.clone());
    log::append(step, message, |dialog| {
        dialog.last_inbound_at_ms = at_ms;
        if let Some(name) = name {
            dialog.client_name = name;
        }
        dialog.unread = dialog.unread.saturating_add(1);
        if matches!(dialog.state, DialogState::Accepted | DialogState::WaitingClient) {
            dialog.state = DialogState::WaitingOperator;
        }
        dialog.life.client_wrote();
        dialog.life.only_automatic = is_timed && (is_new || dialog.life.only_automatic);
    });
    let topic = if inbound.automatic { None } else { topics::find(step, dialog, id) };
    if is_new {
        step.emit(
            EventKind::DialogOpened,
            dialog,
            Some(id),
            json!({"first_contact": contact == Contact::First}),
        );
    }
    step.emit(EventKind::MessageReceived, dialog, Some(id), json!({"message": id}));
    if let Some(data) = topic {
        step.emit(EventKind::DialogUpdated, dialog, Some(id), data);
    }
    if let Some(data) = button {
        step.emit(EventKind::ButtonPressed, dialog, Some(id), json!({"message": id, "data": data}));
    }
    if is_new {
        step.emit(EventKind::DialogQueued, dialog, Some(id), json!({"reason": "opened"}));
        step.decide(dialog, Trigger::Opened);
    }
    if !inbound.automatic {
        texts::consent(step, dialog);
        if is_new {
            texts::welcome(step, dialog);
        }
        texts::out_of_hours(step, dialog);
    }
    Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(id) })
}

/// Who writes to us lets us write.
fn allow_writing(step: &mut Step<'_>, chat: ChatId) {
    if step.state.chats.get(&chat).is_some_and(|chat| !chat.allowed)
        && let Some(chat) = step.state.chats.get_mut(&chat)
    {
        chat.allowed = true;
    }
}

/// Whether a client is there for the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Contact {
    First,
    Again,
}

/// The chat at an address; a new one with its client where nobody wrote before.
pub(super) fn find_or_create_chat(
    step: &mut Step<'_>,
    source: &Source<'_>,
    external: &ExternalChat,
    user: &ExternalUser,
    came_by: Option<&str>,
) -> (ChatId, Contact) {
    if let Some(known) = step.state.chat_at(source.id, external, user)
        && let Some(chat) = step.state.chats.get(&known)
    {
        let client = chat.client;
        // The client may have come by a link before writing.
        let contact =
            if chat.dialogs == 0 && step.apply_version >= 3 { Contact::First } else { Contact::Again };
        let is_news = external.context.is_some() && chat.context != external.context;
        if is_news && let Some(chat) = step.state.chats.get_mut(&known) {
            chat.context.clone_from(&external.context);
        }
        learn(step, client, user);
        return (known, contact);
    }
    let identity = Identity { channel: source.id.clone(), user: user.id.clone() };
    let client = match step.state.identities.get(&identity).copied() {
        Some(client) => {
            learn(step, client, user);
            client
        }
        None => {
            let client = step.new_client();
            let row = Client {
                name: user.name.clone(),
                username: user.username.clone(),
                language: user.language.clone(),
                phones: user.phone.iter().cloned().collect(),
                identities: BTreeSet::from([identity.clone()]),
                source: came_by.map(str::to_owned),
                ..Client::new(client, step.at_ms)
            };
            step.state.identities.insert(identity, client);
            step.state.clients.put(client, row);
            let data = json!({"client": client, "channel": source.id});
            step.emit_general(EventKind::ClientCreated, Some(source.channel.line.clone()), data);
            client
        }
    };
    let chat = step.new_chat();
    let row = Chat {
        id: chat,
        address: ChatAddress::of(source.id, external, user),
        client,
        open_dialog: None,
        last_dialog: None,
        dialogs: 0,
        allowed: true,
        consent_told: false,
        context: external.context.clone(),
        source: None,
        unseen: Vec::new(),
        former: Vec::new(),
        created_at_ms: step.at_ms,
    };
    step.state.addresses.insert(row.address.clone(), chat);
    step.state.chats.put(chat, row);
    (chat, Contact::First)
}

/// The most phone numbers that are kept of one client. Nobody has more; a sender with a new one in each message does.
const PHONES_MAX: usize = 10;

/// Keeps what the messenger says about a person now; what it leaves out stays as it was.
fn learn(step: &mut Step<'_>, client: crate::model::id::ClientId, user: &ExternalUser) {
    let Some(known) = step.state.clients.get(&client) else { return };
    let differs = |ours: &Option<String>, theirs: &Option<String>| theirs.is_some() && ours != theirs;
    let new_phone = user.phone.as_ref().is_some_and(|phone| !known.phones.contains(phone))
        && known.phones.len() < PHONES_MAX;
    if !differs(&known.name, &user.name)
        && !differs(&known.username, &user.username)
        && !differs(&known.language, &user.language)
        && !new_phone
    {
        return;
    }
    if let Some(known) = step.state.clients.get_mut(&client) {
        known.name = user.name.clone().or_else(|| known.name.take());
        known.username = user.username.clone().or_else(|| known.username.take());
        known.language = user.language.clone().or_else(|| known.language.take());
        if new_phone {
            known.phones.extend(user.phone.clone());
        }
    }
}

/// The row of a dialog that is to be opened in a chat that has none open.
pub(super) fn new_dialog(
    step: &mut Step<'_>,
    channel_id: &ChannelId,
    channel: &Channel,
    chat: ChatId,
) -> Option<Dialog> {
    let line: LineId = channel.line.clone();
    let base_priority = step.live.line(&line)?.base_priority;
    let row = step.state.chats.get(&chat)?;
    let (client, external_chat, source) = (row.client, row.address.chat.clone(), row.source.clone());
    let known = step.state.clients.get(&client);
    let client_name = known.and_then(|client| client.name.clone());
    let language = step.live.language_to_ask(known.and_then(|client| client.language.as_deref()));
    let reserved = topics::keep_for(step, chat, &line);
    let id = step.new_dialog();
    Some(Dialog {
        id,
        line,
        channel: channel_id.clone(),
        chat,
        external_chat,
        client,
        client_name,
        // `new` lasts no longer than this entry: nothing stands before the queue yet.
        state: DialogState::Queued,
        owner: None,
        team: None,
        topic: None,
        priority: base_priority,
        tags: BTreeSet::new(),
        custom: BTreeMap::new(),
        source,
        opened_at_ms: step.at_ms,
        queued_at_ms: step.at_ms,
        last_inbound_at_ms: step.at_ms,
        accepted_at_ms: None,
        first_response_at_ms: None,
        closed_at_ms: None,
        close_reason: None,
        offers: Vec::new(),
        declined: BTreeMap::new(),
        rounds: 0,
        last_message: None,
        unread: 0,
        messages: 0,
        out_of_hours_told: false,
        life: Life::default(),
        updated_at_ms: step.at_ms,
        version: step.seq,
        route: Route { reserved, language, ..Route::default() },
        sla: SlaClocks::default(),
    })
}

/// Opens a dialog.
pub(super) fn add_dialog(step: &mut Step<'_>, dialog: Dialog) {
    let (id, chat) = (dialog.id, dialog.chat);
    step.changed.insert(id);
    step.clocks.insert(id);
    step.state.add_dialog(dialog);
    if let Some(chat) = step.state.chats.get_mut(&chat) {
        chat.open_dialog = Some(id);
        chat.dialogs = chat.dialogs.saturating_add(1);
        chat.source = None;
    }
}

fn edit(
    step: &mut Step<'_>,
    source: &Source<'_>,
    chat: &ExternalChat,
    external: &str,
    text: &str,
) -> Outcome {
    let original = input_id::message(source.id, &chat.id, external);
    let receipt = match step.state.known_inputs.get(&original).map(|known| &known.outcome) {
        Some(Outcome::Applied(receipt)) => receipt.clone(),
        _ => return edit_of_unknown(step, source, external, text),
    };
    let (Some(dialog), Some(message)) = (receipt.dialog, receipt.message) else {
        return edit_of_unknown(step, source, external, text);
    };
    let at_ms = step.at_ms;
    let Some(row) = step.state.messages.get_mut(&message) else {
        return edit_of_unknown(step, source, external, text);
    };
    let row = Arc::make_mut(row);
    // Messengers hand over several notices at a time: one that was overtaken must not undo the newer one.
    let is_overtaken = row.deleted_at_ms.is_some()
        || match (source.external_at_ms, row.external_edited_at_ms) {
            (Some(this), Some(newest)) => this < newest,
            _ => false,
        };
    let earlier =
        if is_overtaken { text.to_owned() } else { std::mem::replace(&mut row.text, text.to_owned()) };
    row.revisions.push(Revision { text: earlier, until_ms: at_ms });
    if row.revisions.len() > REVISIONS_MAX {
        // The first text is what the client began with; of the rest the oldest goes.
        row.revisions.remove(1);
    }
    if is_overtaken {
        return Outcome::Applied(receipt);
    }
    row.edited_at_ms = Some(at_ms);
    row.external_edited_at_ms = source.external_at_ms;
    let shown = log::summary(row);
    step.change_dialog(dialog, |dialog| {
        if dialog.last_message.as_ref().is_some_and(|last| last.id == message) {
            dialog.last_message = Some(shown);
        }
    });
    step.emit(EventKind::MessageEdited, dialog, Some(message), json!({"message": message}));
    Outcome::Applied(receipt)
}

/// An edit of a message that we never saw: there is nothing to change, and what the client wrote is kept.
fn edit_of_unknown(step: &mut Step<'_>, source: &Source<'_>, external: &str, text: &str) -> Outcome {
    let what = format!("edit of the message {external}, which never came");
    let data = json!({"channel": source.id, "what": what, "raw": text});
    step.emit_general(EventKind::MessageUnsupported, Some(source.channel.line.clone()), data);
    Outcome::Applied(Receipt::default())
}

fn set_allowed(
    step: &mut Step<'_>,
    source: &Source<'_>,
    external: &ExternalChat,
    user: &ExternalUser,
    writing: Writing,
) -> Outcome {
    let known = step.state.chat_at(source.id, external, user);
    let Some(chat) = known.and_then(|id| step.state.chats.get_mut(&id)) else {
        // Somebody who never wrote to us: nothing to remember.
        return Outcome::Applied(Receipt::default());
    };
    let before = std::mem::replace(&mut chat.allowed, writing == Writing::Allowed);
    let (client, dialog) = (chat.client, chat.open_dialog);
    let kind = match (before, writing) {
        (true, Writing::Blocked) => EventKind::ClientBlocked,
        (false, Writing::Allowed) => EventKind::ClientAllowed,
        (true, Writing::Allowed) | (false, Writing::Blocked) => {
            return Outcome::Applied(Receipt { dialog, message: None });
        }
    };
    let data = json!({"client": client, "channel": source.id});
    match dialog {
        Some(dialog) => {
            step.emit(kind, dialog, None, data);
            if writing == Writing::Blocked {
                close::abandon(step, dialog);
            }
        }
        None => step.emit_general(kind, Some(source.channel.line.clone()), data),
    }
    Outcome::Applied(Receipt { dialog, message: None })
}
