//! Cursors: where the next page of a list begins, as a text that only this room reads.
//!
//! The text is URL-safe base64 of one byte that says which list it is for, and the place of the last
//! item in that list's order, of a fixed length. Every such text is a valid place, so one that a
//! caller made up leads at worst to another page of what the caller may see anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::StoreError;
use super::keys::{ID_BYTES, PRIORITY_BYTES, U64_BYTES};

/// The lists that give out cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Dialogs by id.
    DialogsOpened,
    /// Dialogs by last change.
    DialogsUpdated,
    /// Dialogs by waiting time.
    DialogsWaiting,
    /// Dialogs by priority.
    DialogsPriority,
    /// Messages of a dialog.
    Messages,
    /// Messages of a chat.
    ChatMessages,
    /// The timeline of a dialog.
    Timeline,
    /// Decisions about a dialog.
    Decisions,
    /// Effects.
    Deliveries,
}

impl List {
    const fn byte(self) -> u8 {
        match self {
            Self::DialogsOpened => 1,
            Self::DialogsUpdated => 2,
            Self::DialogsWaiting => 3,
            Self::DialogsPriority => 4,
            Self::Messages => 5,
            Self::ChatMessages => 6,
            Self::Timeline => 7,
            Self::Decisions => 8,
            Self::Deliveries => 9,
        }
    }

    /// How many bytes a place in this list's order has.
    pub(super) const fn place_bytes(self) -> usize {
        match self {
            Self::DialogsOpened | Self::Messages | Self::Decisions | Self::Deliveries => ID_BYTES,
            Self::DialogsUpdated | Self::DialogsWaiting => U64_BYTES + ID_BYTES,
            Self::DialogsPriority => PRIORITY_BYTES + U64_BYTES + ID_BYTES,
            Self::ChatMessages => 2 * ID_BYTES,
            Self::Timeline => ID_BYTES + 1,
        }
    }

    /// The place that ends a key of this list's range.
    pub(super) fn place_in(self, key: &[u8]) -> Result<&[u8], StoreError> {
        key.len()
            .checked_sub(self.place_bytes())
            .and_then(|start| key.get(start..))
            .ok_or_else(|| StoreError::damaged(key, "the key is too short"))
    }

    /// The cursor of a place.
    pub(super) fn cursor(self, place: &[u8]) -> String {
        let mut bytes = vec![self.byte()];
        bytes.extend_from_slice(place);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place of a cursor.
    pub(super) fn place(self, cursor: &str) -> Result<Vec<u8>, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| StoreError::Cursor)?;
        match bytes.split_first() {
            Some((list, place)) if *list == self.byte() && place.len() == self.place_bytes() => {
                Ok(place.to_vec())
            }
            _ => Err(StoreError::Cursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_only_for_its_own_list() {
        let place = [7; ID_BYTES];
        let cursor = List::Messages.cursor(&place);
        assert_eq!(List::Messages.place(&cursor).unwrap(), place);
        assert!(matches!(List::Deliveries.place(&cursor), Err(StoreError::Cursor)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_cursor_panic(text in ".{0,60}") {
            for list in [List::DialogsOpened, List::DialogsPriority, List::Timeline] {
                if let Ok(place) = list.place(&text) {
                    proptest::prop_assert_eq!(list.cursor(&place), text.clone());
                }
            }
        }
    }
}
