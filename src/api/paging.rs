//! Pages of lists whose cursors the store does not give out as they are: lists of declared things, and
//! lists that belong to one thing.
//!
//! A cursor counts only where it was given out: one of another dialog, or of another list, is refused
//! rather than taken for a place that it does not mean.

use std::borrow::Borrow;
use std::fmt::Display;

use crate::store::queries::Walk;

use super::parameters::{Parameters, Taken};
use super::problem::Problem;

/// How the parameter is described when it is wrong.
const CURSOR_FORM: &str = "the `next_cursor` of this list";

/// What stands between the owner of a cursor and its place. No id or name has it.
const SEPARATOR: char = '.';

/// In which direction a history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

impl Order {
    /// The walk of the store's queries.
    pub(super) const fn walk(self, cursor: Option<&str>) -> Walk<'_> {
        match self {
            Self::Ascending => Walk::Forward(cursor),
            Self::Descending => Walk::Backward(cursor),
        }
    }
}

/// The cursor of a list that belongs to `owner`.
pub(super) fn cursor_within(owner: impl Display, place: impl Display) -> String {
    format!("{owner}{SEPARATOR}{place}")
}

impl Parameters {
    /// In which direction a history is wanted; oldest first when nothing is said.
    pub(super) fn order(&mut self) -> Order {
        self.read("order", "asc (oldest first) or desc (newest first)", |text| match text {
            "asc" => Some(Order::Ascending),
            "desc" => Some(Order::Descending),
            _ => None,
        })
        .unwrap_or(Order::Ascending)
    }

    /// Where the page of a list of `owner` begins.
    pub(super) fn cursor_within(&mut self, owner: impl Display) -> Option<String> {
        self.place_within(owner, |place| Some(place.to_owned()))
    }

    /// The same for a place of another form than text.
    pub(super) fn place_within<T>(
        &mut self,
        owner: impl Display,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let owner = owner.to_string();
        self.read("cursor", CURSOR_FORM, |cursor| read(cursor.strip_prefix(&owner)?.strip_prefix(SEPARATOR)?))
    }
}

/// A page of declared things.
pub(super) struct NamePage<T> {
    pub(super) names: Vec<T>,
    pub(super) next_cursor: Option<String>,
    /// The parameters that ask for it.
    pub(super) taken: Taken,
}

/// The page of the declared things of `list` that `parameters` ask for. `names` are in their order, and stable: what
/// is declared or removed between two pages moves nothing else.
pub(super) fn of_names<T: Borrow<str>>(
    list: &str,
    names: impl IntoIterator<Item = T>,
    mut parameters: Parameters,
) -> Result<NamePage<T>, Problem> {
    let limit = parameters.limit();
    let after = parameters.cursor_within(list);
    let taken = parameters.finish()?;
    let mut rest =
        names.into_iter().filter(|name| after.as_deref().is_none_or(|after| name.borrow() > after));
    let names: Vec<T> = rest.by_ref().take(limit).collect();
    let next_cursor = match (names.last(), rest.next()) {
        (Some(last), Some(_)) => Some(cursor_within(list, last.borrow())),
        _ => None,
    };
    Ok(NamePage { names, next_cursor, taken })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_names_follow_each_other_without_a_gap() {
        let page = |cursor: Option<&str>, limit: &str| {
            let asked = [("limit", Some(limit)), ("cursor", cursor)];
            let pairs =
                asked.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
            let parameters = Parameters::new("/v1/operators", pairs.collect());
            let page = of_names("operators", ["anna", "boris", "dora", "vera"], parameters).unwrap();
            (page.names, page.next_cursor)
        };
        assert_eq!(page(None, "2"), (vec!["anna", "boris"], Some("operators.boris".to_owned())));
        assert_eq!(page(Some("operators.boris"), "2"), (vec!["dora", "vera"], None));
        // The one that was last has been removed since.
        assert_eq!(page(Some("operators.carl"), "9").0, ["dora", "vera"]);
        assert_eq!(page(Some("operators.vera"), "2"), (vec![], None));
    }
}
