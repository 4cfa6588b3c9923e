//! No input makes the reader fall over, and none costs more than it may.

use proptest::prelude::*;
use switchboard::config::diagnostic::{Code, Format, Paint, render};
use switchboard::config::load::load;
use switchboard::config::source::SourceSet;
use switchboard::config::tree::{ALIAS_NODES_MAX, Node, parse};

/// Counts the values of a tree.
fn count(node: &Node) -> usize {
    1 + node.items().iter().map(count).sum::<usize>()
        + node.entries().iter().map(|entry| count(&entry.value)).sum::<usize>()
}

/// Whether all places of a tree lie on characters of the text.
fn places_are_sound(text: &str, node: &Node) -> bool {
    text.get(node.span.start..node.span.end).is_some()
        && node.items().iter().all(|item| places_are_sound(text, item))
        && node.entries().iter().all(|entry| {
            text.get(entry.key.span.start..entry.key.span.end).is_some()
                && places_are_sound(text, &entry.value)
        })
}

/// Loads a text as each kind of file and prints what is said about it.
fn load_everywhere(text: &str) {
    let paths = [
        "switchboard.yaml",
        "channels.yaml",
        "lines.yaml",
        "operators.yaml",
        "templates.yaml",
        "rules/a.yaml",
        "crm-mappings/a.yaml",
    ];
    let loaded = load(&SourceSet::from_files(paths.map(|path| (path, text))));
    assert!(
        loaded.diagnostics.iter().all(|one| one.code != Code::Internal),
        "accepted and not read: {text:?}"
    );
    for format in Format::ALL {
        render(&loaded.diagnostics, format, Paint::Plain);
    }
}

/// Pieces that YAML gives a meaning to, and words of the configuration.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "version: 1\n",
        "lines:",
        "channels:",
        "rules:",
        "\n",
        "  ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a ",
        "*a",
        "<<: *a",
        "!tag ",
        "|\n",
        ">\n",
        "\"",
        "'",
        "#",
        "\t",
        "---\n",
        "...\n",
        "x-a",
        "sales",
        "when",
        "path",
        "do",
        "on",
        "event",
        "message.received",
        "token",
        "привет",
        "\u{1F600}",
        "\u{feff}",
        "\r\n",
        "%YAML 1.2\n",
        "? ",
        "\\",
        "60s",
        "null",
        "~",
        "{{ client.name }}",
        "{% if",
        "$.a[?@.b",
        "(",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        load_everywhere(&text);
    }

    #[test]
    fn anything_like_yaml_is_read_or_refused(text in pieces()) {
        load_everywhere(&text);
        if let (Some(root), _) = parse(0, &text) {
            prop_assert!(count(&root) <= text.len() + ALIAS_NODES_MAX + 1);
            prop_assert!(places_are_sound(&text, &root));
        }
    }
}

proptest! {
    // Each case loads the whole contract seven times.
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_contract_with_a_hole_is_read_or_refused(from in 0_usize..8000, length in 1_usize..40) {
        let text = include_str!("contract/lines.yaml");
        let holed: String = text.chars().enumerate().filter(|(at, _)| *at < from || *at >= from + length).map(|(_, c)| c).collect();
        load_everywhere(&holed);
    }
}

#[test]
fn large_rubbish_is_read_in_one_pass() {
    // An eighth of the largest file: enough for anything worse than one pass to be felt.
    const BYTES: usize = 1 << 17;
    let large = |piece: &str| piece.repeat(BYTES / piece.len());
    for text in [
        large("["),
        large("{a: "),
        large("- "),
        large("a: "),
        large("? "),
        large("&a "),
        large("a,"),
        format!("version: 1\nx: [{}]", large("a,")),
        format!("version: 1\nx: [{}]", large("&a b,")),
        format!("version: 1\nlines:\n{}", (0..8_000).map(|n| format!("  l{n}: {{}}\n")).collect::<String>()),
        format!("version: 1\nx-a: {}{}", large("&a [").get(..200).unwrap(), large("a,")),
        large("x"),
        large("\"\\x41"),
    ] {
        load(&SourceSet::from_files([("lines.yaml", text)]));
    }
}
