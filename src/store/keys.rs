//! The keys: one byte of prefix, then big-endian numbers and texts, so that byte order is the order
//! that ranges need.
//!
//! Rows have lower-case prefixes and JSON values, lists and pages lines; index entries have upper-case prefixes and no
//! value, except format and position: the position changes with each write set and sled rewrites what
//! is next to a changed key, so it stands among small entries. `id` is 8 bytes of `seq` and 4 bytes of `index`; for `text` see [`Builder::text`].
//!
//! | prefix | key | value |
//! |---|---|---|
//! | `k` | text input id | known input, unless a list of messages says it |
//! | `d` | id dialog | dialog, and behind it the newest lines of its list of messages |
//! | `h` | id chat | chat |
//! | `a` | text channel, text chat, text user | the chat id at this address |
//! | `c` | id client | client |
//! | `i` | text channel, text user | the client id of this identity |
//! | `m` | id of its first message | page of messages and notes |
//! | `n` | id message | message or note that is too long for its page |
//! | `q` | id dialog, id of its first message | list of messages of a dialog |
//! | `e` | id effect | effect |
//! | `o` | text operator | operator status |
//! | `t` | kind, ids | timer |
//! | `x` | id dialog, u64 seq, u32 index | decision |
//! | `l` | id dialog, u64 seq, u32 index | event of the dialog's timeline |
//! | `s` | u64 seq, u32 index of its first event | page of events, one JSON text per line |
//! | `g` | u64 seq | configuration, without its text |
//! | `j` | u64 seq, u32 piece | piece of a configuration's text |
//! | `A` | id dialog | open dialogs |
//! | `B` | text line, state, id dialog | open dialogs by line and state |
//! | `C` | id client, id dialog | dialogs by client |
//! | `D` | text operator, id dialog | open dialogs by owner |
//! | `E` | text operator, id dialog | dialogs by operator to whom they are offered |
//! | `F` | | the format number |
//! | `G` | | the position |
//! | `H` | id chat, id dialog | dialogs by chat |
//! | `P` | priority (highest first), u64 queued at, id dialog | open dialogs by priority |
//! | `R` | u64 queued at, id dialog | waiting dialogs by time |
//! | `U` | u64 updated at, id dialog | closed dialogs by last change; those of open ones are in memory |
//! | `K` | state, id effect | effects by state |
//! | `L` | id dialog, id effect | effects by dialog |
//!
//! A change of a key or of what a value means raises [`FORMAT`]: old stores are then rebuilt.

use sha2::{Digest, Sha256};

use crate::model::chat::ChatAddress;
use crate::model::client::Identity;
use crate::model::dialog::DialogState;
use crate::model::id::{ChatId, ClientId, DialogId, EffectId, LineId, MessageId, OperatorId};
use crate::model::timer::{LifeTimer, TimerKey};

use super::queries::deliveries::DeliveryState;

/// The layout that this release reads and writes.
pub(super) const FORMAT: u32 = 6;

/// A key.
pub(super) type Key = Vec<u8>;

/// Bytes of an identifier.
pub(super) const ID_BYTES: usize = 12;
/// Bytes of a time or sequence number.
pub(super) const U64_BYTES: usize = 8;
/// Bytes of a priority.
pub(super) const PRIORITY_BYTES: usize = 4;

/// Longest text that stands in a key as it is; a longer one is replaced by its digest, because
/// messengers choose the length of their ids and sled keeps keys in inner nodes.
const TEXT_BYTES_MAX: usize = 128;

/// Keys from `start` (inclusive) to `end` (exclusive).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRange {
    /// The first key.
    pub(super) start: Key,
    /// The first key after the range.
    pub(super) end: Key,
}

impl KeyRange {
    /// All keys that begin with `prefix`.
    pub(super) fn of_prefix(prefix: Key) -> Self {
        let end = after_prefix(&prefix);
        Self { start: prefix, end }
    }

    /// Only the keys after `key`, which begins with this range's prefix.
    pub(super) fn after(mut self, key: Key) -> Self {
        self.start = self.start.max(successor(key));
        self
    }

    /// Only the keys from `key` on.
    pub(super) fn from(mut self, key: Key) -> Self {
        self.start = self.start.max(key);
        self
    }

    /// Only the keys before `key`.
    pub(super) fn before(mut self, key: Key) -> Self {
        self.end = self.end.min(key);
        self
    }
}

/// The first key that is greater than `key`.
pub(super) fn successor(mut key: Key) -> Key {
    key.push(0);
    key
}

