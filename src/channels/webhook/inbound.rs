//! A system's JSON as facts, by the channel's paths.

use chrono::DateTime;
use serde_json::Value;

use crate::model::channel::WebhookInbound;
use crate::model::id::ChannelId;
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use crate::model::input_id;

use super::path::{Path, scalar};
use crate::channels::codec::{DecodeError, Received};
use crate::channels::person::within_limits;
use crate::channels::start::ConnectError;

/// The most items of one call. Each becomes an entry of the journal before the call is answered.
const ITEMS_MAX: usize = 1000;

/// The longest id of a message, conversation or person, in bytes. They become keys of the store.
const EXTERNAL_ID_MAX: usize = 512;

/// The longest text of a message, in bytes: a long letter. Of a longer one the beginning is the text, and the item
/// is kept raw beside it.
const TEXT_MAX: usize = 64 * 1024;

/// Numbers below this are seconds since 1970, others milliseconds: as seconds it is the year 5138, as
/// milliseconds 1973.
const SECONDS_BELOW: f64 = 1e11;

/// The compiled paths.
pub(super) struct Mapping {
    each: Option<Path>,
    id: Path,
    chat: Path,
    user: Option<Path>,
    name: Option<Path>,
    phone: Option<Path>,
    text: Option<Path>,
    at: Option<Path>,
}

impl Mapping {
    pub(super) fn compile(settings: &WebhookInbound) -> Result<Self, ConnectError> {
        Ok(Self {
            each: Path::compile_optional("inbound.each", settings.each.as_ref())?,
            id: Path::compile("inbound.id", &settings.id)?,
            chat: Path::compile("inbound.chat", &settings.chat)?,
            user: Path::compile_optional("inbound.user", settings.user.as_ref())?,
            name: Path::compile_optional("inbound.name", settings.name.as_ref())?,
            phone: Path::compile_optional("inbound.phone", settings.phone.as_ref())?,
            text: Path::compile_optional("inbound.text", settings.text.as_ref())?,
            at: Path::compile_optional("inbound.at", settings.at.as_ref())?,
        })
    }

    /// Reads a whole body. An item that lacks its id or its conversation becomes
    /// [`Fact::Unsupported`]; the others go through.
    pub(super) fn read(&self, channel: &ChannelId, body: &[u8]) -> Result<Vec<Received>, DecodeError> {
        let document: Value = serde_json::from_slice(body)?;
        let Some(each) = &self.each else { return Ok(vec![self.item(channel, &document)]) };
        let items = each.all(&document);
        if items.len() > ITEMS_MAX {
            return Err(DecodeError::TooManyItems { count: items.len(), max: ITEMS_MAX });
        }
        if items.is_empty() {
            let what = format!("body without items at `{}`", each.as_str());
            return Ok(vec![unsupported(channel, what, &document)]);
        }
        Ok(items.into_iter().map(|item| self.item(channel, item)).collect())
    }

    fn item(&self, channel: &ChannelId, item: &Value) -> Received {
        self.message(channel, item).unwrap_or_else(|what| unsupported(channel, what, item))
    }

    fn message(&self, channel: &ChannelId, item: &Value) -> Result<Received, String> {
        let id = external_id("id", &self.id, item)?;
        let chat = external_id("conversation", &self.chat, item)?;
        let user = match &self.user {
            Some(path) if path.first(item).is_some_and(|node| !node.is_null()) => {
                external_id("person", path, item)?
            }
            _ => chat.clone(),
        };
        let read = |path: &Option<Path>| scalar(path.as_ref()?.first(item)?);
        let text = read(&self.text);
        // Without a text there is nothing to show but the item itself; behind the beginning of a text stands the rest.
        let is_shown = text.as_ref().is_some_and(|text| text.len() <= TEXT_MAX);
        let unsupported = (!is_shown).then(|| item.to_string());
        Ok(Received {
            input_id: input_id::message(channel, &chat, &id),
            inbound: Inbound {
                channel: channel.clone(),
                external_at_ms: self.at.as_ref().and_then(|path| time_ms(path.first(item)?)),
                fact: Fact::Message(InboundMessage {
                    chat: ExternalChat::of(chat),
                    user: within_limits(ExternalUser {
                        id: user,
                        name: read(&self.name),
                        phone: read(&self.phone),
                        ..ExternalUser::default()
                    }),
                    id,
                    unsupported,
                    text: beginning(text.unwrap_or_default()),
                    attachments: Vec::new(),
                    reply_to: None,
                    source: None,
                    automatic: false,
                    letter: None,
                }),
            },
        })
    }
}

