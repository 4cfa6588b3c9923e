//! JSONPaths (RFC 9535), as settings and conditions write them: parsed once, followed often.

use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

/// A path that is ready to be followed.
#[derive(Debug)]
pub struct JsonPath(JpQuery);

/// Why a text cannot be used as a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// `match()` and `search()` would compile their expression at each node of each evaluation.
    #[error("match() and search() are not allowed here")]
    Regex,
    /// It is not a path.
    #[error("{0}")]
    Syntax(String),
}

impl JsonPath {
    /// Reads a path that begins with `$`.
    ///
    /// # Errors
    /// It is not a path, or it calls `match()` or `search()`. Quotes are not looked at: a name with a bracket in it
    /// is rarer than a mistake.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        let code: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        if ["match(", "search("].iter().any(|call| code.contains(call)) {
            return Err(JsonPathError::Regex);
        }
        parse_json_path(text).map(Self).map_err(|error| JsonPathError::Syntax(error.to_string()))
    }

    /// All nodes that it leads to, in document order.
    pub fn find<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        // An error means that the query yields a computed value and no node, which no path here does.
        let nodes = js_path_process(&self.0, document).unwrap_or_default();
        nodes.into_iter().map(|node| node.val()).collect()
    }

    /// The names that it begins with, and whether it is nothing but names.
    pub fn names(&self) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        for segment in &self.0.segments {
            match segment {
                Segment::Selector(Selector::Name(name)) => {
                    names.push(name.trim_matches(['\'', '"']).to_owned());
                }
                _ => return (names, false),
            }
        }
        (names, true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_up_to_the_first_index() {
        let names = |text| JsonPath::parse(text).unwrap().names();
        assert_eq!(names("$.client.deals[*].stage"), (vec!["client".to_owned(), "deals".to_owned()], false));
        let (path, is_exact) = names("$.client['custom'].size");
        assert_eq!((path.join("."), is_exact), ("client.custom.size".to_owned(), true));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "a.b",
            "$.",
            "$[",
            "$['",
            "$..",
            "$[?]",
            "$.x-y",
            "$[99999999999999999999]",
            "$.ж[",
            "$[?nope(@.a)]",
        ] {
            assert!(matches!(JsonPath::parse(text), Err(JsonPathError::Syntax(_))), "{text}");
        }
    }

    #[test]
    fn a_regular_expression_in_a_path_is_refused() {
        for text in ["$.a[?match(@.b, 'x')]", "$.a[?search (@.b, 'x')]"] {
            assert!(matches!(JsonPath::parse(text), Err(JsonPathError::Regex)), "{text}");
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
        fn a_path_finds_nodes_or_none_in_any_json(document in any_json()) {
            for text in [
                "$", "$.a", "$..a", "$..*", "$[*]", "$.a[-1]", "$[1:]", "$[-2:]", "$[::2]", "$[::-1]", "$[5:1:-2]",
                "$[::0]", "$[9007199254740991:]", "$[-9007199254740991]", "$[?@.a == 'x']", "$[?@.a < @.b]",
                "$[?length(@.a) > 1]", "$[?count(@.*) >= 1]", "$[?value(@..b) == 1]", "$[?@.a && !@.b]",
                "$['a','b']", "$[0,1,'a']",
            ] {
                let path = JsonPath::parse(text).unwrap();
                prop_assert!(path.find(&document).len() <= 1_000);
            }
        }
    }
}
