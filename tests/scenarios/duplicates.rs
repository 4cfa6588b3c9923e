//! A store in which a chat has two open dialogs is repaired when the daemon starts.

use switchboard::engine::State;
use switchboard::engine::rows::Archive as _;
use switchboard::model::dialog::{CloseReason, DialogState};
use switchboard::model::entry::{APPLY_VERSION, Cause, ENTRY_FORMAT, Entry, EntryHash};
use switchboard::model::id::DialogId;
use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use switchboard::model::input::Input;

use super::configs::shop;
use crate::world::{World, activation, step};

#[test]
fn chats_nobody_can_see_or_close_are_repaired_at_the_start() {
    let mut world = World::new(1_000);
    world.take("config", activation(&shop()));
    let message = InboundMessage {
        chat: ExternalChat::of("ivan".to_owned()),
        user: ExternalUser { id: "ivan".to_owned(), ..ExternalUser::default() },
        id: "1".to_owned(),
        text: "Hello".to_owned(),
        attachments: Vec::new(),
        reply_to: None,
        source: None,
        unsupported: None,
        automatic: false,
        letter: None,
    };
    let fact = Fact::Message(message);
    world.take("m", Input::Inbound(Inbound { channel: "shop-telegram".into(), external_at_ms: None, fact }));
    world.flush();
    let (kept, row) = world.archive.dialogs.first_key_value().map(|(id, row)| (*id, row.clone())).unwrap();
    let stray = DialogId::new(kept.seq, 7);
    world.archive.dialogs.insert(stray, switchboard::model::dialog::Dialog { id: stray, ..row });

    let mut state = State::load(world.archive.hot()).unwrap();
    assert!(!state.violations().is_empty(), "two dialogs of one chat are open");
    let position = world.archive.position;
    let entry = Entry {
        format: ENTRY_FORMAT,
        seq: position.seq + 1,
        epoch: 2,
        at_ms: 2_000,
        apply_version: APPLY_VERSION,
        prev_hash: position.hash,
        input_id: "node/2".to_owned(),
        cause: Cause::Start,
        input: Input::NodeStarted,
    };
    step(&mut state, &world.archive, &entry, EntryHash::of(b"2"));
    assert_eq!(state.violations(), []);
    world.archive.store(state.hand_over().1);
    let closed = world.archive.dialog(stray).unwrap().unwrap();
    assert_eq!((closed.state, closed.close_reason), (DialogState::Closed, Some(CloseReason::Duplicate)));
    assert_eq!(world.archive.dialog(kept).unwrap().unwrap().state, DialogState::Queued);
}