/// The first key that is greater than all keys with this prefix.
fn after_prefix(prefix: &[u8]) -> Key {
    let mut end = prefix.to_vec();
    // Every prefix begins with an ASCII letter, so there always is a byte that can be raised.
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// Puts a key together.
struct Builder(Key);

impl Builder {
    fn new(prefix: u8) -> Self {
        let mut key = Vec::with_capacity(40);
        key.push(prefix);
        Self(key)
    }

    fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn small(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn id(self, (seq, index): (u64, u32)) -> Self {
        self.number(seq).small(index)
    }

    /// A priority such that the highest comes first.
    fn priority(self, priority: i32) -> Self {
        self.small(!(priority.cast_unsigned() ^ 0x8000_0000))
    }

    /// A text such that no other text's bytes begin with its bytes: 0 is written as 0 255 and the
    /// end is 0 1; a text that is too long is 0 2 and its SHA-256.
    fn text(mut self, text: &str) -> Self {
        if text.len() > TEXT_BYTES_MAX {
            self.0.extend_from_slice(&[0, 2]);
            self.0.extend_from_slice(&Sha256::digest(text.as_bytes()));
            return self;
        }
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(u8::MAX);
            }
        }
        self.0.extend_from_slice(&[0, 1]);
        self
    }
}

/// Defines how the two numbers of an identifier are taken.
macro_rules! numbers {
    ($id:expr) => {
        ($id.seq, $id.index)
    };
}

/// The format number.
pub(super) fn format() -> Key {
    vec![b'F']
}

/// How far the journal was applied.
pub(super) fn position() -> Key {
    vec![b'G']
}

/// What an input came to.
pub(super) fn known_input(input_id: &str) -> Key {
    Builder::new(b'k').text(input_id).0
}

/// The kinds of keys that are asked for before they exist, with every new message or client.
const LOOKED_UP_FIRST: [u8; 3] = [b'k', b'a', b'i'];

/// All keys that are asked for before they exist: inputs with rows of their own, addresses and identities.
pub(super) fn looked_up_first() -> [KeyRange; 3] {
    LOOKED_UP_FIRST.map(|kind| KeyRange::of_prefix(vec![kind]))
}

/// Whether a key is of a kind that is asked for before it exists.
pub(super) fn is_looked_up_first(key: &[u8]) -> bool {
    key.first().is_some_and(|kind| LOOKED_UP_FIRST.contains(kind))
}

/// A dialog.
pub(super) fn dialog(id: DialogId) -> Key {
    Builder::new(b'd').id(numbers!(id)).0
}

/// The key of the dialog at a place, as [`last_id`] reads it.
pub(super) fn dialog_at((seq, index): (u64, u32)) -> Key {
    dialog(DialogId::new(seq, index))
}

/// Whether a key is that of a dialog.
pub(super) fn is_dialog(key: &[u8]) -> bool {
    key.first() == Some(&b'd')
}

/// All dialogs, by id.
pub(super) fn dialogs() -> KeyRange {
    KeyRange::of_prefix(vec![b'd'])
}

/// A chat.
pub(super) fn chat(id: ChatId) -> Key {
    Builder::new(b'h').id(numbers!(id)).0
}

/// The chat at an address.
pub(super) fn address(address: &ChatAddress) -> Key {
    Builder::new(b'a').text(address.channel.as_str()).text(&address.chat).text(&address.user).0
}

/// The addresses of everybody who writes in a chat of a messenger.
pub(super) fn addresses_in_chat(channel: &str, chat: &str) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'a').text(channel).text(chat).0)
}

/// A client.
pub(super) fn client(id: ClientId) -> Key {
    Builder::new(b'c').id(numbers!(id)).0
}

/// The client who has an identity.
pub(super) fn identity(identity: &Identity) -> Key {
    Builder::new(b'i').text(identity.channel.as_str()).text(&identity.user).0
}

/// The page of messages that begins with this one.
pub(super) fn message_page(first: MessageId) -> Key {
    Builder::new(b'm').id(numbers!(first)).0
}

/// All pages of messages, in the order in which they came.
pub(super) fn message_pages() -> KeyRange {
    KeyRange::of_prefix(vec![b'm'])
}

/// A message or note that is too long for its page.
pub(super) fn long_message(id: MessageId) -> Key {
    Builder::new(b'n').id(numbers!(id)).0
}

/// The list of messages of a dialog that begins with this one.
pub(super) fn message_list(dialog: DialogId, first: MessageId) -> Key {
    Builder::new(b'q').id(numbers!(dialog)).id(numbers!(first)).0
}

/// All lists of messages.
pub(super) fn all_message_lists() -> KeyRange {
    KeyRange::of_prefix(vec![b'q'])
}

/// The dialog of a list of messages.
pub(super) fn dialog_of_list(key: &[u8]) -> Option<DialogId> {
    let (head, _) = key.split_last_chunk::<ID_BYTES>()?;
    last_id(head).map(|(seq, index)| DialogId::new(seq, index))
}

