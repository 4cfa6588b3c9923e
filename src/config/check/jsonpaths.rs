//! JSONPaths (RFC 9535): they parse, and none compiles a regular expression at each evaluation.

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::walk::{Walk, shown};
use crate::config::tree::Node;
use crate::model::json_path::{JsonPath, JsonPathError};

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
    match JsonPath::parse(text) {
        Ok(path) => Ok(path.names()),
        Err(JsonPathError::Regex) => Err(Fault {
            message: "`match()` and `search()` are not used in JSONPaths: they compile a regular expression each time"
                .to_owned(),
            help: "use the test `matches`, which is compiled once",
        }),
        Err(JsonPathError::Syntax(_)) => Err(Fault {
            message: format!("`{}` is not a valid JSONPath", shown(text)),
            help: "names with other characters than letters, digits and `_` are written `$['shoe-size']`",
        }),
    }
}

/// The names of a path in its short form, `a.b`.
///
/// # Errors
/// When a name has other characters than letters, digits, `_` and `-`.
pub fn short(text: &str) -> Result<(Vec<String>, bool), Fault> {
    let names: Vec<String> = text.split('.').map(str::to_owned).collect();
    let is_name = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    if names.iter().all(is_name) {
        return Ok((names, true));
    }
    Err(Fault {
        message: format!("`{}` is not a path", shown(text)),
        help: "a path is written `message.text`, or as a JSONPath: `$.client.custom['shoe size']`",
    })
}