/// The beginning of a text that is too long; any other as it is.
fn beginning(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    text
}

fn unsupported(channel: &ChannelId, what: String, item: &Value) -> Received {
    let raw = item.to_string();
    Received {
        input_id: input_id::item(channel, raw.as_bytes()),
        inbound: Inbound {
            channel: channel.clone(),
            external_at_ms: None,
            fact: Fact::Unsupported { what, raw },
        },
    }
}

/// An id that an item must have.
fn external_id(what: &str, path: &Path, item: &Value) -> Result<String, String> {
    let place = path.as_str();
    let node = path.first(item).ok_or_else(|| format!("item without {what} at `{place}`"))?;
    // A fraction, or a number beyond 2^64, was rounded when it was read: two ids would become one.
    if node.is_f64() {
        return Err(format!(
            "item whose {what} at `{place}` is not a whole number below 2^64; send it as text"
        ));
    }
    let id = scalar(node)
        .filter(|_| !node.is_boolean())
        .ok_or_else(|| format!("item whose {what} at `{place}` is empty or neither text nor number"))?;
    if id.len() > EXTERNAL_ID_MAX {
        return Err(format!("item whose {what} at `{place}` is longer than {EXTERNAL_ID_MAX} bytes"));
    }
    if id.contains(char::is_control) {
        return Err(format!("item whose {what} at `{place}` has control characters"));
    }
    Ok(id)
}

/// A time as ms since 1970: RFC 3339, or a number of seconds or milliseconds, also as text. `None` for
/// anything else: the sender's time is for show only.
fn time_ms(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match DateTime::parse_from_rfc3339(text.trim()) {
            Ok(time) => return u64::try_from(time.timestamp_millis()).ok(),
            Err(_) => text.trim().parse().ok()?,
        },
        _ => return None,
    };
    let ms = if number < SECONDS_BELOW { number * 1000.0 } else { number };
    // 2^53: beyond it a float is no exact number of milliseconds any more (the year 287396).
    const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;
    if !(0.0..EXACT_BELOW).contains(&ms) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked above; a fraction of a millisecond is rounded away on purpose"
    )]
    Some(ms.round() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_text_that_is_too_long_the_beginning_is_shown_and_the_whole_is_kept() {
        let settings = WebhookInbound {
            each: None,
            id: "$.id".to_owned(),
            chat: "$.chat".to_owned(),
            user: None,
            name: None,
            phone: None,
            text: Some("$.text".to_owned()),
            at: None,
        };
        let mapping = Mapping::compile(&settings).unwrap();
        let read = |text: &str| {
            let body = json!({ "id": 1, "chat": 2, "text": text }).to_string();
            let mut received = mapping.read(&ChannelId::from("erp"), body.as_bytes()).unwrap();
            match received.remove(0).inbound.fact {
                Fact::Message(message) => message,
                other => panic!("{other:?}"),
            }
        };
        let fits = "x".repeat(TEXT_MAX);
        assert_eq!((read(&fits).text, read(&fits).unsupported), (fits, None));
        let long = format!("{}яtail", "x".repeat(TEXT_MAX - 1));
        let message = read(&long);
        assert_eq!(message.text, "x".repeat(TEXT_MAX - 1));
        assert!(message.unsupported.is_some_and(|raw| raw.contains(&long)));
    }

    #[test]
    fn a_time_is_rfc_3339_or_a_number_of_seconds_or_milliseconds() {
        for (value, expected) in [
            (json!("2026-11-24T10:00:00Z"), Some(1_795_514_400_000)),
            (json!("2026-11-24T13:00:00.250+03:00"), Some(1_795_514_400_250)),
            (json!(1_764_000_000), Some(1_764_000_000_000)),
            (json!(1_764_000_000_123_u64), Some(1_764_000_000_123)),
            (json!(1_764_000_000.5), Some(1_764_000_000_500)),
            (json!("1764000000"), Some(1_764_000_000_000)),
            (json!(-5), None),
            (json!("yesterday"), None),
            (json!("NaN"), None),
            (json!("1e300"), None),
            (json!(null), None),
            (json!(u64::MAX), None),
        ] {
            assert_eq!(time_ms(&value), expected, "{value}");
        }
    }
}
