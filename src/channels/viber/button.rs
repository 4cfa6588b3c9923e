//! Buttons of Viber. A press comes back as a plain text, which anybody could write as well; so the text that a
//! button sends is signed with the bot's token, for its chat.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How many bytes of the signature stand in the text: too many to be guessed in a chat.
const SIGNATURE_BYTES: usize = 12;

/// How much of a title comes back with the press, in characters: enough to be read.
const TITLE_MAX: usize = 40;

/// The text that a button sends.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    button: String,
    title: String,
    signature: String,
}

/// What a pressed button was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Press {
    /// The data that we gave it.
    pub(super) data: String,
    /// Its title.
    pub(super) title: String,
}

/// The text that a button in `chat` sends when it is pressed.
pub(super) fn write(mac: Hmac<Sha256>, chat: &str, title: &str, data: &str) -> String {
    let title: String = title.chars().take(TITLE_MAX).collect();
    let signature = signature(mac, chat, &title, data);
    let pressed = Pressed { button: data.to_owned(), title, signature: URL_SAFE_NO_PAD.encode(signature) };
    // Three texts can always be written; the bare data would merely not be known again.
    serde_json::to_string(&pressed).unwrap_or_else(|_| data.to_owned())
}

/// What was pressed, when `text` is what a button of ours sends; `None` for everything else.
pub(super) fn read(mac: Hmac<Sha256>, chat: &str, text: &str) -> Option<Press> {
    let pressed: Pressed = serde_json::from_str(text).ok()?;
    let given = URL_SAFE_NO_PAD.decode(&pressed.signature).ok()?;
    let is_right = given.len() == SIGNATURE_BYTES
        && signed(mac, chat, &pressed.title, &pressed.button).verify_truncated_left(&given).is_ok();
    is_right.then_some(Press { data: pressed.button, title: pressed.title })
}

fn signature(mac: Hmac<Sha256>, chat: &str, title: &str, data: &str) -> Vec<u8> {
    let whole = signed(mac, chat, title, data).finalize().into_bytes();
    whole.iter().take(SIGNATURE_BYTES).copied().collect()
}

fn signed(mut mac: Hmac<Sha256>, chat: &str, title: &str, data: &str) -> Hmac<Sha256> {
    for part in ["switchboard button", chat, title, data] {
        // The length keeps the parts apart.
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

#[cfg(test)]
mod tests {
    use hmac::KeyInit;

    use super::*;

    fn mac() -> Hmac<Sha256> {
        Hmac::new_from_slice(b"token").unwrap()
    }

    #[test]
    fn a_press_is_known_again_in_its_chat_and_nothing_else_passes_for_one() {
        let text = write(mac(), "chat=", "Да \"да\"", "yes:{1}");
        let press = Press { data: "yes:{1}".to_owned(), title: "Да \"да\"".to_owned() };
        assert_eq!(read(mac(), "chat=", &text), Some(press));
        assert_eq!(read(mac(), "other=", &text), None);
        assert_eq!(read(Hmac::new_from_slice(b"other").unwrap(), "chat=", &text), None);
        assert_eq!(read(mac(), "chat=", &text.replace("yes", "vip")), None);
        assert_eq!(read(mac(), "chat=", &text.replace("Да", "No")), None);
        for forged in [
            "yes:{1}",
            "{}",
            r#"{"button":"yes","title":"t","signature":""}"#,
            r#"{"button":"yes","title":"t","signature":"AAAA"}"#,
            r#"{"button":"yes","title":"t"}"#,
        ] {
            assert_eq!(read(mac(), "chat=", forged), None, "{forged}");
        }
    }

    #[test]
    fn a_long_title_is_cut_in_what_comes_back() {
        let text = write(mac(), "c", &"я".repeat(500), &"\"".repeat(128));
        assert!(text.len() < 450, "{}", text.len());
        assert_eq!(read(mac(), "c", &text).unwrap().title, "я".repeat(TITLE_MAX));
    }
}
