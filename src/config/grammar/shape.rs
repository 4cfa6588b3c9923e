//! The vocabulary of shapes: plain data that `grammar` tables are written in.

use super::walk::Walk;
use crate::config::link::Name;
use crate::config::tree::Node;

/// A key of a mapping.
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What stands there.
    pub shape: Shape,
    /// Whether it must be there.
    pub need: Need,
    /// Whether it is acted on.
    pub state: State,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
}

/// Whether a key is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Active,
    /// It is accepted with a warning.
    Later,
}

impl Field {
    /// A key that must be there.
    pub const fn required(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, need: Need::Required, state: State::Active }
    }

    /// A key that may be there.
    pub const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, need: Need::Optional, state: State::Active }
    }

    /// A key that may be there and is not acted on yet.
    pub const fn later(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, need: Need::Optional, state: State::Later }
    }
}

/// What may stand at a place.
pub enum Shape {
    /// Any tree.
    Any,
    /// A text that is not empty.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number between two bounds.
    Integer(i64, i64),
    /// A value that a reader of `scalar` accepts.
    Scalar(fn(&str) -> Result<(), crate::config::scalar::Unfit>),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of the first words, or of the second, which are not acted on yet.
    WordLater(&'static [&'static str], &'static [&'static str]),
    /// A new name of the author's own.
    Id,
    /// The name of something that is declared elsewhere.
    Reference(Name),
    /// A reference to a secret.
    Secret,
    /// A template text with the variables of dialogs.
    Template,
    /// A list.
    List(&'static Shape),
    /// A list, or a single item.
    OneOrMany(&'static Shape),
    /// The first for a single value, the second for anything else.
    ScalarOr(&'static Shape, &'static Shape),
    /// A mapping with these keys.
    Mapping(&'static [Field]),
    /// A mapping with exactly one of these keys.
    OneOf(&'static [Field]),
    /// A mapping from ids to something.
    Named(&'static Shape),
    /// A mapping from texts to something.
    Table(&'static Shape),
    /// Whatever a function accepts.
    Check(fn(&mut Walk<'_>, &Node)),
}

/// Durations: `60s`.
pub const DURATION: Shape = Shape::Scalar(|text| crate::config::scalar::duration_ms(text).map(drop));
/// Durations that are not nothing: at least `1s`.
pub const PERIOD: Shape = Shape::Scalar(|text| match crate::config::scalar::duration_ms(text) {
    Ok(0..1_000) => Err(crate::config::scalar::Unfit { expected: "a duration of at least `1s`".to_owned() }),
    Ok(_) => Ok(()),
    Err(unfit) => Err(unfit),
});
/// Sizes: `10MiB`.
pub const SIZE: Shape = Shape::Scalar(|text| crate::config::scalar::size_bytes(text).map(drop));
/// Percentages: `80%`.
pub const PERCENT: Shape = Shape::Scalar(|text| crate::config::scalar::percent(text).map(drop));
/// Numbers in thousandths: `0.5`.
pub const AMOUNT: Shape = Shape::Scalar(|text| crate::config::scalar::thousandths(text).map(drop));
/// Priorities: `high`, `15`.
pub const PRIORITY: Shape = Shape::Scalar(|text| crate::config::scalar::priority(text).map(drop));
/// Days and times: `2027-06-01`.
pub const MOMENT: Shape = Shape::Scalar(|text| crate::config::scalar::moment_ms(text).map(drop));
/// Addresses: `https://example.com`.
pub const URL: Shape = Shape::Scalar(|text| crate::config::scalar::url(text).map(drop));
