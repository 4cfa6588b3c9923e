//! A walk over the messages of a dialog, in either direction and from any place.

use std::collections::VecDeque;

use crate::model::id::{DialogId, MessageId};
use crate::model::message::Message;

use super::error::StoreError;
use super::handle::{Store, decode};
use super::key_value::{Order, Scan};
use super::keys;
use super::message_page;

/// Pages held at a time: a page is around 16 KiB at most.
const PAGES_AT_A_TIME: usize = 4;

/// The messages of a dialog, one after the other.
pub(super) struct MessageWalk<'a> {
    store: &'a Store,
    dialog: DialogId,
    order: Order,
    bound: Option<MessageId>,
    pages: Scan<'a>,
    /// The rest of the page that is being read, in the order of the walk.
    ready: VecDeque<(MessageId, Option<Vec<u8>>)>,
}

impl<'a> MessageWalk<'a> {
    /// A walk over the messages of `dialog`: ascending from `bound` on, or descending from before it.
    pub(super) fn new(
        store: &'a Store,
        dialog: DialogId,
        order: Order,
        bound: Option<MessageId>,
    ) -> Result<Self, StoreError> {
        let mut pages = keys::message_pages(dialog);
        if let Some(bound) = bound {
            let place = keys::message_page(dialog, bound);
            match order {
                Order::Ascending => {
                    // The page that holds the place begins at it or before.
                    let upto = pages.clone().before(keys::successor(place));
                    let page = store.scan(upto, Order::Descending).in_bites_of(1).next().transpose()?;
                    if let Some((key, _)) = page {
                        pages = pages.from(key);
                    }
                }
                Order::Descending => pages = pages.before(place),
            }
        }
        let pages = store.scan(pages, order).in_bites_of(PAGES_AT_A_TIME);
        Ok(Self { store, dialog, order, bound, pages, ready: VecDeque::new() })
    }

    /// The id of the next message.
    pub(super) fn peek(&mut self) -> Result<Option<MessageId>, StoreError> {
        while self.ready.is_empty() {
            let Some((key, page)) = self.pages.next().transpose()? else { return Ok(None) };
            for line in message_page::lines(&key, &page) {
                let line = line?;
                let wanted = match (self.bound, self.order) {
                    (None, _) => true,
                    (Some(bound), Order::Ascending) => line.id >= bound,
                    (Some(bound), Order::Descending) => line.id < bound,
                };
                if wanted {
                    self.ready.push_back((line.id, line.json.map(<[u8]>::to_vec)));
                }
            }
            if self.order == Order::Descending {
                self.ready.make_contiguous().reverse();
            }
        }
        Ok(self.ready.front().map(|(id, _)| *id))
    }

    /// The next message.
    pub(super) fn next(&mut self) -> Result<Option<Message>, StoreError> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        match self.ready.pop_front() {
            None => Ok(None),
            Some((id, Some(json))) => decode(&keys::message_page(self.dialog, id), &json).map(Some),
            Some((id, None)) => message_page::find(self.store, self.dialog, id),
        }
    }
}
