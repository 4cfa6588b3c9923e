//! What an answer must know of the conversation: it travels with the chat and comes back with what is sent.

use serde::{Deserialize, Serialize};

use super::inbound::is_message_id;

/// The most ids of earlier mails that an answer names: programs need the last ones and the first.
const REFERENCES_MAX: usize = 20;

/// The longest list of them, in bytes: a header that every server takes.
const REFERENCES_BYTES_MAX: usize = 4 * 1024;

/// The conversation so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Context {
    /// The subject, without `Re:` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    /// The id of the client's last mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
    /// The ids of the mails before it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<String>,
    /// Where the client wants answers, if not at the address that they write from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reply_to: Option<String>,
}

impl Context {
    /// As a text, within the limits.
    pub(super) fn write(mut self) -> String {
        self.references = within_limits(self.references);
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// From a text; what is none is an empty one.
    pub(super) fn read(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// What an answer refers to: all of them with the last one at the end.
    pub(super) fn all_references(&self) -> Vec<String> {
        let all = self.references.iter().chain(&self.last).filter(|id| is_message_id(id)).cloned();
        within_limits(all.collect())
    }
}

/// The last ones, and the first, by which conversations are told apart.
fn within_limits(mut ids: Vec<String>) -> Vec<String> {
    let is_too_long = |ids: &Vec<String>| {
        ids.len() > REFERENCES_MAX || ids.iter().map(|id| id.len() + 3).sum::<usize>() > REFERENCES_BYTES_MAX
    };
    while ids.len() > 1 && is_too_long(&ids) {
        ids.remove(1);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_went() {
        let context = Context {
            subject: Some("Price".to_owned()),
            last: Some("2@a".to_owned()),
            references: vec!["1@a".to_owned()],
            reply_to: Some("b@a".to_owned()),
        };
        assert_eq!(Context::read(Some(&context.clone().write())), context);
        assert_eq!(context.all_references(), ["1@a", "2@a"]);
        assert_eq!(Context::read(Some("no json")), Context::default());
        assert_eq!(Context::read(None), Context::default());
    }

    #[test]
    fn the_first_and_the_last_references_stay() {
        let ids: Vec<String> = (0..100).map(|number| format!("{number}@a")).collect();
        let kept = within_limits(ids);
        assert_eq!((kept.len(), kept[0].as_str(), kept[1].as_str()), (20, "0@a", "81@a"));
        let long: Vec<String> = (0..20).map(|number| format!("{number}{}@a", "x".repeat(500))).collect();
        assert!(within_limits(long).iter().map(String::len).sum::<usize>() <= REFERENCES_BYTES_MAX);
    }
}
