//! Which conversation a mail belongs to: told by what we signed, so that nothing has to be remembered.
//!
//! Two things come back with an answer: the address that it is sent to (`reply+THREAD.MAC@domain`) and the id of the
//! message that it answers (`out.EFFECT.THREAD.MAC@domain`). Both carry the conversation and a MAC under the
//! channel's secret. What is signed wrongly is no error: the mail begins a conversation of its own.
//!
//! Everything is lower case and base32: servers on the way write local parts in either case.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::model::effect::Effect;
use crate::model::id::ChannelId;

/// The bytes of a MAC that are written: 80 bits, as 16 characters. A local part has room for 64 in all.
const MAC_BYTES: usize = 10;

/// The bytes of the name of a new conversation: 120 bits, as 24 characters.
const NAME_BYTES: usize = 15;

/// The longest name of a conversation that an address has room for.
const NAME_MAX: usize = 32;

/// What stands before the name in an address.
const REPLY: &str = "reply+";

/// What stands before the effect in the id of a message of ours.
const OUT: &str = "out.";

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Signs and recognises for one channel.
pub(super) struct Threads {
    channel: ChannelId,
    key: Zeroizing<String>,
    domain: String,
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Threads {
    /// `domain` is that of the channel's address; `key` its secret.
    pub(super) fn new(channel: &ChannelId, key: &Zeroizing<String>, domain: &str) -> Self {
        Self { channel: channel.clone(), key: key.clone(), domain: domain.to_ascii_lowercase() }
    }

    /// The name of the conversation that a mail begins.
    pub(super) fn new_name(&self, mail: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.channel.as_str());
        hash.update([0]);
        hash.update(mail);
        base32(hash.finalize().get(..NAME_BYTES).unwrap_or_default())
    }

    /// The address to which answers go; `None`: the conversation has a name that no address holds.
    pub(super) fn reply_address(&self, thread: &str) -> Option<String> {
        is_name(thread).then(|| format!("{REPLY}{thread}.{}@{}", self.mac("address", &[thread]), self.domain))
    }

    /// The conversation that an address of ours stands for. The domain says nothing: mail is forwarded.
    pub(super) fn of_address(&self, address: &str) -> Option<String> {
        let address = address.to_ascii_lowercase();
        let (local, _) = address.split_once('@')?;
        let (thread, mac) = local.strip_prefix(REPLY)?.split_once('.')?;
        (is_name(thread) && same(mac, &self.mac("address", &[thread]))).then(|| thread.to_owned())
    }

    /// The id of the message that an effect sends, without the angle brackets. The same for each attempt, so that
    /// the receiver's server can leave out a repetition.
    pub(super) fn message_id(&self, effect: &Effect, thread: &str) -> String {
        let effect = effect.id.to_string();
        if is_name(thread) {
            format!("{OUT}{effect}.{thread}.{}@{}", self.mac("message", &[&effect, thread]), self.domain)
        } else {
            format!("{OUT}{effect}.{}@{}", self.mac("message", &[&effect]), self.domain)
        }
    }

    /// The conversation of a message of ours, by its id.
    pub(super) fn of_message_id(&self, id: &str) -> Option<String> {
        let id = id.trim().trim_matches(['<', '>']).to_ascii_lowercase();
        let (local, _) = id.split_once('@')?;
        let mut parts = local.strip_prefix(OUT)?.split('.');
        let (effect, thread, mac) = (parts.next()?, parts.next()?, parts.next()?);
        let is_ours =
            parts.next().is_none() && is_name(thread) && same(mac, &self.mac("message", &[effect, thread]));
        is_ours.then(|| thread.to_owned())
    }

    /// What stands between the parts of the mail that an effect sends: nobody can foresee it, and so nobody can write
    /// it into a text.
    pub(super) fn boundary(&self, effect: &Effect) -> String {
        format!("=_{}", self.mac("boundary", &[&effect.id.to_string()]))
    }

    /// What all mail of this channel carries, so that it is known when it comes back under another id: some
    /// servers write ids anew.
    pub(super) fn own_mark(&self) -> String {
        self.mac("own", &[])
    }

    /// Whether a mark is ours.
    pub(super) fn is_own_mark(&self, mark: &str) -> bool {
        same(mark.trim(), &self.own_mark())
    }

