//! Deduplication keys of what messengers tell us.
//!
//! A redelivery must give the same key, and two different facts must never share one. The key of a
//! message is also the way from a messenger's id to our message, so the engine makes it with the
//! same function as the codecs do.

use sha2::{Digest, Sha256};

use super::hexadecimal;
use super::id::ChannelId;

/// The longest external id that stands in a key as it is, in bytes. Longer ones stand as their hash:
/// keys are kept for long, in memory and on disk, and outsiders choose these ids.
const PLAIN_MAX: usize = 128;

/// How a hashed component begins.
const HASHED: &str = "sha256:";

/// The key of a new message `id` in `chat`.
pub fn message(channel: &ChannelId, chat: &str, id: &str) -> String {
    of_parts(channel.as_str(), &component(chat), &component(id))
}

/// The key under which our message `id` in `chat` is found again, when the messenger tells how far it has come.
pub fn sent(channel: &ChannelId, chat: &str, id: &str) -> String {
    format!("{channel}/sent/{}/{}", component(chat), component(id))
}

/// The parts of the key of a new message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatAndMessage<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The chat, as it stands in the key.
    pub chat: &'a str,
    /// The message, as it stands in the key.
    pub message: &'a str,
}

/// Takes the key of a new message apart. `None` for every other key. Each key gives other parts.
pub fn chat_and_message(input_id: &str) -> Option<ChatAndMessage<'_>> {
    let (channel, rest) = input_id.split_once("/message/")?;
    let (chat, message) = rest.split_once('/')?;
    let is_whole = !channel.contains('/') && !message.contains('/');
    is_whole.then_some(ChatAndMessage { channel, chat, message })
}

/// The key of a new message, from its parts as they stand in it.
pub fn of_parts(channel: &str, chat: &str, message: &str) -> String {
    format!("{channel}/message/{chat}/{message}")
}

/// The key of an edit, by the messenger's id of the notice: the message's own id comes again with
/// every edit.
pub fn edit(channel: &ChannelId, notice: &str) -> String {
    format!("{channel}/edit/{}", component(notice))
}

/// The key of a press of a button, by the messenger's id of the press.
pub fn button(channel: &ChannelId, press: &str) -> String {
    format!("{channel}/button/{}", component(press))
}

/// The key of any other notice, by its id.
pub fn update(channel: &ChannelId, notice: &str) -> String {
    format!("{channel}/update/{}", component(notice))
}

/// The key of something that carries no id: the hash of its bytes.
pub fn item(channel: &ChannelId, raw: &[u8]) -> String {
    format!("{channel}/item/{}", hashed(raw))
}

/// One external id as a part of a key. A slash would let two pairs of ids make one key, a control
/// character would reach logs, and a text that looks hashed could pass for another's hash.
fn component(id: &str) -> String {
    let plain = !id.is_empty()
        && id.len() <= PLAIN_MAX
        && !id.starts_with(HASHED)
        && !id.contains(|character: char| character == '/' || character.is_control());
    if plain { id.to_owned() } else { hashed(id.as_bytes()) }
}

fn hashed(bytes: &[u8]) -> String {
    format!("{HASHED}{}", hexadecimal::encode(&Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> ChannelId {
        ChannelId::from("shop")
    }

    #[test]
    fn ordinary_ids_stand_in_the_key_as_they_are() {
        assert_eq!(message(&channel(), "1111111", "1365"), "shop/message/1111111/1365");
        assert_eq!(edit(&channel(), "10012"), "shop/edit/10012");
        assert_eq!(button(&channel(), "4382bf"), "shop/button/4382bf");
        assert_eq!(update(&channel(), "10105"), "shop/update/10105");
    }

    #[test]
    fn different_ids_never_make_one_key() {
        assert_ne!(message(&channel(), "a/b", "c"), message(&channel(), "a", "b/c"));
        let hash = hashed(b"a/b");
        assert_ne!(message(&channel(), "a/b", "c"), message(&channel(), &hash, "c"));
        let long = "x".repeat(PLAIN_MAX + 1);
        assert_ne!(message(&channel(), "1", &long), message(&channel(), "1", &format!("{long}y")));
    }

    #[test]
    fn only_the_key_of_a_message_comes_apart() {
        let key = message(&channel(), "a/b", "7");
        let parts = chat_and_message(&key).unwrap();
        assert_eq!(of_parts(parts.channel, parts.chat, parts.message), key);
        assert_eq!(parts.message, "7");
        for other in [edit(&channel(), "7"), item(&channel(), b"x"), String::new(), "a/message/b".to_owned()]
        {
            assert_eq!(chat_and_message(&other), None);
        }
        assert_eq!(chat_and_message("a/message/b/c/d"), None);
    }

    #[test]
    fn a_key_is_short_and_printable_whatever_the_id() {
        for id in ["", "\n", "a\u{0}b", &"я".repeat(10_000), "sha256:00"] {
            let key = message(&channel(), id, id);
            assert!(key.len() < 400 && !key.contains(char::is_control), "{key}");
        }
    }
}
