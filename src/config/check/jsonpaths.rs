//! JSONPaths (RFC 9535): they parse, and none compiles a regular expression at each evaluation.

use jsonpath_rust::parser::model::{Segment, Selector};
use jsonpath_rust::parser::parse_json_path;

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::walk::{Walk, shown};
use crate::config::tree::Node;

/// Longer paths are nobody's intention, and parsing recurses.
const CHARS_MAX: usize = 512;

/// Checks a path that begins with `$`.
pub fn absolute(walk: &mut Walk<'_>, node: &Node) {
    if let Some(text) = walk.text(node)
        && let Err(finding) = parse(text)
    {
        let finding = finding.at(node);
        walk.push(finding);
    }
}

/// What is wrong with a path.
pub struct Fault {
    message: String,
    help: &'static str,
}

impl Fault {
    /// As a finding at a node.
    pub fn at(self, node: &Node) -> Finding {
        Finding::new(Code::JsonPath, node.span, self.message).help(self.help)
    }
}

/// The names that a path begins with, and whether it is nothing but names.
///
/// # Errors
/// When it is not a path that can be used.
pub fn parse(text: &str) -> Result<(Vec<String>, bool), Fault> {
    if !text.starts_with('$') {
        return Err(Fault {
            message: format!("`{}` is not a JSONPath", shown(text)),
            help: "a JSONPath begins with `$`, such as `$.message.id`",
        });
    }
    if text.chars().count() > CHARS_MAX {
        return Err(Fault {
            message: "this JSONPath is longer than 512 characters".to_owned(),
            help: "shorten it",
        });
    }
    if calls_regex(text) {
        return Err(Fault {
            message: "`match()` and `search()` are not used in JSONPaths: they compile a regular expression each time"
                .to_owned(),
            help: "use the test `matches`, which is compiled once",
        });
    }
    let query = parse_json_path(text).map_err(|_| Fault {
        message: format!("`{}` is not a valid JSONPath", shown(text)),
        help: "names with other characters than letters, digits and `_` are written `$['shoe-size']`",
    })?;
    let mut names = Vec::new();
    for segment in &query.segments {
        match segment {
            Segment::Selector(Selector::Name(name)) => names.push(name.trim_matches(['\'', '"']).to_owned()),
            _ => return Ok((names, false)),
        }
    }
    Ok((names, true))
}

/// Whether a path calls `match()` or `search()`, outside quotes.
fn calls_regex(text: &str) -> bool {
    let mut code = String::new();
    let mut quote = None;
    let mut escaped = false;
    for character in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if character == '\\' => escaped = true,
            Some(end) if character == end => quote = None,
            Some(_) => {}
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None if character.is_whitespace() => {}
            None => code.push(character),
        }
    }
    ["match(", "search("].iter().any(|call| code.contains(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_up_to_the_first_index() {
        let (names, exact) = parse("$.client.deals[*].stage").ok().unwrap();
        assert_eq!((names, exact), (vec!["client".to_owned(), "deals".to_owned()], false));
        let (names, exact) = parse("$.client['custom'].size").ok().unwrap();
        assert_eq!((names.join("."), exact), ("client.custom.size".to_owned(), true));
    }

    #[test]
    fn regular_expressions_inside_paths_are_refused() {
        assert!(parse("$.a[?match(@.b, 'x')]").is_err());
        assert!(parse("$.a[?search (@.b, 'x')]").is_err());
        assert!(parse("$.a[?@.b == 'match(x)']").is_ok());
        assert!(parse("a.b").is_err() && parse("$.").is_err() && parse("$[").is_err());
    }
}
