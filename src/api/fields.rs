//! Request bodies: read within bounds, parsed, and taken apart field by field.
//!
//! A body is read into a JSON value first and its fields are taken from that, so that everything that
//! is wrong is told at once, with the place, in words of our own: the words of a JSON library quote
//! what the client sent.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::parameters::shown;
use super::problem::{FieldError, Problem};
use super::server::BodyLimits;

/// The largest body under `/v1`: the longest text that any messenger takes, with room for variables.
/// Ten seconds are enough for that on a bad mobile network.
const BODY: BodyLimits = BodyLimits { max_bytes: 256 * 1024, timeout: Duration::from_secs(10) };

/// The longest text of a message or note, in characters. Messengers split or refuse such texts anyway.
pub(super) const TEXT_CHARS_MAX: usize = 20_000;

/// The longest label, name or other short text, in characters.
pub(super) const WORD_CHARS_MAX: usize = 256;

/// The fields of an object of a body, with what was found wrong so far.
#[derive(Debug)]
pub(super) struct Fields {
    place: String,
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<S: Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    /// Reads a JSON object. A request without a body has an object without fields.
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = BODY.read(body).await?;
        if bytes.is_empty() {
            return Ok(Self::of(Map::new()));
        }
        require_json(&parts.headers)?;
        parse(&bytes).map(Self::of)
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "send the body as `Content-Type: application/json`",
    ))
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::bad_request(
            "malformed_json",
            format!("the body is not JSON at line {line}, column {column}"),
        )
    })?;
    if has_null_character(bytes) {
        return Err(Problem::bad_request(
            "malformed_json",
            "a text of the body contains the character U+0000",
        ));
    }
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::invalid_fields(&[FieldError {
            field: String::new(),
            detail: "must be an object".to_owned(),
        }])),
    }
}

/// Whether a valid JSON text has the escape of U+0000. Backslashes stand in strings alone.
fn has_null_character(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get(place + 1..).unwrap_or_default();
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

impl Fields {
    fn of(members: Map<String, Value>) -> Self {
        Self { place: String::new(), members, errors: Vec::new() }
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }

    /// Notes that a field is wrong.
    pub(super) fn complain(&mut self, name: &str, detail: impl Into<String>) {
        let field = self.pointer(name);
        self.errors.push(FieldError { field, detail: detail.into() });
    }

    /// Notes that the object as a whole is wrong.
    pub(super) fn complain_of_all(&mut self, detail: impl Into<String>) {
        self.errors.push(FieldError { field: self.place.clone(), detail: detail.into() });
    }

    /// Takes a field; `None` when it is not there.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// An optional text of at most `chars_max` characters. Null is nothing.
    pub(super) fn optional_text(&mut self, name: &str, chars_max: usize) -> Option<String> {
        match self.take(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().count() <= chars_max => Some(text),
            Some(_) => {
                self.complain(name, format!("must be a text of at most {chars_max} characters"));
                None
            }
        }
    }

    /// A text that must be there. An empty one stands for one that is wrong until [`Fields::finish`].
    pub(super) fn text(&mut self, name: &str, chars_max: usize) -> String {
        let is_there = self.has(name);
        let text = self.optional_text(name, chars_max);
        if !is_there {
            self.complain(name, "is missing");
        }
        text.unwrap_or_default()
    }

    /// An optional id as the configuration gives them.
    pub(super) fn optional_name<T: From<String>>(&mut self, name: &str) -> Option<T> {
        let text = self.optional_text(name, WORD_CHARS_MAX)?;
        if is_name(&text) {
            Some(text.into())
        } else {
            self.complain(name, "must be an id: lower-case letters, digits, `-` and `_`");
            None
        }
    }

    /// An optional object of free fields.
    pub(super) fn optional_object(&mut self, name: &str, members_max: usize) -> BTreeMap<String, Value> {
        match self.take(name) {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(members))
                if members.len() <= members_max
                    && members.keys().all(|key| !key.is_empty() && key.chars().count() <= WORD_CHARS_MAX) =>
            {
                members.into_iter().collect()
            }
            Some(_) => {
                self.complain(
                    name,
                    format!(
                        "must be an object of at most {members_max} fields with names of at most {WORD_CHARS_MAX} characters"
                    ),
                );
                BTreeMap::new()
            }
        }
    }

    /// The objects of an optional list, each taken apart by `read`.
    pub(super) fn optional_list<T>(
        &mut self,
        name: &str,
        items_max: usize,
        read: impl Fn(&mut Self) -> T,
    ) -> Vec<T> {
        let items = match self.take(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= items_max => items,
            Some(_) => {
                self.complain(name, format!("must be a list of at most {items_max} objects"));
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let place = format!("{}/{index}", self.pointer(name));
            match item {
                Value::Object(members) => {
                    let mut fields = Self { place, members, errors: Vec::new() };
                    found.push(read(&mut fields));
                    self.absorb(fields);
                }
                _ => self.errors.push(FieldError { field: place, detail: "must be an object".to_owned() }),
            }
        }
        found
    }

    /// An object that must be there, taken apart by `read`.
    pub(super) fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let place = self.pointer(name);
        match self.take(name) {
            Some(Value::Object(members)) => {
                let mut fields = Self { place, members, errors: Vec::new() };
                let found = read(&mut fields);
                self.absorb(fields);
                found
            }
            Some(_) => {
                self.complain(name, "must be an object");
                None
            }
            None => {
                self.complain(name, "is missing");
                None
            }
        }
    }

    fn absorb(&mut self, mut inner: Self) {
        inner.complain_of_the_rest();
        self.errors.append(&mut inner.errors);
    }

    fn complain_of_the_rest(&mut self) {
        let unknown: Vec<String> = self.members.keys().map(|name| shown(name)).collect();
        for name in unknown {
            self.complain(&name, "is not a field of this request");
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When anything was wrong, or a field is left that nobody took.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        self.complain_of_the_rest();
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid_fields(&self.errors)) }
    }
}

/// Whether a text has the form of an id of the configuration.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    starts
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::of(parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place() {
        let mut body = fields(r#"{"text": 7, "buttons": [{"title": "A"}, 3], "hidden": 1, "a\"b": 2}"#);
        body.text("text", 10);
        body.optional_list("buttons", 3, |button| (button.text("title", 10), button.text("data", 10)));
        body.complain_of_the_rest();
        let places: Vec<&str> = body.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            places,
            ["/text", "/buttons/0/data", "/buttons/1", "/(a name of other characters than ours)", "/hidden"]
        );
    }

    #[test]
    fn the_null_character_is_found_and_an_escaped_backslash_is_not_it() {
        assert!(parse(br#"{"text": "a\u0000b"}"#).is_err());
        assert!(parse(br#"{"text": "a\\u0000b"}"#).is_ok());
        assert!(parse(br#"{"text": "a\\\u0000b"}"#).is_err());
        assert!(parse(b"{\"text\": \"a\0b\"}").is_err());
    }

    #[test]
    fn a_deep_body_is_refused_and_breaks_nothing() {
        let deep = "[".repeat(10_000);
        assert_eq!(parse(deep.as_bytes()).unwrap_err().code(), "malformed_json");
    }
}
