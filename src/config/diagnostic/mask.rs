//! Finds what looks like a secret in the text of a file, even in one that is not valid YAML.
//!
//! Deliberately coarse: hiding too much of a source line costs a little comfort, hiding too little
//! costs a secret. The tree adds the exact places of literal secrets where there is a tree.

use std::sync::LazyLock;

use regex::Regex;

use crate::config::tree::Span;

/// A key whose name says that a secret follows.
static SECRET_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)["']?[a-z0-9_-]*(?:token|secret|password|passwd|api[_-]?key|webhook_key|authorization|cookie)["']?[ \t]*:[ \t]+"#).ok()
});

/// User and password inside an address.
static USER_INFO: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"://([^/\s"']*)@"#).ok());

/// A reference that holds nothing secret.
static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^(?:\{[ \t]*env[ \t]*:[ \t]*["']?[A-Za-z_][A-Za-z0-9_]{0,127}["']?[ \t]*\}|\{[ \t]*file[ \t]*:[ \t]*["']?[./][^,}\n]*\}|\*[A-Za-z0-9_-]+)"#).ok()
});

/// The ranges of `text` that may be secrets.
pub fn secret_spans(file: usize, text: &str) -> Vec<Span> {
    let (Some(key), Some(reference)) = (SECRET_KEY.as_ref(), REFERENCE.as_ref()) else { return Vec::new() };
    let mut spans = Vec::new();
    for found in
        USER_INFO.iter().flat_map(|pattern| pattern.captures_iter(text)).filter_map(|found| found.get(1))
    {
        spans.push(Span { file, start: found.start(), end: found.end() });
    }
    for found in key.find_iter(text) {
        let start = found.end();
        let rest = text.get(start..).unwrap_or_default();
        if reference.is_match(rest) {
            continue;
        }
        let line_end = rest.find('\n').unwrap_or(rest.len());
        let end = if rest.starts_with(['|', '>']) {
            block_end(text, found.start(), start)
        } else {
            start + line_end
        };
        spans.push(Span { file, start, end });
    }
    spans
}

/// The end of a block scalar that begins in the line of `start`: where the indentation returns.
fn block_end(text: &str, key: usize, start: usize) -> usize {
    let line_start = text.get(..key).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let own = indentation(text.get(line_start..key).unwrap_or_default());
    let mut end = start;
    for (index, line) in text.get(start..).unwrap_or_default().split_inclusive('\n').enumerate() {
        if index > 0 && !line.trim().is_empty() && indentation(line) <= own {
            break;
        }
        end += line.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> Vec<&str> {
        secret_spans(0, text).into_iter().filter_map(|span| text.get(span.start..span.end)).collect()
    }

    #[test]
    fn literal_secrets_are_found_even_in_broken_files() {
        assert_eq!(masked("a:\n  token: \"123:ABC\n  b: c"), ["\"123:ABC"]);
        assert_eq!(masked("{webhook_secret: abc, line: x}"), ["abc, line: x}"]);
        assert_eq!(masked("secret: {value: abc}"), ["{value: abc}"]);
        assert_eq!(masked("headers: {X-Api-Key: abc}\nAuthorization: Bearer abc"), ["abc}", "Bearer abc"]);
        assert_eq!(masked("x:\n  password: |\n    one\n    two\n  b: c\n"), ["|\n    one\n    two\n"]);
    }

    #[test]
    fn references_stay_visible() {
        assert!(
            masked("token: {env: TG_TOKEN}\nsecret: {file: /run/secrets/tg}\npassword: *shared").is_empty()
        );
        assert!(masked("tokens:\n  - {id: a}").is_empty());
    }
}
