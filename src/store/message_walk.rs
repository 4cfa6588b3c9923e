//! A walk over the messages of a dialog, in either direction and from any place.

use std::collections::VecDeque;

use crate::model::id::{DialogId, MessageId};
use crate::model::message::Message;

use super::error::StoreError;
use super::handle::Store;
use super::key_value::Order;
use super::keys;
use super::message_list::Lists;
use super::message_page::Reader;

/// The messages of a dialog, one after the other.
pub(super) struct MessageWalk<'a> {
    store: &'a Store,
    order: Order,
    bound: Option<MessageId>,
    lists: Lists<'a>,
    /// The rest of the list that is being read, in the order of the walk.
    ready: VecDeque<MessageId>,
    reader: Reader,
}

impl<'a> MessageWalk<'a> {
    /// A walk over the messages of `dialog`: ascending from `bound` on, or descending from before it.
    pub(super) fn new(
        store: &'a Store,
        dialog: DialogId,
        order: Order,
        bound: Option<MessageId>,
    ) -> Result<Self, StoreError> {
        let lists = Lists::new(store, dialog, order, bound)?;
        Ok(Self { store, order, bound, lists, ready: VecDeque::new(), reader: Reader::default() })
    }

    /// The id of the next message.
    pub(super) fn peek(&mut self) -> Result<Option<MessageId>, StoreError> {
        while self.ready.is_empty() {
            let Some(list) = self.lists.next()? else { return Ok(None) };
            let (bound, order) = (self.bound, self.order);
            self.ready.extend(list.into_iter().map(|line| line.id).filter(|id| match (bound, order) {
                (None, _) => true,
                (Some(bound), Order::Ascending) => *id >= bound,
                (Some(bound), Order::Descending) => *id < bound,
            }));
            if order == Order::Descending {
                self.ready.make_contiguous().reverse();
            }
        }
        Ok(self.ready.front().copied())
    }

    /// The next message.
    pub(super) fn next(&mut self) -> Result<Option<Message>, StoreError> {
        let Some(id) = self.peek()? else { return Ok(None) };
        self.ready.pop_front();
        let found = self.reader.find(self.store, id)?;
        found.map(Some).ok_or_else(|| {
            StoreError::damaged(&keys::message_page(id), "the message is missing and a list refers to it")
        })
    }
}