    /// Each purpose has MACs of its own: an id of a message must not make an address.
    fn mac(&self, purpose: &str, texts: &[&str]) -> String {
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()) else { return String::new() };
        for text in [purpose, self.channel.as_str()].iter().chain(texts) {
            mac.update(text.as_bytes());
            mac.update(&[0]);
        }
        base32(mac.finalize().into_bytes().get(..MAC_BYTES).unwrap_or_default())
    }
}

/// An empty MAC would be that of a key that cannot be used.
fn same(given: &str, right: &str) -> bool {
    !right.is_empty() && bool::from(given.as_bytes().ct_eq(right.as_bytes()))
}

fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// RFC 4648, lower case, for lengths that are a multiple of 5 bytes.
fn base32(bytes: &[u8]) -> String {
    let (mut held, mut bits, mut text) = (0_u16, 0_u8, String::with_capacity(bytes.len() * 8 / 5));
    for byte in bytes {
        held = (held << 8) | u16::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let digit = usize::from((held >> bits) & 31);
            text.extend(ALPHABET.get(digit).map(|letter| char::from(*letter)));
        }
        held &= (1 << bits) - 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::samples;

    fn threads(channel: &str, key: &str) -> Threads {
        Threads::new(&ChannelId::from(channel), &Zeroizing::new(key.to_owned()), "Shop.example")
    }

    #[test]
    fn what_is_signed_comes_back_as_its_conversation() {
        let threads = threads("shop", "key");
        let name = threads.new_name("<1@a>");
        assert_eq!(name.len(), 24);
        let address = threads.reply_address(&name).unwrap();
        assert!(address.split_once('@').unwrap().0.len() <= 64, "{address}");
        assert!(address.ends_with("@shop.example"));
        assert_eq!(threads.of_address(&address), Some(name.clone()));
        assert_eq!(threads.of_address(&address.to_ascii_uppercase()), Some(name.clone()));
        let id = threads.message_id(&samples::send("hello"), &name);
        assert_eq!(threads.of_message_id(&format!("<{id}>")), Some(name));
        assert!(id.starts_with("out.e-7."), "{id}");
    }

    #[test]
    fn another_channel_another_key_and_each_changed_character_are_no_signature() {
        let ours = threads("shop", "key");
        let name = ours.new_name("<1@a>");
        let address = ours.reply_address(&name).unwrap();
        let id = ours.message_id(&samples::send("hello"), &name);
        for others in [threads("shop", "kez"), threads("shoq", "key")] {
            assert_eq!(others.of_address(&address), None);
            assert_eq!(others.of_message_id(&id), None);
            assert!(!others.is_own_mark(&ours.own_mark()));
        }
        assert!(ours.is_own_mark(&ours.own_mark()));
        let end = address.find('@').unwrap();
        for at in REPLY.len()..end {
            let mut wrong = address.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            assert_eq!(ours.of_address(&String::from_utf8(wrong).unwrap()), None, "{at}");
        }
        // The MAC of one purpose does not serve another.
        let mac = address.split_once('.').unwrap().1.split_once('@').unwrap().0;
        assert_eq!(ours.of_message_id(&format!("out.e-7.{name}.{mac}@shop.example")), None);
    }

    #[test]
    fn a_conversation_with_another_name_has_no_address_and_an_id_all_the_same() {
        let threads = threads("shop", "key");
        assert_eq!(threads.reply_address("1 2"), None);
        assert_eq!(threads.reply_address(&"a".repeat(33)), None);
        let id = threads.message_id(&samples::send("hello"), "1 2");
        assert_eq!(threads.of_message_id(&id), None);
        assert!(!id.contains(' '), "{id}");
    }

    #[test]
    fn base32_is_that_of_the_standard() {
        assert_eq!(base32(b"fooba"), "mzxw6ytb");
        assert_eq!(base32(b"foobafooba"), "mzxw6ytbmzxw6ytb");
    }

    proptest::proptest! {
        #[test]
        fn nothing_from_outside_is_signed_or_makes_it_panic(text in "(reply\\+|out\\.)?[a-z0-9.@<>+é-]{0,60}") {
            let threads = threads("shop", "key");
            proptest::prop_assert_eq!(threads.of_address(&text), None);
            proptest::prop_assert_eq!(threads.of_message_id(&text), None);
        }
    }
}
