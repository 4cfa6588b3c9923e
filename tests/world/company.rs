//! Declared things of a company as most tests want them: nothing set but what the test is about.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::model::calendar::{Calendar, Interval};
use switchboard::model::channel::{Channel, ChannelKind, ChannelSettings};
use switchboard::model::config::Endpoint;
use switchboard::model::id::TeamId;
use switchboard::model::operator::Operator;
use switchboard::model::secret::SecretRef;
use switchboard::model::template::Template;

/// An operator without a capacity of their own.
pub(crate) fn operator<'a>(name: &str, teams: impl IntoIterator<Item = &'a str>) -> Operator {
    Operator {
        name: name.to_owned(),
        email: None,
        teams: teams.into_iter().map(TeamId::from).collect(),
        capacity_milli: None,
        role: "operator".into(),
        skills: BTreeSet::new(),
        languages: BTreeSet::new(),
        calendar: None,
        inactive: false,
        vacation: Vec::new(),
    }
}

/// A channel that only leads to a line: scripts and simulation speak to the engine, not to messengers.
pub(crate) fn channel(line: &str, kind: ChannelKind) -> Channel {
    Channel { line: line.into(), settings: ChannelSettings::Inactive(kind) }
}

/// The same hours on each day.
pub(crate) fn calendar(timezone: &str, from: u16, to: u16) -> Calendar {
    Calendar {
        timezone: timezone.to_owned(),
        week: std::array::from_fn(|_| vec![Interval { from, to }]),
        closed: BTreeSet::new(),
        open: BTreeMap::new(),
    }
}

/// An endpoint that nobody calls: its effects are claimed and answered by hand.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint { url: "https://crm.example/hook".to_owned(), secret: SecretRef::Env("KEY".to_owned()) }
}

/// A template for clients of any language.
pub(crate) fn template(text: &str) -> Template {
    let text = BTreeMap::from([(Template::ANY.to_owned(), text.to_owned())]);
    Template { text, buttons: Vec::new() }
}
