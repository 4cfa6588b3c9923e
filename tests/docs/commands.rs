//! Every `switchboard …` and `make …` that a document names exists.

use std::collections::BTreeSet;
use std::process::Command;

use super::markdown::{code_spans, documents, fences, read, root};

/// The commands of the command line, from its own help.
fn commands(arguments: &[&str]) -> BTreeSet<String> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_switchboard")).args(arguments).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let listed = help.split("Commands:").nth(1).unwrap_or_default();
    let listed = listed.split("\n\n").next().unwrap_or_default();
    listed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// What follows a program's name wherever a document calls it: between backticks or in a shell block.
fn calls(program: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for document in documents() {
        let text = read(&document);
        let shell =
            fences(&text).into_iter().filter(|fence| matches!(fence.language.as_str(), "sh" | "bash"));
        let lines: Vec<String> = code_spans(&text)
            .into_iter()
            .chain(shell.flat_map(|fence| fence.text.lines().map(str::to_owned).collect::<Vec<_>>()))
            .collect();
        for line in lines {
            if let Some(rest) = line.trim().strip_prefix(program).and_then(|rest| rest.strip_prefix(' ')) {
                let words = rest.split_whitespace().map(str::to_owned).collect();
                found.push((document.display().to_string(), words));
            }
        }
    }
    found
}

#[test]
fn every_command_that_a_document_names_exists() {
    let (known, of_token) = (commands(&[]), commands(&["token"]));
    assert!(known.contains("check") && of_token.contains("new"), "{known:?} {of_token:?}");
    let called = calls("switchboard");
    assert!(called.len() > 5, "{called:?}");
    for (document, words) in called {
        let mut plain = words.iter().filter(|word| !word.starts_with('-'));
        let Some(command) = plain.next() else { continue };
        // An option's value: a path, or a word in capitals.
        if command.contains(['/', '.', '<']) || command.chars().all(char::is_uppercase) {
            continue;
        }
        assert!(known.contains(command), "{document}: switchboard {command}");
        if command == "channel"
            && let Some(second) = plain.next()
        {
            assert!(
                ["setup", "doctor"].contains(&second.as_str()),
                "{document}: switchboard channel {second}"
            );
        } else if command == "token"
            && let Some(second) = plain.next()
        {
            assert!(of_token.contains(second), "{document}: switchboard token {second}");
        }
    }
}

#[test]
fn every_make_target_that_a_document_names_exists() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let called = calls("make");
    assert!(!called.is_empty());
    for (document, words) in called {
        let target = format!("{}:", words.first().unwrap());
        assert!(makefile.lines().any(|line| line.starts_with(&target)), "{document}: make {target}");
    }
}
