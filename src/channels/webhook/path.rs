//! JSONPaths of the settings, compiled once.

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use crate::channels::start::ConnectError;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "a.b",
            "$[",
            "$['",
            "$..",
            "$[?]",
            "$.x-y",
            "$[99999999999999999999]",
            "$.ж[",
            "$[?nope(@.a)]",
        ] {
            assert!(Path::compile("inbound.id", text).is_err(), "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(|number| json!(number)),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab]|\\PC{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_path_finds_nodes_or_none_in_any_json(body in any_json()) {
            for text in [
                "$", "$.a", "$..a", "$..*", "$[*]", "$.a[-1]", "$[1:]", "$[-2:]", "$[::2]", "$[::-1]", "$[5:1:-2]", "$[::0]", "$[9007199254740991:]", "$[-9007199254740991]",
                "$[?@.a == 'x']", "$[?@.a < @.b]", "$[?length(@.a) > 1]", "$[?count(@.*) >= 1]", "$[?value(@..b) == 1]",
                "$[?@.a && !@.b]", "$['a','b']", "$[0,1,'a']",
            ] {
                let path = Path::compile("inbound.id", text).unwrap();
                prop_assert_eq!(path.first(&body), path.all(&body).first().copied());
            }
        }
    }
}
