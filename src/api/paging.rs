//! Pages of lists whose cursors the store does not give out as they are: lists of declared things, and
//! lists that belong to one thing.
//!
//! A cursor counts only where it was given out: one of another dialog, or of another list, is refused
//! rather than taken for a place that it does not mean.

use std::borrow::Borrow;
use std::fmt::Display;

use super::parameters::Parameters;

/// How the parameter is described when it is wrong.
const CURSOR_FORM: &str = "the `next_cursor` of this list";

/// What stands between the owner of a cursor and its place. No id or name has it.
const SEPARATOR: char = '.';

/// The cursor of a list that belongs to `owner`.
pub(super) fn cursor_within(owner: impl Display, place: impl Display) -> String {
    format!("{owner}{SEPARATOR}{place}")
}

impl Parameters {
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

/// A page of declared things, in the order of their names, after the one named `after`, and the cursor of
/// the next page. Names are stable: what is declared or removed between two pages moves nothing else.
pub(super) fn of_names<T: Borrow<str>>(
    list: &str,
    names: impl Iterator<Item = T>,
    after: Option<&str>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let mut rest = names.filter(|name| after.is_none_or(|after| name.borrow() > after));
    let page: Vec<T> = rest.by_ref().take(limit).collect();
    let next_cursor = match (page.last(), rest.next()) {
        (Some(last), Some(_)) => Some(cursor_within(list, last.borrow())),
        _ => None,
    };
    (page, next_cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_names_follow_each_other_without_a_gap() {
        let names = ["anna", "boris", "dora", "vera"];
        assert_eq!(
            of_names("operators", names.into_iter(), None, 2),
            (vec!["anna", "boris"], Some("operators.boris".to_owned()))
        );
        assert_eq!(of_names("operators", names.into_iter(), Some("boris"), 2), (vec!["dora", "vera"], None));
        // The one that was last has been removed since.
        assert_eq!(of_names("operators", names.into_iter(), Some("carl"), 9).0, ["dora", "vera"]);
        assert_eq!(of_names("operators", names.into_iter(), Some("vera"), 2), (vec![], None));
    }
}
