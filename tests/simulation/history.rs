//! What must be true of a whole history at its end.

use super::company::Company;
use crate::world::choices;

impl Company {
    /// What must be true of the whole history at its end.
    pub(super) fn check_history(&self) {
        choices::check(&self.world.archive.decisions);
        let archive = &self.world.archive;
        let open: Vec<_> =
            archive.effects.values().filter(|effect| !effect.state.is_terminal()).map(|row| row.id).collect();
        assert!(open.is_empty(), "I20: {open:?} never ended");
        let unended: Vec<_> = self.offers.iter().filter(|(_, end)| end.is_none()).collect();
        assert!(unended.is_empty(), "I13: {unended:?} never ended");
        for (input_id, external) in &self.accepted {
            let channel = input_id.split('/').next().unwrap();
            let found: Vec<_> = archive
                .messages
                .values()
                .filter(|row| row.external_id.as_ref() == Some(external))
                .filter(|row| archive.dialogs[&row.dialog].channel.as_str() == channel)
                .filter(|row| row.status == switchboard::model::message::MessageStatus::Received)
                .collect();
            assert_eq!(found.len(), 1, "I2: {input_id} is in {} dialogs", found.len());
        }
        for (dialog, row) in &archive.dialogs {
            let messages = archive.messages.keys().filter(|(of, _)| of == dialog).count();
            assert_eq!(usize::try_from(row.messages).unwrap(), messages, "I31: messages of {dialog}");
        }
        assert_eq!(self.world.state.dialogs().count(), 0, "closed dialogs stay in memory");
        assert_eq!(self.world.state.effects().count(), 0, "finished effects stay in memory");
        assert_eq!(self.world.state.chats().count(), 0, "chats without a dialog stay in memory");
        assert_eq!(self.world.state.clients().count(), 0, "clients without a dialog stay in memory");
    }
}
