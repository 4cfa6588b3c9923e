//! JSONPaths of the settings, compiled once.

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use super::super::codec::ConnectError;

/// A compiled path, with its text for error messages.
#[derive(Debug)]
pub(super) struct Path {
    text: String,
    query: JpQuery,
}

impl Path {
    /// Compiles the path of `setting`.
    ///
    /// # Errors
    /// It is not JSONPath, or it uses `match` or `search`, which would compile their pattern at every
    /// node of every call.
    pub(super) fn compile(setting: &str, text: &str) -> Result<Self, ConnectError> {
        let refused = |reason: String| ConnectError::Setting { setting: setting.to_owned(), reason };
        if ["match(", "search("].into_iter().any(|function| text.contains(function)) {
            return Err(refused("match() and search() are not allowed here".to_owned()));
        }
        let query = parse_json_path(text)
            .map_err(|_| refused(format!("`{text}` is not a JSONPath; write one such as $.message.id")))?;
        Ok(Self { text: text.to_owned(), query })
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
        // An error means that the query yields a computed value and no node, which no path here does.
        let nodes = js_path_process(&self.query, body).unwrap_or_default();
        nodes.into_iter().map(|node| node.val).collect()
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
