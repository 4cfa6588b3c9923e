//! Query parameters: each is taken by name, and what nobody took is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;

use super::problem::{FieldError, Problem};
use super::time;

/// Items of a page when nothing is said.
const LIMIT_DEFAULT: usize = 50;

/// The most items of a page: a page of messages is then some hundred KiB.
pub(super) const LIMIT_MAX: usize = 200;

/// Longer names than ours are not shown again in errors.
const NAME_CHARS_MAX: usize = 64;

/// The parameters of one request, with what was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    path: String,
    values: BTreeMap<String, String>,
    taken: Vec<(&'static str, String)>,
    errors: Vec<FieldError>,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Problem::bad_request("invalid_query", "the query cannot be read"))?;
        Ok(Self::new(parts.uri.path(), pairs))
    }
}

impl Parameters {
    /// The pairs of a query, to be taken one by one.
    pub(super) fn new(path: &str, pairs: Vec<(String, String)>) -> Self {
        let mut read = Self { path: path.to_owned(), ..Self::default() };
        for (name, value) in pairs {
            let name_shown = shown(&name);
            if read.values.insert(name, value).is_some() {
                read.complain(&name_shown, "stands there more than once");
            }
        }
        read
    }

    /// Notes that a parameter is wrong.
    pub(super) fn complain(&mut self, name: &str, detail: impl Into<String>) {
        self.errors.push(FieldError { field: name.to_owned(), detail: detail.into() });
    }

    /// A parameter as it is; `None` when it is not given.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.values.remove(name)?;
        self.taken.push((name, value.clone()));
        Some(value)
    }

    /// A parameter that is read by `read`; `form` says what it looks like.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.complain(name, format!("must be {form}"));
        }
        value
    }

    /// A parameter of a type that reads itself.
    pub(super) fn parse<T: FromStr>(&mut self, name: &'static str, form: &str) -> Option<T> {
        self.read(name, form, |text| text.parse().ok())
    }

    /// A time, in ms.
    pub(super) fn time(&mut self, name: &'static str) -> Option<u64> {
        self.read(name, "a time in the form of RFC 3339, such as 2026-03-01T09:00:00Z", time::parse)
    }

    /// `true` or `false`; false when it is not given.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        self.parse(name, "true or false").unwrap_or(false)
    }

    /// Several values, separated by commas.
    pub(super) fn list<T: Ord>(
        &mut self,
        name: &'static str,
        form: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<BTreeSet<T>> {
        self.read(name, form, |text| text.split(',').map(read).collect())
    }

    /// How many items of a list are wanted.
    pub(super) fn limit(&mut self) -> usize {
        let form = format!("a number from 1 to {LIMIT_MAX}");
        self.read("limit", &form, |text| {
            text.parse::<usize>().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
        })
        .unwrap_or(LIMIT_DEFAULT)
    }

    /// Where the page begins.
    pub(super) fn cursor(&mut self) -> Option<String> {
        self.text("cursor")
    }

    /// Ends the reading: returns what was taken, for the address of the next page.
    ///
    /// # Errors
    /// When anything was wrong, or a parameter is left that nobody took.
    pub(super) fn finish(mut self) -> Result<Taken, Problem> {
        let unknown: Vec<String> = self.values.keys().map(|name| shown(name)).collect();
        for name in unknown {
            self.complain(&name, "is not a parameter of this resource");
        }
        if self.errors.is_empty() {
            Ok(Taken { path: self.path, query: self.taken })
        } else {
            Err(Problem::bad_parameters(&self.errors))
        }
    }
}

/// The parameters that a request was answered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    path: String,
    query: Vec<(&'static str, String)>,
}

impl Taken {
    /// The same address with another cursor.
    pub(super) fn with_cursor(&self, cursor: &str) -> String {
        let mut address = self.path.clone();
        let mut separator = '?';
        let others = self.query.iter().filter(|(name, _)| *name != "cursor");
        for (name, value) in others.map(|(name, value)| (*name, value.as_str())).chain([("cursor", cursor)]) {
            address.push(separator);
            separator = '&';
            address.push_str(name);
            address.push('=');
            encode(value, &mut address);
        }
        address
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986).
fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            for digit in [byte >> 4, byte & 15] {
                into.extend(char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
}

/// The name of an unknown parameter or field, as far as it is harmless to show.
pub(super) fn shown(name: &str) -> String {
    let harmless =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(harmless) {
        return "(a name of other characters than ours)".to_owned();
    }
    name.chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        Parameters::new(
            "/v1/dialogs",
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn everything_wrong_is_told_at_once_and_values_are_not_repeated() {
        let mut read = parameters(&[("limit", "0"), ("lime", "x<y"), ("line", "a"), ("line", "b")]);
        assert_eq!(read.limit(), LIMIT_DEFAULT);
        read.text("line");
        let problem = format!("{:?}", read.finish().unwrap_err());
        assert!(problem.contains("from 1 to 200"), "{problem}");
        assert!(problem.contains("lime") && problem.contains("more than once"), "{problem}");
        assert!(!problem.contains("x<y"), "{problem}");
    }

    #[test]
    fn the_next_page_has_the_same_query_with_another_cursor() {
        let mut read = parameters(&[("tag", "на паузе&x"), ("cursor", "abc")]);
        read.text("tag");
        read.cursor();
        let taken = read.finish().unwrap();
        assert_eq!(
            taken.with_cursor("AbC_-"),
            "/v1/dialogs?tag=%D0%BD%D0%B0%20%D0%BF%D0%B0%D1%83%D0%B7%D0%B5%26x&cursor=AbC_-"
        );
    }
}
