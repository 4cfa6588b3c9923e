//! Identifiers: those the engine makes, and the names the configuration gives.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identifier of the form {form}")]
pub struct InvalidId {
    text: String,
    form: &'static str,
}

/// Defines an identifier that the engine makes from the entry's `seq` and a counter within the
/// entry, so that every replay makes the same one. Text form: `d-17`, or `d-17-2` for the third
/// of its kind made by entry 17.
macro_rules! made_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The `seq` of the entry that made it.
            pub seq: u64,
            /// Its place among those of its kind made by that entry.
            pub index: u32,
        }

        impl $name {
            /// The `index`th identifier of this kind made by entry `seq`.
            pub const fn new(seq: u64, index: u32) -> Self {
                Self { seq, index }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.index {
                    0 => write!(f, concat!($prefix, "-{}"), self.seq),
                    index => write!(f, concat!($prefix, "-{}-{}"), self.seq, index),
                }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid =
                    || InvalidId { text: text.chars().take(64).collect(), form: concat!($prefix, "-NUMBER") };
                let rest = text.strip_prefix(concat!($prefix, "-")).ok_or_else(invalid)?;
                let (seq, index) = match rest.split_once('-') {
                    None => (rest, 0),
                    Some((seq, index)) => (seq, index.parse().map_err(|_| invalid())?),
                };
                let id = Self::new(seq.parse().map_err(|_| invalid())?, index);
                // One identifier has one spelling: `d-007`, `d-+7` and `d-7-0` are not `d-7`.
                if id.to_string() == text { Ok(id) } else { Err(invalid()) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

made_id!(
    /// One piece of work in a chat.
    DialogId, "d"
);
made_id!(
    /// One message or note.
    MessageId, "m"
);
made_id!(
    /// A person outside.
    ClientId, "c"
);
made_id!(
    /// One client in one channel.
    ChatId, "h"
);
made_id!(
    /// One proposal of a dialog to an operator.
    OfferId, "o"
);
made_id!(
    /// One thing to be done outside.
    EffectId, "e"
);

/// Defines a name that the configuration gives. Cheap to clone.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as written in the configuration.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self(Arc::from(std::borrow::Cow::<'de, str>::deserialize(deserializer)?.as_ref())))
            }
        }
    };
}

name!(
    /// The name of an open line.
    LineId
);
name!(
    /// The name of a channel binding.
    ChannelId
);
name!(
    /// The name of an operator.
    OperatorId
);
name!(
    /// The name of a team.
    TeamId
);
name!(
    /// The name of a topic.
    TopicId
);
name!(
    /// The name of a template.
    TemplateId
);
name!(
    /// The name of a calendar.
    CalendarId
);
name!(
    /// The name of a rule.
    RuleId
);
name!(
    /// The name of an outbound endpoint.
    EndpointId
);
name!(
    /// The name of a role.
    RoleId
);
name!(
    /// The name of an API token.
    TokenId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_spelling() {
        assert_eq!("d-17".parse::<DialogId>(), Ok(DialogId::new(17, 0)));
        assert_eq!("d-17-2".parse::<DialogId>(), Ok(DialogId::new(17, 2)));
        for wrong in [
            "",
            "d-",
            "d",
            "17",
            "m-17",
            "d-017",
            "d-+17",
            "d-17-0",
            "d-17-",
            "d-17-1-1",
            "d--1",
            "d-99999999999999999999",
        ] {
            assert!(wrong.parse::<DialogId>().is_err(), "{wrong} must not be read as a dialog");
        }
    }

    #[test]
    fn identifiers_are_ordered_by_entry_then_place() {
        assert!(MessageId::new(2, 9) < MessageId::new(10, 0));
        assert!(MessageId::new(2, 0) < MessageId::new(2, 1));
    }
}
