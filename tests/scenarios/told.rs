//! What messengers tell beside messages: signs, links, new ids, and what was written or seen elsewhere.

use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Fate, UpTo};

use super::play::{Play, moment};
use super::words::Words;

/// Who it is about.
pub(super) struct Told {
    pub(super) chat: ExternalChat,
    pub(super) user: ExternalUser,
    /// The id that the line gives to what it brings.
    pub(super) id: Option<String>,
    /// When, in ms by the messenger's clock.
    pub(super) until: Option<String>,
    pub(super) number: u64,
}

/// `sees e2`, `sees until TIME`, `reacts SIGN to MESSAGE`, `takes back the sign of MESSAGE`, `gets TEXT elsewhere`,
/// `gets TEXT elsewhere with e1`, `comes by SOURCE`, `becomes NAME`. A message is `e1` or the messenger's id.
pub(super) fn fact(play: &Play, verb: &str, told: Told, words: &mut Words) -> Option<Fact> {
    let Told { chat, user, id, until, number } = told;
    Some(match verb {
        "sees" => {
            let up_to = match until {
                Some(time) => UpTo::TimeMs(moment(&time)),
                None => UpTo::Message(message(play, words)),
            };
            Fact::FateUpTo { chat, up_to, fate: Fate::Read }
        }
        "reacts" => {
            let sign = Some(words.word());
            words.expect("to");
            Fact::Reaction { chat, user, message: message(play, words), sign }
        }
        "takes" => {
            ["back", "the", "sign", "of"].iter().for_each(|word| words.expect(word));
            Fact::Reaction { chat, user, message: message(play, words), sign: None }
        }
        "gets" => {
            let text = words.word();
            words.expect("elsewhere");
            let tracking = words.skip("with").then(|| play.effect(&words.word()).to_string());
            let id = id.unwrap_or_else(|| format!("elsewhere-{number}"));
            Fact::Echo { chat, user, id, text, attachments: Vec::new(), tracking }
        }
        "comes" => {
            words.expect("by");
            Fact::Referral { chat, user, source: words.word() }
        }
        "becomes" => {
            let new = words.word();
            Fact::Moved { chat, user, new_chat: new.clone(), new_user: new }
        }
        _ => return None,
    })
}

fn message(play: &Play, words: &mut Words) -> String {
    let word = words.word();
    let is_effect = word.strip_prefix('e').is_some_and(|number| number.parse::<usize>().is_ok());
    if is_effect { format!("external-{}", play.effect(&word)) } else { word }
}