/// The lists of messages of a dialog, the oldest first.
pub(super) fn message_lists(dialog: DialogId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'q').id(numbers!(dialog)).0)
}

/// An effect.
pub(super) fn effect(id: EffectId) -> Key {
    Builder::new(b'e').id(numbers!(id)).0
}

/// All effects, by id.
pub(super) fn effects() -> KeyRange {
    KeyRange::of_prefix(vec![b'e'])
}

/// How an operator is.
pub(super) fn operator(id: &OperatorId) -> Key {
    Builder::new(b'o').text(id.as_str()).0
}

/// How all operators are.
pub(super) fn operators() -> KeyRange {
    KeyRange::of_prefix(vec![b'o'])
}

/// A timer.
pub(super) fn timer(key: &TimerKey) -> Key {
    let key_of = Builder::new(b't');
    match key {
        TimerKey::OfferExpires { dialog, offer } => key_of.byte(1).id(numbers!(dialog)).id(numbers!(offer)).0,
        TimerKey::EffectRetry { effect } => key_of.byte(2).id(numbers!(effect)).0,
        TimerKey::EffectDeadline { effect } => key_of.byte(3).id(numbers!(effect)).0,
        TimerKey::ReservationEnds { dialog } => key_of.byte(4).id(numbers!(dialog)).0,
        TimerKey::Overflow { dialog } => key_of.byte(5).id(numbers!(dialog)).0,
        TimerKey::Otherwise { dialog } => key_of.byte(6).id(numbers!(dialog)).0,
        TimerKey::Sla { dialog } => key_of.byte(9).id(numbers!(dialog)).0,
        TimerKey::ShiftBorder { operator } => key_of.byte(7).text(operator.as_str()).0,
        TimerKey::Life { dialog, kind } => key_of.byte(8).id(numbers!(dialog)).byte(life_timer_byte(*kind)).0,
    }
}

/// All timers.
pub(super) fn timers() -> KeyRange {
    KeyRange::of_prefix(vec![b't'])
}

/// A decision about a dialog.
pub(super) fn decision(dialog: DialogId, seq: u64, index: u32) -> Key {
    Builder::new(b'x').id(numbers!(dialog)).id((seq, index)).0
}

/// The decisions about a dialog.
pub(super) fn decisions(dialog: DialogId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'x').id(numbers!(dialog)).0)
}

/// An event of a dialog's timeline.
pub(super) fn timeline_event(dialog: DialogId, seq: u64, index: u32) -> Key {
    Builder::new(b'l').id(numbers!(dialog)).id((seq, index)).0
}

/// The events of a dialog's timeline.
pub(super) fn timeline_events(dialog: DialogId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'l').id(numbers!(dialog)).0)
}

/// The page of events that begins with this one.
pub(super) fn event_page(seq: u64, index: u32) -> Key {
    Builder::new(b's').id((seq, index)).0
}

/// All pages of events.
pub(super) fn event_pages() -> KeyRange {
    KeyRange::of_prefix(vec![b's'])
}

/// A configuration, without its text.
pub(super) fn config(seq: u64) -> Key {
    Builder::new(b'g').number(seq).0
}

/// All configurations.
pub(super) fn configs() -> KeyRange {
    KeyRange::of_prefix(vec![b'g'])
}

/// A piece of a configuration's text.
pub(super) fn config_piece(seq: u64, piece: u32) -> Key {
    Builder::new(b'j').number(seq).small(piece).0
}

/// The pieces of a configuration's text.
pub(super) fn config_pieces(seq: u64) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'j').number(seq).0)
}

/// An open dialog.
pub(super) fn open_dialog(id: DialogId) -> Key {
    Builder::new(b'A').id(numbers!(id)).0
}

/// The open dialogs, by id.
pub(super) fn open_dialogs() -> KeyRange {
    KeyRange::of_prefix(vec![b'A'])
}

/// An open dialog by line and state.
pub(super) fn line_dialog(line: &LineId, state: DialogState, id: DialogId) -> Key {
    Builder::new(b'B').text(line.as_str()).byte(state_byte(state)).id(numbers!(id)).0
}

/// The open dialogs of a line in a state, by id.
pub(super) fn line_dialogs(line: &LineId, state: DialogState) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'B').text(line.as_str()).byte(state_byte(state)).0)
}

/// A dialog by client.
pub(super) fn client_dialog(client: ClientId, id: DialogId) -> Key {
    Builder::new(b'C').id(numbers!(client)).id(numbers!(id)).0
}

/// The dialogs of a client, by id.
pub(super) fn client_dialogs(client: ClientId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'C').id(numbers!(client)).0)
}

/// An open dialog by owner.
pub(super) fn owned_dialog(owner: &OperatorId, id: DialogId) -> Key {
    Builder::new(b'D').text(owner.as_str()).id(numbers!(id)).0
}

