//! JSONPaths of the settings, compiled once.

use serde_json::Value;

use crate::channels::start::ConnectError;
use crate::model::json_path::{JsonPath, JsonPathError};

/// A compiled path, with its text for error messages.
#[derive(Debug)]
pub(super) struct Path {
    text: String,
    path: JsonPath,
}

impl Path {
    /// Compiles the path of `setting`.
    ///
    /// # Errors
    /// As [`JsonPath::parse`].
    pub(super) fn compile(setting: &str, text: &str) -> Result<Self, ConnectError> {
        let path = JsonPath::parse(text).map_err(|error| {
            let reason = match error {
                JsonPathError::Regex => error.to_string(),
                // Where the parser stumbled says less to people than an example.
                JsonPathError::Syntax(_) => {
                    format!("`{text}` is not a JSONPath; write one such as $.message.id")
                }
            };
            ConnectError::Setting { setting: setting.to_owned(), reason }
        })?;
        Ok(Self { text: text.to_owned(), path })
    }

    /// The same for a path that may be absent.
    pub(super) fn compile_optional(
        setting: &str,
        text: Option<&String>,
    ) -> Result<Option<Self>, ConnectError> {
        text.map(|text| Self::compile(setting, text)).transpose()
    }

    /// All nodes, in document order.
    pub(super) fn all<'a>(&self, body: &'a Value) -> Vec<&'a Value> {
        self.path.find(body)
    }

    /// The first node.
    pub(super) fn first<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        self.all(body).into_iter().next()
    }

    /// The path as written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

/// A scalar as text: numbers become texts. `None` for anything else, the empty text included.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
    .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_node_in_document_order_counts() {
        let body = json!({ "a": [{ "b": 1 }, { "b": 2 }], "x-y": "z" });
        let first = |text: &str| Path::compile("inbound.id", text).unwrap().first(&body).and_then(scalar);
        assert_eq!(first("$.a[*].b"), Some("1".to_owned()));
        assert_eq!(first("$.a[-1].b"), Some("2".to_owned()));
        assert_eq!(first("$.a[?@.b > 1].b"), Some("2".to_owned()));
        assert_eq!(first("$['x-y']"), Some("z".to_owned()));
        assert_eq!(first("$.a"), None);
        assert_eq!(first("$.c"), None);
    }
}
