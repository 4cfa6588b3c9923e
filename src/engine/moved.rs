//! Clients who came by a link without writing yet, and clients whom the messenger knows by another id now.

use serde_json::json;

use crate::model::chat::{Chat, ChatAddress};
use crate::model::client::Identity;
use crate::model::effect::{EffectAction, Lane};
use crate::model::event::EventKind;
use crate::model::id::{ChatId, EffectId};
use crate::model::inbound::{ExternalChat, ExternalUser};
use crate::model::outcome::{Outcome, Receipt};

use super::intake::Source;
use super::step::Step;

/// A client came by a link or an advertisement. The next dialog of the chat keeps how.
pub(super) fn refer(
    step: &mut Step<'_>,
    source: &Source<'_>,
    external: &ExternalChat,
    user: &ExternalUser,
    by: &str,
) -> Outcome {
    let (chat, _) = super::intake::find_or_create_chat(step, source, external, user, Some(by));
    let Some(row) = step.state.chats.get_mut(&chat) else { return Outcome::Applied(Receipt::default()) };
    row.source = Some(by.to_owned());
    let (client, dialog) = (row.client, row.open_dialog);
    if step.state.clients.get(&client).is_some_and(|client| client.source.is_none())
        && let Some(client) = step.state.clients.get_mut(&client)
    {
        client.source = Some(by.to_owned());
    }
    let data = json!({"client": client, "channel": source.id, "chat": chat, "source": by});
    match dialog {
        Some(dialog) => step.emit(EventKind::ClientReferred, dialog, None, data),
        None => step.emit_general(EventKind::ClientReferred, Some(source.channel.line.clone()), data),
    }
    Outcome::Applied(Receipt { dialog, message: None })
}

/// The new ids of a client.
pub(super) struct NewIds<'a> {
    pub(super) chat: &'a str,
    pub(super) user: &'a str,
}

/// A messenger gave a client, or the chat with them, another id. Whoever has it already keeps it: two chats that
/// both were written in are not made one, and the record says so.
pub(super) fn relocate(
    step: &mut Step<'_>,
    source: &Source<'_>,
    external: &ExternalChat,
    user: &ExternalUser,
    new: &NewIds<'_>,
) -> Outcome {
    let known = step.state.chat_at(source.id, external, user);
    let Some((chat, row)) = known.and_then(|id| Some((id, step.state.chats.get(&id)?))) else {
        // Somebody who never wrote to us: nothing to move.
        return Outcome::Applied(Receipt::default());
    };
    let from = row.address.clone();
    let to =
        ChatAddress { channel: from.channel.clone(), chat: new.chat.to_owned(), user: new.user.to_owned() };
    let (client, dialog) = (row.client, row.open_dialog);
    let receipt = Receipt { dialog, message: None };
    if from == to {
        return Outcome::Applied(receipt);
    }
    let identity = Identity { channel: to.channel.clone(), user: to.user.clone() };
    let is_taken = step.state.addresses.get(&to).is_some()
        || step.state.identities.get(&identity).is_some_and(|other| *other != client);
    if !is_taken {
        move_chat(step, chat, &from, &to);
        if from.user != to.user {
            move_identity(step, client, &from, identity);
        }
        move_effects(step, &from, &to);
    }
    let data = json!({
        "client": client, "channel": source.id, "chat": chat, "kept_both": is_taken,
        "from": {"chat": from.chat, "user": from.user}, "to": {"chat": to.chat, "user": to.user},
    });
    match dialog {
        Some(dialog) => step.emit(EventKind::ClientMoved, dialog, None, data),
        None => step.emit_general(EventKind::ClientMoved, Some(source.channel.line.clone()), data),
    }
    Outcome::Applied(receipt)
}

fn move_chat(step: &mut Step<'_>, chat: ChatId, from: &ChatAddress, to: &ChatAddress) {
    step.state.addresses.remove(from);
    step.state.addresses.insert(to.clone(), chat);
    if let Some(row) = step.state.chats.get_mut(&chat) {
        row.address = to.clone();
        row.former.retain(|former| former != to && former != from);
        row.former.push(from.clone());
        if row.former.len() > Chat::FORMER_MAX {
            row.former.remove(0);
        }
    }
}

fn move_identity(
    step: &mut Step<'_>,
    client: crate::model::id::ClientId,
    from: &ChatAddress,
    identity: Identity,
) {
    let old = Identity { channel: from.channel.clone(), user: from.user.clone() };
    let is_ours = step.state.identities.get(&old) == Some(&client);
    if is_ours {
        step.state.identities.remove(&old);
    }
    step.state.identities.insert(identity.clone(), client);
    if let Some(row) = step.state.clients.get_mut(&client) {
        row.identities.remove(&old);
        row.identities.insert(identity);
    }
}

/// What waits for the chat goes to where it is now. An attempt that runs ends in its own lane; a further one goes to
/// the new address as well.
fn move_effects(step: &mut Step<'_>, from: &ChatAddress, to: &ChatAddress) {
    let lane_of =
        |address: &ChatAddress| Lane::Chat { channel: address.channel.clone(), chat: address.chat.clone() };
    let (old, new) = (lane_of(from), lane_of(to));
    let Some(lane) = step.state.lanes.get(&old) else { return };
    let in_flight = lane.in_flight;
    let waiting: Vec<EffectId> = lane
        .open
        .iter()
        .filter(|id| {
            // In a group the lane is that of all its members.
            step.state.effects.get(id).is_some_and(
                |effect| matches!(&effect.action, EffectAction::Send(sent) if sent.user == from.user),
            )
        })
        .copied()
        .collect();
    for id in waiting {
        let Some(effect) = step.state.effects.get_mut(&id) else { continue };
        if let EffectAction::Send(sent) = &mut effect.action {
            sent.chat.clone_from(&to.chat);
            sent.user.clone_from(&to.user);
        }
        if in_flight == Some(id) || old == new {
            continue;
        }
        effect.lane = new.clone();
        if let Some(lane) = step.state.lanes.get_mut(&old) {
            lane.open.remove(&id);
        }
        step.state.lanes.entry(new.clone()).or_default().open.insert(id);
    }
    if step.state.lanes.get(&old).is_some_and(|lane| lane.open.is_empty()) {
        step.state.lanes.remove(&old);
    }
    step.lanes.insert(old);
    step.lanes.insert(new);
}