/// The open dialogs of an owner, by id.
pub(super) fn owned_dialogs(owner: &OperatorId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'D').text(owner.as_str()).0)
}

/// A dialog by operator to whom it is offered.
pub(super) fn offered_dialog(operator: &OperatorId, id: DialogId) -> Key {
    Builder::new(b'E').text(operator.as_str()).id(numbers!(id)).0
}

/// The dialogs offered to an operator, by id.
pub(super) fn offered_dialogs(operator: &OperatorId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'E').text(operator.as_str()).0)
}

/// A dialog by chat.
pub(super) fn chat_dialog(chat: ChatId, id: DialogId) -> Key {
    Builder::new(b'H').id(numbers!(chat)).id(numbers!(id)).0
}

/// The dialogs of a chat, by id.
pub(super) fn chat_dialogs(chat: ChatId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'H').id(numbers!(chat)).0)
}

/// An open dialog by priority.
pub(super) fn priority_dialog(priority: i32, queued_at_ms: u64, id: DialogId) -> Key {
    Builder::new(b'P').priority(priority).number(queued_at_ms).id(numbers!(id)).0
}

/// The open dialogs, highest priority first.
pub(super) fn priority_dialogs() -> KeyRange {
    KeyRange::of_prefix(vec![b'P'])
}

/// A waiting dialog by time.
pub(super) fn waiting_dialog(queued_at_ms: u64, id: DialogId) -> Key {
    Builder::new(b'R').number(queued_at_ms).id(numbers!(id)).0
}

/// The waiting dialogs of all lines, longest waiting first.
pub(super) fn waiting_dialogs() -> KeyRange {
    KeyRange::of_prefix(vec![b'R'])
}

/// A dialog by its last change.
pub(super) fn updated_dialog(updated_at_ms: u64, id: DialogId) -> Key {
    Builder::new(b'U').number(updated_at_ms).id(numbers!(id)).0
}

/// All dialogs by their last change.
pub(super) fn updated_dialogs() -> KeyRange {
    KeyRange::of_prefix(vec![b'U'])
}

/// An effect by state.
pub(super) fn state_effect(state: DeliveryState, id: EffectId) -> Key {
    Builder::new(b'K').byte(delivery_byte(state)).id(numbers!(id)).0
}

/// The effects in a state, by id.
pub(super) fn state_effects(state: DeliveryState) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'K').byte(delivery_byte(state)).0)
}

/// An effect by dialog.
pub(super) fn dialog_effect(dialog: DialogId, id: EffectId) -> Key {
    Builder::new(b'L').id(numbers!(dialog)).id(numbers!(id)).0
}

/// The effects of a dialog, by id.
pub(super) fn dialog_effects(dialog: DialogId) -> KeyRange {
    KeyRange::of_prefix(Builder::new(b'L').id(numbers!(dialog)).0)
}

/// The bytes of an identifier in keys.
pub(super) fn id_bytes((seq, index): (u64, u32)) -> [u8; ID_BYTES] {
    let mut bytes = [0; ID_BYTES];
    let numbers = seq.to_be_bytes().into_iter().chain(index.to_be_bytes());
    bytes.iter_mut().zip(numbers).for_each(|(byte, number)| *byte = number);
    bytes
}

/// The numbers of the identifier (or of the `seq` and `index`) that a key ends with.
pub(super) fn last_id(key: &[u8]) -> Option<(u64, u32)> {
    let (_, tail) = key.split_last_chunk::<ID_BYTES>()?;
    let (seq, index) = tail.split_first_chunk::<U64_BYTES>()?;
    Some((u64::from_be_bytes(*seq), u32::from_be_bytes(index.try_into().ok()?)))
}

/// Part of the format: never renumber.
const fn state_byte(state: DialogState) -> u8 {
    match state {
        DialogState::New => 1,
        DialogState::Queued => 2,
        DialogState::Offered => 3,
        DialogState::Accepted => 4,
        DialogState::WaitingClient => 5,
        DialogState::WaitingOperator => 6,
        DialogState::Closed => 7,
        DialogState::Closing => 8,
    }
}

/// Part of the format: never renumber.
const fn life_timer_byte(kind: LifeTimer) -> u8 {
    match kind {
        LifeTimer::Closing => 1,
        LifeTimer::Silence => 2,
        LifeTimer::Pause => 3,
        LifeTimer::NoAnswer => 4,
        LifeTimer::QueuePosition => 5,
    }
}

/// Part of the format: never renumber.
const fn delivery_byte(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Pending => 1,
        DeliveryState::Waiting => 2,
        DeliveryState::InFlight => 3,
        DeliveryState::Delivered => 4,
        DeliveryState::Failed => 5,
        DeliveryState::Dead => 6,
        DeliveryState::Cancelled => 7,
    }
}
